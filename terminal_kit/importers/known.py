"""Files that the log has already: what is told of them, and what is asked of them in vain, as no row ever changes."""

import re
from datetime import UTC, datetime, timedelta

from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.sources import TimeRule
from terminal_kit.importers.finding_files import Found
from terminal_kit.importers.import_report import Clock, ImportReport
from terminal_kit.importers.sdk_logs.clock import zone_of

_EPOCH = datetime.fromtimestamp(0, UTC)

NAMED = (
    "{rows} of the rows that the log has of it name no reader, though lines that came since tell which one it is; rows "
    "never change: import the whole into a new log."
)
"""Said of a log of an app that grew by the name of its reader."""

_PSEUDONYM = re.compile(r"file-[a-z0-9]{6}(\.[a-z][a-z0-9]{0,5})?")
"""What `Redactor.file()` calls a file: the log has no other mark of an import whose names were replaced."""


def known_report(found: Found, *findings: str | None) -> ImportReport:
    """The report of a file that adds nothing, with what the log knows of it."""
    report = ImportReport(file=found.name, already_there=True, findings=[told for told in findings if told])
    if (source := found.known) is not None:
        report.container, report.records, report.understood = source.container, source.records, source.understood
        report.damaged, report.time_rule = source.damaged, source.time_rule
        report.foreign, report.clock_offset_us = source.foreign, source.clock_offset_us
        report.source, report.run = source.id, source.run
    return report


def has_pseudonyms(source: Source) -> bool:
    """Whether the names of a file were replaced when it was imported."""
    return _PSEUDONYM.fullmatch(source.name) is not None


def names_finding(source: Source, *, replacing: bool) -> str | None:
    """What is to be said where names are to be replaced (or not) of a file that the log has otherwise."""
    if has_pseudonyms(source) == replacing:
        return None
    if replacing:
        return (
            "What the log has of it has its names as they were recorded, and stays so: make a copy without them "
            "(`terminal-kit redact`), or import it into a new log."
        )
    return "What the log has of it is under pseudonyms, and stays so: import it into a new log to have its names."


def first_timed(found: Found) -> Source | None:
    """The part of a file that told its first times; None where the log has nothing of it."""
    timed = (part for part in found.beginnings if part.time_rule != "order_only")
    return next(timed, found.beginnings[0] if found.beginnings else found.known)


def clock_finding(log: EventLog, source: Source, given: Clock) -> str | None:
    """What is to be said where a year or a time zone is given for a log of an app that was read with another one."""
    if source.is_capture or source.time_rule not in ("year_assumed", "zone_assumed"):
        return None
    was = clock_of(log, source)
    zone = was.time_zone or "UTC"
    other_year = was.year is not None and given.year not in (None, was.year)
    if not other_year and given.time_zone in (None, zone):
        return None
    read_with = f"the year {was.year} and the time zone {zone}" if was.year is not None else f"the time zone {zone}"
    return (
        f"What the log has of it was read with {read_with}, and stays so, whatever is given now: correct its clock "
        f"(`terminal-kit sources`, --offset), or import it into a new log."
    )


def grown_clock_findings(beginning: Source, time_rule: TimeRule, year: int | None) -> list[str]:
    """What is to be said of the times of a log of an app that has grown, and is read with the year of its beginning."""
    findings: list[str] = []
    if time_rule == "year_assumed" and year is not None:
        findings.append(f"Its lines tell no year: {year}, with which its beginning was read, is assumed.")
    if beginning.time_rule == "order_only" != time_rule:
        findings.append(
            "What the log has of it told no time yet: it stays at the beginning of 1970, apart from what came since. "
            "Import the whole into a new log."
        )
    return findings


def clock_of(log: EventLog, source: Source) -> Clock:
    """The year and zone with which a log of an app was read, as far as it lacks them. `source` has its first lines."""
    zone = next((run.time_zone for run in log.runs() if run.id == source.run), None)
    told = log.query("SELECT t_us FROM events WHERE source = ? ORDER BY record LIMIT 1", (source.id,))
    first_us = told[0][0] if told else None
    if source.time_rule != "year_assumed" or first_us is None:
        return Clock(None, zone)
    first = _EPOCH + timedelta(microseconds=first_us)
    # There, and not in UTC: at New Year the two differ.
    return Clock(first.astimezone(zone_of(zone)).year if zone else first.year, zone)
