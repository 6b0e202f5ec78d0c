"""Sessions, drops and returns of logs that are not tidy: rows lost, doubled, out of order, and clocks that were set."""

import random
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_analysis import M2, START_US, WISEPAD, drop, frame_of, heard

from terminal_kit.analysis import (
    connection_attempts,
    disconnects,
    drop_rates,
    drops,
    lifetimes,
    return_times,
    sessions,
    signal,
    updates,
)
from terminal_kit.errors import InvalidParameterError

RUN_S = 100_000
"""The last row of every run here: a signal long after."""


class Link(NamedTuple):
    """A link as it was, and which of its rows are lost."""

    reader: str
    session: int
    begin: int
    end: int
    code: int | None
    reason: str | None
    start_lost: bool
    end_lost: bool
    heard_at: tuple[int, ...]


@st.composite
def links(draw: st.DrawFn) -> list[Link]:
    """Links of two readers, one after the other, some of them touching."""
    found: list[Link] = []
    for reader in (M2, WISEPAD):
        now = draw(st.integers(0, 100))
        for session in range(1, 1 + draw(st.integers(0, 6))):
            begin = now + draw(st.sampled_from((0, 1, 40)))
            now = begin + draw(st.sampled_from((1, 30, 4000)))
            code = draw(st.sampled_from((0x08, 0x13, 0x16, 0x3E, None)))
            reason = draw(st.sampled_from((None, "unknown", "disconnect_requested", "bluetooth_signal_lost")))
            moments = tuple(sorted(draw(st.lists(st.integers(begin, now), max_size=2))))
            found.append(
                Link(reader, session, begin, now, code, reason, draw(st.booleans()), draw(st.booleans()), moments)
            )
    return found


