"""What is read of files is stored whole or not at all, and once."""

import sqlite3
from datetime import datetime, timedelta
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.eventlog.sources import CLOCK_OFFSET_US, TimeRule, check_clock_offset, whole_files
from terminal_kit.events import Kind
from terminal_kit.words import TIME_RULES

T_US = 1_764_072_000_000_000


def source(sha256: str, name: str = "a.log", **facts) -> Source:
    return Source(sha256=sha256, name=name, container="btsnoop 1002", time_rule="exact", size_bytes=100, **facts)


def rows(*moments: int, source: int = 0, reader: str = "addr:AA:BB:CC:DD:EE:FF", kind: str = "signal") -> dict:
    return {
        "t_us": np.array([T_US + moment for moment in moments], np.int64),
        "reader": [reader] * len(moments),
        "kind": [kind] * len(moments),
        "source": np.full(len(moments), source, np.int32),
        "record": np.arange(len(moments)),
    }


def test_rows_of_two_files_are_one_run_with_sources_of_their_own(log: EventLog) -> None:
    batches = [rows(1, 2), rows(3, source=1)]
    stored = log.store_import(
        ["aa", "bb"],
        batches,
        lambda: Outcome([source("aa", records=2), source("bb", "b.log")], app="x", time_zone="UTC"),
    )
    assert [each.id for each in stored] == [1, 2]
    assert stored == log.sources()
    (run,) = [facts for facts in log.runs() if facts.id == stored[0].run]
    assert (run.radio, run.app, run.time_zone) == ("import", "x", "UTC")
    events = list(log.events())
    assert [event.seq for event in events] == [1, 2, 3]
    assert [event.source for event in events] == [1, 1, 2]
    assert {event.run for event in events} == {stored[0].run, stored[1].run} == {run.id}


def test_a_file_that_the_log_has_adds_nothing_and_is_not_even_read(log: EventLog) -> None:
    log.store_import(["aa"], [rows(1)], lambda: Outcome([source("aa")]))

    def unread():
        raise AssertionError("was read")
        yield

    assert log.store_import(["aa"], unread(), lambda: Outcome([])) == []
    assert len(log.frame()) == 1


def test_of_files_read_together_only_the_new_one_adds_rows(log: EventLog) -> None:
    log.store_import(["aa"], [rows(1)], lambda: Outcome([source("aa")]))
    stored = log.store_import(
        ["aa", "bb"], [rows(1), rows(2, source=1)], lambda: Outcome([source("aa"), source("bb", "b.log")])
    )
    assert [(each.name, each.id) for each in stored] == [("b.log", 2)]
    assert [event.source for event in log.events()] == [1, 2]


def test_what_continues_a_known_file_joins_its_run(log: EventLog) -> None:
    (first,) = log.store_import(["aa"], [rows(1)], lambda: Outcome([source("aa")]))
    (second,) = log.store_import(["bb"], [rows(2)], lambda: Outcome([source("bb", run=first.run)]))
    assert second.run == first.run
    assert {event.run for event in log.events()} == {first.run}
    assert len(log.runs()) == 1


@pytest.mark.parametrize("error", [ValueError("reader"), KeyboardInterrupt(), sqlite3.OperationalError("disk")])
def test_what_fails_on_the_way_leaves_no_row(log: EventLog, error: BaseException) -> None:
    def breaking():
        yield rows(*range(30_000))
        raise error

    with pytest.raises((type(error), EventLogError)):
        log.store_import(["aa"], breaking(), lambda: Outcome([source("aa")]))
    assert log.frame().empty
    assert log.sources() == []
    assert log.runs() == []
    log.store_import(["aa"], [rows(1)], lambda: Outcome([source("aa")]))
    assert [event.seq for event in log.events()] == [1]


def test_an_outcome_that_fails_leaves_no_row(log: EventLog) -> None:
    def outcome() -> Outcome:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        log.store_import(["aa"], [rows(1)], outcome)
    assert log.frame().empty


def test_cells_are_such_as_the_log_holds(log: EventLog) -> None:
    batch = {
        "t_us": [T_US, T_US],
        "kind": [Kind.SIGNAL, Kind.LINK_CONNECTED],
        "reader": ["R", "half \ud800"],
        "source": [0, 0],
        "rssi_dbm": np.array([np.nan, -50.5], np.float32),
        "session": [None, np.int64(7)],
        "charging": [True, None],
        "extra": [{"a": 1}, None],
    }
    log.store_import(["aa"], [batch], lambda: Outcome([source("aa")]))
    first, second = log.events()
    assert (first.rssi_dbm, first.charging, first.extra) == (None, True, {"a": 1})
    assert (second.rssi_dbm, second.session, second.reader) == (-50.5, 7, "half \\ud800")


