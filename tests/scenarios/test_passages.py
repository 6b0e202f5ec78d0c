"""What is taken from a recording for a replay."""

import dataclasses
from typing import Any

import pandas as pd
import pytest
from scenarios.recordings import READER, at, fade, finding, frame

from terminal_kit.diagnosis import diagnose
from terminal_kit.events import Cause, Kind
from terminal_kit.scenarios.passages import passages


def test_a_passage_has_what_was_recorded_around_the_drop() -> None:
    (passage,) = passages(fade(back_s=4.0), [finding()])
    assert (passage.manner, passage.interval_ms, passage.supervision_timeout_s) == ("faded", 30.0, 4.0)
    assert passage.silent_s == -4.0
    assert passage.back_s == (3.0, 4.0)
    assert passage.returned_s == 34.0
    assert min(passage.signal_s) == -29.0
    assert max(passage.signal_s) == 4.0


def test_who_did_not_listen_does_not_know_when_the_reader_was_back() -> None:
    (passage,) = passages(fade(back_s=4.0, scanning=False), [finding()])
    assert passage.back_s == (0.0, 4.0)


LATE_SCAN = {"kind": Kind.SCAN_STARTED, "t_us": at(121), "reader": ""}
SHORT_SCAN = {"kind": Kind.SCAN_STOPPED, "t_us": at(130), "reader": ""}
FILTERED = {"kind": Kind.SCAN_STARTED, "t_us": at(100), "reader": "", "extra": '{"filter_duplicates": true}'}
REQUEST = {"kind": Kind.LINK_CONNECTING, "t_us": at(120.1)}
IN_VAIN = {"kind": Kind.LINK_FAILED, "t_us": at(130)}
RECONNECTION = {"kind": Kind.RECONNECT_STARTED, "t_us": at(120.1)}
GIVEN_UP = {"kind": Kind.RECONNECT_FAILED, "t_us": at(130)}
OTHER_REQUEST = REQUEST | {"reader": "STRM20000000099"}


@pytest.mark.parametrize(
    ("rows", "back_s"),
    [
        ([LATE_SCAN], (19.0, 20.0)),
        ([LATE_SCAN, SHORT_SCAN], (9.0, 20.0)),
        ([LATE_SCAN, SHORT_SCAN | {"t_us": at(122)}], (0.0, 20.0)),
        ([FILTERED], (0.0, 20.0)),
        ([REQUEST], (19.0, 20.0)),
        ([REQUEST, IN_VAIN], (9.0, 20.0)),
        ([REQUEST, IN_VAIN | {"hci_code": 0x3E}], (0.0, 20.0)),
        ([OTHER_REQUEST], (0.0, 20.0)),
        ([LATE_SCAN | {"t_us": at(139)}], (0.0, 20.0)),
        ([RECONNECTION], (19.0, 20.0)),
        ([RECONNECTION, GIVEN_UP], (9.0, 20.0)),
        ([RECONNECTION, IN_VAIN | {"hci_code": 0x3E}], (0.0, 20.0)),
    ],
)
def test_who_listened_would_have_heard_the_reader_sooner(
    rows: list[dict[str, object]], back_s: tuple[float, float]
) -> None:
    """A pending connection listens too, and so does an automatic reconnection. A scan that has only begun, or reports
    a device once, tells nothing, and a request that met the reader and failed is none in vain."""
    (passage,) = passages(pd.concat([fade(back_s=20.0, scanning=False), frame(*rows)]), [finding()])
    assert passage.back_s == back_s


