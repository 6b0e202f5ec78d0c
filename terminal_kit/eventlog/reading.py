"""Rows out of a log, page by page: nothing is fetched that is not wanted yet, and no reader holds others up."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from terminal_kit.eventlog.place import translated
from terminal_kit.eventlog.rows import as_event
from terminal_kit.eventlog.schema import NAMES, absent
from terminal_kit.eventlog.sources import read_sources
from terminal_kit.events import Event

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

PAGE = 1000
"""Events fetched at a time: well under a megabyte of them."""


def events(
    log: "EventLog", where: str, values: Sequence[Any], *, after_seq: int = 0, limit: int = -1
) -> Iterator[Event]:
    """See `EventLog.events()`."""
    for page in pages(log, NAMES, where, values, after_seq=after_seq, limit=limit, size=PAGE):
        yield from map(as_event, page)


def pages(
    log: "EventLog",
    names: Sequence[str],
    where: str,
    values: Sequence[Any],
    *,
    after_seq: int = 0,
    limit: int = -1,
    size: int,
) -> Iterator[list[Sequence[Any]]]:
    """The rows that there are now, some at a time, in the log's order; `names` begins with `seq`.

    A page is a query of its own. A cursor that stays open would keep its connection, which others read through as well,
    at the moment when it began. Raises `EventLogError`.
    """
    end = log.last_seq()
    sql = f"SELECT {', '.join(names)} FROM {_source(log)} WHERE {where} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"  # noqa: S608
    while limit and (rows := log.query(sql, [*values, after_seq, end, size if limit < 0 else min(size, limit)])):
        yield rows
        after_seq = rows[-1][0]
        limit -= len(rows) if limit > 0 else 0


def _source(log: "EventLog") -> str:
    """The events table; where it is older than some columns, with nulls for them, and with corrected clocks."""
    try:
        lacking = absent(log.connection, str(log.path))
        shifted = [source for source in read_sources(log.connection) if source.clock_offset_us]
    except sqlite3.Error as error:
        raise translated(error, log.path) from error
    if not lacking and not shifted:
        return "events"
    columns = [f"NULL AS {name}" if name in lacking else name for name in NAMES]
    if shifted:
        offsets = " ".join(f"WHEN {source.id} THEN {source.clock_offset_us}" for source in shifted)
        columns[NAMES.index("t_us")] = f"t_us + CASE source {offsets} ELSE 0 END AS t_us"
    return f"(SELECT {', '.join(columns)} FROM events)"  # noqa: S608 - our names and numbers
