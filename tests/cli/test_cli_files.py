"""The user's files from the command line: `events` and `locations`."""

import io
import json
import sys
from pathlib import Path

import pytest
from window import M2, run, start

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event
from terminal_kit.memory import Locations


def written(folder: Path, *events: Event) -> str:
    """A log with these events."""
    with EventLog(folder / "bench.db") as log:
        recording = log.start_run(radio="simulated")
        for event in events:
            recording.append(event)
    return str(folder / "bench.db")


def test_hostile_text_is_shown_and_not_obeyed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = Event(kind="no\x1b[2Jte\u202e", t_us=0, reader="\x1b[31mred", text="right\u202eleft\x9b")
    assert run("events", written(home, hostile)) == 0
    shown = capsys.readouterr().out
    assert "\\x1b[31mred" in shown
    assert "no\\x1b[2Jte\\u202e" in shown
    assert not {"\x1b", "\u202e", "\x9b"} & set(shown)


@pytest.mark.parametrize("t_us", [2**63 - 1, -(2**63), 253402300800 * 10**6])
def test_a_time_that_no_calendar_has_is_shown(t_us: int, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = written(home, Event(kind="note", t_us=t_us), Event(kind="note", t_us=-1))
    assert run("events", log, "--kind", "note") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{t_us} µs ")
    assert second.startswith("1969-12-31 23:59:59.999Z ")


def test_lines_that_tell_no_time_have_none(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not one of 1970: the log keeps them a millisecond apart, for their order alone."""
    lines = "class=BBPOSControllerListener message=onBTConnected(STRM26138000001)\nmessage=onBTDisconnected\n"
    (home / "app.log").write_text("".join(f"D/StripeTerminal: {line}\n" for line in lines.splitlines()))
    log = str(home / "field.db")
    assert run("import", str(home / "app.log"), "--log", log) == 0
    assert "Its lines tell no time" in capsys.readouterr().out
    assert run("events", log) == 0
    told = capsys.readouterr().out
    assert "1970" not in told
    assert all(line.startswith("no date                  import ") for line in told.splitlines())
    assert run("events", log, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows
    assert {row["t_us"] for row in rows} == {None}
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


def test_an_output_that_is_not_utf_8_gets_escapes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = written(home, Event(kind="note", t_us=0, text="Kasse für Ärzte"))
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert run("events", log) == 0
    assert rb"text=Kasse f\xfcr \xc4rzte" in shown.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_who_reads_no_further_has_seen_enough(home: Path) -> None:
    log = written(home, *(Event(kind="note", t_us=number, text="x" * 100) for number in range(2000)))
    child = start("events", log)
    assert "run_started" in child.stdout.readline()
    child.stdout.close()
    assert child.stderr.read() == ""
    child.stderr.close()
    assert child.wait(20) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_an_output_without_room_is_a_failure(home: Path) -> None:
    log = written(home)
    with Path("/dev/full").open("w") as full:
        child = start("events", log, stdout=full)
        _, complaints = child.communicate(timeout=20)
    assert child.returncode == 1
    assert complaints.startswith("UNEXPECTED_SDK_ERROR: the system refused: ")
    assert len(complaints.splitlines()) == 1


def test_locations_are_kept_by_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    """L1."""
    assert run("locations", "add", "tml_bar", "--name", "Bar", "--time-zone", "Europe/Berlin") == 0
    assert run("locations", "label", M2, "Till 2") == 0
    assert run("locations") == 0
    shown = capsys.readouterr().out
    assert "tml_bar" in shown
    assert "Europe/Berlin" in shown
    assert "Till 2" in shown
    assert run("locations", "remove", "tml_bar") == 0
    assert run("locations", "remove", "tml_bar") == 1
    capsys.readouterr()
    assert run("locations") == 0
    assert "tml_bar" not in capsys.readouterr().out


def test_the_demonstrations_locations_do_not_vanish_silently(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        assert run("locations", *arguments) == 0
        return capsys.readouterr().out

    assert said("label", M2, "Till 2") == ""
    assert "no longer shown: tml_front_desk, tml_terrace" in said("add", "tml_bar")
    assert said("add", "tml_hall") == ""
    assert said("add", "tml_bar", "--name", "Bar") == ""
    assert "tml_front_desk" not in said()
    assert said("remove", "tml_bar") == ""
    assert "shown again: tml_front_desk, tml_terrace" in said("remove", "tml_hall")
    assert "no longer shown: tml_terrace" in said("add", "tml_front_desk")


def test_a_file_written_by_hand_may_have_its_places_in_one_line(config: Path) -> None:
    path = config / "locations.toml"
    path.write_text('# my places\nlocation = [{id = "tml_a", name = "A"}]\n[labels]\n"WPC3" = "x" # keep\n')
    assert run("locations", "add", "tml_b", "--name", "B") == 0
    assert run("locations", "label", M2, "Till 2") == 0
    kept = Locations(path)
    assert [(place.id, place.name) for place in kept.list_locations()] == [("tml_a", "A"), ("tml_b", "B")]
    assert kept.labels == {"WPC3": "x", M2: "Till 2"}
    assert "# my places" in path.read_text()
    assert "# keep" in path.read_text()
    path.write_text('location = [{id = "tml_a", name = "A"}]\n')
    assert run("locations", "remove", "tml_a") == 0
    assert json.dumps(Locations(path).labels) == "{}"