def test_a_shifted_clock_moves_what_is_read_and_no_row(log: EventLog) -> None:
    log.store_import(["aa", "bb"], [rows(1), rows(2, source=1)], lambda: Outcome([source("aa"), source("bb")]))
    log.set_clock_offset(2, -1_500_000)
    assert [event.t_us for event in log.events()] == [T_US + 1, T_US + 2 - 1_500_000]
    frame = log.frame()
    assert frame["t_us"].tolist() == [T_US + 1, T_US + 2 - 1_500_000]
    assert frame["time"].tolist() == [pd.Timestamp(t_us, unit="us", tz="UTC") for t_us in frame["t_us"]]
    assert [event.source for event in log.events(until=T_US)] == [2]
    with sqlite3.connect(log.path) as db:
        assert db.execute("SELECT t_us FROM events WHERE source = 2").fetchone() == (T_US + 2,)
    db.close()
    log.set_clock_offset(2, 0)
    assert [event.t_us for event in log.events()] == [T_US + 1, T_US + 2]


@pytest.mark.parametrize("wrong", [9, "two", 1.5])
def test_no_clock_of_a_source_that_there_is_not(log: EventLog, wrong) -> None:
    with pytest.raises(InvalidParameterError):
        log.set_clock_offset(wrong, 1)


def test_a_file_that_has_grown_is_one_file_with_one_clock(log: EventLog) -> None:
    for name, before in (("aa", ""), ("bb", "aa"), ("cc", "bb"), ("dd", ""), ("ee", "dd"), ("ff", "")):
        log.store_import([name], [rows(1)], lambda name=name, before=before: Outcome([source(name, grown_from=before)]))
    assert [each.sha256 for each in whole_files(log.sources())] == ["cc", "ee", "ff"]
    log.set_clock_offset(2, 7)
    assert [each.clock_offset_us for each in log.sources()] == [7, 7, 7, 0, 0, 0]
    log.set_clock_offset(4, 5)
    assert [each.clock_offset_us for each in log.sources()] == [7, 7, 7, 5, 5, 0]
    log.set_clock_offset(6, 3)
    assert [each.clock_offset_us for each in log.sources()] == [7, 7, 7, 5, 5, 3]


@pytest.mark.parametrize("wrong", [CLOCK_OFFSET_US + 1, -CLOCK_OFFSET_US - 1, 10**18, 10**30, float("nan"), 1.5])
def test_no_clock_is_that_wrong(log: EventLog, wrong) -> None:
    log.store_import(["aa"], [rows(1)], lambda: Outcome([source("aa")]))
    with pytest.raises(InvalidParameterError) as refused:
        log.set_clock_offset(1, wrong)
    assert refused.value.parameter == "clock_offset_us"
    assert [event.t_us for event in log.events()] == [T_US + 1]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-CLOCK_OFFSET_US, CLOCK_OFFSET_US))  # noqa: DTZ001
def test_a_time_that_is_corrected_by_what_may_be_is_a_time(moment: datetime, clock_offset_us: int) -> None:
    check_clock_offset(clock_offset_us)
    assert 1869 <= (moment + timedelta(microseconds=clock_offset_us)).year <= 2300


def test_aliases_of_an_import_are_applied_to_its_rows(log: EventLog) -> None:
    log.store_import(
        ["aa"], [rows(1)], lambda: Outcome([source("aa")], aliases={"addr:AA:BB:CC:DD:EE:FF": "STRM26138000001"})
    )
    assert log.frame()["reader"].tolist() == ["STRM26138000001"]
    assert log.frame()["file"].tolist() == ["a.log"]
    assert len(log.frame(reader="STRM26138000001")) == 1


def test_a_log_that_is_read_only_takes_nothing(log: EventLog) -> None:
    log.close()
    with EventLog(log.path, read_only=True) as other, pytest.raises(EventLogError, match="reading only"):
        other.store_import(["aa"], [], lambda: Outcome([]))


def test_advertisements_lie_beside_the_log_by_their_files_hash(log: EventLog) -> None:
    path = log.advertisements_path(source("ab" * 32))
    assert path.parent.parent == log.path.parent
    assert path.name == f"{'ab' * 8}.parquet"


def test_every_rule_of_times_has_words() -> None:
    assert set(TIME_RULES) == set(get_args(TimeRule))
