"""Drops, returns, updates and signal from a log: joined, censored, never held."""

import itertools
from typing import Any

import pandas as pd
import pytest

from terminal_kit.analysis import disconnects, median_s, reconnections, share_back, signal, updates
from terminal_kit.eventlog import frames
from terminal_kit.eventlog.schema import NAMES
from terminal_kit.events import COLUMNS

M2, WISEPAD = "STRM26138003393", "WPC323105002323"
START_US = 1_795_000_000_000_000


def frame_of(*rows: dict[str, Any], radio: str = "simulated") -> pd.DataFrame:
    """Rows as `EventLog.frame()` gives them; `at` is seconds after the start."""
    import pyarrow as pa

    defaults = {"run": "r1", "terminal": "terminal", "reader": M2, "radio": radio}
    made = []
    for seq, row in enumerate(rows, 1):
        facts = defaults | row
        made.append(facts | {"seq": seq, "t_us": START_US + round(facts.pop("at") * 1e6)})
    schema = frames.schema([*NAMES, frames.RADIO])
    assert {name for row in made for name in row} - {"at"} <= {*(column.name for column in COLUMNS), "radio"}
    return frames.as_pandas(pa.Table.from_pylist(made, schema=schema))


def drop(at: float, session: int = 1, **facts: Any) -> dict[str, Any]:
    return {"at": at, "kind": "link_disconnected", "session": session, "reason": "unknown", **facts}


def test_a_drop_is_joined_with_its_end() -> None:
    found = disconnects(
        frame_of(
            drop(10, reason="powered_off", reason_source="farewell", hci_code=0x15),
            {"at": 40, "kind": "disconnected", "session": 1, "reason": "powered_off"},
        )
    )
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["t_us"], row["reason"], row["hci_code"], row["session"]) == (
        START_US + 10_000_000,
        "powered_off",
        0x15,
        1,
    )
    assert row["time"] == pd.Timestamp(START_US + 10_000_000, unit="us", tz="UTC")
    assert not row["awaited"]
    assert pd.isna(row["returned_s"])


def test_either_half_of_an_incident_may_stand_alone() -> None:
    found = disconnects(
        frame_of(
            drop(10),
            {"at": 20, "kind": "disconnected", "session": 2, "reason": "internet_lost"},
            {"at": 30, "kind": "disconnected", "reason": "powered_off"},
        )
    )
    assert found["reason"].tolist() == ["unknown", "internet_lost", "powered_off"]


def test_the_same_session_number_in_another_run_is_another_session() -> None:
    end = {"at": 20, "kind": "disconnected", "session": 1, "reason": "unknown", "run": "r2"}
    assert len(disconnects(frame_of(drop(10), end))) == 2


def test_x1_a_reason_learned_later_replaces_the_earlier_one() -> None:
    learned = {"at": 50, "kind": "reason_learned", "session": 1, "reason": "security_reboot", "reason_source": "boot"}
    found = disconnects(frame_of(drop(10, hci_code=0x13), drop(60, session=2), learned))
    assert found["reason"].tolist() == ["security_reboot", "unknown"]
    assert found["reason_source"].tolist()[0] == "boot"
    assert found["hci_code"].tolist()[0] == 0x13


def heard(at: float, rssi_dbm: float, **facts: Any) -> dict[str, Any]:
    return {"at": at, "kind": "signal", "rssi_dbm": rssi_dbm, "rssi_source": "advertisement", "count": 5, **facts}


def test_x8_the_signal_before_a_drop_is_never_held() -> None:
    found = disconnects(
        frame_of(
            heard(1, -50), heard(2, -93), heard(3, -40, reader=WISEPAD),
            drop(4), heard(5, -20), drop(40, session=2), drop(41, session=3, rssi_dbm=-77),
        )
    )  # fmt: skip
    assert found["rssi_dbm"].astype(object).where(found["rssi_dbm"].notna(), None).tolist() == [-93, None, -77]


