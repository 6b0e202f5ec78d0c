"""`TimelinePanel`: one reader over time, from a day to a second; each mark opens to the record that it comes from."""

# pandas has no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from terminal_kit.charts.timeline import Readings, Timeline, readings_of
from terminal_kit.diagnosis import Finding, diagnose
from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.filters import Among, condition
from terminal_kit.eventlog.readers import known_reader
from terminal_kit.events import Event, Kind, RssiSource
from terminal_kit.panels.advertisements import Advertisements, joined
from terminal_kit.panels.panel import Picture, script
from terminal_kit.panels.record_facts import heard_facts, row_facts
from terminal_kit.panels.record_panel import RecordPanel
from terminal_kit.panels.sources import set_offset, sources_picture
from terminal_kit.panels.window_picture import lanes_picture, window_picture
from terminal_kit.words import visible

CLOSE_US = 900_000_000
"""Spans up to a quarter of an hour show each advertisement; longer ones have more seconds than a line has points."""

POINTS = 900
"""Points of one line: about as many as the chart has pixels."""

NOTE_CHARACTERS = 2000

INCIDENTS = (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.LINK_FAILED, Kind.CONNECT_FAILED)


class TimelinePanel(RecordPanel):
    """A reader of a log over time: signal, advertisements, attempts, sessions, parameters, updates, errors, verdicts.

    The kernel brings each span down to what a page can draw, so that captures of millions of advertisements stay
    fluid. Without a `reader` it begins with the one that dropped most often. Simulated and real rows are not mixed: a
    log that has both needs `radio`. What was recorded or imported meanwhile is read when **Look again** is pressed.
    """

    _esm = script("timeline")
    name = "timeline"
    latest_only = frozenset({"zoom"})

    def __init__(self, log: EventLog, *, reader: str | None = None, radio: Among = None) -> None:
        self._log = log
        self._radio: Among = radio
        self._reader = reader
        self._readers: Sequence[str] | None = None
        self._findings: Sequence[Finding] | None = None
        self._timeline: Timeline | None = None
        self._span: tuple[int, int] | None = None
        self._window: Picture | None = None
        self._hidden = set[str]()
        self._chosen: list[Picture] = []
        self._must_survey = self._must_diagnose = True
        self._must_load = False
        self._judged: Sequence[Finding] | None = None  # those that the timeline has
        super().__init__(about=(str(log.path.expanduser().resolve()), reader))

    def draw(self) -> Picture:
        """The span that is looked at, the lanes, and the records that were chosen."""
        self._keep_up()
        timeline = self._timeline
        if timeline is not None and self._window is None:
            self._window = window_picture(timeline.window(*(self._span or ()), points=POINTS, closer=self._closer()))
        return {
            "looking": self._readers is None and self.is_working,
            "judging": self._timeline is not None and self._findings is None and self.is_working,
            "readers": [visible(reader) for reader in self._readers or ()],
            "reader": (self._readers or ()).index(self._reader) if self._reader in (self._readers or ()) else None,
            "whole": None if timeline is None else [timeline.since_us, timeline.until_us],
            "window": self._window,
            "lanes": [] if timeline is None else lanes_picture(timeline),
            "hidden": sorted(self._hidden),
            "remark": "" if timeline is None else timeline.remark,
            "chosen": self._chosen,
            "sources": sources_picture(self._log),
            "writable": not self._log.read_only,
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """`zoom`; `read` another reader; `choose` rows or what is `near` a moment; `hide`, `note`, `offset`, `look`."""
        match command, facts:
            case "zoom", {"since": int(since_us), "until": int(until_us)} if _is_span(since_us, until_us):
                self._span, self._window = (since_us, until_us), None
            case "zoom", {"since": None}:
                self._span = self._window = None
            case "read", {"reader": int(place)} if self._readers and 0 <= place < len(self._readers):
                self._reader, self._span, self._chosen, self._must_load = self._readers[place], None, [], True
            case "choose", {"rows": [*rows]} if all(isinstance(row, int) and 0 < row < 2**62 for row in rows):
                self._chosen = [told for row in rows[:2] if (told := row_facts(self._log, row)) is not None]
            case "near", {"t_us": int(t_us), "within_us": int(within_us)} if _is_span(t_us, t_us + abs(within_us)):
                self._chosen = self._near(t_us, abs(within_us))
            case "hide", {"lane": str(lane), "hidden": bool(hidden)}:
                self._hidden = self._hidden | {lane} if hidden else self._hidden - {lane}
            case "note", {"t_us": int(t_us), "text": str(text)} if _is_span(t_us, t_us) and text.strip():
                self._add_note(t_us, text.strip()[:NOTE_CHARACTERS])
            case "offset", {"source": str(source), "seconds": int() | float() as seconds}:
                set_offset(self._log, source, seconds)
                self._look_again()
            case "look", _:
                self._look_again()
            case _:
                raise InvalidParameterError(f"the panel has no command {visible(command)!r}", parameter="command")

    # ---- inside

    def _look_again(self) -> None:
        self._findings, self._must_load = None, self._readers is not None
        self._must_survey = self._must_diagnose = True

    def _keep_up(self) -> None:
        """On the panel's own thread, as all that touches the timeline: what is due since the last drawing."""
        if self._must_survey and not self.is_working:
            self._must_survey = False
            self.work(self._survey)
        if self._must_load and self._reader is not None:
            self._must_load = False
            self._load(self._reader)
        # Only now: it goes through all rows, and would hold up the first picture.
        if self._must_diagnose and self._timeline is not None and not self.is_working:
            self._must_diagnose = False
            self.work(self._diagnose)
        findings = self._findings
        if self._timeline is not None and findings is not None and findings is not self._judged:
            self._judged = findings
            self._timeline.judge(findings)
            self._window = None

    def _survey(self, _stop: threading.Event) -> None:
        """On a thread of its own, as it goes through the whole log: which readers there are."""
        first = self._readers is None
        self._readers = self._ranked(self._log.aliases())
        if self._reader is None:
            self._reader = next(iter(self._readers), None)
        else:
            self._reader = known_reader(self._log, self._reader, radio=self._radio)
        self._must_load = self._must_load or first

    def _diagnose(self, _stop: threading.Event) -> None:
        """There, too: why they dropped."""
        self._findings = diagnose(self._log.frame(radio=self._radio))

    def _ranked(self, aliases: Mapping[str, str]) -> list[str]:
        """All readers under their one name, those that dropped most often first, then those with most rows."""
        where, values = condition(self._log, {"radio": self._radio})
        marks = ", ".join("?" * len(INCIDENTS))
        counts = self._log.query(
            f"SELECT reader, sum(kind IN ({marks})), count(*) FROM events WHERE {where} GROUP BY reader",  # noqa: S608
            [*INCIDENTS, *values],
        )
        totals: dict[str, tuple[int, int]] = {}
        for reader, incidents, rows in counts:
            if name := aliases.get(reader, reader):
                before = totals.get(name, (0, 0))
                totals[name] = before[0] + incidents, before[1] + rows
        return sorted(totals, key=lambda name: (-totals[name][0], -totals[name][1], name))

    def _load(self, reader: str) -> None:
        """Reads one reader's rows, and its hosts'."""
        frame: Any = self._log.frame(reader=[reader, ""], radio=self._radio)
        self._timeline = Timeline(frame, reader=reader)
        self._heard = Advertisements(
            self._log, [reader, *(alias for alias, name in self._log.aliases().items() if name == reader)]
        )
        self._moments = frame["t_us"].to_numpy("int64"), frame["run"].to_numpy(dtype=object)
        laid_beside = frame["source"].isin(list(self._heard.sources)).fillna(False)
        self._unheard = readings_of(frame[~laid_beside]).get(RssiSource.ADVERTISEMENT)
        self._judged = self._window = None

    def _closer(self) -> dict[str, Readings] | None:
        """Each advertisement where the span is short enough to show it, and the seconds of what is not at hand."""
        if self._span is None or self._span[1] - self._span[0] > CLOSE_US:
            return None
        readings = self._heard.between(*self._span)
        if not len(readings):
            return None
        return {RssiSource.ADVERTISEMENT: joined([readings, *filter(None, [self._unheard])])}

    def _near(self, t_us: int, within_us: int) -> list[Picture]:
        """The reading next to a moment: the advertisement itself where it is at hand, or else the row."""
        if (timeline := self._timeline) is None:
            return []
        if (heard := self._heard.nearest(t_us, within_us)) is not None:
            return [heard_facts(heard)]
        found: list[tuple[int, int]] = []
        for readings in timeline.readings.values():
            if len(readings):
                place = int(np.abs(readings.t_us - t_us).argmin())
                found.append((abs(int(readings.t_us[place]) - t_us), int(readings.record[place])))
        off_us, seq = min(found, default=(within_us + 1, 0))
        told = row_facts(self._log, seq) if off_us <= within_us else None
        return [] if told is None else [told]

    def _add_note(self, t_us: int, text: str) -> None:
        """A row of its own, in the run that was recorded then: a note on an imported file is no simulated row."""
        if self._timeline is None or self._reader is None:
            raise InvalidParameterError("there is no reader to note it at", parameter="reader")
        moments, runs = self._moments
        run = str(runs[int(np.abs(moments - t_us).argmin())])
        self._log.append(Event(kind=Kind.NOTE, t_us=t_us, reader=self._reader, text=text), run=run)
        self._log.flush()
        self._must_load = True


def _is_span(since_us: int, until_us: int) -> bool:
    """Moments as a log may hold them: 64 bits, with room for a correction."""
    return -(2**62) < since_us <= until_us < 2**62
