"""Clocks of several sources in one log: the year and zone that a log lacks, and what clocks differ by."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from terminal_kit.eventlog import EventLog, Source
from terminal_kit.events import Kind
from terminal_kit.importers import clocks
from terminal_kit.importers.clocks import Fit, Marks
from terminal_kit.importers.import_report import Clock, ImportReport

LINK_KINDS = {
    Kind.LINK_CONNECTED: True,
    Kind.LINK_DISCONNECTED: False,
    Kind.CONNECT_SUCCEEDED: True,
    Kind.DISCONNECTED: False,
}
"""What clocks are compared by, and whether it begins a link. The last two come later than the link itself: they are
used where a source knows no others."""

_OF_LINKS = (Kind.LINK_CONNECTED, Kind.LINK_DISCONNECTED)

IN_FEW = 2
"""Matches that choose a zone or a year: it is one of some hundred, and any offset is a hundred times rarer."""

LOG = "sdk log"
"""How the container of an app's log is called, in its first words."""


class Lack(NamedTuple):
    """What a log of an app does not say."""

    year: bool = False
    zone: bool = False


class Chosen(NamedTuple):
    """The clock that a log is read with, and the sentence that says why."""

    clock: Clock
    finding: str


def marks_of(links: Iterable[tuple[int, str, str]]) -> Marks:
    """Marks from rows of time, kind and reader."""
    rows = [(t_us, kind, reader) for t_us, kind, reader in links if kind in LINK_KINDS]
    of_links = [row for row in rows if row[1] in _OF_LINKS]
    return clocks.marks((t_us, LINK_KINDS[Kind(kind)], reader) for t_us, kind, reader in of_links or rows)


def reference(log: EventLog, *, live: bool = True, captures: bool = True) -> Marks:
    """What the log knows of links from the phone's own radio: live sessions and captures, with corrected clocks."""
    of_logs = {source.id for source in log.sources() if source.container.startswith(LOG)}
    aliases = log.aliases()
    return marks_of(
        (event.t_us, event.kind, aliases.get(event.reader, event.reader))
        for event in log.events(kind=[*LINK_KINDS], radio=["native", "import"])
        if (live if event.source is None else captures and event.source not in of_logs)
    )


def choose(reference: Marks, mine: Marks, lack: Lack, assumed: Clock) -> Chosen | None:
    """The year and zone with which a log's links agree with the reference's; None where nothing can be said.

    `mine` are the log's marks as they were read with `assumed`: some year, and UTC, where it lacks them.
    """
    if not len(reference) or not len(mine):
        return None
    found = clocks.fit(reference, mine, centres(reference, mine, lack), clocks.SLACK_US)
    if found is None or found.matches < IN_FEW or not found.is_unambiguous:
        return None
    years, zone_us = _parts(found, mine, lack)
    told = Clock(
        assumed.year + years if lack.year and assumed.year else assumed.year,
        clocks.zone_name(-zone_us) if lack.zone else assumed.time_zone,
    )
    lacked = " and ".join(name for name, is_lacking in (("year", lack.year), ("time zone", lack.zone)) if is_lacking)
    values = " ".join(str(value) for value, is_lacking in zip(told, lack, strict=True) if is_lacking)
    finding = (
        f"It does not tell its {lacked}: {values} is taken, with which {found.matches} of its links' beginnings and "
        f"ends agree with what the radio recorded."
    )
    return Chosen(told, finding)


def centres(reference: Marks, mine: Marks, lack: Lack) -> list[int]:
    """The shifts that a lacking year and zone may make, µs: what is to be added to times read as UTC."""
    first = int(mine.t_us[0])
    years = sorted({clocks.year_of(int(t_us)) + more for t_us in reference.t_us for more in (0, -1)})
    shifts = [clocks.year_shift_us(first, year) for year in years] if lack.year else [0]
    zones = [-zone for zone in clocks.ZONES_US] if lack.zone else [0]
    return sorted({shift + zone for shift in shifts for zone in zones}, key=abs)


