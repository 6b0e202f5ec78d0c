"""Taking in what was read of files: all of a file or none of it, as columns and not as `Event` objects."""

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from terminal_kit.eventlog.cells import WRITE, suspect
from terminal_kit.eventlog.opening import connect_writer
from terminal_kit.eventlog.place import translated
from terminal_kit.eventlog.sources import NAMES, Source
from terminal_kit.events import COLUMNS, Kind

Columns = Mapping[str, Sequence[Any] | Any]
"""Rows as columns: by names of `events.COLUMNS`, sequences (or numpy arrays) of one length. Absent ones are null."""

BATCH = 10_000
"""Rows a statement: enough that preparing it does not count, few enough to be held as Python objects."""

_SHIFT = """
UPDATE sources SET clock_offset_us = ? WHERE id IN (
  WITH RECURSIVE file (id, sha256, grown_from) AS (
    SELECT id, sha256, grown_from FROM sources WHERE id = ?
    UNION SELECT part.id, part.sha256, part.grown_from FROM sources AS part
    JOIN file ON part.sha256 = file.grown_from OR part.grown_from = file.sha256
  )
  SELECT id FROM file
)
"""
"""A file that has grown is several sources, and was written by one clock."""

_COLUMNS = {column.name: column for column in COLUMNS}


class Outcome(NamedTuple):
    """What is known of an import when its rows are through. `aliases`: names found to be a reader's."""

    sources: Sequence[Source]
    aliases: Mapping[str, str] = {}
    app: str | None = None
    time_zone: str | None = None


def store_import(
    path: Path, hashes: Sequence[str], batches: Iterable[Columns], outcome: Callable[[], Outcome]
) -> list[Source]:
    """Stores what is read of some files of one phone, as one run, in one transaction; gives the sources with their ids.

    `hashes` are the files' SHA-256, in whose order the column `source` of `batches` counts from 0 (`run` and `seq` are
    left out); `outcome` is called when the batches are through, with a source for each hash. A file whose hash the log
    has is left out with its rows. Raises `EventLogError`, with nothing stored.
    """
    try:
        with closing(connect_writer(path)) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                stored = _store(db, hashes, batches, outcome)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return stored


def shift(path: Path, source: int, clock_offset_us: int) -> bool:
    """Corrects the clock of a source, and of all parts of its file; gives whether there is such a source.

    Raises `EventLogError`.
    """
    try:
        with closing(connect_writer(path)) as db:
            cursor = db.execute(_SHIFT, (clock_offset_us, source))
            return cursor.rowcount > 0
    except sqlite3.Error as error:
        raise translated(error, path) from error


def _store(
    db: sqlite3.Connection, hashes: Sequence[str], batches: Iterable[Columns], outcome: Callable[[], Outcome]
) -> list[Source]:
    known = {row[0] for row in db.execute("SELECT sha256 FROM sources")}
    fresh = [number for number, sha256 in enumerate(hashes) if sha256 not in known]
    if not fresh:
        return []
    first = int(db.execute("SELECT coalesce(max(id), 0) FROM sources").fetchone()[0]) + 1
    ids = {number: first + place for place, number in enumerate(fresh)}
    seq = int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
    began, new_run = seq, uuid.uuid4().hex[:12]
    for columns in batches:
        names = [name for name in columns if name not in ("seq", "run")]
        sql = f"INSERT INTO events (seq, run, {', '.join(names)}) VALUES (?, ?{', ?' * len(names)})"  # noqa: S608
        where = names.index("source")
        for rows in _rows(columns, names):
            numbered: list[tuple[Any, ...]] = []
            for row in rows:
                if (source := ids.get(row[where])) is not None:
                    seq += 1
                    numbered.append((seq, new_run, *row[:where], source, *row[where + 1 :]))
            db.executemany(sql, numbered)
    told = outcome()
    run = next((source.run for source in told.sources if source.run), new_run)
    if run != new_run:  # what had been read of a file that has grown
        db.execute("UPDATE events SET run = ? WHERE seq > ?", (run, began))
    db.execute(
        "INSERT OR IGNORE INTO runs (id, radio, app, time_zone) VALUES (?, 'import', ?, ?)",
        (run, told.app, told.time_zone),
    )
    stored = [replace(told.sources[number], run=run, id=ids[number]) for number in fresh]
    columns_sql, marks = ", ".join(f'"{name}"' for name in NAMES), ", ".join("?" * len(NAMES))
    # getattr and not astuple: what NAMES says is what is stored, in its order.
    values = [tuple(getattr(source, name) for name in NAMES) for source in stored]
    db.executemany(f"INSERT INTO sources ({columns_sql}) VALUES ({marks})", values)  # noqa: S608 - our names
    db.executemany("INSERT OR REPLACE INTO aliases (alias, reader) VALUES (?, ?)", told.aliases.items())
    return stored


def _rows(columns: Columns, names: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of some columns, a batch at a time; the cells are such as the log holds."""
    length = len(columns["t_us"])
    for begin in range(0, length, BATCH):
        end = min(begin + BATCH, length)
        yield list(zip(*(_cells(name, columns[name][begin:end]) for name in names), strict=True))


def _cells(name: str, values: Any) -> list[Any]:
    cells: list[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    column = _COLUMNS[name]
    kinds = set(map(type, cells))
    if float in kinds and column.type.startswith("float"):
        cells = [None if cell != cell else cell for cell in cells]  # noqa: PLR0124 - NaN is no value
    careful = column.type in ("str", "json") or any(suspect(column, kind) for kind in kinds)
    if not careful or kinds <= {type(None)} or kinds == {Kind}:
        return cells
    fit = WRITE[column.type]
    return [None if cell is None else fit(cell) for cell in cells]
