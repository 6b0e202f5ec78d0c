"""The event log: what goes in comes out, for everybody, and nothing that was acknowledged is lost."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import EventLog, default_log_path
from terminal_kit.eventlog.schema import APPLICATION_ID, MIGRATIONS, prepare
from terminal_kit.events import COLUMNS, Event, Kind

KILLS = int(os.environ.get("TERMINAL_KIT_KILLS", "10"))
"""The short form for every day; 200 before an issue is closed."""

WRITER = Path(__file__).with_name("crash_writer.py")

VALUES = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "float64": st.floats(allow_nan=False),
    "float32": st.floats(allow_nan=False, width=32),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=["Cs"])),
    "json": st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.text("ab<>")),
}


def any_event() -> st.SearchStrategy[Event]:
    """Any event at all, for the columns that a sender fills."""
    columns = {c.name: VALUES[c.type] for c in COLUMNS if c.name not in ("seq", "run")}
    required = {name: columns.pop(name) for name in ("kind", "t_us", "reader")}
    return st.fixed_dictionaries(required, optional=columns).map(lambda values: Event(**values))


@given(st.lists(any_event(), max_size=5))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_event_comes_back_as_it_went_in(tmp_path: Path, events: list[Event]) -> None:
    with EventLog(tmp_path / f"{uuid.uuid4()}.db") as log:
        run = log.start_run(radio="simulated")
        for event in events:
            run.append(event)
        log.flush()
        _, *found = log.events()
        assert [event.seq for event in found] == list(range(2, len(events) + 2))
        for sent, stored in zip(events, found, strict=True):
            for column in COLUMNS[1:]:
                if column.name != "run":
                    assert getattr(stored, column.name) == getattr(sent, column.name), column.name


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    with EventLog(tmp_path / "bench.db") as opened:
        yield opened


def test_frames_are_typed_whether_or_not_there_are_rows(log: EventLog) -> None:
    empty = log.frame()
    run = log.start_run(radio="simulated", seed=7)
    run.append(Event(kind=Kind.SIGNAL, t_us=1_700_000_000_000_001, reader="A", rssi_dbm=-50.5, charging=True))
    log.flush()
    frame = log.frame()
    assert list(frame.columns) == [*(column.name for column in COLUMNS), "radio", "file", "container", "time"]
    assert frame.dtypes.astype(str).to_dict() == empty.dtypes.astype(str).to_dict()
    row = frame.iloc[-1]
    assert (row["rssi_dbm"], row["charging"], row["radio"]) == (-50.5, True, "simulated")
    assert row["time"] == datetime(2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC)
    assert frame["hci_code"].isna().all()


def test_filters_take_one_value_or_several(log: EventLog) -> None:
    run = log.start_run(radio="simulated")
    for number in range(6):
        run.append(Event(kind="ab"[number % 2], t_us=number * 1_000_000, reader="XYZ"[number % 3], session=number))
    log.flush()

    def seconds(**filters: object) -> list[int]:
        return (log.frame(**{"kind": ["a", "b"], **filters})["t_us"] // 1_000_000).tolist()

    assert seconds(kind="a") == [0, 2, 4]
    assert seconds(reader=["X", "Y"]) == [0, 1, 3, 4]
    assert seconds(kind="a", reader="X") == [0]
    assert seconds(since=2_000_000, until=4_000_000) == [2, 3]
    assert seconds(since=datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)) == [5]
    assert seconds(session=3) == [3]
    assert list(log.frame(columns=["kind", "time"]).columns) == ["kind", "time"]
    with pytest.raises(InvalidParameterError, match="colour"):
        log.frame(columns=["colour"])
    with pytest.raises(InvalidParameterError, match="time zone"):
        log.frame(since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_simulated_and_real_are_not_mixed_unasked(log: EventLog) -> None:
    log.start_run(radio="simulated")
    log.start_run(radio="native")
    log.flush()
    with pytest.raises(EventLogError, match="simulated and real") as caught:
        log.frame()
    assert "radio='native'" in caught.value.hint
    assert set(log.frame(radio="native")["radio"]) == {"native"}
    assert len(log.frame(radio="all")) == 2


def test_aliases_join_names_and_change_no_row(log: EventLog) -> None:
    run = log.start_run(radio="native")
    run.append(Event(kind="a", t_us=1, reader="addr:AA"))
    run.append(Event(kind="a", t_us=2, reader="STRM2"))
    log.add_alias("addr:AA", "STRM2")
    log.flush()
    assert log.frame(reader="STRM2")["reader"].tolist() == ["STRM2", "STRM2"]
    assert [event.reader for event in log.events(kind="a")] == ["addr:AA", "STRM2"]


def test_truth_is_never_part_of_a_frame(log: EventLog) -> None:
    log.write_truth(t_us=1, run="r", reader="A", what="switch_off", facts="{}")
    log.flush()
    assert len(log.frame()) == 0
    assert log.truth() == [(1, "r", "A", "switch_off", "{}")]


def test_another_process_reads_while_this_one_writes(log: EventLog) -> None:
    run = log.start_run(radio="simulated")
    log.flush()
    code = f"from terminal_kit import EventLog; print(EventLog({str(log.path)!r}, read_only=True).last_seq())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
    run.append(Event(kind="a", t_us=2, reader="A"))
    log.flush()
    assert log.last_seq() == 2


def test_several_writers_share_a_file_without_gaps(tmp_path: Path) -> None:
    logs = [EventLog(tmp_path / "shared.db") for _ in range(3)]

    def write(log: EventLog) -> None:
        run = log.start_run(radio="simulated")
        for number in range(200):
            run.append(Event(kind="a", t_us=number, reader="A"))
        log.flush()

    threads = [threading.Thread(target=write, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in logs[0].events()] == list(range(1, 604))
    for log in logs:
        log.close()


async def test_follow_gives_new_events_as_they_come(log: EventLog) -> None:
    follower = log.follow(poll_s=0.001)
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    log.start_run(radio="simulated").append(Event(kind="a", t_us=1, reader="A"))
    assert (await waiting).kind == "run_started"
    assert (await anext(follower)).kind == "a"
    await follower.aclose()


def test_disconnects_are_committed_at_once(log: EventLog) -> None:
    log.start_run(radio="simulated").append(Event(kind=Kind.DISCONNECTED, t_us=1, reader="A"))
    deadline = threading.Event()
    with EventLog(log.path, read_only=True) as other:
        while other.last_seq() < 2:
            assert not deadline.wait(0.001)


def test_the_archive_holds_the_same_frame(log: EventLog, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    from terminal_kit import frame_from_parquet

    run = log.start_run(radio="simulated")
    for number in range(300):
        run.append(Event(kind="a", t_us=number * 10**9, reader=f"R{number % 20}", battery=0.5, extra={"n": number}))
    log.flush()
    paths = log.to_parquet(tmp_path / "archive")
    assert {path.parent.name for path in paths} >= {"day=1970-01-01", "day=1970-01-02"}
    frame = log.frame()
    pd.testing.assert_frame_equal(frame_from_parquet(tmp_path / "archive")[list(frame.columns)], frame)
    one_day = log.to_parquet(tmp_path / "one", day="1970-01-02")
    assert {path.parent.name for path in one_day} == {"day=1970-01-02"}
    with pytest.raises(EventLogError, match="no archive"):
        frame_from_parquet(tmp_path / "nowhere")


# ---- files that are not as they should be


def test_a_file_that_is_no_log_is_refused_and_kept(tmp_path: Path) -> None:
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"this is not a database, whatever its name" * 100)
    with pytest.raises(EventLogError, match="not an event log"):
        EventLog(noise)
    assert noise.read_bytes().startswith(b"this is not")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()
    with pytest.raises(EventLogError, match="but not an event log"):
        EventLog(other)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.db"
    EventLog(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(EventLogError, match="version 99") as caught:
        EventLog(path)
    assert "Update" in caught.value.hint


def test_an_older_schema_is_brought_up_in_one_transaction(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with EventLog(path) as log:
        log.start_run(radio="simulated")
    db = sqlite3.connect(path, isolation_level=None)

    def half_way(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE runs ADD COLUMN mood TEXT")
        raise sqlite3.OperationalError("power cut")

    with pytest.raises(sqlite3.OperationalError):
        prepare(db, str(path), [*MIGRATIONS, half_way])
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    prepare(db, str(path), [*MIGRATIONS, lambda db: db.execute("ALTER TABLE runs ADD COLUMN mood TEXT")])
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert db.execute("SELECT count(*) FROM events").fetchone() == (1,)
    db.close()


def test_a_missing_log_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EventLogError, match="there is no log"):
        EventLog(tmp_path / "none.db", read_only=True)
    assert not (tmp_path / "none.db").exists()


def test_a_folder_and_a_place_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(EventLogError, match="is a folder"):
        EventLog(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(EventLogError, match="cannot be made"):
        EventLog(tmp_path / "file" / "bench.db")


FULL_DISK = """
import resource, signal, sys
from terminal_kit import EventLog, Event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = EventLog(sys.argv[1])
run = log.start_run(radio="simulated")
log.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
for number in range(3000):
    run.append(Event(kind="a", t_us=number, reader="A", text="x" * 200))
