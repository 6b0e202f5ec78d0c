"""Files that go on where a known one ends: only what is new of them is taken in, as part of the same run."""

from collections.abc import Iterator, Sequence
from typing import Any

from terminal_kit.eventlog import Columns, EventLog, Source
from terminal_kit.events import Kind

NEW = -1
"""The last known record of a file of which nothing is known."""


class Growth:
    """Which rows of a reading are new, and how the log calls the link sessions and attempts that they go on with.

    `parts`: for each file of the reading, what the log knows of it, or of its beginning; None for a new file. A reading
    numbers sessions and attempts anew, and by the files that are read with it; those of the run's other files have
    numbers already. Each reading ends with a `run_finished` of its own; the last one has the run's end.
    """

    def __init__(self, log: EventLog, parts: Sequence[Source | None]) -> None:
        known = [part for part in parts if part is not None]
        self.run = known[0].run if known else ""
        self._last: list[int] = [NEW if part is None else _last_record(log, part) for part in parts]
        self._rows: dict[tuple[int, int | None, str], tuple[int | None, str | None]] = {
            (place, record, kind): (session, attempt)
            for place, part in enumerate(parts)
            if part is not None
            for record, kind, session, attempt in log.query(
                "SELECT record, kind, session, attempt_id FROM events WHERE source = ? "
                "AND (session IS NOT NULL OR attempt_id IS NOT NULL)",
                (part.id,),
            )
        }
        taken = log.query("SELECT DISTINCT session, attempt_id FROM events WHERE run = ?", (self.run,))
        self._next = max((session for session, _ in taken if session is not None), default=0) + 1
        self._taken = {attempt for _, attempt in taken if attempt is not None}
        self._sessions: dict[int, int] = {}
        self._attempts: dict[str, str] = {}

    def fresh(self, batches: Iterator[Columns]) -> Iterator[Columns]:
        """The rows that are new, with the log's numbers of sessions and attempts."""
        for batch in batches:
            columns = {name: _plain(values) for name, values in batch.items()}
            kept = [place for place, is_new in enumerate(self._judged(columns)) if is_new]
            told = {name: [values[place] for place in kept] for name, values in columns.items()}
            if "session" in told:
                told["session"] = [self._session(session) for session in told["session"]]
            if "attempt_id" in told:
                told["attempt_id"] = [self._attempt(attempt) for attempt in told["attempt_id"]]
            yield told

    def _judged(self, columns: dict[str, Sequence[Any]]) -> Iterator[bool]:
        """Whether each row is new; on the way, those that are not tell which session and attempt is which."""
        sources: Sequence[int] = columns["source"]
        empty = [None] * len(sources)
        for source, record, kind, session, attempt in zip(
            sources,
            columns.get("record", empty),
            columns["kind"],
            columns.get("session", empty),
            columns.get("attempt_id", empty),
            strict=True,
        ):
            last = self._last[source]
            known_session, known_attempt = self._rows.get((source, record, str(kind)), (None, None))
            if session is not None and known_session is not None:
                self._sessions.setdefault(session, known_session)
            if attempt is not None and known_attempt is not None:
                self._attempts.setdefault(attempt, known_attempt)
            yield last == NEW or (record is not None and record > last)

    def _session(self, session: int | None) -> int | None:
        if session is None:
            return None
        if session not in self._sessions:
            self._sessions[session] = self._next
            self._next += 1
        return self._sessions[session]

    def _attempt(self, attempt: str | None) -> str | None:
        if attempt is None:
            return None
        if attempt not in self._attempts:
            name, more = attempt, 1
            while name in self._taken:
                more += 1
                name = f"{attempt} ({more})"
            self._taken.add(name)
            self._attempts[attempt] = name
        return self._attempts[attempt]


def _last_record(log: EventLog, part: Source) -> int:
    """The last record of a known file that needs no second look.

    Lines count from 1, records from 0. The last one may have been cut, where the file was still being written: it is
    looked at again, unless it gave a row of its own.
    """
    last = part.records - 1 if part.is_capture else part.records
    gave = log.query(
        "SELECT 1 FROM events WHERE source = ? AND kind NOT IN (?, ?) AND coalesce(record_end, record) >= ? LIMIT 1",
        (part.id, Kind.RUN_STARTED, Kind.RUN_FINISHED, last),
    )
    return last if gave else last - 1


def _plain(values: Any) -> Sequence[Any]:
    return values.tolist() if hasattr(values, "tolist") else values
