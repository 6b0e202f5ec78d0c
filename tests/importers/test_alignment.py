"""Clocks of several sources in one log: the year and zone that a log lacks, and what clocks differ by."""

from datetime import UTC, datetime

import pytest

from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.importers import alignment
from terminal_kit.importers.alignment import Lack, choose, marks_of, settled
from terminal_kit.importers.import_report import Clock, ImportReport

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
SERIAL, ADDRESS = "STRM26138000001", "addr:AA:BB:CC:DD:EE:01"

ON, OFF = "link_connected", "link_disconnected"
MOMENTS_S = (0, 31, 64, 200, 260, 701, 900, 1505)
"""Links that come and go, in no rhythm."""


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[arg-type,misc]


def links(begin_us: int, reader: str = "", moments_s=MOMENTS_S) -> list[tuple[int, str, str]]:
    return [(begin_us + second * SECOND, (ON, OFF)[place % 2], reader) for place, second in enumerate(moments_s)]


NOON = at(2026, 3, 14, 12)


def test_a_zone_is_chosen_by_the_links_that_the_radio_recorded() -> None:
    """The phone wrote 14:00 when it was 12:00 UTC."""
    chosen = choose(marks_of(links(NOON)), marks_of(links(NOON + 2 * HOUR)), Lack(zone=True), Clock(2026, "UTC"))
    assert chosen is not None
    assert chosen.clock == Clock(2026, "+02:00")
    assert "time zone: +02:00 is taken" in chosen.finding
    assert "8 of its links" in chosen.finding


@pytest.mark.parametrize(
    ("there", "written", "assumed", "told"),
    [
        # a log of 2024, read as one of 2026; of a zone beyond midnight
        (at(2024, 5, 2, 23), at(2026, 5, 3, 9), 2026, Clock(2024, "+10:00")),
        (at(2024, 5, 2, 3), at(2026, 5, 1, 18), 2026, Clock(2024, "-09:00")),
        # a leap day between
        (at(2024, 3, 1, 12), at(2026, 3, 1, 12), 2026, Clock(2024, "+00:00")),
        # the same year
        (at(2026, 5, 2, 12), at(2026, 5, 2, 17, 30), 2026, Clock(2026, "+05:30")),
        # across New Year: it was still the old year in UTC
        (at(2025, 12, 31, 23), at(2025, 1, 1, 1), 2025, Clock(2026, "+02:00")),
    ],
)
def test_a_year_and_a_zone_are_chosen_together(there, written, assumed, told) -> None:
    chosen = choose(marks_of(links(there)), marks_of(links(written)), Lack(True, True), Clock(assumed, "UTC"))
    assert chosen is not None
    assert chosen.clock == told
    assert f"year and time zone: {told.year} {told.time_zone} is taken" in chosen.finding


def test_nothing_is_chosen_by_one_link_or_by_none_that_fits() -> None:
    lack, assumed = Lack(zone=True), Clock(2026, "UTC")
    whole = marks_of(links(NOON))
    assert choose(whole, marks_of(links(NOON + HOUR)[:1]), lack, assumed) is None
    assert choose(whole, marks_of(links(NOON + 5 * DAY)), lack, assumed) is None
    assert choose(whole, marks_of([]), lack, assumed) is None
    assert choose(marks_of([]), whole, lack, assumed) is None


def test_a_zone_that_was_said_is_not_chosen_anew() -> None:
    chosen = choose(
        marks_of(links(at(2024, 5, 2, 12))),
        marks_of(links(at(2026, 5, 2, 12))),
        Lack(year=True),
        Clock(2026, "Asia/Tokyo"),
    )
    assert chosen is not None
    assert chosen.clock == Clock(2024, "Asia/Tokyo")


def test_a_clock_that_differs_is_corrected_with_its_uncertainty_told() -> None:
    told = settled(marks_of(links(NOON)), marks_of(links(NOON - 90 * SECOND)))
    assert told.offset_us == 90 * SECOND
    assert "corrected by 90.0 s (± 0.0 s, from 8 of its" in told.findings[0]


