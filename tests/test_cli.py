"""The command line, as a person at a terminal window meets it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from terminal_kit.cli import main
from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event

M2 = "STRM26138003393"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders of their own."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in [name for name in os.environ if name.startswith("TERMINAL_KIT_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(*arguments: str) -> int:
    """A command's exit code."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


VERBS = ("lab", "doctor", "discover", "connect", "reboot", "watch", "events", "locations", "serve")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    assert f"example: terminal-kit {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frob",),
        ("discover", "--timeout-s", "soon"),
        ("watch", "--log"),
        ("connect", M2),
        ("connect", "--for", "1y"),
    ],
)
def test_wrong_usage_is_one_clear_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_discover_lists_readers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("discover", "--timeout-s", "1", "--seed", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(M2)
    assert "dBm" in lines[0]
    assert run("discover", "--timeout-s", "1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found[0]) == {
        "serial",
        "label",
        "device_type",
        "address",
        "rssi_dbm",
        "last_heard_us",
        "battery",
        "paired_in_host",
    }


def test_connect_reboot_and_the_log_of_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(home / "bench.db")
    assert run("connect", M2, "--location", "tml_front_desk", "--log", log, "--for", "1s") == 0
    assert f"{M2} connected at tml_front_desk" in capsys.readouterr().out
    assert run("events", log, "--kind", "connect_succeeded", "--json") == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["reader"], row["status"], row["radio"]) == (M2, "connected", "simulated")
    assert run("events", log, "--reader", M2) == 0
    assert "link_connected" in capsys.readouterr().out


def test_failures_tell_code_text_and_hint(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("connect", "STRM2NOBODY", "--location", "tml_front_desk", "--timeout-s", "1") == 1
    assert capsys.readouterr().err.startswith("READER_NOT_FOUND: STRM2NOBODY did not appear within 1 s. Check")
    assert run("events", str(home / "none.db")) == 1
    assert "there is no log" in capsys.readouterr().err


def test_hostile_text_is_shown_and_not_obeyed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with EventLog(home / "bench.db") as log:
        log.append(Event(kind="note", t_us=0, reader="\x1b[31mred", text="right\u202eleft"), run="r")
    assert run("events", str(home / "bench.db")) == 0
    shown = capsys.readouterr().out
    assert "\\x1b[31mred" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_locations_are_kept_by_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    """L1."""
    assert run("locations", "add", "tml_bar", "--name", "Bar", "--time-zone", "Europe/Berlin") == 0
    assert run("locations", "label", M2, "Till 2") == 0
    assert run("locations") == 0
    shown = capsys.readouterr().out
    assert "tml_bar" in shown
    assert "Europe/Berlin" in shown
    assert "Till 2" in shown
    assert run("locations", "add", "bar") == 1
    assert run("locations", "add", "tml_moon", "--time-zone", "Moon/Crater") == 2
    assert run("locations", "remove", "tml_bar") == 0
    assert run("locations", "remove", "tml_bar") == 1
    capsys.readouterr()
    assert run("locations") == 0
    assert "tml_bar" not in capsys.readouterr().out


def test_settings_flags_over_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TERMINAL_KIT_LOCATION", "tml_front_desk")
    assert run("connect", M2, "--for", "1s") == 0
    assert "at tml_front_desk" in capsys.readouterr().out


def test_doctor_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "simulated radio      ok" in shown
    assert "adapter" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_watch_records_until_ctrl_c_and_closes_the_log(home: Path) -> None:
    log = home / "night.db"
    command = [sys.executable, "-c", "import sys; from terminal_kit.cli import main; sys.exit(main())"]
    arguments = ["watch", M2, "--location", "tml_front_desk", "--log", str(log), "--for", "24h"]
    child = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if "connected" in line and "status_changed" in line and "not" not in line:
            break
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=20)
    assert child.returncode == 0
    assert "stopped" in rest
    with EventLog(log, read_only=True) as written:
        kinds = [event.kind for event in written.events()]
    assert kinds[-1] == "run_finished"
    assert "disconnected" in kinds