@pytest.mark.parametrize(
    ("cause", "code", "manner"),
    [
        (Cause.RANGE, 8, "faded"),
        (Cause.HOST_RADIO_OVERLOADED, 8, "faded"),
        (Cause.READER_RESET_OR_POWER_LOSS, 8, "gone"),
        (Cause.READER_POWERED_OFF, 8, "gone"),
        (Cause.READER_POWERED_OFF, 0x15, "ended"),
        (Cause.SECURITY_REBOOT, 0x13, "ended"),
        (Cause.SECURITY_REBOOT, 8, "gone"),
        (Cause.RANGE, 0x22, "ended"),
        (Cause.RANGE, None, "faded"),
        (Cause.BOND_LOST, 0x06, "barred"),
        (Cause.HOST_RADIO_OFF, 0x16, "barred"),
        (Cause.HOST_CLOSED, 0x16, "closed"),
        (Cause.CANNOT_TELL, 8, "unknown"),
    ],
)
def test_the_cause_says_what_a_policy_can_change(cause: Cause, code: int | None, manner: str) -> None:
    (passage,) = passages(fade(), [finding(cause, hci_code=code)])
    assert passage.manner == manner


def test_connections_that_failed_are_no_drops() -> None:
    assert passages(fade(), [finding(kind="connect_failed")]) == []


def test_a_reader_of_which_nothing_else_is_known() -> None:
    (passage,) = passages(frame(), [finding(hci_code=None)])
    assert (passage.signal_s, passage.back_s, passage.returned_s, passage.silent_s) == ([], None, None, -4.0)


def test_of_a_frame_three_columns_are_enough() -> None:
    (passage,) = passages(fade()[["kind", "reader", "t_us"]], [finding()])
    assert (passage.signal_s, passage.interval_ms, passage.supervision_timeout_s) == ([], None, None)
    assert (passage.silent_s, passage.returned_s) == (-4.0, 34.0)


def test_no_rows_and_no_columns_are_no_passages() -> None:
    assert passages(pd.DataFrame(), []) == []
    (passage,) = passages(pd.DataFrame(), [finding()])
    assert passage.returned_s is None


def test_parameters_are_the_links_own() -> None:
    """What an earlier link had is not in force any more."""
    earlier = [
        {"kind": Kind.LINK_CONNECTED, "t_us": at(-600), "interval_ms": 100.0, "peripheral_latency": 4},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(-300)},
    ]
    recorded = pd.concat([frame(*earlier), fade(timeout_s=0.72)])
    (passage,) = passages(recorded, [finding()])
    assert (passage.interval_ms, passage.peripheral_latency, passage.supervision_timeout_s) == (30.0, None, 0.72)


def test_a_link_whose_timeout_nobody_saw_timed_out_within_its_last_silence() -> None:
    rows = fade(timeout_s=None)
    rows.loc[rows["kind"] == Kind.LINK_DISCONNECTED, "extra"] = '{"silence_s": 5.004}'
    (passage,) = passages(rows, [finding()])
    assert (passage.supervision_timeout_s, passage.silent_s) == (5.0, -5.0)
    rows.loc[rows["kind"] == Kind.LINK_DISCONNECTED, "extra"] = "damaged"
    (passage,) = passages(rows, [finding()])
    assert (passage.supervision_timeout_s, passage.silent_s) == (None, -4.0)


def test_an_idle_link_was_silent_for_its_timeout_alone() -> None:
    """Empty packets are not in a capture: that nothing else was heard for 20 s does not say that nothing was."""
    rows = fade(timeout_s=4.0)
    rows.loc[rows["kind"] == Kind.LINK_DISCONNECTED, "extra"] = '{"silence_s": 20.0}'
    (passage,) = passages(rows, [finding()])
    assert passage.silent_s == -4.0


def test_a_level_that_nobody_can_have_heard_is_none() -> None:
    """127 is "not available"; a reader that hears nothing may say -127."""
    rows = fade()
    rows["rssi_dbm"] = rows["rssi_dbm"].mask(rows["t_us"] == at(115), 127.0).mask(rows["t_us"] == at(124), -127.0)
    (passage,) = passages(rows, [finding()])
    assert set(passage.signal_dbm) == {-60.0}
    assert max(passage.signal_s) == -6.0
    assert passage.back_s == (33.0, 34.0)


ADDRESS = "addr:AA:BB:CC:DD:EE:01"


