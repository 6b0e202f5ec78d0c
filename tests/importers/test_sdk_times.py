"""What lines lack of their time: years that a log tells elsewhere, days that a year has not, epochs, files with room."""

from datetime import UTC, datetime
from typing import Any

import pytest
from reading_rows import of_kind, read_log

from terminal_kit.importers import Content
from terminal_kit.importers.sdk_logs import look, sniff

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DISCOVER = "class=Terminal message=discoverReaders"
SERIAL = "STRM26100000001"


def line(clock: str, body: str = DISCOVER) -> str:
    return f"{clock}.000  1372  1983 D StripeTerminal: {body}\n"


def days(text: str, **how: Any) -> tuple[list[str], list[str]]:
    """The days of all first rows of lines, and the findings."""
    rows, reading = read_log(text, now=NOW, **how)
    at = {row["record"]: datetime.fromtimestamp(row["t_us"] / 1e6, UTC).date().isoformat() for row in rows}
    return list(at.values()), reading.reports[0].findings


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (["02-29 09:30:01"], ["2024-02-29"]),
        (["02-28 09:30:01", "02-29 09:30:01", "03-01 09:30:01"], ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (["12-31 09:30:01", "02-29 09:30:01"], ["2023-12-31", "2024-02-29"]),
        (["02-28 09:30:01", "03-01 09:30:01"], ["2026-02-28", "2026-03-01"]),
    ],
)
def test_a_leap_day_tells_of_its_year(clocks: list[str], expected: list[str]) -> None:
    bodies = (f"class=Terminal message=connectReader serial_number={SERIAL[:-1]}{n}" for n in range(9))
    told, findings = days("".join(map(line, clocks, bodies)))
    assert told == expected
    assert any(f"{expected[0][:4]}, the latest possible, is assumed" in finding for finding in findings)


def test_a_given_year_without_the_day_is_told() -> None:
    told, findings = days(line("02-29 09:30:01"), year=2026)
    assert told == ["2026-03-01"]
    assert any("29 February, a day that 2026 has not" in finding for finding in findings)
    assert not any("29 February" in finding for finding in days(line("02-29 09:30:01"), year=2024)[1])


def test_the_year_of_other_lines_is_taken() -> None:
    connect = f"class=Terminal message=connectReader serial_number={SERIAL}"
    with_year = f"2023-05-07 09:00:05.000 1372-1/x D/StripeTerminal: {connect}\n"
    told, findings = days(line("05-07 09:00:01") + with_year)
    assert told == ["2023-05-07", "2023-05-07"]
    assert not any("latest possible" in finding or "goes back" in finding for finding in findings)
    assert any("Some of its lines tell no year" in finding for finding in findings)
    told, _ = days(line("12-31 23:59:59") + with_year.replace("05-07", "01-01"))
    assert told == ["2022-12-31", "2023-01-01"]
    assert not look(Content("a", (line("05-07 09:00:01") + with_year).encode())).year
    assert look(Content("a", (line("05-07 09:00:01") + "built 2019-01-01 00:00:00\n").encode())).year
    told, _ = days(line("05-07 09:00:01") + with_year, year=2021)
    assert told[0] == "2021-05-07"


@pytest.mark.parametrize(("zone", "clock"), [("+05:00", "01-01 00:30:00"), ("-05:00", "01-01 23:30:00")])
def test_the_year_that_is_told_is_the_one_of_the_line(zone: str, clock: str) -> None:
    _, findings = days(line(clock), time_zone=zone)
    assert findings == ["Its lines tell no year: 2026, the latest possible, is assumed."]


def test_a_number_in_words_is_no_time() -> None:
    words = 'D/StripeTerminal: class=TokenRepo message="token refreshed, expiry time=1893456000000 ok"\n'
    rows, reading = read_log(f"D/StripeTerminal: {DISCOVER}\n{words}")
    assert reading.reports[0].time_rule == "order_only"
    assert max(row["t_us"] for row in rows) < 1_000_000
    rows, reading = read_log("l scope=SCPTerminal event=state_change connection_status=connecting time=1649065225849\n")
    assert reading.reports[0].time_rule == "exact"
    assert of_kind(rows, "connect_started")[0]["t_us"] == 1_649_065_225_849_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("room", [1, 4096, 3 << 20])
@pytest.mark.parametrize("end", ["\n", "", "\nD/Other: \u4e00"])
def test_room_at_the_end_of_a_file_is_no_line(encoding: str, room: int, end: str) -> None:
    data = (line("05-07 09:00:01") + line("05-07 09:00:02").rstrip() + end).encode(encoding)
    padded = data + bytes(4 * room)
    assert sniff(Content("app.log", padded))
    expected, plain = read_log(data, year=2026)
    rows, reading = read_log(padded, year=2026)
    assert rows == expected
    assert reading.reports[0].records == plain.reports[0].records
