"""The writer tells what it cannot do: a dead thread, a full disk, a file that is gone."""

import atexit
import gc
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import EventLog, Run, writer
from terminal_kit.events import Event

FULL = """
import resource, signal, sys, time
from terminal_kit import EventLog, Event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = EventLog(sys.argv[1])
run = log.start_run(radio="simulated")
log.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
for number in range(3000):
    run.append(Event(kind="a", t_us=number, reader="A", text="x" * 200))
while log.fault is None:
    time.sleep(0.01)
"""

needs_limits = pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")


def in_a_process(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=50, check=True
    )


def wait_for_fault(log: EventLog) -> EventLogError:
    deadline_s = time.monotonic() + 10
    while log.fault is None:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return log.fault


@needs_limits
def test_closing_on_a_full_disk_tells_at_once_what_was_not_stored(tmp_path: Path) -> None:
    code = FULL + (
        "began = time.monotonic()\n"
        "try:\n    log.close()\n"
        "except Exception as error:\n    print(type(error).__name__, error, error.hint, sep='|')\n"
        "print(time.monotonic() - began < 5)\n"
        "log.close()\n"
        "try:\n    log.flush(60)\n"
        "except Exception as error:\n    print(error)\n"
        "print(time.monotonic() - began < 5)\n"
    )
    first, in_time, second, still_in_time = in_a_process(code, tmp_path / "full.db").stdout.splitlines()
    name, what, hint = first.split("|")
    assert name == "EventLogError"
    assert int(what.split()[0]) > 2000
    assert "could not be stored" in what
    assert "disk" in hint
    assert "disk" in second or "could not be stored" in second
    assert (in_time, still_in_time) == ("True", "True")


@needs_limits
def test_at_exit_it_is_said_on_standard_error(tmp_path: Path) -> None:
    done = in_a_process(FULL, tmp_path / "full.db")
    assert "events could not be stored" in done.stderr
    assert "Traceback" not in done.stderr


@needs_limits
def test_leaving_the_block_tells_without_hiding_what_went_wrong_in_it(tmp_path: Path) -> None:
    code = FULL + (
        "try:\n    with log: raise KeyError('mine')\nexcept KeyError as error:\n    print(*error.__notes__)\n"
    )
    assert "could not be stored" in in_a_process(code, tmp_path / "full.db").stdout


def test_a_dead_thread_is_seen(log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log.flush()

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(writer, "store", die)
    run.append(Event(kind="a", t_us=1))
    assert "broke off" in str(wait_for_fault(log))
    assert not log.is_recording
    began_s = time.monotonic()
    with pytest.raises(EventLogError, match="broke off"):
        log.flush(60)
    with pytest.raises(EventLogError, match="1 events could not be stored"):
        log.close()
    assert time.monotonic() - began_s < 5


def test_flush_after_close_returns_at_once_where_all_was_written(log: EventLog, run: Run) -> None:
    run.append(Event(kind="a", t_us=1))
    log.close()
    began_s = time.monotonic()
    log.flush(60)
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_goes_while_recording_is_noticed(log: EventLog, run: Run, replaced: bool) -> None:
    log.flush()
    away = log.path.with_suffix(".away")
    log.path.rename(away)
    if replaced:
        log.path.write_bytes(away.read_bytes())
    assert f"was {'replaced' if replaced else 'deleted'}" in str(wait_for_fault(log))  # idle or not
    assert not log.is_recording
    run.append(Event(kind="a", t_us=1))
    with pytest.raises(EventLogError, match="while it was recorded"):
        log.flush()
    away.replace(log.path)  # the same file again: what waited is written
    deadline_s = time.monotonic() + 10
    while not log.is_recording:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    log.flush()
    assert log.last_seq() == 2


def test_nothing_of_a_closed_log_is_kept(tmp_path: Path) -> None:
    EventLog(tmp_path / "bench.db").close()
    before = atexit._ncallbacks()
    logs = list[weakref.ref[EventLog]]()
    for _ in range(20):
        with EventLog(tmp_path / "bench.db") as log:
            log.start_run(radio="simulated")
            logs.append(weakref.ref(log))
    del log
    gc.collect()
    assert atexit._ncallbacks() == before
    assert [ref for ref in logs if ref() is not None] == []
    assert not [thread for thread in threading.enumerate() if thread.name == "terminal_kit log"]


def test_a_row_belongs_to_a_run_that_the_log_knows(log: EventLog, run: Run) -> None:
    for unknown in ("", "nobody", "half \ud800"):
        with pytest.raises(InvalidParameterError, match="knows no run") as caught:
            log.append(Event(kind="a", t_us=1), run=unknown)
        assert "start_run" in caught.value.hint
    log.flush()
    with EventLog(log.path) as other:  # a run that somebody else began
        other.append(Event(kind="a", t_us=1, run=run.id))
        other.flush()
    assert log.frame()["radio"].tolist() == ["simulated", "simulated"]


def test_a_full_queue_refuses_what_has_no_second_chance(
    log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.flush()
    log._writer._queue.maxsize = 1
    held = threading.Event()
    stored = writer.store

    def slow(*args: object) -> object:
        held.wait()
        return stored(*args)

    monkeypatch.setattr(writer, "store", slow)
    for number in range(300):
        run.append(Event(kind="disconnected", t_us=number))
    with pytest.raises(EventLogError, match="takes nothing more"):
        log.add_alias("A", "B")
    held.set()
    log.flush()
    events = list(log.events())
    kept = sum(event.kind == "disconnected" for event in events)
    assert kept + sum(event.count or 0 for event in events if event.kind == "gap") == 300
