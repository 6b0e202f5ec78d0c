"""A file's bytes: mapped, let go of when they are read, and there again when they are asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from terminal_kit.importers.content import let_go, opened

READS = """
import re, sys
from terminal_kit.importers.captures.reading import CaptureReading
from terminal_kit.importers.content import opened
from terminal_kit.importers.sdk_logs import LogReading
kind = CaptureReading if sys.argv[1] == "capture" else lambda contents: LogReading(contents[0], year=2024)
with opened(__import__("pathlib").Path(sys.argv[2])) as content:
    reading = kind([content])
    for batch in reading.batches():
        pass
    print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1000)
    if sys.argv[1] == "capture":
        reading.close()
"""


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 0), (1, 4095), (0, 4096), (5000, 30_000), (0, 1 << 30), (3, 1 << 30), (25_000, 1 << 30), (1 << 20, 1 << 30)],
)
def test_what_was_let_go_is_there_again(tmp_path: Path, begin: int, end: int) -> None:
    path = tmp_path / "any"
    path.write_bytes(bytes(range(256)) * 100)  # 25,600: six pages and a bit
    with opened(path) as content:
        let_go(content.data, begin, end)
        assert bytes(content.data[:]) == path.read_bytes()


def test_what_is_not_mapped_stays(tmp_path: Path) -> None:
    let_go(b"abc", 0, 3)
    (tmp_path / "empty").touch()
    with opened(tmp_path / "empty") as content:
        let_go(content.data, 0, 0)
        assert content.data == b""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a program's own memory")
@pytest.mark.parametrize("kind", ["capture", "log"])
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    """Of a capture a million advertisements are kept before more of them are laid aside; of a log only what is told."""
    peaks_mb = list[float]()
    sizes_mb, allowed_mb = {"capture": ((120, 300), 75), "log": ((20, 120), 10)}[kind]
    for megabytes in sizes_mb:
        path = tmp_path / f"{megabytes}"
        write(kind, path, megabytes)
        done = subprocess.run(
            [sys.executable, "-c", READS, kind, str(path)], capture_output=True, text=True, check=True
        )
        peaks_mb.append(float(done.stdout))
        path.unlink()
    assert peaks_mb[1] - peaks_mb[0] < allowed_mb


def write(kind: str, path: Path, megabytes: int) -> None:
    if kind == "log":
        line = "05-07 08:24:02.064  1372  1983 D WifiHAL: words of another part of the phone\n"
        ours = "05-07 08:24:02.064  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders\n"
        block = (line * 10_000 + ours).encode()
        path.write_bytes(block * (megabytes * 1_000_000 // len(block)))
    else:
        from tests.benchmarks.bench_import import generate

        generate(path, megabytes * 1_000_000, 6_000)
