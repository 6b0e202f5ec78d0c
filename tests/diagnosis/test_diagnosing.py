"""What diagnosis does with any rows, and the habits that it finds."""

import string
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.diagnosis import diagnose, habits
from terminal_kit.eventlog import EventLog
from terminal_kit.events import COLUMNS, Cause, Event, Kind

DAY_US = 86_400_000_000
BEGAN_US = 1_790_000_000_000_000
READER = "STRM20000000042"


def frame(tmp_path: Any, *events: Event) -> pd.DataFrame:
    with EventLog(tmp_path / "log.db") as log:
        run = log.start_run(radio="native")
        for event in events:
            run.append(event)
        log.flush()
        return log.frame()


def drop(t_us: int, session: int, **columns: Any) -> list[Event]:
    """A link of ten minutes that ends then."""
    common = {"reader": READER, "session": session}
    return [
        Event(kind=Kind.LINK_CONNECTED, t_us=t_us - 600_000_000, supervision_timeout_s=4.0, **common),
        Event(kind=Kind.LINK_DISCONNECTED, t_us=t_us, duration_s=600.0, **common, **columns),
    ]


def test_the_readers_own_word_counts_most(tmp_path: Any) -> None:
    events = drop(BEGAN_US, 1, hci_code=0x13, reason="powered_off", reason_source="farewell")
    (finding,) = diagnose(frame(tmp_path, *events))
    assert finding.cause is Cause.READER_POWERED_OFF
    assert finding.confidence > 0.9
    assert any("the reader said as it left" in evidence.text for evidence in finding.causes[0].for_)


def test_without_evidence_nobody_can_tell_and_is_told_what_to_collect(tmp_path: Any) -> None:
    (finding,) = diagnose(frame(tmp_path, *drop(BEGAN_US, 1)))
    assert finding.cause is Cause.CANNOT_TELL
    assert any("HCI log" in step for step in finding.next_steps)


def test_a_drop_is_one_incident_with_its_disconnected_row(tmp_path: Any) -> None:
    events = drop(BEGAN_US, 1, hci_code=0x08)
    end = Event(kind=Kind.DISCONNECTED, t_us=BEGAN_US + 1000, reader=READER, session=1, reason="bluetooth_signal_lost")
    assert len(diagnose(frame(tmp_path, *events, end))) == 1


def test_an_app_that_disconnects_to_save_power_is_a_habit(tmp_path: Any) -> None:
    """C5."""
    events = [
        event
        for number in range(3)
        for event in drop(
            BEGAN_US + number * 1_200_000_000,
            number,
            hci_code=0x16,
            reason="disconnect_requested",
            reason_source="host",
        )
    ]
    events.append(Event(kind=Kind.LINK_CONNECTED, t_us=BEGAN_US + 4_000_000_000, reader=READER, session=9))
    (habit,) = habits(frame(tmp_path, *events))
    assert (habit.name, habit.readers) == ("disconnects_to_save_power", (READER,))
    assert "standby" in habit.advice


def test_a_restart_at_the_same_hour_is_a_habit(tmp_path: Any) -> None:
    """R2."""
    events = [
        event for day in range(4) for event in drop(BEGAN_US + day * DAY_US + day * 20_000_000, day, hci_code=0x13)
    ]
    names = {habit.name for habit in habits(frame(tmp_path, *events))}
    assert "daily_restart" in names


@pytest.mark.parametrize(("late_s", "cause", "is_told"), [
    (0, {"hci_code": 0x13}, True),
    (18_000, {"hci_code": 0x13}, False),  # five hours later each day
    (0, {"hci_code": 0x16, "reason": "disconnect_requested", "reason_source": "host"}, False),  # the app's closing time
])  # fmt: skip
def test_only_what_may_be_a_restart_is_one_at_the_same_hour(
    tmp_path: Any, late_s: int, cause: dict[str, Any], is_told: bool
) -> None:
    """R2: around midnight too, where one day's is another day's date."""
    midnight_us = BEGAN_US // DAY_US * DAY_US
    events = [
        event
        for day in range(4)
        for event in drop(
            midnight_us + day * DAY_US + day * late_s * 1_000_000 + (day % 3 - 1) * 60_000_000, day, **cause
        )
    ]
    names = {habit.name for habit in habits(frame(tmp_path, *events))}
    assert ("daily_restart" in names) is is_told


@pytest.mark.parametrize(("version", "is_told"), [("0.0.1-beta.17", True), ("0.0.1-beta.18", False), ("1.2.0", False)])
def test_an_sdk_without_the_grace_is_told(tmp_path: Any, version: str, is_told: bool) -> None:
    """U5."""
    line = Event(
        kind=Kind.APP_MESSAGE, t_us=BEGAN_US, extra={"sdk": "react_native", "sdk_version": version}, text="[Stripe]"
    )
    assert [habit.name for habit in habits(frame(tmp_path, line))] == (["sdk_without_grace"] if is_told else [])


def test_nothing_is_nothing() -> None:
    empty = pd.DataFrame({column.name: [] for column in COLUMNS})
    assert diagnose(empty) == []
    assert habits(empty) == []


TEXT = st.text(string.printable, max_size=8)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"t_us": st.integers(BEGAN_US, BEGAN_US + 10**9), "kind": st.sampled_from([*Kind, "unheard_of"])},
        optional={
            "reader": st.sampled_from(["", READER, "addr:C0:11:22:33:44:55"]),
            "session": st.integers(0, 3),
            "attempt_id": st.sampled_from(["a", "b"]),
            "hci_code": st.integers(0, 255),
            "att_code": st.integers(0, 255),
            "reason": TEXT | st.sampled_from(["unknown", "powered_off"]),
            "reason_source": TEXT | st.sampled_from(["host", "farewell"]),
            "error_code": TEXT | st.just("REQUEST_TIMED_OUT"),
            "rssi_dbm": st.floats(-110, 20),
            "rssi_source": st.sampled_from(["hci", "advertisement"]),
            "battery": st.floats(0, 1),
            "duration_s": st.floats(allow_nan=False, allow_infinity=False, width=32),
            "supervision_timeout_s": st.floats(0.0, 32.0),
            "text": TEXT,
            "extra": st.dictionaries(
                st.sampled_from(["silence_s", "pending", "pending_s", "advertised", "change", "taken", "app"]),
                st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT | st.lists(st.integers(), max_size=2),
            ),
        },
    ),
    max_size=25,
)


@given(ROWS)
@settings(deadline=None, max_examples=200)
def test_any_rows_are_diagnosed(tmp_path_factory: Any, rows: list[dict[str, Any]]) -> None:
    events = [Event(**row) for row in rows]
    found = frame(tmp_path_factory.mktemp("any"), *events)
    findings = diagnose(found)
    for finding in findings:
        confidences = [verdict.confidence for verdict in finding.causes]
        assert confidences == sorted(confidences, reverse=True)
        assert 0 < sum(confidences) <= 1.0 + 1e-9
        assert all(step for step in finding.next_steps)
        finding.as_json()
    habits(found, findings)