def rows_of(told: list[Link]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [heard(RUN_S, -60, reader="")]
    for link in told:
        common = {"reader": link.reader, "session": link.session}
        rows += [{"at": at, "kind": "battery", **common} for at in link.heard_at]
        if not link.start_lost:
            rows.append({"at": link.begin, "kind": "link_connected", **common})
        if not link.end_lost:
            rows.append(drop(link.end, hci_code=link.code, **common | {"reason": link.reason}))
    return rows


def by_a_plain_loop(told: list[Link]) -> dict[tuple[str, int], tuple[int, int, bool, bool, bool]]:
    """What should be found: reader and session → begin, end, start seen, ended, dropped; row by row, as one would."""
    found = {}
    for link in told:
        if link.start_lost and link.end_lost:
            continue  # nothing says that there was a link
        own = [*link.heard_at, *([] if link.start_lost else [link.begin]), *([] if link.end_lost else [link.end])]
        begin = min(own) if link.start_lost else link.begin
        later = any(
            each.reader == link.reader
            and each.session > link.session
            and not (each.start_lost and each.end_lost and not each.heard_at)
            for each in told
        )
        end = link.end if not link.end_lost else max(own) if later else RUN_S
        if not link.end_lost and link.code == 0x3E:
            continue
        dropped = not link.end_lost and link.reason != "disconnect_requested"
        found[link.reader, link.session] = (begin, end, not link.start_lost, not link.end_lost, dropped)
    return found


@given(links(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_sessions_are_those_of_a_plain_loop(told: list[Link], chance: random.Random) -> None:
    expected = by_a_plain_loop(told)
    rows = rows_of(told)
    rows += [dict(row) for row in rows if row["kind"].startswith("link_") and chance.random() < 0.3]  # told twice
    chance.shuffle(rows)
    frame = frame_of(*rows)
    found = {
        (row["reader"], row["session"]): (
            (row["t_us"] - START_US) / 1e6,
            (row["t_us"] - START_US) / 1e6 + row["duration_s"],
            row["start_seen"],
            row["is_ended"],
            row["was_dropped"],
        )
        for row in sessions(frame).to_dict("records")
    }
    assert found == expected
    assert len(drops(frame)) == sum(each[-1] for each in expected.values())
    rates = drop_rates(frame, by=("reader",)).set_index("reader")
    for reader in (M2, WISEPAD):
        of_reader = [each for (name, _), each in expected.items() if name == reader]
        hours = sum(end - begin for begin, end, *_ in of_reader) / 3600
        if hours:
            assert rates.loc[reader, "connected_h"] == pytest.approx(hours, abs=1e-6)
            assert rates.loc[reader, "drops"] == sum(each[-1] for each in of_reader)


def test_a_clock_that_was_set_changes_no_duration() -> None:
    """The wall's clock is put back by an hour in the session, and on by two in the wait: the monotonic one knows."""
    moments = (
        (0, 0, "link_connected", 1),
        (40 - 3600, 40, "link_disconnected", 1),
        (47 + 3600, 47, "link_connected", 2),
    )
    rows = [
        {"at": at, "mono_us": mono * 1_000_000, "kind": kind, "session": session} for at, mono, kind, session in moments
    ]
    frame = frame_of(*rows, {"at": 100 + 3600, "mono_us": 100_000_000, "kind": "battery", "session": 2})
    assert sessions(frame)["duration_s"].tolist() == [40.0, 53.0]
    assert return_times(frame)["duration_s"].tolist() == [7.0]


def test_a_clock_that_was_set_back_hides_no_return_and_shortens_no_update() -> None:
    moments = (
        (0, 0, "link_connected", {"session": 1}), (40, 40, "link_disconnected", {"session": 1, "hci_code": 8}),
        (60 - 3600, 60, "link_connected", {"session": 2}), (60 - 3600, 60, "connect_succeeded", {"session": 2}),
        (70 - 3600, 70, "update_started", {"attempt_id": "a1", "components": 6}),
        (100 - 7200, 100, "battery", {"session": 2}),
    )  # fmt: skip
    frame = frame_of(
        *({"at": at, "mono_us": mono * 1_000_000, "kind": kind, **facts} for at, mono, kind, facts in moments)
    )
    assert return_times(frame)[["duration_s", "came_back"]].to_numpy().tolist() == [[20.0, True]]
    assert disconnects(frame)["returned_s"].tolist() == [20.0]
    assert disconnects(frame)["t_us"].tolist() == [START_US + 40_000_000]
    assert updates(frame)["duration_s"].tolist() == [30.0]


def test_a_log_that_tells_no_times_tells_no_durations() -> None:
    """Its lines are numbered from the epoch on, a millisecond apart: their order is all that they have."""
    rows = [
        {"kind": "connect_succeeded"}, {"kind": "disconnected", "reason": "bluetooth_signal_lost"},
        {"kind": "reconnect_started", "attempt_id": "a1"}, {"kind": "reconnect_succeeded", "attempt_id": "a1"},
        {"kind": "update_started", "attempt_id": "a2", "components": 6}, {"kind": "update_finished", "attempt_id": "a2"},
        {"kind": "signal", "rssi_dbm": -60.0, "rssi_source": "advertisement"},
    ]  # fmt: skip
    frame = frame_of(*({"at": 0, "source": 1, **row} for row in rows), radio="import")
    frame["t_us"] = range(0, 1000 * len(frame), 1000)
    for table in (sessions, drops, drop_rates, return_times, lifetimes, signal):
        assert table(frame).empty, table.__name__
    assert disconnects(frame)["returned_s"].isna().all()
    assert connection_attempts(frame)["is_made"].tolist() == [True]
    [update] = updates(frame).to_dict("records")
    assert (update["outcome"], pd.isna(update["duration_s"])) == ("installed", True)


def test_the_same_numbers_in_two_runs_are_two_sessions() -> None:
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1}, {"at": 9, "kind": "battery", "session": 1},
        {"at": 100, "kind": "link_connected", "session": 1, "run": "r2"}, drop(130, run="r2"),
    )  # fmt: skip
    found = sessions(frame)
    assert found["duration_s"].tolist() == [9.0, 30.0]
    assert found["is_ended"].tolist() == [False, True]


def test_a_log_of_an_app_has_sessions_without_numbers() -> None:
    frame = frame_of(
        {"at": 0, "kind": "connect_succeeded"}, {"at": 30, "kind": "reconnect_started", "attempt_id": "a1"},
        {"at": 34, "kind": "reconnect_succeeded", "attempt_id": "a1", "attempt": 2},
        {"at": 60, "kind": "disconnected", "reason": "disconnect_requested"}, {"at": 61, "kind": "disconnected"},
        {"at": 70, "kind": "connect_failed", "error_code": "BLUETOOTH_ERROR"}, {"at": 80, "kind": "connect_succeeded"},
        {"at": 90, "kind": "battery"},
    )  # fmt: skip
    found = sessions(frame)
    assert found["duration_s"].tolist() == [30.0, 26.0, 10.0]
    assert found["was_dropped"].tolist() == [True, False, False]
    away = return_times(frame)
    assert (away["duration_s"].tolist(), away["attempts"].tolist()) == ([4.0], [2])
    assert away["seen_by"].tolist() == ["reconnection"]
    assert connection_attempts(frame)["is_made"].tolist() == [True, False, True]


def test_the_parameters_last_in_force() -> None:
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1, "interval_ms": 30.0, "supervision_timeout_s": 6.0},
        {"at": 5, "kind": "link_updated", "session": 1, "interval_ms": 45.0, "peripheral_latency": 4},
        drop(9), {"at": 20, "kind": "link_updated", "session": 1, "interval_ms": 7.5, "run": "r2"},
    )  # fmt: skip
    row = sessions(frame).iloc[0]
    assert (row["interval_ms"], row["peripheral_latency"], row["supervision_timeout_s"]) == (45.0, 4, 6.0)


