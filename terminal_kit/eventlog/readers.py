"""The readers that a log knows, each under its one name."""

import difflib
from typing import TYPE_CHECKING

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog.filters import Among, condition

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

NAMED = 10
"""Readers that an error names; a capture has hundreds of devices, and nobody reads them all."""


def readers(log: "EventLog", *, radio: Among = "all") -> list[str]:
    """All readers under the names that `frame()` gives them, those with most rows first.

    `radio` says which kinds are meant, as for `EventLog.frame()`. Raises `EventLogError` as that does.
    """
    where, values = condition(log, {"radio": radio})
    aliases = log.aliases()
    totals: dict[str, int] = {}
    for reader, rows in log.query(
        f"SELECT reader, count(*) FROM events WHERE {where} AND typeof(reader) = 'text' GROUP BY reader",  # noqa: S608
        values,
    ):
        if name := aliases.get(reader, reader):
            totals[name] = totals.get(name, 0) + rows
    return sorted(totals, key=lambda name: (-totals[name], name))


def known_reader(log: "EventLog", name: str, *, radio: Among = "all") -> str:
    """The one name of a reader, given that or another of its names.

    Raises `InvalidParameterError`, with the readers that there are, for one of which the log has no row: "nothing
    happened" would be said of a name that is only misspelt.
    """
    known = readers(log, radio=radio)
    found = log.aliases().get(name, name)
    if found in known:
        return found
    near = difflib.get_close_matches(name, known, NAMED)
    named = list(dict.fromkeys([*near, *known]))[:NAMED]
    more = f" and {len(known) - len(named)} more" if len(known) > len(named) else ""
    raise InvalidParameterError(
        f"there is no reader {name!r} in what was recorded",
        parameter="reader",
        value=name,
        hint=f"There are {', '.join(named)}{more}." if len(known) > 1 else f"There is {', '.join(named) or 'none'}.",
    )