def test_a_return_belongs_to_the_drop_before_it() -> None:
    found = disconnects(
        frame_of(
            drop(10), {"at": 10, "kind": "reconnect_started", "attempt_id": "a1"},
            {"at": 14.5, "kind": "reconnect_succeeded", "attempt_id": "a1"},
            drop(30, session=2), {"at": 30, "kind": "reconnect_started", "attempt_id": "a2"},
            {"at": 330, "kind": "reconnect_failed", "attempt_id": "a2"},
            {"at": 400, "kind": "connect_succeeded"},
            drop(500, session=3), drop(600, session=4),
            {"at": 610, "kind": "connect_succeeded", "reader": WISEPAD},
        )
    )  # fmt: skip
    assert found["returned_s"].fillna(-1).tolist() == [4.5, 370.0, -1, -1]
    assert found["returned_by"].fillna("").tolist() == ["itself", "hand", "", ""]
    assert found["awaited"].tolist() == [True, True, False, False]


def test_a_capture_sees_the_return_and_not_who_brought_it_about() -> None:
    rows = [
        {"at": 0, "kind": "link_connected", "session": 1}, drop(100, hci_code=8),
        {"at": 110, "kind": "link_connected", "session": 2}, drop(110.2, session=2, hci_code=0x3E),
        {"at": 130, "kind": "link_connected", "session": 3}, drop(500, session=3, hci_code=8), heard(600, -60),
    ]  # fmt: skip
    found = disconnects(frame_of(*rows, radio="import"))
    assert found["returned_s"].fillna(-1).tolist() == [pytest.approx(30), pytest.approx(19.8), -1]
    assert found["returned_by"].isna().all()
    app = {"at": 133, "kind": "reconnect_succeeded", "run": "app", "terminal": None, "attempt_id": "a1"}
    watching = {"at": 1, "kind": "battery", "run": "app", "terminal": None}
    both = disconnects(frame_of(*rows, watching, app, radio="import"))
    assert both["returned_by"].fillna("").tolist() == ["itself", "itself", ""]


@pytest.mark.parametrize("terminal", [None, "t1"])
def test_an_end_that_two_rows_tell_is_one_with_and_without_a_terminal(terminal: str | None) -> None:
    link = {"at": 10, "kind": "link_disconnected", "session": 1, "reason": "unknown", "terminal": terminal}
    relation = link | {"at": 11, "kind": "disconnected", "reason": "bluetooth_signal_lost"}
    assert len(disconnects(frame_of(link, relation))) == 1


def test_reconnections_that_never_ended_are_censored() -> None:
    found = reconnections(
        frame_of(
            {"at": 0, "kind": "reconnect_started", "attempt_id": "a1", "reason": "powered_off"},
            {"at": 6, "kind": "reconnect_succeeded", "attempt_id": "a1", "attempt": 2},
            {"at": 10, "kind": "reconnect_started", "attempt_id": "a2"},
            {"at": 70, "kind": "reconnect_failed", "attempt_id": "a2", "attempt": 9, "error_code": "CANCELED"},
            {"at": 80, "kind": "reconnect_started", "attempt_id": "a3"},
            heard(95, -60),
            {"at": 900, "kind": "run_started", "run": "r2", "reader": ""},
        )
    )
    assert found["duration_s"].tolist() == [6.0, 60.0, 15.0]
    assert found["came_back"].tolist() == [True, False, False]
    assert found["attempts"].fillna(0).tolist() == [2, 9, 0]
    assert found["reason"].tolist()[0] == "powered_off"


def test_signal_is_one_row_a_second_and_source() -> None:
    service = {"rssi_source": "reader_service", "count": None}
    found = signal(
        frame_of(
            heard(0.2, -50, rssi_min_dbm=-60, rssi_max_dbm=-41),
            heard(0.9, -54),
            heard(0.5, -70, **service),
            heard(7, -80),
        )
    )
    assert found["rssi_dbm"].tolist() == [-52, -70, -80]
    assert found["rssi_min_dbm"].tolist() == [-60, -70, -80]
    assert found["rssi_max_dbm"].tolist() == [-41, -70, -80]
    assert found["count"].tolist() == [10, 1, 5]
    assert (found["time"].diff().dt.total_seconds().tolist()[1:]) == [0.0, 7.0]


@pytest.mark.parametrize("what", [disconnects, reconnections, signal, updates])
def test_an_empty_log_gives_an_empty_table(what) -> None:
    assert what(frame_of()).empty
    assert what(frame_of({"at": 0, "kind": "moon_phase"})).empty