def never(at: float, session: int) -> list[dict[str, Any]]:
    """A link that a controller announces and that no packet ever comes over."""
    return [
        {"at": at, "kind": "link_connected", "session": session},
        drop(at + 0.2, session, hci_code=0x3E, reason=None),
    ]


def test_0x3e_is_an_attempt_that_failed_and_no_drop() -> None:
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1, "extra": '{"role": "central", "set_up_seen": false}'},
        drop(10), *never(12, 2), {"at": 14, "kind": "link_failed", "hci_code": 0x3E}, *never(15, 3),
        {"at": 16, "kind": "link_connected", "session": 4}, drop(30, 4, reason="disconnect_requested"),
        {"at": 31, "kind": "link_failed", "hci_code": 0x02},
    )  # fmt: skip
    assert drops(frame)["session"].tolist() == [1]
    attempts = connection_attempts(frame)
    assert attempts["is_made"].tolist() == [False, False, False, True, False]
    assert attempts["hci_code"].fillna(0).tolist() == [0x3E, 0x3E, 0x3E, 0, 0x02]
    away = return_times(frame)
    assert (away["duration_s"].tolist(), away["attempts"].tolist()) == ([6.0], [4])
    assert away["seen_by"].tolist() == ["link"]


def test_a_return_whose_moment_nobody_saw_is_left_out() -> None:
    frame = frame_of({"at": 0, "kind": "link_connected", "session": 1}, drop(10), drop(90, 2), heard(95, -60))
    assert drops(frame)["t_us"].sub(START_US).tolist() == [10_000_000, 90_000_000]
    away = return_times(frame)
    assert (away["duration_s"].tolist(), away["came_back"].tolist()) == ([5.0], [False])


def test_drops_by_hour_reason_and_cause() -> None:
    """Sixty-five minutes around midnight in Kathmandu, whose hours begin at a quarter past in UTC."""
    midnight = 1_795_025_700 - START_US // 1_000_000
    cause = type("Verdict", (), {"cause": "range"})
    finding = type(
        "Finding", (), {"t_us": START_US + (midnight + 600) * 1_000_000 + 400_000, "reader": M2, "causes": [cause]}
    )
    elsewhere = type(
        "Finding", (), {"t_us": START_US + (midnight + 1800) * 1_000_000, "reader": WISEPAD, "causes": [cause]}
    )
    frame = frame_of(
        {"at": midnight - 1800, "kind": "link_connected", "session": 1}, drop(midnight + 600, reason="unknown"),
        {"at": midnight + 660, "kind": "link_connected", "session": 2}, drop(midnight + 1800, 2, reason=None),
        {"at": midnight + 1800, "kind": "link_connected", "session": 3},
        drop(midnight + 2100, 3, reason="disconnect_requested"),
    )  # fmt: skip
    hours = drop_rates(frame, by=("hour",), time_zone="Asia/Kathmandu")
    assert hours["hour"].tolist() == [0, 23]
    assert hours["drops"].tolist() == [2, 0]
    assert hours["connected_h"].tolist() == pytest.approx([2040 / 3600, 0.5])
    assert hours["per_100_h"].tolist() == pytest.approx([2 / (2040 / 3600) * 100, 0])
    days = drop_rates(frame, time_zone="Asia/Kathmandu")
    assert [day.day for day in days["day"]] == [18, 19]
    (reason,) = drop_rates(frame, by=("reason",)).to_dict("records")
    assert (reason["reason"], reason["drops"]) == ("unknown", 2)
    assert reason["connected_h"] == pytest.approx(3840 / 3600)
    causes = drop_rates(frame, by=("cause",), findings=[finding, elsewhere])
    assert dict(zip(causes["cause"], causes["drops"], strict=True)) == {"not diagnosed": 1, "range": 1}
    assert causes["connected_h"].tolist() == pytest.approx([3840 / 3600] * 2)


@pytest.mark.parametrize(
    "wrong",
    [{"by": ("moon",)}, {"time_zone": "Moon/Sea"}, {"time_zone": "../etc"}, {"confidence": 2.0}, {"by": ("cause",)}],
)
def test_what_there_is_not_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        drop_rates(frame_of(drop(1)), **wrong)


@pytest.mark.parametrize("table", [sessions, drops, drop_rates, return_times, connection_attempts, lifetimes])
def test_nothing_recorded_gives_an_empty_table_of_the_same_columns(table: Any) -> None:
    full = frame_of({"at": 0, "kind": "link_connected", "session": 1}, drop(5), heard(9, -50))
    for rows in (frame_of(), frame_of({"at": 0, "kind": "moon_phase"}), full.iloc[:0]):
        assert table(rows).empty
        assert list(table(rows)) == list(table(full))
