"""What is told of files that the log has already, where something is asked of them that comes too late."""

import pytest
from capture_writers import btsnoop
from phone_files import app_log, phone, put

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.importers import import_files
from terminal_kit.redaction import Redactor


@pytest.mark.parametrize("name", ["phone.btsnoop", "app.log", "no_suffix", "file-abc"])
def test_names_that_stand_in_the_log_are_told_where_they_are_to_be_replaced(log, tmp_path, name) -> None:
    data = app_log() if name == "app.log" else btsnoop(phone(), 1002)
    path = put(tmp_path, name, data)
    import_files([path], log)
    (again,) = import_files([path], log)
    assert again.findings == []
    (report,) = import_files([path], log, redactor=Redactor())
    assert report.already_there
    assert "has its names as they were recorded, and stays so" in report.findings[0]
    assert "terminal-kit redact" in report.findings[0]


@pytest.mark.parametrize("name", ["phone.btsnoop", "app.log", "no_suffix", "a.LOG", "a.tar.gz"])
def test_pseudonyms_in_the_log_are_told_where_names_are_wanted(log, tmp_path, name) -> None:
    """Every name that a redactor gives a file is known for one."""
    path = put(tmp_path, name, btsnoop(phone(), 1002))
    import_files([path], log, redactor=Redactor())
    (again,) = import_files([path], log, redactor=Redactor())
    assert again.findings == []
    (report,) = import_files([path], log)
    assert "is under pseudonyms, and stays so" in report.findings[0]


def test_a_file_that_grows_under_another_rule_tells_it_too(log, tmp_path) -> None:
    whole = app_log().splitlines(keepends=True)
    import_files([put(tmp_path, "app.log", b"".join(whole[:5]))], log)
    (report,) = import_files([put(tmp_path, "app.log", b"".join(whole))], log, redactor=Redactor())
    assert report.events
    assert any("names as they were recorded" in finding for finding in report.findings)
    with EventLog(log.path.with_name("other.db")) as other:
        import_files([put(tmp_path, "app.log", b"".join(whole[:5]))], other, redactor=Redactor())
        (report,) = import_files([put(tmp_path, "app.log", b"".join(whole))], other)
        assert any("is under pseudonyms" in finding for finding in report.findings)


@pytest.mark.parametrize(
    ("year", "given", "read_with"),
    [
        ("", {"year": 2025}, "the year 2026 and the time zone +02:00"),
        ("", {"time_zone": "UTC"}, "the year 2026 and the time zone +02:00"),
        ("", {"year": 2026, "time_zone": "+02:00"}, None),
        ("", {}, None),
        ("2026-", {"time_zone": "Europe/Berlin"}, "the time zone +02:00"),
        ("2026-", {"year": 2025}, None),
    ],
)
def test_a_year_and_a_zone_that_come_too_late_are_told(log, tmp_path, year, given, read_with) -> None:
    path = put(tmp_path, "app.log", app_log(year=year))
    import_files([path], log, year=2026, time_zone="+02:00")
    (report,) = import_files([path], log, **given)
    assert report.already_there
    if read_with is None:
        assert report.findings == []
    else:
        assert f"was read with {read_with}, and stays so" in report.findings[0]


def test_an_assumed_zone_is_told_as_what_it_was_read_with(log, tmp_path) -> None:
    path = put(tmp_path, "app.log", app_log())
    import_files([path], log)
    assert import_files([path], log, time_zone="UTC")[0].findings == []
    assert "the time zone UTC" in import_files([path], log, time_zone="+02:00")[0].findings[0]


def test_captures_know_their_time(log, tmp_path) -> None:
    path = put(tmp_path, "a", btsnoop(phone(), 1002))
    import_files([path], log)
    assert import_files([path], log, year=2020, time_zone="+02:00")[0].findings == []