def test_kaplan_meier_by_hand() -> None:
    # Six readers: back after 1, 2, 2 and 5 s; one given up at 3 s, one still gone at 8 s.
    steps = share_back([1, 2, 2, 3, 5, 8], [True, True, True, False, True, False])
    assert [(step.seconds, round(step.share, 4), step.still_gone) for step in steps] == [
        (1, 0.1667, False), (2, 0.5, False), (3, 0.5, True), (5, 0.75, False), (8, 0.75, True),
    ]  # fmt: skip
    assert median_s(steps) == 2
    assert share_back([], []) == []
    assert median_s(share_back([9.0], [False])) is None


def test_without_the_censored_the_estimate_is_the_plain_share() -> None:
    durations = [3.0, 1.0, 4.0, 1.5, 9.0]
    steps = share_back(durations, itertools.repeat(True, 5))
    assert [round(step.share, 9) for step in steps] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert median_s(steps) == 3.0


def update(at: float, kind: str, attempt_id: str = "a1", **facts: Any) -> dict[str, Any]:
    return {"at": at, "kind": f"update_{kind}", "attempt_id": attempt_id, **facts}


OFFER = {
    "firmware_from": "2.01",
    "firmware_to": "2.02",
    "components": 6,
    "device_type": "stripe_m2",
    "total_bytes": 900,
}


def test_each_attempt_to_update_is_one_row() -> None:
    found = updates(
        frame_of(
            update(0, "available", attempt_id=None, firmware_to="2.02"),
            update(1, "started", battery=0.75, **OFFER),
            update(2, "progress", stage="uploading", sent_bytes=400),
            update(61, "finished", stage="confirming", sent_bytes=900, duration_s=59.5),
            update(70, "started", "a2", reader=WISEPAD, **OFFER),
            update(75, "finished", "a2", reader=WISEPAD, error_code="CANCELED", stage="uploading", sent_bytes=30),
            {"at": 80, "kind": "notice", "stage": "update_failed", "error_code": "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"},
        )
    )  # fmt: skip
    assert found["outcome"].tolist() == ["installed", "failed"]
    assert found["reader"].tolist() == [M2, WISEPAD]
    # The recorder's own figure where there is one: the clock on the wall may jump meanwhile.
    assert found["duration_s"].tolist() == [59.5, 5.0]
    assert found["error_code"].fillna("").tolist() == ["", "CANCELED"]
    assert found["stage"].tolist() == ["confirming", "uploading"]
    assert found["sent_bytes"].tolist() == [900, 30]
    row = found.iloc[0]
    assert (row["firmware_from"], row["firmware_to"], row["components"], row["device_type"], row["total_bytes"]) == (
        "2.01", "2.02", 6, "stripe_m2", 900,
    )  # fmt: skip
    assert (row["battery"], row["time"]) == (0.75, pd.Timestamp(START_US + 1_000_000, unit="us", tz="UTC"))


def test_u10_the_confirmation_of_an_update_that_was_cut_off_is_no_attempt() -> None:
    found = updates(
        frame_of(
            update(0, "started", **OFFER),
            update(40, "finished", error_code="READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED", stage="restarting"),
            update(90, "started", "a2", **OFFER | {"components": 0, "total_bytes": 0}),
            update(91, "finished", "a2", stage="confirming"),
            update(99, "started", "a3", **OFFER | {"components": None}),
        )
    )
    assert found["outcome"].tolist() == ["failed", "unfinished"]
    assert found["components"].fillna(-1).tolist() == [6, -1]


def test_an_update_whose_run_died_is_watched_until_its_last_row() -> None:
    found = updates(
        frame_of(
            update(0, "started", **OFFER),
            update(9, "progress", stage="uploading", sent_bytes=100),
            update(12, "progress", stage="uploading", sent_bytes=200),
            heard(40, -60),
            update(100, "started", run="r2", **OFFER),
            update(130, "finished", run="r2"),
            update(140, "started", "a2", run="r2", **OFFER),
        )
    )
    assert found["outcome"].tolist() == ["unfinished", "installed", "unfinished"]
    assert found["duration_s"].tolist() == [40.0, 30.0, 0.0]
    assert found["sent_bytes"].fillna(-1).tolist() == [200, -1, -1]
    assert found["stage"].fillna("").tolist() == ["uploading", "", ""]
