"""What `watch` and `connect` owe the log: an orderly end, a word when it does not record, and no end for less."""

import signal
import sys
from pathlib import Path

import pytest
from window import AT_DESK, M2, kinds, run, stage_sessions, start

from terminal_kit.cli import watch
from terminal_kit.cli.recording import hang_up_is_ctrl_c
from terminal_kit.errors import EventLogError
from terminal_kit.eventlog import EventLog
from terminal_kit.session import Session

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")


@posix
@pytest.mark.parametrize(
    ("verb", "number", "code"), [("watch", "SIGINT", 0), ("watch", "SIGHUP", 0), ("connect", "SIGTERM", 130)]
)
def test_an_interruption_ends_in_order(verb: str, number: str, code: int, home: Path) -> None:
    log = home / "night.db"
    child = start(verb, M2, *AT_DESK, "--log", str(log), "--for", "24h")
    for line in child.stdout:
        if "connected" in line and "status_changed" in line and "not" not in line:
            break
    child.send_signal(getattr(signal, number))
    said, complaints = child.communicate(timeout=20)
    assert child.returncode == code, complaints
    assert "Traceback" not in complaints
    assert ("stopped" in said) is (verb == "watch")
    written = kinds(log)
    assert written[-1] == "run_finished"
    assert "disconnected" in written


@posix
def test_hanging_up_is_ctrl_c_once_and_only_for_the_while() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        assert signal.getsignal(number) == signal.SIG_DFL
        with hang_up_is_ctrl_c():
            assert signal.getsignal(number) != signal.SIG_DFL
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
            signal.raise_signal(number)  # the shell's, right after the kernel's
        assert signal.getsignal(number) == signal.SIG_DFL


@posix
def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with hang_up_is_ctrl_c():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
def test_output_that_nobody_takes_does_not_end_a_recording(home: Path) -> None:
    log = home / "night.db"
    child = start("watch", M2, *AT_DESK, "--log", str(log), "--for", "3s")
    child.stdout.close()
    complaints = child.stderr.read()
    assert child.wait(20) == 0
    child.stderr.close()
    assert len(complaints.splitlines()) == 1, complaints
    written = kinds(log)
    assert "connect_succeeded" in written
    assert written[-1] == "run_finished"


def test_a_mistake_of_ours_costs_one_round(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(session: Session) -> None:
        connect = session.terminal.easy_connect
        mistakes = [RuntimeError("what \x1b?"), OSError("nobody takes it")]

        async def easy_connect(*arguments: object, **options: object) -> object:
            if mistakes:
                raise mistakes.pop()
            return await connect(*arguments, **options)

        session.terminal.easy_connect = easy_connect

    stage_sessions(monkeypatch, 20, stumble)
    monkeypatch.setattr(watch, "PAUSE_S", 0.1)
    log = home / "night.db"
    assert run("watch", M2, *AT_DESK, "--log", str(log), "--for", "10s") == 0
    assert f"{M2}: UNEXPECTED_SDK_ERROR: RuntimeError: what \\x1b?" in capsys.readouterr().out
    written = kinds(log)
    assert written.count("error") == 2
    assert "connect_succeeded" in written


FULL_DISK = """
import resource, sys
from terminal_kit.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
sys.exit(main())
"""


@posix
@pytest.mark.parametrize("verb", ["watch", "connect"])
def test_a_full_disk_is_said_at_once_and_at_the_end(verb: str, home: Path) -> None:
    child = start(verb, M2, *AT_DESK, "--log", str(home / "night.db"), "--for", "3s", program=FULL_DISK)
    said, complaints = child.communicate(timeout=30)
    assert child.returncode == 1
    assert "connected" in said
    _simulated, first, *_, last = complaints.splitlines()
    assert first.startswith("not recording: UNEXPECTED_SDK_ERROR: ")
    assert last.startswith("UNEXPECTED_SDK_ERROR: ")
    assert "night.db" in last


def test_recording_again_is_said_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = [EventLogError("full"), EventLogError("full")]
    monkeypatch.setattr(EventLog, "fault", property(lambda _: faults.pop() if faults else None))
    stage_sessions(monkeypatch, 10)
    assert run("connect", M2, *AT_DESK, "--log", str(home / "night.db"), "--for", "5s") == 0
    said = capsys.readouterr().err.splitlines()
    assert said[1].startswith("not recording: ")
    assert said[2] == "recording again"


def test_events_lost_at_the_end_are_a_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the reader was there or not."""

    def close(session: Session, close=Session.close) -> None:
        close(session)
        raise EventLogError("3 events could not be stored")

    stage_sessions(monkeypatch, 20)
    monkeypatch.setattr(Session, "close", close)
    log = str(home / "night.db")
    assert run("connect", M2, *AT_DESK, "--log", log, "--for", "1s") == 1
    assert "3 events could not be stored" in capsys.readouterr().err.splitlines()[-1]
    assert run("connect", "STRM2NOBODY", *AT_DESK, "--log", log, "--timeout-s", "1") == 1
    said = capsys.readouterr().err.splitlines()
    assert "3 events could not be stored" in said[-2]
    assert said[-1].startswith("READER_NOT_FOUND")