def test_a_log_of_new_years_night_grows_in_the_year_that_it_was_read_with(log, tmp_path) -> None:
    """In UTC its first line was still of the year before."""
    line = (
        b"01-01 00:%02d:00.000  1234  1240 D StripeTerminal: class=BBPOSControllerListener message=onBTDisconnected\n"
    )
    first, second = line % 10, line % 20
    import_files([put(tmp_path, "app.log", first)], log, year=2026, time_zone="+02:00")
    assert import_files([tmp_path / "app.log"], log, year=2026)[0].findings == []
    (report,) = import_files([put(tmp_path, "app.log", first + second)], log)
    assert report.error is None
    times = log.frame()["time"]
    assert (times.max() - times.min()).total_seconds() == 600


NEW_YEAR = b"%s:00.000  1234  1240 D StripeTerminal: class=BBPOSControllerListener message=onBTDisconnected\n"


def test_a_log_that_grows_again_and_again_keeps_the_year_of_its_first_line(log, tmp_path) -> None:
    lines = [NEW_YEAR % clock for clock in (b"12-31 23:50", b"01-01 00:10", b"01-01 00:20")]
    for number in range(1, 4):
        import_files([put(tmp_path, "app.log", b"".join(lines[:number]))], log, year=2025 if number == 1 else None)
    times = log.frame()["time"]
    assert (times.max() - times.min()).total_seconds() == 1800
    assert import_files([tmp_path / "app.log"], log, year=2025)[0].findings == []
    assert "was read with the year 2025" in import_files([tmp_path / "app.log"], log, year=2026)[0].findings[0]


def test_the_year_of_a_log_that_has_grown_is_said(log, tmp_path) -> None:
    line = NEW_YEAR % b"05-07 09:00"
    import_files([put(tmp_path, "app.log", line)], log, year=2024)
    (report,) = import_files([put(tmp_path, "app.log", line * 2)], log)
    assert any("2024, with which its beginning was read, is assumed" in finding for finding in report.findings)
    (report,) = import_files([put(tmp_path, "app.log", line * 3)], log, year=2024)
    assert not any("is assumed" in finding and "year" in finding for finding in report.findings)


def test_a_beginning_without_times_is_told_when_times_come(log, tmp_path) -> None:
    first = b"class=Terminal message=discoverReaders\n"
    (report,) = import_files([put(tmp_path, "app.log", first)], log)
    assert report.time_rule == "order_only"
    (report,) = import_files([put(tmp_path, "app.log", first * 2)], log)
    assert not any("1970" in finding for finding in report.findings)
    (report,) = import_files([put(tmp_path, "app.log", first * 2 + NEW_YEAR % b"05-07 09:00")], log, year=2024)
    assert any("stays at the beginning of 1970" in finding for finding in report.findings)


def test_a_reader_whose_name_comes_when_the_file_has_grown_is_told(log, tmp_path) -> None:
    up = b"class=BBPOSControllerListener message=onBTConnected"
    first, named = up + b"\nclass=BBPOSControllerListener message=onBTDisconnected\n", up + b"(STRM26100000001)\n"
    import_files([put(tmp_path, "app.log", first)], log)
    (report,) = import_files([put(tmp_path, "app.log", first + named)], log)
    assert any("2 of the rows that the log has of it name no reader" in finding for finding in report.findings)
    (report,) = import_files([put(tmp_path, "app.log", first + named * 2)], log)
    assert any("2 of the rows" in finding for finding in report.findings)
    with EventLog(log.path.with_name("other.db")) as other:
        import_files([put(tmp_path, "app.log", named)], other)
        (report,) = import_files([put(tmp_path, "app.log", named + first)], other)
        assert not any("name no reader" in finding for finding in report.findings)


def test_a_file_that_grows_under_pseudonyms_needs_their_key(log, tmp_path) -> None:
    whole = app_log().splitlines(keepends=True)
    import_files([put(tmp_path, "app.log", b"".join(whole[:3]))], log, redactor=Redactor("a"))
    for other in (Redactor(), Redactor("b")):
        (report,) = import_files([put(tmp_path, "app.log", b"".join(whole))], log, redactor=other)
        assert isinstance(report.error, InvalidParameterError)
        assert report.error.parameter == "key"
        assert "--key" in report.error.hint
    assert len(log.sources()) == 1
    (report,) = import_files([put(tmp_path, "other.log", b"".join(whole))], log, redactor=Redactor("a"))
    assert report.error is None
    assert len({event.reader for event in log.events() if event.reader}) == 1
