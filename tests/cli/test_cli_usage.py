"""Help, wrong usage, settings, and what an error looks like."""

import subprocess
import sys
from pathlib import Path

import pytest
from window import AT_DESK, M2, run, stage_sessions

VERBS = (
    "lab",
    "doctor",
    "discover",
    "forget",
    "connect",
    "reboot",
    "update",
    "watch",
    "events",
    "locations",
    "feed",
    "serve",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb, "--help") == 0
    assert f"example: terminal-kit {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frob",),
        ("watch", "--log"),
        ("connect", M2),
        ("forget",),
        ("discover", "--timeout-s", "soon"),
        ("discover", "--timeout-s", "nan"),
        ("discover", "--timeout-s", "inf"),
        ("discover", "--timeout-s", "-1"),
        ("discover", "--seed", "99999999999999999999"),
        ("discover", "--radio", "foo"),
        ("connect", *AT_DESK, "--timeout-s", "-3"),
        ("connect", *AT_DESK, "--timeout-s", "nan"),
        ("connect", *AT_DESK, "--for", "1y"),
        ("connect", *AT_DESK, "--for", "0"),
        ("connect", "--location", "bar"),
        ("connect", "--location", "tml_nowhere"),
        ("reboot", "--location", "tml_nowhere"),
        ("watch", *AT_DESK, "--log", "night.db", "--for", "0h"),
        ("watch", "--location", "tml_nowhere", "--log", "night.db"),
        ("lab", "--port", "99999999"),
        ("lab", "--port", "-1"),
        ("lab", "--seed", "3"),
        ("locations", "add", "bar"),
        ("locations", "add", "tml_moon", "--time-zone", "Moon/Crater"),
        ("locations", "add", "tml_wide", "--time-zone", "Europe"),
        ("locations", "add", "tml_sly", "--time-zone", "../../etc/passwd"),
        ("serve", "usb:0", "--battery", "80"),
        ("connect", "--for", "\x1b[31m\u202e"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_clear_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert said.startswith("terminal-kit")
    assert not {"\x1b", "\u202e"} & set(said)


def test_failures_tell_code_text_and_hint(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("connect", "STRM2NOBODY", *AT_DESK, "--timeout-s", "1") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("READER_NOT_FOUND: STRM2NOBODY did not appear within 1 s. Check")
    assert run("events", str(home / "none.db")) == 1
    assert "there is no log" in capsys.readouterr().err


def test_an_error_shows_hostile_text_and_does_not_obey_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("events", "/\x1b[31m\u202enone\n.db") == 1
    assert "/\\x1b[31m\\u202enone\\n.db" in capsys.readouterr().err


def test_flags_win_over_the_environment_and_that_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage_sessions(monkeypatch, 10)
    (config / "settings.toml").write_text('location = "tml_terrace"\n')
    assert run("connect", M2, "--for", "0.1s") == 0
    assert "at tml_terrace" in capsys.readouterr().out
    monkeypatch.setenv("TERMINAL_KIT_LOCATION", "tml_front_desk")
    assert run("connect", M2, "--for", "0.1s") == 0
    assert "at tml_front_desk" in capsys.readouterr().out
    monkeypatch.setenv("TERMINAL_KIT_LOCATION", "tml_nowhere")
    assert run("connect", M2, "--for", "0.1s") == 2
    assert "TERMINAL_KIT_LOCATION: tml_nowhere is not one of your locations" in capsys.readouterr().err
    assert run("connect", M2, "--for", "0.1s", "--location", "tml_terrace") == 0


@pytest.mark.parametrize("text", ["radio = ", "radio = 5", 'radio = ["native"]', "radio = 'foo'", "\udcff"])
def test_broken_settings_stop_only_who_needs_them(
    config: Path, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("Lab was started"))
    path = config / "settings.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    for verb in ("discover", "lab"):
        assert run(verb) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert str(path) in line
    assert run("--help") == 0
    assert run("discover", "--radio", "simulated", "--timeout-s", "0.3") == 0
    capsys.readouterr()
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "settings             missing" in shown


def test_a_wrong_setting_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("Lab was started"))
    monkeypatch.setenv("TERMINAL_KIT_RADIO", "foo")
    for verb in ("discover", "lab"):
        assert run(verb) == 2
        assert "TERMINAL_KIT_RADIO: 'foo' is no radio; choose one of simulated" in capsys.readouterr().err


def test_doctor_names_a_setting_that_means_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "settings.toml").write_text('radoi = "native"\n')
    assert run("doctor") == 0
    assert "has no meaning for radoi" in capsys.readouterr().out


def test_the_package_is_the_command_where_no_script_is_on_the_path() -> None:
    told = subprocess.run([sys.executable, "-m", "terminal_kit", "doctor", "--help"], capture_output=True, check=True)
    assert b"example: terminal-kit doctor" in told.stdout
