"""Captures: records a second of CPU time and peak memory, beside Wireshark, BlueZ and btsnoop-parser.

The capture is generated: a busy place (150 devices that advertise; one step in three hundred is about a link), as a
phone's btsnoop of 150 MB. Each program is a process of its own, and its own user and system time counts.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.benchmarks.table import Table

HERE = Path(__file__).resolve().parent
BYTES, QUICK_BYTES = 150_000_000, 1_000_000
BLOCK_RECORDS, QUICK_RECORDS = 60_000, 6_000
ANDROID_RECORDS = 65_535
"""What Android keeps in one file."""

OURS = """
import sys
from terminal_kit.importers.captures.tables import read_tables
print(read_tables(sys.argv[1]).reports[0].records)
"""
INTO_THE_LOG = """
import sys, tempfile, pathlib
from terminal_kit.eventlog import EventLog
from terminal_kit.importers import import_files
with tempfile.TemporaryDirectory() as folder, EventLog(pathlib.Path(folder) / "log.db") as log:
    print(import_files([sys.argv[1]], log)[0].records)
"""
NOTHING = "import terminal_kit.importers.captures.tables, terminal_kit.importers"
PARSER = """
import sys
from btsnoop_parser import parse_btsnoop_file
print(len(parse_btsnoop_file(sys.argv[1])))
"""
ANDROID = """
import sys, time
from terminal_kit.importers.captures.tables import read_tables
read_tables(sys.argv[1])
began_s = time.perf_counter()
read_tables(sys.argv[1])
print(time.perf_counter() - began_s)
"""


class Cost(NamedTuple):
    """CPU seconds, and the peak of resident memory in megabytes."""

    cpu_s: float
    peak_mb: float


def table(*, quick: bool) -> Table:
    """One run of each program on one file."""
    with tempfile.TemporaryDirectory() as folder:
        path, android = Path(folder) / "phone.btsnoop", Path(folder) / "android.btsnoop"
        records = generate(path, QUICK_BYTES if quick else BYTES, QUICK_RECORDS if quick else BLOCK_RECORDS)
        of_android = generate(android, 0, QUICK_RECORDS if quick else ANDROID_RECORDS)
        start_s = cost([sys.executable, "-c", NOTHING]).cpu_s
        tables, log = (cost([sys.executable, "-c", script, str(path)]) for script in (OURS, INTO_THE_LOG))
        tables, log = (Cost(of.cpu_s - start_s, of.peak_mb) for of in (tables, log))
        told = subprocess.run(
            [sys.executable, "-c", ANDROID, str(android)], capture_output=True, text=True, check=True
        ).stdout
        rows = [
            row("file to tables, without the start of Python", records, tables, tables),
            row("file into the log, likewise", records, log, tables),
        ]
        rows += [row(name, records, cost(command), tables) for name, command in peers(path)]
        seconds = f"{float(told):.2f} s"
        rows.append((f"one Android file of {of_android:,} records, in a running program", seconds, "", ""))
    return Table(
        "Captures", ("what", "million records/s of CPU time", "peak memory", "our tables' speed over it"), rows
    )


def peers(path: Path) -> list[tuple[str, list[str]]]:
    """The other programs that are here, with what they are asked for: the fields that our tables have."""
    fields = ("frame.number", "frame.time_epoch", "bthci_evt.code", "bthci_evt.bd_addr", "bthci_evt.rssi")
    chosen = [part for field in fields for part in ("-e", field)]
    found = [
        ("`tshark`, five fields", ["tshark", "-n", "-r", str(path), "-T", "fields", *chosen]),
        ("`btmon -a`", ["btmon", "-a", str(path)]),
        ("`btsnoop-parser`", [sys.executable, "-c", PARSER, str(path)]),
    ]
    return [(name, command) for name, command in found if shutil.which(command[0])]


def row(name: str, records: int, of: Cost, ours: Cost) -> tuple[str, str, str, str]:
    return name, f"{records / of.cpu_s / 1e6:.3f}", f"{of.peak_mb:.0f} MB", f"{of.cpu_s / ours.cpu_s:.1f}"


def cost(command: list[str]) -> Cost:
    """Runs a program; its output goes nowhere."""
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def generate(path: Path, size: int, block_records: int) -> int:
    """A capture of at least so many bytes: one block again and again, each later than the one before."""
    sys.path.insert(0, str(HERE.parent / "importers"))
    from capture_writers import BTSNOOP_EPOCH_US, btsnoop
    from hci_packets import Venue

    packets = Venue(1, devices=150, links=1 / 300).packets(block_records)
    data = btsnoop(packets, 1002)
    block = np.frombuffer(data, np.uint8)[16:]
    sizes = [24 + 1 + len(packet.payload) for packet in packets]
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    t_us = np.array([packet.t_us for packet in packets]) + BTSNOOP_EPOCH_US
    span_us = packets[-1].t_us - packets[0].t_us + 5_000
    written, blocks = 16, 0
    with path.open("wb") as file:
        file.write(data[:16])
        while not blocks or written < size:
            later = block.copy()
            stamps = (t_us + blocks * span_us).astype(">i8").view(np.uint8).reshape(-1, 8)
            later[begins[:, None] + 16 + np.arange(8)] = stamps
            file.write(later.tobytes())
            written, blocks = written + len(later), blocks + 1
    return blocks * block_records
