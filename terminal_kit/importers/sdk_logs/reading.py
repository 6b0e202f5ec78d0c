"""One log of an app, read as events."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from terminal_kit.eventlog import Columns
from terminal_kit.events import LOG, Kind
from terminal_kit.importers.content import Content
from terminal_kit.importers.reading import OnProgress
from terminal_kit.importers.report import Report
from terminal_kit.importers.sdk_logs.bodies import saying_of
from terminal_kit.importers.sdk_logs.clock import Clock
from terminal_kit.importers.sdk_logs.entries import Entries
from terminal_kit.importers.sdk_logs.envelopes import BARE, take_apart
from terminal_kit.importers.sdk_logs.lines import SNIFFED_BYTES, chunks, is_text, text_of
from terminal_kit.importers.sdk_logs.stories import Entry, Story
from terminal_kit.importers.sdk_logs.stories.story import Taken
from terminal_kit.importers.sdk_logs.stories.telemetry import MARK
from terminal_kit.importers.sdk_logs.years import head_of, stamps_of, tail_of, with_year, year_of

ROWS = 10_000
"""Rows of a batch."""

MARKS = (
    b"Stripe",
    b"stripe",
    b"SCPTerminal",
    b"SCPBbpos",
    b"scope=SCP",
    b"class=Terminal",
    b"BBPOS",
    b"Bbpos",
    b"bbpos",
    b"SoftwareUpdateProgress",
    b"connectBluetoothReader",
    b"onUnexpectedReaderDisconnect",
    b"bb_error_type=",
    b"reader connection status",
    b"bt_stack",
)
"""What a file has somewhere that holds lines of the vendor's SDK."""

_TRACE_EPOCH_MS = re.compile(r"\bstart_time_ms\"?\s*[:=]\s*(\d{13})\b")
_EPOCH_MS = re.compile(r"\d{13}")
_GATT = re.compile(rb"BluetoothGatt|onClientConnectionState|onBTConnected|onConnectionStatusChange")


class Lacks(NamedTuple):
    """What a log's lines do not tell of their time."""

    year: bool
    zone: bool


def sniff(content: Content) -> bool:
    """Whether a content is text in which an SDK speaks, as far as its first megabytes tell."""
    if not len(content.data) or not is_text(content.head()):
        return False
    data = bytes(content.data[:SNIFFED_BYTES])
    if b"\0" in data[:64]:
        data = text_of(data).encode("utf-8", "replace")
    if any(mark in data for mark in MARKS):
        return True
    return _GATT.search(data) is not None


def look(content: Content) -> Lacks:
    """Which of year and time zone the first time of a log lacks; of a log without any time, neither is asked."""
    stamp = next(stamps_of(head_of(content)), None)
    if stamp is None:
        return Lacks(False, False)
    return Lacks(stamp.year is None and with_year(head_of(content)) is None, stamp.offset_s is None)


