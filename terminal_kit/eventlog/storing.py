"""One transaction of the writer: events and statements become rows, and no row takes others down with it."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from terminal_kit.eventlog.rows import as_row, instead
from terminal_kit.eventlog.schema import NAMES
from terminal_kit.events import Event, Kind

INSERT = f"INSERT INTO events ({', '.join(NAMES)}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608 - our names


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and the run that it belongs to."""

    event: Event
    run: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Something besides an event to write, in order with the events."""

    sql: str
    values: tuple[Any, ...]


Item = Entry | Statement


def store(db: sqlite3.Connection, items: Sequence[Item], lost: int, last: Entry | None) -> Entry | None:
    """Stores all items, and a `gap` row for `lost` events, in one transaction. Gives the last entry stored so far.

    A batch that is refused for what is in it is written once more, row by row; the rows that are refused again become
    `error` rows. Raises what has nothing to do with the content: a full disk, a lock, a damaged file.
    """
    try:
        return _transaction(db, items, lost, last, _at_once)
    except Exception as error:
        if not _by_content(error):
            raise
    return _transaction(db, items, lost, last, _one_by_one)


Insert = Callable[[sqlite3.Connection, Sequence[Entry], Sequence[Statement], int, "Entry | None"], None]


def _transaction(
    db: sqlite3.Connection, items: Sequence[Item], lost: int, last: Entry | None, insert: Insert
) -> Entry | None:
    entries = [item for item in items if isinstance(item, Entry)]
    statements = [item for item in items if isinstance(item, Statement)]
    if lost and (before := entries[-1] if entries else last):
        gap = Event(kind=Kind.GAP, t_us=before.event.t_us, count=lost, text="events that were not stored")
        entries.append(Entry(gap, before.run))
    db.execute("BEGIN IMMEDIATE")
    try:
        seq = int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
        insert(db, entries, statements, seq, last)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return entries[-1] if entries else last


def _at_once(
    db: sqlite3.Connection, entries: Sequence[Entry], statements: Sequence[Statement], seq: int, last: Entry | None
) -> None:
    db.executemany(INSERT, [as_row(entry.event, number, entry.run) for number, entry in enumerate(entries, seq + 1)])
    for statement in statements:
        db.execute(statement.sql, statement.values)


def _one_by_one(
    db: sqlite3.Connection, entries: Sequence[Entry], statements: Sequence[Statement], seq: int, last: Entry | None
) -> None:
    run = entries[0].run if entries else last.run if last else ""
    t_us = last.event.t_us if last else None
    refused: list[Entry] = []
    for statement in statements:
        try:
            db.execute(statement.sql, statement.values)
        except Exception as error:
            if not _by_content(error):
                raise
            refused.append(Entry(instead(statement, error, t_us), run))
    for number, entry in enumerate([*refused, *entries], seq + 1):
        try:
            row = as_row(entry.event, number, entry.run, careful=True)
            db.execute(INSERT, row)
        except Exception as error:
            if not _by_content(error):
                raise
            row = as_row(instead(entry.event, error, t_us), number, entry.run, careful=True)
            db.execute(INSERT, row)
        t_us = row[1]


def _by_content(error: Exception) -> bool:
    """Whether what was to be stored is to blame, and not the disk, a lock or the file."""
    content = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
    return isinstance(error, content) or not isinstance(error, sqlite3.Error)