def _parts(found: Fit, mine: Marks, lack: Lack) -> tuple[int, int]:
    """By how many years, and by what for the zone, the centre that was found shifts."""
    first = int(mine.t_us[0])
    if not lack.year:
        return 0, found.centre_us
    near = clocks.year_of(first + found.centre_us)  # or the year beside it, where the zone leads across New Year
    year = min((near - 1, near, near + 1), key=lambda each: abs(found.centre_us - clocks.year_shift_us(first, each)))
    return year - clocks.year_of(first), found.centre_us - clocks.year_shift_us(first, year)


def settled(reference: Marks, mine: Marks) -> tuple[int, list[str]]:
    """What is to be added to a source's clock, µs, and what people should read of it."""
    found = clocks.fit(reference, mine) if len(reference) and len(mine) else None
    if found is None or not found.is_unambiguous:
        return 0, []
    if not found.is_significant:
        if found.matches >= clocks.ENOUGH:
            return 0, [f"Its clock agrees with what the radio recorded, within {_seconds(clocks.SIGNIFICANT_US)} s."]
        return 0, []
    said = (
        f"by {_seconds(found.offset_us)} s (± {_seconds(2 * found.uncertainty_us)} s, from {found.matches} of its "
        f"links' beginnings and ends)"
    )
    if found.is_sure:
        return found.offset_us, [f"Its clock is corrected {said}, as it differs from the radio's."]
    return 0, [f"Its clock may have to be corrected {said}: too little to be sure, so it is left as it is."]


def correct_known(log: EventLog, reports: Sequence[ImportReport]) -> None:
    """Corrects the clocks of logs that were imported earlier, by captures that came now; tells it in their reports."""
    came = {report.source for report in reports if report.source is not None}
    fresh = [report for report in reports if report.events and not report.container.startswith(LOG)]
    waiting = [
        source
        for source in log.sources()
        if source.container.startswith(LOG)
        and source.id not in came
        and not source.clock_offset_us
        and source.time_rule != "order_only"
    ]
    if not fresh or not waiting:
        return
    radio = reference(log)
    for source in waiting:
        offset_us = _late(radio, _marks_in(log, source), source)
        if offset_us:
            log.set_clock_offset(source.id, offset_us)
            fresh[0].findings.append(
                f"The clock of {source.name}, which was imported earlier, is corrected by {_words(offset_us)}: "
                f"with that, its links agree with what the radio recorded."
            )


def _late(radio: Marks, mine: Marks, source: Source) -> int:
    """What is to be added to the clock of a log that the log has already, µs; 0 where that is not sure."""
    lack = Lack(source.time_rule == "year_assumed", source.time_rule in ("year_assumed", "zone_assumed"))
    if not len(radio) or not len(mine):
        return 0
    if not any(lack):
        return settled(radio, mine)[0]
    found = clocks.fit(radio, mine, centres(radio, mine, lack), clocks.SLACK_US)
    if found is None or found.matches < clocks.ENOUGH or not found.is_unambiguous:
        return 0
    return found.offset_us if found.is_sure and found.is_significant else found.centre_us


def _marks_in(log: EventLog, source: Source) -> Marks:
    marks = ", ".join("?" * len(LINK_KINDS))
    rows = log.query(
        f"SELECT t_us, kind, reader FROM events WHERE source = ? AND kind IN ({marks})",  # noqa: S608 - marks
        (source.id, *LINK_KINDS),
    )
    aliases = log.aliases()
    return marks_of((t_us, kind, aliases.get(reader, reader)) for t_us, kind, reader in rows)


def _seconds(us: int) -> str:
    return f"{us / 1e6:.1f}"


def _words(us: int) -> str:
    """A shift for people: seconds where it is small, else days, hours and minutes."""
    return f"{_seconds(us)} s" if abs(us) < 60_000_000 else f"{'-' if us < 0 else ''}{timedelta(microseconds=abs(us))}"
