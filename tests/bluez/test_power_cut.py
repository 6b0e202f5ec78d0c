"""The log survives a power cut: the whole machine is killed while it records on a disk of its own."""

import os
import random
import subprocess
import sys
from pathlib import Path

import machine
import pytest
from test_bluez_machine import ROOT, parts  # noqa: F401 - a fixture

KILLS = int(os.environ.get("TERMINAL_KIT_POWER_CUTS", "1"))
"""The short form for every day; 20 before an issue is closed."""

pytestmark = [pytest.mark.bluez, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_no_acknowledged_event_is_lost_by_a_power_cut(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    with disk.open("wb") as image:
        image.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", disk], check=True, env=os.environ | {"PATH": f"{os.environ['PATH']}:/sbin"})
    rng = random.Random(8)
    acknowledged = 0
    for cut in range(KILLS + 1):
        writer = [sys.executable, ROOT / "tests" / "crash_writer.py", "/mnt/disk/bench.db"]
        with machine.start(writer, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, disk=disk) as running:
            acks_left = rng.randint(1, 40)
            found = None
            for line in running.lines():
                match line.split():
                    case ["found", rows]:
                        found = int(rows)
                        assert found >= acknowledged
                        if cut == KILLS:
                            break
                    case ["ack", rows]:
                        acknowledged = int(rows)
                        acks_left -= 1
                        if not acks_left:
                            break
                    case _:
                        pass
            running.kill()
            assert found is not None, "the machine did not get as far as the log"
            print(f"cut {cut}: found {found}, acknowledged {acknowledged}")
    assert acknowledged > 0
