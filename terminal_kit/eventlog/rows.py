"""Rows of the events table: an `Event` as a row, a row as an `Event`."""

import time
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog.cells import READ, TOLD_CHARACTERS, WRITE, json_text, suspects, text, told, whole_64
from terminal_kit.eventlog.schema import NAMES
from terminal_kit.events import COLUMNS, Event, Kind

UNFIT = "unfit"
"""The key in `extra` under which values are kept, as their `repr`, that fit no cell of their column."""

_VALUES = attrgetter(*NAMES)
_SEQ, _RUN, _EXTRA = (NAMES.index(name) for name in ("seq", "run", "extra"))
_EVERY = tuple(range(len(NAMES)))
_WRITE = tuple(WRITE[column.type] for column in COLUMNS)
_READ = tuple(READ[column.type] for column in COLUMNS)
_EMPTY: tuple[Any, ...] = tuple(
    None if not column.required else "" if column.type == "str" else 0 for column in COLUMNS
)


def as_row(event: Event, seq: int, run: str, *, careful: bool = False) -> list[Any]:
    """An event of a run as a row, in the order of `NAMES`.

    A value that fits no cell of its column goes into `extra`, under `UNFIT`. `careful` looks at every cell, which is
    for rows that SQLite has refused. Raises `InvalidParameterError` where `kind` or `t_us` is none.
    """
    values = list(_VALUES(event))
    values[_SEQ], values[_RUN] = seq, run
    unfit: dict[str, str] = {}
    for place in _EVERY if careful else suspects(tuple(map(type, values))):
        value = values[place]
        if value is not None:
            try:
                values[place] = _WRITE[place](value)
                continue
            except Exception:
                unfit[NAMES[place]] = told(value)
        values[place] = _without(place)
    if unfit:
        values[_EXTRA] = _beside(event.extra, unfit)
    return values


def as_event(row: Sequence[Any]) -> Event:
    """A row, in the order of `NAMES`, as an event.

    A cell that does not hold what its column should (a damaged row, or another program's) is None, or 0 for `t_us`.
    """
    values = list(row)
    for place in suspects(tuple(map(type, values))):
        try:
            values[place] = _EMPTY[place] if values[place] is None else _READ[place](values[place])
        except Exception:
            values[place] = _EMPTY[place]
    return Event(**dict(zip(NAMES, values, strict=True)))


def instead(event: Any, error: Exception, t_us: int | None) -> Event:
    """The `error` row that stands for an event which cannot be stored.

    At its own time where it has one, else at `t_us`, which is that of the row before (the host's, without one).
    """
    try:
        at_us = whole_64(event.t_us)
    except Exception:
        at_us = t_us if t_us is not None else time.time_ns() // 1000
    try:
        reader = text(event.reader or "")[:TOLD_CHARACTERS]
    except Exception:
        reader = ""
    return Event(
        kind=Kind.ERROR,
        t_us=at_us,
        reader=reader,
        text=f"an event could not be stored: {told(error)}",
        extra={"event": told(event)},
    )


def _without(place: int) -> Any:
    """What stands in a cell without a value: null, the host for a reader. Raises where there must be one."""
    column = COLUMNS[place]
    if column.required and column.name != "reader":
        raise InvalidParameterError(f"an event needs {column.name}", parameter=column.name)
    return "" if column.required else None


def _beside(extra: Mapping[str, Any] | None, unfit: Mapping[str, str]) -> str:
    """The event's `extra` as JSON, with what fitted nowhere else."""
    kept = dict[str, Any]() if extra is None or "extra" in unfit else extra
    return json_text({**kept, UNFIT: unfit})
