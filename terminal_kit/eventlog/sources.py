"""Imported files: what the log knows of each. The rows of an import never change: see `importing.py`."""

import sqlite3
from dataclasses import dataclass, fields
from typing import Literal

from terminal_kit.events import is_capture

TimeRule = Literal["exact", "zone_assumed", "year_assumed", "order_only"]
"""How a source's times came about: as written; with a time zone or a year that it lacks; or only its order is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """One imported file. `records` are those it holds (lines, of a log): understood, foreign and damaged ones together.

    `container` is its format (`btsnoop`, `sdk log`, …), `run` the run that its events belong to: files of one phone
    share one. `clock_offset_us` is added to its times when they are read. `id` is given by the log.
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
    id: int = 0

    @property
    def is_capture(self) -> bool:
        """See `is_capture()`."""
        return is_capture(self.container)


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
