"""Imported files: what the log knows of each. The rows of an import never change: see `importing.py`."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import is_capture

TimeRule = Literal["exact", "zone_assumed", "year_assumed", "order_only"]
"""How a source's times came about: as written; with a time zone or a year that it lacks; or only its order is known."""

CLOCK_OFFSET_YEARS = 100
"""No clock is further off: one that was never set begins in 1970 or later, and a year that is assumed is this one.

A time that a calendar has stays one that a calendar has, corrected by so much: before it (years 1870 and on) and after.
"""

CLOCK_OFFSET_US = CLOCK_OFFSET_YEARS * 31_557_600_000_000
"""The same in microseconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """One imported file. `records` are those it holds (lines, of a log): understood, foreign and damaged ones together.

    `container` is its format (`btsnoop`, `sdk log`, …), `run` the run that its events belong to: files of one phone
    share one. `clock_offset_us` is added to its times when they are read. `grown_from` is the hash of the source that
    is its beginning, where it had been imported before it grew: the rows of that part lead to that source, and the two
    are one file (`whole_files()`), with one clock. `id` is given by the log.
    """

    sha256: str
    name: str
    container: str
    time_rule: TimeRule
    size_bytes: int
    records: int = 0
    understood: int = 0
    foreign: int = 0
    damaged: int = 0
    run: str = ""
    clock_offset_us: int = 0
    grown_from: str = ""
    id: int = 0

    @property
    def is_capture(self) -> bool:
        """See `is_capture()`."""
        return is_capture(self.container)


def whole_files(sources: Iterable[Source]) -> list[Source]:
    """The sources as people count them, each file once: those that are no beginning of another."""
    every = list(sources)
    beginnings = {source.grown_from for source in every}
    return [source for source in every if source.sha256 not in beginnings]


def check_clock_offset(clock_offset_us: float) -> None:
    """Raises `InvalidParameterError` for more than `CLOCK_OFFSET_YEARS` either way, and for what is no number."""
    if not abs(clock_offset_us) <= CLOCK_OFFSET_US:
        raise InvalidParameterError(
            f"no clock is {clock_offset_us / 1e6:g} s wrong",
            parameter="clock_offset_us",
            value=clock_offset_us,
            hint=f"A correction is of {CLOCK_OFFSET_YEARS} years at most, {CLOCK_OFFSET_US // 10**6:,} s either way.",
        )


NAMES = tuple(field.name for field in fields(Source))
_TABLE = {name: "INTEGER" if name.endswith(("_us", "_bytes")) else "TEXT" for name in NAMES} | dict.fromkeys(
    ("records", "understood", "foreign", "damaged"), "INTEGER"
)


def complete(db: sqlite3.Connection) -> None:
    """Adds what the sources table of an older log lacks."""
    for name in lacking(db):
        db.execute(f'ALTER TABLE sources ADD COLUMN "{name}" {_TABLE[name]}')


def lacking(db: sqlite3.Connection) -> list[str]:
    """The columns that the sources table of an older log lacks."""
    there = {str(row[1]) for row in db.execute("PRAGMA table_info(sources)")}
    return [name for name in NAMES if name not in there]


def read_sources(db: sqlite3.Connection) -> list[Source]:
    """The sources, in the order of their import. Raises `sqlite3.Error`."""
    absent = lacking(db)
    chosen = ", ".join("NULL" if name in absent else f'"{name}"' for name in NAMES)
    rows = db.execute(f"SELECT {chosen} FROM sources ORDER BY id").fetchall()  # noqa: S608 - our names
    defaults = Source("", "", "", "exact", 0)
    return [
        Source(*(getattr(defaults, name) if cell is None else cell for name, cell in zip(NAMES, row, strict=True)))
        for row in rows
    ]