class LogReading:
    """One log, read line by line (see `importers/reading.py`).

    `year` is that of its first line, `time_zone` an IANA name or `±HH:MM`, where its lines lack them; else the year
    that other lines of an SDK tell, or the latest one that does not lie after `now` and has the log's days, and UTC.
    Raises `InvalidParameterError` for a year or a zone that is none.
    """

    def __init__(
        self,
        content: Content,
        *,
        year: int | None = None,
        time_zone: str | None = None,
        now: datetime | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._content = content
        self._on_progress = on_progress
        self._report = Report(container=LOG, time_zone=time_zone)
        self._entries, self._story = Entries(), Story()
        self._shapes: dict[str, int] = {}
        self._is_cut = False
        now = now or datetime.now(UTC)
        self._given = (year is not None, time_zone is not None)
        self._tells_year = False
        lines = head_of(content)
        first = next(stamps_of(lines), None)
        if year is None and first is not None and first.year is None:
            told = with_year(lines)
            self._tells_year = told is not None
            year = year_of(first, told, lines, tail_of(content), now)
        # A log without any time begins at the epoch: it can be mistaken for no real time.
        self._clock = Clock(year=year, time_zone=time_zone, base_us=0)
        if first is not None:
            self._clock.begin(first)

    @property
    def reports(self) -> Sequence[Report]:
        """The one log's account."""
        return [self._report]

    @property
    def app(self) -> str | None:
        """The SDKs that speak in it, with their versions, and the app's own name."""
        told = [f"{sdk} {version}".strip() for sdk, version in self._story.versions.items()]
        return "; ".join([*told, *self._story.apps]) or None

    def aliases(self) -> Mapping[str, str]:
        """Addresses that lines name together with a serial."""
        return self._story.teller.aliases

    def batches(self) -> Iterator[Columns]:
        """The events, in the order of the lines."""
        entries, story, rows = self._entries, self._story, self._story.teller.rows
        started, ended = False, True
        last: Entry | None = None
        for chunk in chunks(self._content, self._on_progress):
            ended = chunk.ended
            for entry in entries.of(chunk):
                last = entry
                started = self._take(entry, started)
            if len(rows) >= ROWS:
                yield _columns(rows)
                rows.clear()
        for entry in entries.rest(is_end=True):
            last = entry
            started = self._take(entry, started)
        if entries.last_passed and (last is None or entries.last_passed[0] > last.last):
            number, text = entries.last_passed
            last = Entry(take_apart(text), number, number, "")
            last.t_us = self._clock.at(last.line.stamp, None, number)
        self._report.records += entries.passed.total()
        self._report.foreign_reasons.update(entries.passed)
        story.finish(0 if last is None else last.t_us)
        if last is not None and started:
            story.teller.begin(last, {})
            story.teller.write(_bare(story.teller.row(Kind.RUN_FINISHED)))
        self._close(ended=ended)
        if rows:
            yield _columns(rows)
            rows.clear()

    def _take(self, entry: Entry, started: bool) -> bool:
        """One entry into the story, and into the account; gives whether the run has begun."""
        if entry.line.stamp is None and self._entries.last_passed:  # it takes the time of the line before
            number, text = self._entries.last_passed
            self._clock.at(take_apart(text).stamp, None, number)
        self._entries.last_passed = None
        stamp, epoch_ms = (None, None) if entry.lost else (entry.line.stamp, _epoch_ms(entry.body))
        entry.t_us = self._clock.at(stamp, epoch_ms, entry.first)
        entry.is_real = self._clock.is_real
        teller, before = self._story.teller, len(self._story.teller.rows)
        taken = _left_out(entry) if entry.lost else self._story.take(entry)
        lines = entry.last - entry.first + 1
        self._report.records += lines
        match taken:
            case Taken("foreign", why):
                self._report.foreign_reasons[why] += lines
            case Taken("damaged", why):
                self._is_cut |= bool(entry.lost)
                for number in range(entry.first, entry.last + 1):
                    self._report.damage(why, record=number)
            case _:
                self._report.understood += lines
                if entry.line.shape != BARE:
                    self._shapes[entry.line.shape] = self._shapes.get(entry.line.shape, 0) + 1
        if taken.how == "understood" and not started:
            teller.begin(entry, {})
            teller.rows.insert(before, _bare(teller.row(Kind.RUN_STARTED, reader="")))
            return True
        return started

    def _close(self, *, ended: bool) -> None:
        report, clock = self._report, self._clock
        report.time_rule = clock.rule
        report.first_us, report.last_us = clock.first_us, clock.last_us
        if self._shapes:
            report.container = f"{LOG} ({max(self._shapes, key=lambda shape: self._shapes[shape])})"
        if len(self._shapes) > 1:
            report.findings.append(f"Its lines come in {len(self._shapes)} forms: {', '.join(sorted(self._shapes))}.")
        if not ended and report.records:
            left_out = ": it may be cut, and nothing is taken from it" if self._is_cut else ""
            report.findings.append(f"Its last line has no end{left_out}.")
        if clock.rule == "order_only" and report.understood:
            report.findings.append("Its lines tell no time: only their order is real, and its durations are none.")
        if clock.lacked_year and not self._given[0]:
            report.findings.append(
                "Some of its lines tell no year: it is taken from those that do."
                if self._tells_year or clock.had_year
                else f"Its lines tell no year: {clock.first_year}, the latest possible, is assumed."
            )
        for year in sorted(clock.no_leap_years):
            report.findings.append(
                f"It has lines of 29 February, a day that {year} has not: they are dated 1 March. Import it with the "
                f"year of its first line (`--year`)."
            )
        if clock.lacked_zone and not self._given[1]:
            report.findings.append("Its lines tell no time zone: UTC is assumed.")
        if clock.backwards:
            report.findings.append(f"Its clock goes back {clock.backwards} times; the lines stay in their order.")


def _left_out(entry: Entry) -> Taken:
    """What becomes of a line in which the file ends: nothing is taken from it, unless it is nobody's story anyway."""
    taken = Story().take(entry) if entry.body else None
    return taken if taken and taken.how == "foreign" else Taken("damaged", entry.lost)


def _epoch_ms(body: str) -> int | None:
    """The point in time that an SDK's own envelope tells: iOS's pair `time`, the beginning of a trace."""
    if MARK in body:
        return int(found[1]) if (found := _TRACE_EPOCH_MS.search(body)) else None
    if "time=" not in body or (saying := saying_of(body)) is None or saying.sdk != "ios":
        return None
    told = saying.pairs.get("time", "")
    return int(told) if _EPOCH_MS.fullmatch(told) else None


def _bare(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the run itself, without the words of the line that it stands at."""
    return {name: cell for name, cell in row.items() if name not in ("text", "extra", "session")} | {"reader": ""}


def _columns(rows: Sequence[dict[str, Any]]) -> Columns:
    names = dict.fromkeys(name for row in rows for name in row)
    return {"source": [0] * len(rows), **{name: [row.get(name) for row in rows] for name in names}}
