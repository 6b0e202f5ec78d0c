"""Files that go on where a known one ends: only what is new of them is taken in, as part of the same run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from terminal_kit.eventlog import Columns, EventLog, Source
from terminal_kit.events import DisconnectReason, Kind

NEW = -1
"""The last known record of a file of which nothing is known."""

Told = tuple[int, int | None, str]
"""File, record and kind: by these a row is known again. Several rows of one record tell their kinds in one order."""

_TOLD_BETTER: Mapping[str, str] = {Kind.DISCONNECTED: Kind.REASON_LEARNED, Kind.CONNECT_FAILED: Kind.ERROR}
"""What is told from a status alone where a log ends; and what the line is then that says why, and comes later."""


class Growth:
    """Which rows of a reading are new, and how the log calls the link sessions and attempts that they go on with.

    `parts`: for each file of the reading, what the log knows of its beginnings, the longest last; none for a new file.
    A reading numbers sessions and attempts anew, and by the files that are read with it; those of the run's other files
    have numbers already. Each reading ends with a `run_finished` of its own; the last one has the run's end.

    Rows never change once they are stored. So the last record, which may have been cut, gives the rows that it had not
    given before, and so does a record of many lines within which the file ended.
    """

    def __init__(self, log: EventLog, parts: Sequence[Sequence[Source]]) -> None:
        self.run = next((part[-1].run for part in parts if part), "")
        self._last: list[int] = [_last_record(part[-1]) if part else NEW for part in parts]
        self._is_log = [bool(part) and not part[-1].is_capture for part in parts]
        self._stored = Counter[Told]()
        self._rows: dict[Told, tuple[int | None, str | None]] = {}
        for place, part in enumerate(parts):
            # A capture's records are whole or not there: only its last one is looked at again.
            begin = self._last[place] if part and part[-1].is_capture else 0
            for source in part:
                for record, kind, session, attempt in log.query(
                    "SELECT record, kind, session, attempt_id FROM events WHERE source = ? "
                    "AND (record >= ? OR session IS NOT NULL OR attempt_id IS NOT NULL)",
                    (source.id, begin),
                ):
                    self._stored[place, record, kind] += record is not None and record >= begin
                    if session is not None or attempt is not None:
                        self._rows[place, record, kind] = (session, attempt)
        taken = log.query("SELECT DISTINCT session, attempt_id FROM events WHERE run = ?", (self.run,))
        self._next = max((session for session, _ in taken if session is not None), default=0) + 1
        self._taken = {attempt for _, attempt in taken if attempt is not None}
        self._sessions: dict[int, int] = {}
        self._attempts: dict[str, str] = {}

    def fresh(self, batches: Iterator[Columns]) -> Iterator[Columns]:
        """The rows that are new, with the log's numbers of sessions and attempts."""
        for batch in batches:
            columns = {name: _plain(values) for name, values in batch.items()}
            kinds = list(self._judged(columns))
            kept = [place for place, kind in enumerate(kinds) if kind]
            told = {name: [values[place] for place in kept] for name, values in columns.items()}
            told["kind"] = [kinds[place] for place in kept]
            if "session" in told:
                told["session"] = [self._session(session) for session in told["session"]]
            if "attempt_id" in told:
                told["attempt_id"] = [self._attempt(attempt) for attempt in told["attempt_id"]]
            yield told

    def _judged(self, columns: dict[str, Sequence[Any]]) -> Iterator[str]:
        """Each row's kind, empty for one that is known; those tell on the way which session and attempt is which."""
        sources: Sequence[int] = columns["source"]
        empty: Sequence[Any] = [None] * len(sources)
        source: int
        for source, record, end, kind, session, attempt, reason, code in zip(
            sources,
            columns.get("record", empty),
            columns.get("record_end", empty),
            map(str, columns["kind"]),
            columns.get("session", empty),
            columns.get("attempt_id", empty),
            columns.get("reason", empty),
            columns.get("error_code", empty),
            strict=True,
        ):
            last, row = self._last[source], (source, record, kind)
            known_session, known_attempt = self._rows.get(row, (None, None))
            if session is not None and known_session is not None:
                self._sessions.setdefault(session, known_session)
            if attempt is not None and known_attempt is not None:
                self._attempts.setdefault(attempt, known_attempt)
            if last == NEW:
                yield kind
            elif record is None:
                yield ""
            else:
                says_more = code if kind == Kind.CONNECT_FAILED else reason not in (None, DisconnectReason.UNKNOWN)
                row = self._row(row, says_more=bool(says_more))
                if self._stored[row] > 0:
                    self._stored[row] -= 1
                    yield ""
                else:
                    until = end if end is not None and self._is_log[source] else record
                    yield row[2] if record > last or until >= last else ""

    def _row(self, row: Told, *, says_more: bool) -> Told:
        """What a row is, where one of its kind is stored that would not be told now that the file goes on."""
        source, record, kind = row
        if kind not in _TOLD_BETTER or self._stored[row] > 0:
            return row
        early = next((told for told, left in self._stored.items() if left and told[::2] == (source, kind)), None)
        if early is None:
            return row
        self._stored[early] -= 1
        return source, record, _TOLD_BETTER[kind] if says_more else ""

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


def _last_record(part: Source) -> int:
    """The number of the last record of a known file: lines count from 1, records of a capture from 0."""
    return part.records - 1 if part.is_capture else part.records


def _plain(values: Any) -> Sequence[Any]:
    return values.tolist() if hasattr(values, "tolist") else values
