"""Readers, the air between them and the host, and a clock that may hurry.

`firmware.py` is the reader without I/O and without a clock, `air.py` carries it, `propagation.py` and `link.py` say
what arrives, `faults.py` what goes wrong, `clock.py` when.
"""

from terminal_kit.simulator.air import Air
from terminal_kit.simulator.clock import SimulatorLoop, run_virtual
from terminal_kit.simulator.faults import FAULTS
from terminal_kit.simulator.firmware import ReaderModel


def shop(air: Air) -> None:
    """A small shop: a reader of each type, near, a few steps away and across the room."""
    air.add_reader("STRM26138003393", distance_m=1.5, battery=0.87)
    air.add_reader("WPC323105002323", distance_m=4.0, battery=0.41)
    air.add_reader("CHB204909005931", distance_m=9.0, battery=0.64)


__all__ = ["FAULTS", "Air", "ReaderModel", "SimulatorLoop", "run_virtual", "shop"]
