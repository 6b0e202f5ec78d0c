"""Logs of apps at the door: what they lack of time is taken from a capture that overlaps, asked for, or assumed."""

from collections.abc import Callable, Sequence

from terminal_kit.importers import alignment, clocks
from terminal_kit.importers.alignment import Lack, Settled
from terminal_kit.importers.content import Content
from terminal_kit.importers.finding_files import Found
from terminal_kit.importers.import_report import Clock, ImportReport
from terminal_kit.importers.known import clock_finding, clock_of, first_timed, grown_clock_findings
from terminal_kit.importers.report import Report
from terminal_kit.importers.sdk_logs import LogReading, look
from terminal_kit.importers.storing import Tally, Work, take_in

OnLack = Callable[[str, Lack], Clock]
"""Asked for what a log lacks: its name, and which of year and zone; gives what is to be taken, None where unknown."""


def store(work: Work, found: Found, given: Clock, on_lack: OnLack | None) -> list[ImportReport]:
    """Reads a log of an app into the event log; gives its report. Raises `EventLogError`."""
    with found.open() as content:
        first = first_timed(found)
        before = first and clock_finding(work.log, first, given)
        was = clock_of(work.log, first) if first else Clock()
        begun = Clock(given.year or was.year, given.time_zone or was.time_zone)
        clock, findings = _clock(work, content, found.name, begun, on_lack)
        reading = LogReading(
            content,
            year=clock.year,
            time_zone=clock.time_zone,
            on_progress=lambda read_bytes: work.tell(found.name, read_bytes),
        )

        def settle(reports: Sequence[Report], tally: Tally) -> Settled:
            (report,) = reports
            report.findings[:0] = [*findings, *([before] if before else [])]
            if first:
                assumed = None if given.year else was.year
                report.findings += grown_clock_findings(found.beginnings[0], report.time_rule, assumed)
            if report.time_rule == "order_only":
                return Settled()
            return alignment.settle(work.log, tally.links)

        return take_in(work, [found], reading, settle)


def _clock(work: Work, content: Content, name: str, given: Clock, on_lack: OnLack | None) -> tuple[Clock, list[str]]:
    """The year and zone to read a log with, and what is to be said of them."""
    lacks = look(content)
    lack = Lack(lacks.year and given.year is None, lacks.zone and given.time_zone is None)
    if not any(lack):
        return given, []
    radio = alignment.reference(work.log)
    if radio:
        rough_clock = Clock(given.year or clocks.year_of(int(radio.t_us[-1])), given.time_zone or "UTC")
        rough = LogReading(content, year=rough_clock.year, time_zone=rough_clock.time_zone)
        tally = Tally(1)
        for _ in tally.watched(rough.batches()):
            pass
        mine = alignment.marks_of(tally.links)
        if not lack.year:
            radio = alignment.reference(work.log, around=mine, slack_us=alignment.DAY_US)
        if chosen := alignment.choose(radio, mine, lack, rough_clock):
            return chosen.clock, [chosen.finding]
    if on_lack is not None:
        told = on_lack(name, lack)
        return Clock(given.year or told.year, given.time_zone or told.time_zone), []
    return given, []