def of_app(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(*({"run": "app", **row} for row in rows))


def app_log() -> pd.DataFrame:
    """What the app of `fade(back_s=4.0)` tells, by the serial and a second late."""
    return of_app(
        {"kind": Kind.CONNECT_SUCCEEDED, "t_us": at(1), "session": 1},
        {"kind": Kind.DISCONNECTED, "t_us": at(121), "session": 1},
        {"kind": Kind.CONNECT_SUCCEEDED, "t_us": at(155), "session": 2},
    )


def test_an_apps_log_of_the_same_reader_takes_nothing_from_a_capture() -> None:
    """The capture knows an address, the log a serial; a second capture heard the reader, and saw none of its links."""
    captured = fade(back_s=4.0).assign(reader=ADDRESS)
    (alone,) = passages(captured, [finding(reader=ADDRESS)])
    for name in (ADDRESS, READER):
        (both,) = passages(pd.concat([captured, app_log()]), [finding(reader=name)])
        assert both == dataclasses.replace(alone, reader=READER)
    heard = frame({"kind": Kind.SIGNAL, "t_us": at(123), "rssi_dbm": -88.0, "reader": ADDRESS, "run": "second"})
    (more,) = passages(pd.concat([captured, app_log(), heard]), [finding(reader=READER)])
    assert (more.signal_s, more.signal_dbm) == (
        [*alone.signal_s[:-1], 3.0, 4.0],
        [*alone.signal_dbm[:-1], -88.0, -62.0],
    )


def test_what_diagnosis_finds_in_both_is_one_passage_with_all_that_the_capture_knows() -> None:
    recorded = pd.concat([fade(back_s=4.0).assign(reader=ADDRESS, session=[1] * 117 + [None, 2, None]), app_log()])
    (passage,) = passages(recorded, diagnose(recorded))
    assert (passage.interval_ms, passage.supervision_timeout_s, passage.returned_s) == (30.0, 4.0, 34.0)
    assert len(passage.signal_s) == 26


@pytest.mark.parametrize("kind", [Kind.RECONNECT_SUCCEEDED, Kind.CONNECT_SUCCEEDED])
def test_a_log_without_links_tells_the_return_all_the_same(kind: Kind) -> None:
    log = of_app(
        {"kind": Kind.CONNECT_SUCCEEDED, "t_us": at(0), "session": 1},
        {"kind": Kind.DISCONNECTED, "t_us": at(120), "session": 1},
        {"kind": kind, "t_us": at(127), "session": 2},
    )
    (passage,) = passages(log, [finding(hci_code=None)])
    assert (passage.returned_s, passage.back_s) == (7.0, (0.0, 7.0))


@pytest.mark.parametrize("name", ["", None])
def test_a_reader_that_its_log_never_names_has_a_passage_too(name: str | None) -> None:
    (passage,) = passages(fade().assign(reader=name), [finding(reader="")])
    assert (passage.interval_ms, passage.returned_s) == (30.0, 34.0)


@pytest.mark.parametrize("pause_s", [0.04, 1.0])
def test_a_return_may_be_as_quick_as_it_likes(pause_s: float) -> None:
    again = {"kind": Kind.LINK_CONNECTED, "t_us": at(120 + pause_s), "session": 2}
    (passage,) = passages(pd.concat([fade(), frame(again)]), [finding(Cause.SECURITY_REBOOT, hci_code=0x13)])
    assert passage.returned_s == pause_s


def test_the_next_drops_return_is_not_this_ones() -> None:
    """A recording with a gap: the reader dropped again, and nobody saw that it had been back."""
    (passage,) = passages(
        pd.concat([fade(), frame({"kind": Kind.LINK_DISCONNECTED, "t_us": at(140), "hci_code": 8})]), [finding()]
    )
    assert passage.returned_s is None


@pytest.mark.parametrize("useless_s", [0.5, 2.0])
def test_a_link_of_a_reconnection_that_was_no_use_is_neither_return_nor_drop(useless_s: float) -> None:
    """It came up after 10 s and ended before its reader was connected; the next try brought it back after 60 s."""
    host = {"session": 1, "attempt_id": "first"}, {"session": 2, "attempt_id": "back"}, {"session": 3}
    log = frame(
        {"kind": Kind.LINK_CONNECTED, "t_us": at(0), **host[0]},
        {"kind": Kind.CONNECT_SUCCEEDED, "t_us": at(2), **host[0]},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(120), "session": 1, "hci_code": 8},
        {"kind": Kind.RECONNECT_STARTED, "t_us": at(120), "session": 1, "attempt_id": "back"},
        {"kind": Kind.LINK_CONNECTED, "t_us": at(130), **host[1]},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(130 + useless_s), **host[1], "hci_code": 8},
        {"kind": Kind.LINK_CONNECTED, "t_us": at(180), "attempt_id": "back", **host[2]},
        {"kind": Kind.RECONNECT_SUCCEEDED, "t_us": at(181), "attempt_id": "back", **host[2]},
    )
    (passage,) = passages(log, diagnose(log))
    assert (passage.returned_s, passage.back_s) == (60.0, (9.0, 10.0))


