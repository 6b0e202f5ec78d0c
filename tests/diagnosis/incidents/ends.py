"""What the stage itself saw of the links' ends: the truth that views are checked against, in none of them."""

from typing import Any, NamedTuple

from terminal_kit.events import DisconnectReason
from terminal_kit.simulator.air import Air, SimulatedReader
from terminal_kit.simulator.link import LOCAL_HOST, Link
from terminal_kit.simulator.tap import Tap

HANGS_UP = (0x13, 0x14, 0x15)


class End(NamedTuple):
    """One end: when, whose, its link-layer code, and the reason that the reader had, where it was the reader's."""

    t_us: int
    reader: str
    hci_code: int
    reason: DisconnectReason
    is_link: bool


class Ends(Tap):
    """Every link's end and every attempt that was given up."""

    def __init__(self, air: Air) -> None:
        self.all: list[End] = []
        self._air = air
        air.taps.append(self)

    def ended(self, reader: SimulatedReader[Any], link: Link, hci_code: int) -> None:
        """A link is over."""
        reason = DisconnectReason.UNKNOWN
        if hci_code in HANGS_UP and reader.taken_by is None:
            reason = reader.model._leaving[0]
        elif hci_code == LOCAL_HOST:
            off = self._air.host.fault is not None
            reason = DisconnectReason.BLUETOOTH_DISABLED if off else DisconnectReason.DISCONNECT_REQUESTED
        elif hci_code in (0x08, 0x22):
            reason = DisconnectReason.BLUETOOTH_SIGNAL_LOST
        elif hci_code in (0x06, 0x3D):
            reason = DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION
        self._add(reader, hci_code, reason, is_link=True)

    def gave_up(self, reader: SimulatedReader[Any]) -> None:
        """The host waited in vain."""
        self._add(reader, 0x02, DisconnectReason.UNKNOWN, is_link=False)

    def _add(self, reader: SimulatedReader[Any], hci_code: int, reason: DisconnectReason, *, is_link: bool) -> None:
        self.all.append(End(self._air.utc_us(), reader.model.serial, hci_code, reason, is_link))
