"""Clocks of several sources in one log: the year and zone that a log lacks, and what clocks differ by."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.sources import CLOCK_OFFSET_US
from terminal_kit.events import Kind, is_capture
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

DAY_US = 86_400_000_000
"""Further than this, µs, no time zone moves a clock."""

ADDRESS = "addr:"

"""How the container of an app's log is called, in its first words."""


class Lack(NamedTuple):
    """What a log of an app does not say."""

    year: bool = False
    zone: bool = False


class Settled(NamedTuple):
    """What is to be added to a source's clock, µs, what people should read of it, and names that are one device's."""

    offset_us: int = 0
    findings: Sequence[str] = ()
    aliases: Mapping[str, str] = {}


class Chosen(NamedTuple):
    """The clock that a log is read with, and the sentence that says why."""

    clock: Clock
    finding: str


def marks_of(links: Iterable[tuple[int, str, str]]) -> Marks:
    """Marks from rows of time, kind and reader."""
    rows = [(t_us, kind, reader) for t_us, kind, reader in links if kind in LINK_KINDS]
    of_links = [row for row in rows if row[1] in _OF_LINKS]
    return clocks.marks((t_us, LINK_KINDS[Kind(kind)], reader) for t_us, kind, reader in of_links or rows)


def reference(log: EventLog, *, around: Marks | None = None, slack_us: int = 0, captures: bool = True) -> Marks:
    """What the log knows of links from the phone's own radio: live sessions and captures, with corrected clocks.

    `around`: only what lies within `slack_us` of these marks; a log of many weeks has more than is compared.
    """
    of_logs = {source.id for source in log.sources() if not source.is_capture}
    aliases = log.aliases()
    since = int(around.t_us[0]) - slack_us if around else None
    until = int(around.t_us[-1]) + slack_us + 1 if around else None
    return marks_of(
        (event.t_us, event.kind, aliases.get(event.reader, event.reader))
        for event in log.events(kind=[*LINK_KINDS], radio=["native", "import"], since=since, until=until)
        if event.source is None or (captures and event.source not in of_logs)
    )


def settle(log: EventLog, links: Iterable[tuple[int, str, str]], *, captures: bool = True) -> Settled:
    """What the links of a source say beside the log's; `captures`: whether those of captures count, too."""
    mine = marks_of(links)
    return settled(reference(log, around=mine, slack_us=clocks.RESIDUAL_US, captures=captures), mine)


def choose(reference: Marks, mine: Marks, lack: Lack, assumed: Clock) -> Chosen | None:
    """The year and zone with which a log's links agree with the reference's; None where nothing can be said.

    `mine` are the log's marks as they were read with `assumed`: some year, and UTC, where it lacks them.
    """
    if not reference or not mine:
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
    years = sorted({clocks.year_of(int(t_us)) + more for t_us in reference.t_us for more in (0, -1, 1)})
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


def settled(reference: Marks, mine: Marks) -> Settled:
    """What a source's links say beside the reference's, of its clock and of whose they are."""
    found = clocks.fit(reference, mine) if reference and mine else None
    if found is None or not found.is_unambiguous:
        return Settled()
    aliases = _same(found) if found.matches >= clocks.ENOUGH else {}
    findings = [
        f"{alias[len(ADDRESS) :]} is {reader}: their links began and ended together."
        for alias, reader in aliases.items()
    ]
    if not found.is_significant:
        if found.matches >= clocks.ENOUGH:
            findings.append(
                f"Its clock agrees with what the radio recorded, within {_seconds(clocks.SIGNIFICANT_US)} s."
            )
        return Settled(0, findings, aliases)
    said = (
        f"by {_seconds(found.offset_us)} s (± {_seconds(2 * found.uncertainty_us)} s, from {found.matches} of its "
        f"links' beginnings and ends)"
    )
    if found.is_sure:
        findings.append(f"Its clock is corrected {said}, as it differs from the radio's.")
        return Settled(found.offset_us, findings, aliases)
    findings.append(f"Its clock may have to be corrected {said}: too little to be sure, so it is left as it is.")
    return Settled(0, findings)


def _same(found: Fit) -> dict[str, str]:
    """Addresses of the reference that are a serial number of the source: all their matches are of each other."""
    of_serial: dict[str, set[str]] = {}
    of_address: dict[str, set[str]] = {}
    for address, serial in found.pairs:
        of_serial.setdefault(serial, set()).add(address)
        of_address.setdefault(address, set()).add(serial)
    return {
        address: serial
        for (address, serial), count in found.pairs.items()
        if count >= clocks.ENOUGH
        and address.startswith(ADDRESS)
        and serial
        and not serial.startswith(ADDRESS)
        and "*" not in serial
        and len(of_serial[serial]) == len(of_address[address]) == 1
    }


def correct_known(log: EventLog, reports: Sequence[ImportReport]) -> None:
    """Corrects the clocks of logs that were imported earlier, by captures that came now; tells it in their reports."""
    came = {report.source for report in reports if report.source is not None}
    fresh = [report for report in reports if report.events and is_capture(report.container)]
    waiting = [
        source
        for source in log.sources()
        if not source.is_capture
        and source.id not in came
        and not source.clock_offset_us
        and source.time_rule != "order_only"
    ]
    if not fresh or not waiting:
        return
    for source in waiting:
        if any(other.id == source.id and other.clock_offset_us for other in log.sources()):
            continue  # with another part of its file
        offset_us = _late(log, _marks_in(log, source), source)
        if 0 < abs(offset_us) <= CLOCK_OFFSET_US:
            log.set_clock_offset(source.id, offset_us)
            fresh[0].findings.append(
                f"The clock of {source.name}, which was imported earlier, is corrected by {_words(offset_us)}: "
                f"with that, its links agree with what the radio recorded."
            )


def _late(log: EventLog, mine: Marks, source: Source) -> int:
    """What is to be added to the clock of a source that the log has already, µs; 0 where that is not sure."""
    lack = Lack(source.time_rule == "year_assumed", source.time_rule in ("year_assumed", "zone_assumed"))
    if not any(lack):
        return settled(reference(log, around=mine, slack_us=clocks.RESIDUAL_US), mine).offset_us
    radio = reference(log) if lack.year else reference(log, around=mine, slack_us=DAY_US)
    found = clocks.fit(radio, mine, centres(radio, mine, lack), clocks.SLACK_US) if mine and radio else None
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
    return marks_of((t_us, kind, aliases.get(reader) or reader) for t_us, kind, reader in rows)


def _seconds(us: int) -> str:
    return f"{us / 1e6:.1f}"


def _words(us: int) -> str:
    """A shift for people: seconds where it is small, else days, hours and minutes."""
    return f"{_seconds(us)} s" if abs(us) < 60_000_000 else f"{'-' if us < 0 else ''}{timedelta(microseconds=abs(us))}"