def test_a_link_that_was_never_established_is_no_return() -> None:
    """Announced 10 s after the drop and taken back; the reader is heard after 58 s and connected after 64 s."""
    never = [
        {"kind": Kind.LINK_CONNECTED, "t_us": at(130), "session": 2, "interval_ms": 50.0},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(130.3), "session": 2, "hci_code": 0x3E},
    ]
    recorded = fade(back_s=58.0, scanning=False)
    recorded = recorded.assign(session=recorded["kind"].map({Kind.LINK_CONNECTED: 1, Kind.LINK_DISCONNECTED: 1}))
    recorded.loc[recorded["t_us"] == at(208), "session"] = 3
    for asked in ([], [REQUEST]):
        (passage,) = passages(pd.concat([recorded, frame(*never, *asked)]), [finding()])
        assert (passage.returned_s, passage.back_s) == (88.0, (0.0, 58.0))


@pytest.mark.parametrize("run", ["capture", "earlier"])
def test_parameters_of_a_link_whose_end_nobody_saw_are_not_the_next_ones(run: str) -> None:
    before = {"kind": Kind.LINK_CONNECTED, "t_us": at(-600), "interval_ms": 100.0, "supervision_timeout_s": 20.0}
    before["run"] = run
    unknown = fade().assign(interval_ms=None, supervision_timeout_s=None, extra=None)
    (passage,) = passages(pd.concat([frame(before), unknown]), [finding()])
    assert (passage.interval_ms, passage.supervision_timeout_s, passage.silent_s) == (None, None, -4.0)


def test_a_run_that_was_over_tells_of_an_earlier_link() -> None:
    """Nor does it matter that nobody saw the later link begin."""
    before = {"kind": Kind.LINK_CONNECTED, "t_us": at(-600), "interval_ms": 100.0, "run": "earlier"}
    later = fade().assign(interval_ms=None)
    (passage,) = passages(pd.concat([frame(before), later[later["t_us"] > at(0)]]), [finding()])
    assert passage.interval_ms is None


def test_two_drops_within_a_second_have_each_their_own_parameters_and_silence() -> None:
    first = frame(
        {"kind": Kind.LINK_CONNECTED, "t_us": at(60), "interval_ms": 45.0, "supervision_timeout_s": 20.0},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(119.1), "hci_code": 8, "extra": '{"silence_s": 20.0}'},
        {"kind": Kind.LINK_CONNECTED, "t_us": at(119.4)},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(120), "hci_code": 8, "extra": '{"silence_s": 0.6}'},
    )
    (passage,) = passages(first, [finding()])
    assert (passage.interval_ms, passage.supervision_timeout_s) == (None, 0.6)


def test_what_one_run_knows_of_a_link_is_not_lost_where_another_knows_less() -> None:
    """A capture and the host's own rows, whose clock is a second late: it saw the link made after its parameters."""
    host = frame(
        {"kind": Kind.LINK_CONNECTED, "t_us": at(1), "session": 1, "run": "host"},
        {"kind": Kind.LINK_DISCONNECTED, "t_us": at(121), "session": 1, "hci_code": 8, "run": "host"},
    )
    (passage,) = passages(pd.concat([fade(), host]), [finding()])
    assert (passage.interval_ms, passage.supervision_timeout_s) == (30.0, 4.0)
