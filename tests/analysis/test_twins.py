"""A phone's capture and its app's log tell of the same links: each is counted once, with what both know of it."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from story import story_log
from test_analysis import M2, WISEPAD, drop, frame_of, heard

from terminal_kit.analysis import (
    compare,
    connection_attempts,
    disconnects,
    drop_rates,
    return_times,
    sessions,
    signal_before_drops,
)
from terminal_kit.diagnosis import diagnose

APP: dict[str, Any] = {"run": "app", "terminal": None, "session": 1}


def captured(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"run": "capture", "terminal": None, **row} for row in rows]


CAPTURE = captured(
    {"at": 0, "kind": "link_connected", "session": 1},
    drop(3600, hci_code=0x08, reason=None),
    {"at": 3620, "kind": "link_failed", "hci_code": 0x3E},
    {"at": 3660, "kind": "link_connected", "session": 2},
    drop(7200, session=2, hci_code=0x16, reason=None),
    heard(7300, -60),
)
LOG = [
    {"at": 1, "kind": "connect_succeeded", **APP},
    {"at": 3602, "kind": "disconnected", **APP, "reason": "bluetooth_signal_lost"},
    {"at": 3602, "kind": "reconnect_started", **APP, "attempt_id": "a1"},
    {"at": 3661, "kind": "reconnect_succeeded", **APP, "session": 2, "attempt_id": "a1", "attempt": 3},
    {"at": 7200, "kind": "disconnected", **APP, "session": 2, "reason": "disconnect_requested"},
]


def test_links_that_two_recordings_tell_are_one() -> None:
    both = frame_of(*CAPTURE, *LOG, radio="import")
    found = sessions(both)
    assert found["run"].tolist() == ["capture", "capture"]
    assert found["reason"].tolist() == ["bluetooth_signal_lost", "disconnect_requested"]
    assert found["hci_code"].tolist() == [0x08, 0x16]
    assert found["was_dropped"].tolist() == [True, False]  # as only the app can know
    told = disconnects(both)
    assert told["reason"].tolist() == ["bluetooth_signal_lost", "disconnect_requested"]
    assert told["hci_code"].tolist() == [0x08, 0x16]
    [rate] = drop_rates(both, by=["reader"]).to_dict("records")
    assert (rate["drops"], rate["connected_h"]) == (1, pytest.approx((3600 + 3540) / 3600))
    [back] = return_times(both).to_dict("records")
    assert back["came_back"]
    assert connection_attempts(both)["is_made"].tolist() == [True, False, True]


def test_a_log_that_saw_the_end_is_believed_where_the_capture_was_over() -> None:
    early = [row for row in CAPTURE if row["at"] <= 0] + captured(heard(1800, -60))
    [found] = sessions(frame_of(*early, *LOG[:2], radio="import")).to_dict("records")
    assert (found["run"], found["is_ended"], found["duration_s"]) == ("app", True, 3601.0)


def test_each_tells_what_the_other_did_not_see() -> None:
    """A log of the whole day, and a capture of its last hour."""
    late = [row for row in CAPTURE if row["at"] >= 3660]
    found = sessions(frame_of(*late, *LOG, radio="import"))
    assert found["run"].tolist() == ["app", "capture"]
    assert connection_attempts(frame_of(*late, *LOG, radio="import"))["is_made"].tolist() == [True, True]


def test_a_story_of_two_voices_has_as_many_drops_as_findings(tmp_path) -> None:
    with story_log(tmp_path / "story.db") as log:
        frame = log.frame()
    drops = [finding for finding in diagnose(frame) if finding.kind == "disconnect"]
    assert disconnects(frame)["t_us"].tolist() == [drop.t_us for drop in drops]


@pytest.mark.parametrize("radio", ["simulated", "native"])
def test_runs_that_nobody_imported_are_each_their_own(radio) -> None:
    """Simulated runs may begin at the same moment with the same reader."""
    again = [row | {"run": "another"} for row in CAPTURE]
    assert len(sessions(frame_of(*CAPTURE, *again, radio=radio))) == 4
    assert len(disconnects(frame_of(*CAPTURE, *again, radio=radio))) == 4


def test_another_reader_and_another_time_are_no_twins() -> None:
    other = [row | {"run": "other phone", "reader": WISEPAD} for row in CAPTURE]
    later = [row | {"run": "next day", "at": row["at"] + 86_400} for row in CAPTURE]
    assert len(sessions(frame_of(*CAPTURE, *other, *later, radio="import"))) == 6


lengths = st.lists(st.tuples(st.integers(11, 400), st.integers(11, 400)), max_size=5)


@settings(max_examples=20, deadline=None)
@given(lengths, st.lists(st.integers(0, 4), min_size=16, max_size=16))
def test_a_late_copy_of_a_capture_changes_no_figure(spans, late) -> None:
    rows, now = [], 0
    for number, (away, held) in enumerate(spans, 1):
        rows.append({"at": now + away, "kind": "link_connected", "session": number})
        now += away + held
        rows.append(drop(now, session=number, hci_code=0x08))
    own = captured(*rows, heard(now + 20, -60))
    kinds = {"link_connected": "connect_succeeded", "link_disconnected": "disconnected"}
    copy = [
        {"at": row["at"] + by, "kind": kinds[row["kind"]], "session": row["session"], "run": "app", "terminal": None}
        for row, by in zip(rows, late, strict=False)
    ]
    alone, both = frame_of(*own, radio="import"), frame_of(*own, *copy, radio="import")
    for table in (sessions, return_times, connection_attempts, drop_rates):
        pd.testing.assert_frame_equal(table(both), table(alone), check_dtype=False)
    assert disconnects(both)["t_us"].tolist() == disconnects(alone)["t_us"].tolist()


def test_what_a_capture_cannot_say_is_taken_from_the_log() -> None:
    unknown = captured({"at": 0, "kind": "link_connected", "session": 1}, drop(100, hci_code=0x13))
    told = {"at": 101, "kind": "disconnected", **APP, "reason": "powered_off"}
    frame = frame_of(*unknown, told, {"at": 101, "kind": "battery", "reader": M2}, radio="import")
    assert disconnects(frame)["reason"].tolist() == ["powered_off"]


def test_a_return_that_two_recordings_saw_is_one_and_the_better_one() -> None:
    """The app's log goes on where the capture is over: it saw the second return, and the capture its drop alone."""
    early = [row for row in CAPTURE if row["at"] <= 7200]
    log = [*LOG[:4], {**LOG[4], "reason": "bluetooth_signal_lost"},
           {"at": 7201, "kind": "reconnect_started", **APP, "session": 2, "attempt_id": "a2"},
           {"at": 7261, "kind": "reconnect_succeeded", **APP, "session": 3, "attempt_id": "a2", "attempt": 9}]  # fmt: skip
    found = return_times(frame_of(*early, *log, radio="import"))
    assert found["came_back"].tolist() == [True, True]
    assert found["duration_s"].tolist() == [59.0, 60.0]