try:
    log.flush()
except Exception as error:
    print(type(error).__name__, log.is_recording, log.fault is error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while not log.is_recording:
    pass
log.flush()
print(log.last_seq())
log.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_on_a_full_disk_recording_stops_and_resumes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "full.db")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stdout.split() == ["EventLogError", "False", "True", "3001"], done.stderr


def test_a_read_only_log_takes_nothing(log: EventLog) -> None:
    with EventLog(log.path, read_only=True) as other:
        with pytest.raises(EventLogError, match="reading only"):
            other.append(Event(kind="a", t_us=1))
        assert not other.is_recording


def test_closing_is_safe_to_repeat_and_writes_what_waits(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "bench.db")
    log.start_run(radio="simulated")
    log.close()
    log.close()
    with EventLog(log.path) as again:
        assert again.last_seq() == 1
    with pytest.raises(EventLogError, match="closed"):
        log.append(Event(kind="a", t_us=1))


def test_on_binder_the_log_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = default_log_path()
    monkeypatch.setenv("BINDER_SERVICE_HOST", "10.0.0.1")
    assert default_log_path() != kept


@pytest.mark.timeout(1200)
def test_no_acknowledged_event_is_lost_by_a_kill(tmp_path: Path) -> None:
    """Killed with SIGKILL at random moments; what flush() acknowledged is there, without gaps, and the log opens."""
    path = tmp_path / "killed.db"
    rng = random.Random(4)
    acknowledged = 0
    for _ in range(KILLS):
        child = subprocess.Popen([sys.executable, WRITER, path], stdout=subprocess.PIPE, text=True)
        alive_for = rng.randint(1, 60)
        for line in child.stdout:
            if line.startswith("ack"):
                acknowledged = int(line.split()[1])
            alive_for -= 1
            if not alive_for:
                break
        child.send_signal(signal.SIGKILL)
        child.wait()
        for line in child.stdout:  # what it said before it died counts too
            if line.startswith("ack") and line.endswith("\n"):
                acknowledged = int(line.split()[1])
        child.stdout.close()
        with EventLog(path) as log:
            seqs = [event.seq for event in log.events()]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= acknowledged
    assert acknowledged > KILLS
