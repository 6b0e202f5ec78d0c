"""Whose rows those are that do not say it: one name for a reader in all tables."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_analysis import M2, WISEPAD, drop, frame_of, heard

from terminal_kit.analysis import (
    connection_attempts,
    disconnects,
    drop_rates,
    lifetimes,
    return_times,
    sessions,
    signal,
    updates,
)
from terminal_kit.analysis.readers import SAME_US, Moment, known_as
from terminal_kit.diagnosis import diagnose
from terminal_kit.errors import InvalidParameterError

ADDRESS = "addr:50:51:a9:12:34:56"
S = 1_000_000


def told(run: str, reader: str, *moments: float, is_end: bool = True) -> list[Moment]:
    return [Moment(run, reader, round(moment * S), is_end) for moment in moments]


def test_a_run_of_one_reader_takes_the_name_that_another_gives_it() -> None:
    log, capture = told("app", M2, 100, 200, 300), told("capture", ADDRESS, 98, 199, 250, 301)
    assert known_as(log + capture) == {"capture": M2}
    assert known_as(told("app", "", 100) + capture[:1]) == {"app": ADDRESS}
    assert known_as(told("app", "", 100) + told("other", "", 100)) == {}


def test_of_two_addresses_all_take_the_same() -> None:
    """A private address that changed: the captures of two phones."""
    assert known_as(told("a", "addr:B", 10) + told("b", "addr:A", 10)) == {"a": "addr:A"}


def test_a_name_goes_through_a_chain() -> None:
    """A log without names, a capture, and a log with the serial: the first and the last share no time."""
    chain = told("first", "", 100) + told("capture", ADDRESS, 99, 5000) + told("last", M2, 5001)
    assert known_as(chain) == {"first": M2, "capture": M2}
    assert known_as(chain + told("other", WISEPAD, 98)) == {}


@pytest.mark.parametrize("other", [
    told("app", M2, 100, 200) + told("app", WISEPAD, 300),  # whose rows it would be nobody knows
    told("app", M2, 100, 220, 280, 310),  # one moment of three is chance
    told("app", M2, 100 + 2 * SAME_US / S, 260),
    told("app", M2, 5000, 5100),  # another day
    told("app", M2, 299, 5000, 5100),  # one moment in common, and two that are not
    told("app", M2, 100, 200, 300) + told("app", M2, 500, 600, is_end=False),  # links that began at other times
    told("app", M2, 100, 200) + told("third", WISEPAD, 100, 200),  # two would fit
])  # fmt: skip
def test_what_is_not_certain_stays_as_it_is(other: Any) -> None:
    assert "capture" not in known_as(
        told("capture", ADDRESS, 100, 200, 300) + told("capture", ADDRESS, 0, 120, is_end=False) + other
    )


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8, unique=True), st.integers(-4, 4))
def test_clocks_a_few_seconds_apart_are_the_same_moments(moments: list[int], late_s: int) -> None:
    moments = [each * 11 for each in moments]
    found = known_as(told("app", M2, *moments) + told("capture", ADDRESS, *(each + late_s for each in moments)))
    assert found == {"capture": M2}


CAPTURE = [
    {"at": 0, "kind": "link_connected", "session": 1},
    drop(3600, hci_code=0x08, reason=None),
    {"at": 3660, "kind": "link_connected", "session": 2},
    drop(7200, session=2, hci_code=0x08, reason=None),
    heard(7100, -60, session=2),
]
LOG: list[dict[str, Any]] = [
    {"at": 1, "kind": "connect_succeeded", "session": 1},
    {"at": 3602, "kind": "link_disconnected", "session": 1, "reason": "bluetooth_signal_lost"},
    {"at": 3602, "kind": "reconnect_started", "attempt_id": "a1"},
    {"at": 3661, "kind": "reconnect_succeeded", "session": 2, "attempt_id": "a1", "attempt": 3},
    {"at": 7203, "kind": "link_disconnected", "session": 2, "reason": "bluetooth_signal_lost"},
    {"at": 7203, "kind": "disconnected", "session": 2, "reason": "bluetooth_signal_lost"},
]


@pytest.mark.parametrize("names", [(M2, ""), ("", M2), (ADDRESS, M2), (M2, ADDRESS), (ADDRESS, "")])
def test_every_table_knows_it_by_one_name_and_counts_it_once(names: tuple[str, str]) -> None:
    of_capture, of_log = ({"run": run, "terminal": None, "reader": name} for run, name in zip("ca", names, strict=True))
    rows = [row | of_capture for row in CAPTURE] + [row | of_log for row in LOG]
    frame = frame_of(*rows, {"at": 2, "kind": "host_changed", "run": "a", "reader": ""}, radio="import")
    before = frame.copy()
    best = max(names, key=lambda name: (bool(name), not name.startswith("addr:")))
    for table, count in ((sessions, 2), (disconnects, 2), (connection_attempts, 2), (signal, 1)):
        found = table(frame)
        assert found["reader"].tolist() == [best] * count, table.__name__
    assert set(return_times(frame)["reader"]) == {best}
    [rate] = drop_rates(frame, by=["reader"]).to_dict("records")
    assert (rate["reader"], rate["drops"]) == (best, 2)
    assert lifetimes(frame)["sessions"].tolist() == [2]
    assert len(diagnose(frame)) == 2
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "table", [sessions, disconnects, drop_rates, return_times, connection_attempts, updates, signal]
)
def test_what_is_no_log_is_said_to_be_none(table: Any) -> None:
    with pytest.raises(InvalidParameterError, match="no column kind"):
        table(pd.DataFrame())


def test_diagnosis_and_statistics_have_one_name() -> None:
    """A capture of a day, and an app's log of its first hour: what only the capture tells bears the name, too."""
    of_capture, of_log = {"run": "c", "terminal": None, "reader": ADDRESS}, {"run": "a", "terminal": None, "reader": M2}
    rows = [
        {"at": 0, "kind": "link_connected", "session": 1}, drop(1000, hci_code=0x15, reason=None),
        {"at": 1100, "kind": "link_connected", "session": 2}, drop(20_000, 2, hci_code=0x15, reason=None),
    ]  # fmt: skip
    log = [{"at": 1, "kind": "connect_succeeded"}, {"at": 1002, "kind": "disconnected", "reason": "powered_off"}]
    frame = frame_of(*(row | of_capture for row in rows), *(row | of_log for row in log), radio="import")
    found = diagnose(frame)
    assert [finding.reader for finding in found] == [M2, M2]
    [rate] = drop_rates(frame, by=["cause"], findings=found).to_dict("records")
    assert (rate["cause"], rate["drops"]) == ("reader_powered_off", 2)