def test_a_capture_with_a_gap_did_not_watch_in_between() -> None:
    """Two files of one phone, half a day apart: what the app tried between them is its own."""
    files = [
        captured({"at": at, "kind": "link_connected", "session": number}, drop(at + 1000, number, hci_code=8))
        for number, at in ((1, 0), (2, 43_200))
    ]
    rows = [row | {"source": number} for number, file in enumerate(files, 1) for row in file]
    tries = [{"at": 20_000 + 60 * number, "kind": "connect_failed", "run": "app", "terminal": None, "source": 3,
              "attempt_id": f"a{number}"} for number in range(3)]  # fmt: skip
    found = connection_attempts(frame_of(*rows, *tries, radio="import"))
    assert found["is_made"].tolist() == [True, False, False, False, True]


def test_a_run_tells_of_each_drop_once() -> None:
    """The app is back and loses the reader again within seconds, when the capture is over."""
    capture = captured({"at": 0, "kind": "link_connected", "session": 1}, drop(1000, hci_code=8))
    log = [
        {"at": 1, "kind": "connect_succeeded", **APP}, {"at": 1001, "kind": "disconnected", **APP},
        {"at": 1002, "kind": "connect_succeeded", **APP, "session": 2},
        {"at": 1004.5, "kind": "disconnected", **APP, "session": 2},
    ]  # fmt: skip
    frame = frame_of(*capture, *log, radio="import")
    assert len(disconnects(frame)) == 2
    assert len([finding for finding in diagnose(frame) if finding.kind == "disconnect"]) == 2


def test_the_signal_and_the_parameters_are_those_of_whoever_knows_them() -> None:
    """The app's log has the whole session, the capture its end."""
    capture = captured(
        {"at": 980, "kind": "link_updated", "session": 7, "interval_ms": 45.0, "supervision_timeout_s": 6.0},
        *(heard(at, -60 - (at - 980)) for at in range(981, 1000)), drop(1000, session=7, hci_code=8), heard(1500, -50),
    )  # fmt: skip
    log = [{"at": 1, "kind": "connect_succeeded", **APP}, {"at": 1001, "kind": "disconnected", **APP},
           {"at": 1400, "kind": "battery", **APP}]  # fmt: skip
    alone, both = frame_of(*capture, radio="import"), frame_of(*capture, *log, radio="import")
    [session] = sessions(both).to_dict("records")
    assert (session["run"], session["interval_ms"], session["supervision_timeout_s"]) == ("app", 45.0, 6.0)
    for figure in ("count", "last_5_s_dbm", "usual_dbm"):
        assert signal_before_drops(both)[figure].tolist() == pytest.approx(
            signal_before_drops(alone)[figure].tolist(), abs=1
        )


def test_attempts_to_come_back_are_those_of_the_phone_that_lost_it() -> None:
    lost = captured({"at": 0, "kind": "link_connected", "session": 1}, drop(100, hci_code=8),
                    {"at": 200, "kind": "link_connected", "session": 2}, heard(900, -60))  # fmt: skip
    other = [{"at": 120 + number, "kind": "link_failed", "hci_code": 0x3E, "run": "other", "terminal": None}
             for number in range(3)]  # fmt: skip
    assert return_times(frame_of(*lost, *other, radio="import"))["attempts"].tolist() == [1]


def test_an_hour_that_two_recordings_heard_under_two_names_is_one() -> None:
    address = {"reader": "addr:50:51:a9:12:34:56"}
    frame = frame_of(
        *(row | address for row in captured({"at": 0, "kind": "link_connected", "session": 1}, heard(5, -60), drop(100))),
        {"at": 1, "kind": "connect_succeeded", **APP}, heard(6, -62, **APP), {"at": 101, "kind": "disconnected", **APP},
        radio="import",
    )  # fmt: skip
    rows = compare(frame, frame).figures
    assert set(rows.loc[rows["measure"] == "signal_advertisement", "events"]) == {1}
