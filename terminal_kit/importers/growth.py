"""Files that go on where a known one ends: only what is new of them is taken in, as part of the same run."""

from collections.abc import Iterator, Sequence
from typing import Any

from terminal_kit.eventlog import Columns, EventLog, Source

NEW = -1
"""The last known record of a file of which nothing is known."""


class Growth:
    """Which rows of a reading are new, and which number the log has given to each link session.

    `parts`: for each file of the reading, what the log knows of it, or of its beginning; None for a new file.
    """

    def __init__(self, log: EventLog, parts: Sequence[Source | None]) -> None:
        known = [part for part in parts if part is not None]
        self.run = known[0].run if known else ""
        self._last: list[int] = [NEW if part is None else _last_record(log, part) for part in parts]
        self._rows = {
            (place, record, kind): session
            for place, part in enumerate(parts)
            if part is not None
            for record, kind, session in log.query(
                "SELECT record, kind, session FROM events WHERE source = ? AND session IS NOT NULL", (part.id,)
            )
        }
        highest = log.query("SELECT max(session) FROM events WHERE run = ?", (self.run,))[0][0] if known else None
        self._next = int(highest or 0) + 1
        self._sessions: dict[int, int] = {}

    def fresh(self, batches: Iterator[Columns]) -> Iterator[Columns]:
        """The rows that are new, with the log's numbers of sessions."""
        for batch in batches:
            kept = [place for place, is_new in enumerate(self._judged(batch)) if is_new]
            columns = {name: [values[place] for place in kept] for name, values in map(_plain, batch.items())}
            if "session" in columns:
                columns["session"] = [self._session(session) for session in columns["session"]]
            yield columns

    def _judged(self, batch: Columns) -> Iterator[bool]:
        """Whether each row is new; on the way, those that are not tell which session is which."""
        columns = dict(map(_plain, batch.items()))
        sources: Sequence[int] = columns["source"]
        empty = [None] * len(sources)
        for source, record, kind, session in zip(
            sources,
            columns.get("record", empty),
            columns["kind"],
            columns.get("session", empty),
            strict=True,
        ):
            last = self._last[source]
            known = self._rows.get((source, record, str(kind)))
            if session is not None and known is not None:
                self._sessions.setdefault(session, known)
            yield last == NEW or (record is not None and record > last)

    def _session(self, session: int | None) -> int | None:
        if session is None:
            return None
        if session not in self._sessions:
            self._sessions[session] = self._next
            self._next += 1
        return self._sessions[session]


def _last_record(log: EventLog, part: Source) -> int:
    """The last record of a known file that needs no second look.

    Lines count from 1, records from 0. The last one may have been cut, where the file was still being written: it is
    looked at again, unless it gave a row.
    """
    last = part.records if part.container.startswith("sdk log") else part.records - 1
    gave = log.query(
        "SELECT 1 FROM events WHERE source = ? AND coalesce(record_end, record) >= ? LIMIT 1", (part.id, last)
    )
    return last if gave else last - 1


def _plain(column: tuple[str, Any]) -> tuple[str, Sequence[Any]]:
    name, values = column
    return name, values.tolist() if hasattr(values, "tolist") else values
