"""Advertisements a second through `Terminal` against a bare bleak callback on the same simulated air."""

import asyncio
import math
import statistics
import time

from bleak import BleakScanner

from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator import Air, SimulatorLoop
from terminal_kit.terminal import Terminal
from tests.benchmarks.table import Table

READERS = 500
INTERVAL_S = 0.1


def table(*, quick: bool) -> Table:
    """Both in turn, several times; medians, and the median of the ratios pair by pair."""
    seconds, repeats = (1.0, 1) if quick else (10.0, 9)
    bare, ours = [], []
    for _ in range(repeats):
        bare.append(_run(_bare(seconds)))
        ours.append(_run(_terminal(seconds)))
    median = statistics.median
    ratio = median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    row = (f"{READERS} readers", f"{median(ours):,.0f}", f"{median(bare):,.0f}", f"{ratio:.2f}")
    return Table("Advertisements a second", ("air", "`Terminal`", "bare bleak", "ratio"), [row])


def _run(work: object) -> float:
    with asyncio.Runner(loop_factory=lambda: SimulatorLoop(math.inf)) as runner:
        return runner.run(work)


def _crowd() -> Air:
    air = Air(5)
    air.advertising_interval_s = INTERVAL_S
    for number in range(READERS):
        air.add_reader(f"STRM2{number:09d}", distance_m=1 + number % 40 / 10)
    return air


async def _bare(seconds: float) -> float:
    air = _crowd()
    heard = 0

    def count(_device: object, _advertisement: object) -> None:
        nonlocal heard
        heard += 1

    scanner = BleakScanner(count, backend=simulated_radio(air).backends.scanner)
    started_s = time.perf_counter()
    async with scanner:
        await asyncio.sleep(seconds)
    took_s = time.perf_counter() - started_s
    air.close()
    return heard / took_s


async def _terminal(seconds: float) -> float:
    air = _crowd()
    heard = 0

    def count(event: object) -> None:
        nonlocal heard
        heard += event.count or 0 if event.kind == "signal" else 0

    async with Terminal(simulated_radio(air), sink=count) as terminal:
        started_s = time.perf_counter()
        await terminal.discover_readers(timeout_s=seconds)
        took_s = time.perf_counter() - started_s
    air.close()
    return heard / took_s
