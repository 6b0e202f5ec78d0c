"""All that a log knows of one row, for people: the names of its columns, and their values as text."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from terminal_kit.charts.timeline import where
from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.filters import EPOCH
from terminal_kit.events import Event
from terminal_kit.panels.advertisements import Heard
from terminal_kit.panels.panel import Picture
from terminal_kit.words import kind_words, visible

VALUE_CHARACTERS = 2000
"""How much of one value is shown: an app may log whole replies of servers."""

_TOLD_APART = ("kind", "t_us", "mono_us", "seq", "run", "source", "record", "record_end", "extra")
"""Columns that the heading and the place say, or whose parts are listed one by one."""


def captures_of(sources: list[Source]) -> frozenset[int]:
    """The files that count records from 0, and not lines from 1."""
    return frozenset(source.id for source in sources if source.is_capture)


def row_facts(log: EventLog, seq: int) -> Picture | None:
    """A row: when, what, where it comes from, and every column that says something. None for a row there is not."""
    event = next(log.events(after_seq=seq - 1, limit=1, radio="all"), None)
    if event is None or event.seq != seq:
        return None
    sources = {source.id: source for source in log.sources()}
    of = sources.get(event.source) if event.source is not None else None
    row = {"seq": seq, "source": event.source, "record": event.record, "file": of and of.name}
    captures = captures_of(list(sources.values()))
    return {
        "row": seq,
        "t_us": event.t_us,
        "title": kind_words(event.kind),
        "place": where({name: value for name, value in row.items() if value is not None}, captures)
        + _until(event, captures),
        "facts": [["time", time_words(event.t_us)], *_facts(event), ["run", visible(event.run)], ["row", str(seq)]],
    }


def heard_facts(heard: Heard) -> Picture:
    """The same of one advertisement, which is in the file beside the log and not in it."""
    row = {"source": heard.source.id, "record": heard.record, "file": heard.source.name}
    return {
        "row": 0,
        "t_us": heard.t_us,
        "title": "advertisement",
        "place": where(row, captures_of([heard.source])),
        "facts": [["time", time_words(heard.t_us)], ["rssi_dbm", f"{heard.rssi_dbm:.0f}"]],
    }


def time_words(t_us: int) -> str:
    """A moment to the microsecond; a time that no calendar has, as its number."""
    try:
        moment: datetime = EPOCH + timedelta(microseconds=t_us)
    except OverflowError:
        return f"{t_us} µs"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"


def _until(event: Event, captures: frozenset[int]) -> str:
    """Rows that sum up several records say which was the last."""
    if event.record is None or event.record_end is None or event.record_end == event.record:
        return ""
    return f" to {event.record_end + 1 if event.source in captures else event.record_end}"


def _facts(event: Event) -> list[list[str]]:
    told: dict[str, Any] = {name: value for name, value in asdict(event).items() if name not in _TOLD_APART}
    told |= event.extra if isinstance(event.extra, Mapping) else {}
    return [[visible(str(name)), _text(value)] for name, value in told.items() if value not in (None, "")]


def _text(value: Any) -> str:
    match value:
        case str():
            text = value
        case float():
            text = f"{value:.6g}"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    shown = visible(text)
    return shown if len(shown) <= VALUE_CHARACTERS else f"{shown[:VALUE_CHARACTERS]}…"
