"""The session: a thread of its own for radio, terminal and log."""

import math
import threading
from pathlib import Path

import pytest
from stage import DESK, M2

from terminal_kit.errors import EventLogError, InvalidParameterError, ReaderNotFoundError, TerminalError
from terminal_kit.eventlog import EventLog
from terminal_kit.events import ConnectionStatus, Kind
from terminal_kit.memory import Locations, Memory
from terminal_kit.session import Session
from terminal_kit.simulator import Air


def session(**options: object) -> Session:
    """A session as fast as it goes, that leaves no trace with the user."""
    options.setdefault("rate", math.inf)
    return Session(memory=Memory(), locations=Locations(), **options)


def test_a_reader_is_found_connected_and_in_the_log(tmp_path: Path) -> None:
    with session(log=tmp_path / "bench.db", seed=3) as on:
        found = on.call(on.scan, 3).result(10)
        assert M2 in {reader.serial for reader in found}
        assert {reader.serial for reader in on.view.readers} == {reader.serial for reader in found}
        reader = on.call(on.terminal.connect_reader, found[0], DESK).result(10)
        assert on.view.status is ConnectionStatus.CONNECTED
        assert on.view.reader.serial == reader.serial
        on.call(on.terminal.disconnect_reader).result(10)
    with EventLog(tmp_path / "bench.db", read_only=True) as log:
        kinds = [event.kind for event in log.events()]
        assert kinds[0] == Kind.RUN_STARTED
        assert kinds[-1] == Kind.RUN_FINISHED
        assert {"connect_succeeded", "disconnected"} <= set(kinds)
        assert {run.radio for run in log.runs()} == {"simulated"}
        assert log.runs()[0].seed == 3


def test_blocking_verbs_run_in_the_sessions_thread() -> None:
    with session() as on:
        readers = on.terminal.blocking.discover_readers(timeout_s=3)
        reader = on.terminal.blocking.connect_reader(readers[0], DESK)
        assert on.terminal.blocking.connected_reader == reader
        on.terminal.blocking.disconnect_reader()
        with pytest.raises(ReaderNotFoundError):
            on.terminal.blocking.easy_connect(DESK, serial="STRM2NOBODY", timeout_s=2)


def test_a_day_is_skipped_and_the_log_says_so(tmp_path: Path) -> None:
    with session(rate=1.0, log=tmp_path / "bench.db") as on:
        before_us = on.radio.clock.utc_us()
        on.call(on.air.skip_time, 86400).result(30)
        assert on.radio.clock.utc_us() - before_us >= 86400 * 1_000_000
        on.log.flush()
        (jump,) = on.log.events(kind=Kind.CLOCK_JUMPED)
        assert jump.duration_s == 86400


def test_a_fault_is_known_to_truth_and_not_to_frames(tmp_path: Path) -> None:
    with session(log=tmp_path / "bench.db") as on:

        async def fault() -> None:
            on.air.faults.start("switch_off", M2)

        on.call(fault).result(10)
        on.log.flush()
        assert [what for _, _, _, what, _ in on.log.truth()] == ["switch_off"]
        assert "switch_off" not in on.log.frame().to_csv()


def test_views_are_handed_out_and_can_be_left() -> None:
    with session() as on:
        seen = threading.Event()
        undo = on.subscribe(lambda view: seen.set())
        on.call(on.scan, 3).result(10)
        assert seen.wait(5)
        undo()
        undo()


def test_close_joins_the_thread_and_both_are_safe_to_repeat() -> None:
    on = session()
    on.start()
    on.start()
    on.close()
    on.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "terminal_kit session"]
    with pytest.raises(TerminalError, match="not running"):
        on.call(on.scan)
    on.start()
    assert on.call(on.scan, 3).result(10)
    on.close()


def test_what_keeps_it_from_starting_is_raised(tmp_path: Path) -> None:
    def broken(air: Air) -> None:
        air.add_reader("A", distance_m=1)
        air.add_reader("A", distance_m=1)

    with pytest.raises(InvalidParameterError, match="already"):
        session(air=broken).start()
    with pytest.raises(InvalidParameterError, match="no radio"):
        session(radio="walkie-talkie")
    (tmp_path / "file").write_text("no log" * 1000)
    with pytest.raises(TerminalError, match="not an event log"):
        session(log=tmp_path / "file").start()


def test_a_log_that_is_given_stays_open(tmp_path: Path) -> None:
    with EventLog(tmp_path / "shared.db") as log:
        with session(log=log), session(log=log, seed=2):
            pass
        log.flush()
        assert len(log.runs()) == 2
        assert log.is_recording


def test_a_listener_that_fails_starves_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with session() as on:
        seen = threading.Event()

        def fail(_view: object) -> None:
            raise ZeroDivisionError("a mistake")

        on.subscribe(fail)
        on.subscribe(lambda view: view.readers and seen.set())
        on.call(on.scan, 3).result(10)
        assert seen.wait(10)
    assert "a mistake" in caplog.text


def test_a_call_that_would_wait_for_itself_is_refused() -> None:
    with session() as on:

        async def inside() -> None:
            with pytest.raises(TerminalError, match="wait for itself"):
                on.terminal.blocking.discover_readers(timeout_s=1)
            with pytest.raises(TerminalError, match="own thread"):
                on.close()

        on.call(inside).result(10)


def test_what_the_log_could_not_store_is_raised_by_closing(tmp_path: Path) -> None:
    on = session(log=tmp_path / "bench.db")
    on.start()
    on.log.flush()
    (tmp_path / "bench.db").unlink()
    with pytest.raises(EventLogError):
        on.close()
    on.close()
