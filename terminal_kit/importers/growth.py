"""Files that go on where a known one ends: only what is new of them is taken in, as part of the same run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from terminal_kit.eventlog import Columns, EventLog, Source
from terminal_kit.events import DisconnectReason, Kind

NEW = -1
"""The last known record of a file of which nothing is known."""

Told = tuple[int, int | None, str]
"""File, record and kind: by these a row is known again. Several rows of one record tell their kinds in one order."""

_TOLD_BETTER: Mapping[str, str] = {Kind.DISCONNECTED: Kind.REASON_LEARNED, Kind.CONNECT_FAILED: Kind.ERROR}
"""What is told from a status alone where a log ends; and what the line is then that says why, and comes later."""


class Row(NamedTuple):
    """What the log has of a row."""

    session: int | None
    attempt: str | None
    reader: str
    reason: str | None


_UNTOLD = (None, DisconnectReason.UNKNOWN)


class Growth:
    """Which rows of a reading are new, and how the log calls the link sessions and attempts that they go on with.

    `parts`: for each file of the reading, what the log knows of its beginnings, the longest last; none for a new file.
    A reading numbers sessions and attempts anew, and by the files that are read with it; those of the run's other files
    have numbers already. Each reading ends with a `run_finished` of its own; the last one has the run's end.

    Rows never change once they are stored. So the last record, which may have been cut, gives the rows that it had not
    given before, and so does a record of many lines within which the file ended. A `disconnected` that was not certain
    yet where the file ended (a reconnection could have followed) comes when it is.

    `named`: how many of its rows name no reader, where the reading now knows one. `readers`: what they call readers, by
    what the reading calls them.
    """

    def __init__(self, log: EventLog, parts: Sequence[Sequence[Source]]) -> None:
        self.run = next((part[-1].run for part in parts if part), "")
        self._last: list[int] = [_last_record(part[-1]) if part else NEW for part in parts]
        self._is_log = [bool(part) and not part[-1].is_capture for part in parts]
        self._stored = Counter[Told]()
        self._rows: dict[Told, Row] = {}
        self.named = 0
        self.readers: dict[str, str] = {}
        for place, part in enumerate(parts):
            # A capture's records are whole or not there: only its last one is looked at again.
            begin = self._last[place] if part and part[-1].is_capture else 0
            for source in part:
                for record, kind, *cells in log.query(
                    "SELECT record, kind, session, attempt_id, reader, reason FROM events WHERE source = ? "
                    "AND (record >= ? OR session IS NOT NULL OR attempt_id IS NOT NULL)",
                    (source.id, begin),
                ):
                    self._stored[place, record, kind] += record is not None and record >= begin
                    self._rows[place, record, kind] = Row(*cells)
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
        for source, record, end, kind, reader, session, attempt, reason, code in zip(
            sources,
            columns.get("record", empty),
            columns.get("record_end", empty),
            map(str, columns["kind"]),
            columns.get("reader", empty),
            columns.get("session", empty),
            columns.get("attempt_id", empty),
            columns.get("reason", empty),
            columns.get("error_code", empty),
            strict=True,
        ):
            last, row = self._last[source], (source, record, kind)
            known = self._rows.get(row)
            if known is not None:
                if session is not None and known.session is not None:
                    self._sessions.setdefault(session, known.session)
                if attempt is not None and known.attempt is not None:
                    self._attempts.setdefault(attempt, known.attempt)
                if reader and known.reader:
                    self.readers.setdefault(reader, known.reader)
                self.named += bool(reader and not known.reader)
            if last == NEW:
                yield kind
            elif record is None:
                yield ""
            elif self._take(row):
                yield self._why(row, reason)
            else:
                told = kind
                if (early := self._early(row, session, attempt)) is not None:
                    learns = reason not in _UNTOLD and early.reason in _UNTOLD
                    told = _TOLD_BETTER[kind] if (code if kind == Kind.CONNECT_FAILED else learns) else ""
                until = end if end is not None and self._is_log[source] else record
                is_new = record > last or until >= last or told == Kind.DISCONNECTED
                yield told if is_new and not self._take((source, record, told)) else ""

    def _take(self, row: Told) -> bool:
        """Whether the log has a row that no other one of the reading was known by."""
        if self._stored[row] <= 0:
            return False
        self._stored[row] -= 1
        return True

    def _why(self, row: Told, reason: str | None) -> str:
        """What a row that the log has tells now: its reason, once, where the line that says it came after the cut."""
        learned = row[0], row[1], str(Kind.REASON_LEARNED)
        if row[2] != Kind.DISCONNECTED or reason in _UNTOLD or self._rows[row].reason not in _UNTOLD:
            return ""
        return "" if learned in self._rows else learned[2]

    def _early(self, row: Told, session: int | None, attempt: str | None) -> Row | None:
        """The row of this very end that an earlier line told, and would not tell now that the file goes on."""
        source, record, kind = row
        which = self._sessions.get(session or 0), self._attempts.get(attempt or "")
        if kind not in _TOLD_BETTER or which == (None, None):
            return None
        for told, left in self._stored.items():
            if left > 0 and told[::2] == (source, kind) and (told[1] or 0) < (record or 0):
                known = self._rows[told]
                if which[1] == known.attempt if known.attempt is not None else which[0] == known.session:
                    self._stored[told] -= 1
                    return known
        return None

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