def test_an_apps_own_delay_is_no_difference_of_clocks() -> None:
    told = settled(marks_of(links(NOON)), marks_of(links(NOON + SECOND // 2)))
    assert told.offset_us == 0
    assert "agrees with what the radio recorded" in told.findings[0]


def test_too_few_matches_are_told_and_change_nothing() -> None:
    told = settled(marks_of(links(NOON)[:2]), marks_of(links(NOON + 20 * SECOND)[:2]))
    assert told.offset_us == 0
    assert "may have to be corrected by -20.0 s" in told.findings[0]


def test_an_address_and_a_serial_whose_links_go_together_are_one_device() -> None:
    other = "addr:AA:BB:CC:DD:EE:02"
    radio = marks_of([*links(NOON, ADDRESS), *links(NOON + 10 * SECOND, other, (5, 333, 1200))])
    told = settled(radio, marks_of(links(NOON, SERIAL)))
    assert told.aliases == {ADDRESS: SERIAL}
    assert any(SERIAL in finding and "AA:BB:CC:DD:EE:01" in finding for finding in told.findings)
    # Two of them are too few, and so are links that two devices share.
    assert settled(marks_of(links(NOON, ADDRESS)), marks_of(links(NOON, SERIAL)[:2])).aliases == {}
    mixed = [(t_us, kind, (ADDRESS, other)[place % 2]) for place, (t_us, kind, _) in enumerate(links(NOON))]
    assert settled(marks_of(mixed), marks_of(links(NOON, SERIAL))).aliases == {}


def test_where_there_are_links_nothing_later_is_looked_at() -> None:
    later = [(NOON + 7 * SECOND, "connect_succeeded", ""), (NOON + 9 * SECOND, "disconnected", "")]
    assert len(marks_of([*links(NOON), *later])) == 8
    assert len(marks_of([*later, (NOON, "signal", "")])) == 2


# ---- in a log


def put(log: EventLog, name: str, rows: list[tuple[int, str, str]], container: str, time_rule="exact") -> Source:
    columns = {
        "t_us": [row[0] for row in rows],
        "kind": [row[1] for row in rows],
        "reader": [row[2] for row in rows],
        "source": [0] * len(rows),
    }
    source = Source(name, name, container, time_rule, 1)
    (stored,) = log.store_import([name], [columns], lambda: Outcome([source]))
    return stored


def test_the_reference_is_what_radios_recorded_and_no_apps_log(log) -> None:
    put(log, "app.log", links(NOON), "sdk log (ios)")
    assert len(alignment.reference(log)) == 0
    capture = put(log, "phone", links(NOON, ADDRESS), "btsnoop 1002")
    log.add_alias(ADDRESS, SERIAL)
    log.flush()
    log.set_clock_offset(capture.id, SECOND)
    found = alignment.reference(log)
    assert found.readers == (SERIAL,) * 8
    assert int(found.t_us[0]) == NOON + SECOND
    assert len(alignment.reference(log, captures=False)) == 0


@pytest.mark.parametrize(
    ("rule", "written", "offset"),
    [
        ("zone_assumed", NOON + 2 * HOUR, -2 * HOUR),
        ("zone_assumed", NOON + 2 * HOUR + 20 * SECOND, -2 * HOUR - 20 * SECOND),
        ("zone_assumed", NOON + 2 * HOUR + SECOND // 4, -2 * HOUR),
        ("year_assumed", at(2025, 3, 14, 10), 365 * DAY + 2 * HOUR),
        ("exact", NOON + 20 * SECOND, -20 * SECOND),
        ("exact", NOON + 2 * HOUR, 0),
        ("order_only", NOON + 20 * SECOND, 0),
    ],
)
def test_a_log_that_came_first_is_corrected_by_a_capture_that_comes_later(log, rule, written, offset) -> None:
    app = put(log, "app.log", links(written), "sdk log (ios)", rule)
    capture = put(log, "phone", links(NOON), "btsnoop 1002")
    report = ImportReport(file="phone", container="btsnoop 1002", events=8, source=capture.id)
    alignment.correct_known(log, [report])
    assert {source.id: source.clock_offset_us for source in log.sources()} == {app.id: offset, capture.id: 0}
    assert len(report.findings) == (offset != 0)
    assert all("app.log" in finding for finding in report.findings)


def test_a_clock_that_somebody_corrected_stays(log) -> None:
    app = put(log, "app.log", links(NOON + 2 * HOUR), "sdk log (ios)", "zone_assumed")
    log.set_clock_offset(app.id, 5)
    capture = put(log, "phone", links(NOON), "btsnoop 1002")
    alignment.correct_known(log, [ImportReport(file="phone", container="btsnoop 1002", events=8, source=capture.id)])
    assert log.sources()[0].clock_offset_us == 5
