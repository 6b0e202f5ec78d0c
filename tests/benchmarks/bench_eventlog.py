"""Events a second into the log, against plain SQLite with the same durability in commits of a hundred."""

import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.rows import as_row
from terminal_kit.eventlog.schema import NAMES, prepare
from terminal_kit.events import Event
from tests.benchmarks.table import Table


def table(*, quick: bool) -> Table:
    """Both in turn, several times; medians, and the median of the ratios pair by pair."""
    count, repeats = (500, 1) if quick else (20_000, 9)
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeats):
            ours.append(count / _log(Path(folder) / f"log{number}.db", count))
            bare.append(count / _sqlite(Path(folder) / f"bare{number}.db", count))
    median = statistics.median
    ratio = median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    row = ("FULL, about 100 a commit", f"{median(ours):,.0f}", f"{median(bare):,.0f}", f"{ratio:.2f}")
    return Table("Events a second into the log", ("durability", "`EventLog`", "plain SQLite", "ratio"), [row])


def _event(number: int) -> Event:
    return Event(kind="signal", t_us=number, reader="STRM26138003393", rssi_dbm=-60.0, count=5)


def _log(path: Path, count: int) -> float:
    with EventLog(path) as log:
        run = log.start_run(radio="simulated")
        started_s = time.perf_counter()
        for number in range(count):
            run.append(_event(number))
        log.flush(120)
        return time.perf_counter() - started_s


def _sqlite(path: Path, count: int) -> float:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    prepare(db, str(path))
    insert = f"INSERT INTO events VALUES ({', '.join('?' * len(NAMES))})"
    started_s = time.perf_counter()
    for first in range(0, count, 100):
        db.execute("BEGIN")
        db.executemany(insert, [as_row(_event(n), n + 1, "r") for n in range(first, first + 100)])
        db.execute("COMMIT")
    took_s = time.perf_counter() - started_s
    db.close()
    return took_s
