"""`import` and `sources` from the command line."""

import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from window import run

from terminal_kit import importers
from terminal_kit.cli import values
from terminal_kit.cli.share_bar import ShareBar
from terminal_kit.errors import CaptureFormatError
from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.importers import Clock, Damage, ImportReport, Lack, Progress

T_US = 1_764_072_000_000_000

GOOD = ImportReport(
    file="app\x1b[2J.log",
    container="sdk log (android threadtime)",
    records=1200,
    understood=900,
    foreign=298,
    damaged=2,
    events=850,
    foreign_reasons=Counter({"another app's tag": 290, "blank": 8}),
    damages=[Damage("cut\u202e", offset=5000, record=77), Damage("no place")],
    findings=["It does not tell its year: 2026 is taken."],
    time_rule="year_assumed",
    time_zone="+02:00",
    first_us=T_US,
    last_us=T_US + 60_000_000,
)
KNOWN = ImportReport(file="b.btsnoop", container="btsnoop 1002", already_there=True)
BAD = ImportReport(file="c.png", error=CaptureFormatError("c.png is no capture", path="c.png"))


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What stands for the door, to be told what to say."""

    class Door:
        def __init__(self) -> None:
            self.reports = [GOOD, KNOWN, BAD]
            self.given: dict[str, Any] = {}
            self.does: Any = None

        def __call__(self, paths: Any, log: str, **given: Any) -> list[ImportReport]:
            self.given = {"paths": list(paths), "log": log, **given}
            if self.does:
                self.does(given)
            return self.reports

    standing = Door()
    monkeypatch.setattr(importers, "import_files", standing)
    return standing


class Window(io.StringIO):
    """A terminal window."""

    def isatty(self) -> bool:
        return True


def test_each_file_is_told_with_what_is_understood_foreign_and_damaged(home, door, capsys) -> None:
    assert run("import", "a", "b", "c", "--log", str(home / "field.db")) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        (
            "app\\x1b[2J.log: sdk log (android threadtime), 2025-11-25 12:00:00 to 2025-11-25 12:01:00 UTC "
            "(year assumed, time zone +02:00)"
        ),
        "  1,200 lines: 900 understood, 298 foreign, 2 damaged; 850 events",
        "  foreign: 290 another app's tag",
        "  foreign: 8 blank",
        "  damaged at byte 5,000, line 77: cut\\u202e",
        "  damaged at an unknown place: no place",
        "  It does not tell its year: 2026 is taken.",
        "b.btsnoop: the log has it already; nothing was added",
    ]
    (line,) = shown.err.splitlines()
    assert line.startswith("c.png: INVALID_REQUIRED_PARAMETER: c.png is no capture. Import a Bluetooth HCI capture")


def test_json_is_one_list_with_the_contracts_keys(home, door, capsys) -> None:
    assert run("import", "a", "--log", str(home / "field.db"), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in told] == [GOOD.file, "b.btsnoop", "c.png"]
    assert {"file", "container", "records", "understood", "foreign", "damaged", "events"} <= set(told[0])
    assert told[0]["foreign_reasons"] == {"another app's tag": 290, "blank": 8}
    assert told[0]["damages"][0] == {"text": "cut\u202e", "offset": 5000, "record": 77}
    assert told[1]["already_there"]
    assert told[2]["error"]["code"] == "INVALID_REQUIRED_PARAMETER"


def test_what_went_well_exits_with_0(home, door, capsys) -> None:
    door.reports = [GOOD]
    assert run("import", "a", "--log", str(home / "field.db")) == 0
    assert capsys.readouterr().err == ""


def test_year_zone_and_redaction_are_handed_on(home, door, capsys) -> None:
    log = str(home / "field.db")
    run("import", "a", "--log", log, "--year", "2025", "--time-zone", "+02:00", "--redact")
    assert (door.given["year"], door.given["time_zone"]) == (2025, "+02:00")
    assert door.given["redactor"].text("STRM26138000001") != "STRM26138000001"
    assert door.given["log"] == log
    # No window: nobody is asked and no bar is drawn.
    assert door.given["on_lack"] is None
    capsys.readouterr()
    door.given["on_progress"](Progress("a", 1, 2))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "wrong", [("--year", "25"), ("--year", "1969"), ("--time-zone", "Mars/Crater"), ("--time-zone", "+25:00")]
)
def test_what_is_no_year_or_zone_is_wrong_usage(home, door, wrong, capsys) -> None:
    assert run("import", "a", "--log", str(home / "field.db"), *wrong) == 2
    assert "is no" in capsys.readouterr().err


def test_a_log_has_to_be_named(door, capsys) -> None:
    assert run("import", "a") == 2
    assert "--log" in capsys.readouterr().err


def test_a_key_is_for_pseudonyms_alone(home, door, capsys) -> None:
    log = str(home / "field.db")
    assert run("import", "a", "--log", log, "--key", "k") == 2
    assert "--redact" in capsys.readouterr().err
    told: set[str] = set()
    for _ in range(2):
        run("import", "a", "--log", log, "--redact", "--key", "k")
        told.add(door.given["redactor"].name("STRM26138000001"))
    assert len(told) == 1


def test_a_zone_west_of_greenwich_is_written_with_a_sign_of_equality(home, door, capsys) -> None:
    run("import", "a", "--log", str(home / "field.db"), "--time-zone=-09:30")
    assert door.given["time_zone"] == "-09:30"


@pytest.mark.parametrize("text", ["+02:00", "-09:30", "+14:00", "Europe/Berlin", "UTC"])
def test_a_zone_is_a_name_or_an_offset(text) -> None:
    assert values.zone(text) == text


def test_an_interrupted_import_exits_with_130(home, door, capsys) -> None:
    def interrupted(given: Any) -> None:
        raise KeyboardInterrupt

    door.does = interrupted
    assert run("import", "a", "--log", str(home / "field.db")) == 130
    assert not (home / "field.db").exists()


def test_in_a_window_a_bar_is_drawn_and_taken_away(home, door, monkeypatch, capsys) -> None:
    window = Window()
    monkeypatch.setattr(sys, "stderr", window)
    door.reports = [GOOD]
    door.does = lambda given: [given["on_progress"](Progress("a\x1b.log", done, 100)) for done in (0, 0, 50, 100)]
    assert run("import", "a", "--log", str(home / "field.db")) == 0
    drawn = window.getvalue()
    assert drawn.count(" 50%  a\\x1b.log") == 1
    assert drawn.count("   0%") == 1
    assert drawn.endswith("\r\x1b[K")


def test_a_bar_of_a_long_name_keeps_its_line(monkeypatch) -> None:
    window = Window()
    monkeypatch.setattr(sys, "stderr", window)
    ShareBar().show(1, 0, "x" * 500)
    assert len(window.getvalue()) < 90


def test_a_person_is_asked_for_what_a_log_lacks_and_asked_again(home, door, monkeypatch) -> None:
    window, keys = Window(), Window("26\n2026\n\n")
    monkeypatch.setattr(sys, "stderr", window)
    monkeypatch.setattr(sys, "stdin", keys)
    answers: list[Clock] = []
    door.does = lambda given: answers.append(given["on_lack"]("app\x1b.log", Lack(year=True, zone=True)))
    door.reports = []
    assert run("import", "a", "--log", str(home / "field.db")) == 0
    assert answers == [Clock(2026, None)]
    assert window.getvalue().count("app\\x1b.log tells no year") == 2
    assert "'26' is no year" in window.getvalue()


@pytest.mark.parametrize("name", ["nowhere.log", "letter.txt", "empty", "."])
def test_what_gives_nothing_makes_no_log_and_no_folder(home, name, capsys) -> None:
    (home / "field").mkdir()
    (home / "field" / "letter.txt").write_text("dear sirs\n")
    (home / "field" / "empty").touch()
    log = home / "new" / "field.db"
    assert run("import", str(home / "field" / name), "--log", str(log)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "INVALID_REQUIRED_PARAMETER" in line
    assert "Errno" not in line
    if name == "nowhere.log":
        assert line.endswith(f"there is no file {home / 'field' / name}. Check the path.")
    assert not log.parent.exists()


def test_a_log_that_there_is_stays_as_it_is(field, home, capsys) -> None:
    before = Path(field).read_bytes()
    assert run("import", str(home / "nowhere.log"), "--log", field) == 1
    assert Path(field).read_bytes() == before


@pytest.mark.parametrize(("redact", "said"), [((), "already"), (("--redact",), "terminal-kit redact")])
def test_what_is_asked_in_vain_of_a_file_that_is_there_is_said(home, redact, said, capsys) -> None:
    lines = "09-12 10:00:01.000  1234  1240 D StripeTerminal: class=BBPOSControllerListener message=onBTDisconnected\n"
    (home / "app.log").write_text(lines)
    command = ["import", str(home / "app.log"), "--log", str(home / "field.db"), *redact]
    assert run(*command[:4], "--year", "2024") == 0
    capsys.readouterr()
    assert run(*command) == 0
    assert said in capsys.readouterr().out
    assert run(*command, "--year", "2025") == 0
    assert "was read with the year 2024" in capsys.readouterr().out


# ---- sources


@pytest.fixture
def field(home: Path) -> str:
    with EventLog(home / "field.db") as log:
        rows = {"t_us": [T_US], "kind": ["note"], "reader": [""], "source": [0]}
        for number, name in enumerate(("phone.btsnoop", "app\u202e.log"), 1):
            source = Source(str(number), name, "btsnoop 1002", "exact", 10, records=5)
            log.store_import([str(number)], [rows], lambda source=source: Outcome([source]))
    return str(home / "field.db")


def test_sources_are_listed(field, capsys) -> None:
    assert run("sources", field) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  1  phone.btsnoop  btsnoop 1002  5 records, times as written, clock +0.000 s",
        "  2  app\\u202e.log  btsnoop 1002  5 records, times as written, clock +0.000 s",
    ]
    assert run("sources", field, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["id"], each["records"], each["clock_offset_us"]) for each in told] == [(1, 5, 0), (2, 5, 0)]


def test_a_clock_is_corrected(field, capsys) -> None:
    assert run("sources", field, "--offset", "2", "-1.5") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("clock -1.500 s")
    with EventLog(field, read_only=True) as log:
        assert [event.t_us for event in log.events()] == [T_US, T_US - 1_500_000]


@pytest.mark.parametrize(
    ("offset", "code", "said"),
    [
        (("9", "1"), 1, "has no source 9"),
        (("x", "1"), 2, "is no id and number of seconds"),
        (("1", "soon"), 2, "is no id and number of seconds"),
        (("1", "inf"), 2, "no clock is inf s wrong"),
        (("1", "nan"), 2, "no clock is nan s wrong"),
        (("1", "1e12"), 2, "no clock is 1e+12 s wrong. A correction is of 100 years at most, 3,155,760,000 s"),
        (("1", "1e18"), 2, "no clock is 1e+18 s wrong"),
        (("1", "-4000000000"), 2, "no clock is -4e+09 s wrong"),
        (("1", "3155760001"), 2, "no clock is 3.15576e+09 s wrong"),
    ],
)
def test_an_offset_that_is_none_changes_nothing(field, offset, code, said, capsys) -> None:
    assert run("sources", field, "--offset", *offset) == code
    assert said in capsys.readouterr().err
    with EventLog(field, read_only=True) as log:
        assert {source.clock_offset_us for source in log.sources()} == {0}


@pytest.mark.parametrize("seconds", [3_155_760_000, -3_155_760_000, 0.000001, 0])
def test_times_that_are_corrected_by_as_much_as_may_be_are_still_times(field, seconds, capsys) -> None:
    assert run("sources", field, "--offset", "1", str(seconds)) == 0
    capsys.readouterr()
    with EventLog(field, read_only=True) as log:
        assert [event.t_us for event in log.events()] == [T_US + round(seconds * 1e6), T_US]
        assert log.frame()["time"].dt.year.tolist() == [2025 + round(seconds / 31_557_600), 2025]
    assert run("events", field) == 0
    assert "µs" not in capsys.readouterr().out
