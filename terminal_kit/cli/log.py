"""`events`: the rows of a log."""

import argparse
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.readers import known_reader
from terminal_kit.events import Event, is_dated

_NAMES = tuple(field.name for field in fields(Event))
_SAID_APART = {"seq", "t_us", "mono_us", "run", "reader", "kind", "terminal"}
_EPOCH = datetime.fromtimestamp(0, UTC)


def add_to(commands: Commands) -> None:
    """Adds the command."""
    events = command(
        commands, "events", "prints the rows of a log", "terminal-kit events bench.db --kind disconnected --json"
    )
    events.add_argument("log", help="the log's file")
    events.add_argument("--reader", help="only this serial")
    events.add_argument("--kind", help="only this kind")
    events.add_argument("--json", action="store_true", help="JSON lines with the log's own column names")
    events.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints a line a row, in the order of the log."""
    with EventLog(chosen.log, read_only=True) as log:
        if chosen.reader is not None:
            known_reader(log, chosen.reader)
        radios = {run.id: run.radio for run in log.runs()}
        for event in log.events(reader=chosen.reader, kind=chosen.kind, radio="all"):
            radio = radios.get(event.run, "")
            print(json.dumps(as_json(event, radio), default=str) if chosen.json else as_line(event, radio))
    return 0


def as_json(event: Event, radio: str) -> dict[str, Any]:
    """The columns that hold something, and which radio the row came from. `t_us` is null for lines that tell no time.

    Such lines begin at the epoch in the log, a millisecond apart (`order_only`): their order is that of `seq`.
    """
    columns = {name: getattr(event, name) for name in _NAMES}
    told = {name: value for name, value in columns.items() if value is not None} | {"radio": radio}
    return told if is_dated(event.t_us) else told | {"t_us": None}


def as_line(event: Event, radio: str) -> str:
    """A row for eyes: time, radio, reader, kind, and whatever else it holds.

    A log may hold anything, so all of it is made printable.
    """
    facts = (f"{name}={value}" for name, value in as_json(event, radio).items() if name not in {*_SAID_APART, "radio"})
    names = f"{printable(radio):<9} {printable(event.reader) or '–':<18} {printable(event.kind):<20}"
    return f"{_time(event.t_us)} {names} {printable(' '.join(facts))}".rstrip()


def _time(t_us: int) -> str:
    if not is_dated(t_us):
        return f"{'no date':<24}"
    try:
        return (_EPOCH + timedelta(microseconds=t_us)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
    except (OverflowError, ValueError, TypeError):
        return f"{printable(str(t_us))} µs"  # no calendar has it
