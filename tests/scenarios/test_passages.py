"""What is taken from a recording for a replay."""

import pytest
from scenarios.recordings import fade, finding, frame

from terminal_kit.events import Cause
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


@pytest.mark.parametrize(
    ("cause", "code", "manner"),
    [
        (Cause.RANGE, 8, "faded"),
        (Cause.HOST_RADIO_OVERLOADED, 8, "faded"),
        (Cause.READER_RESET_OR_POWER_LOSS, 8, "gone"),
        (Cause.READER_POWERED_OFF, 8, "gone"),
        (Cause.READER_POWERED_OFF, 0x15, "ended"),
        (Cause.SECURITY_REBOOT, 0x13, "ended"),
        (Cause.HOST_CLOSED, 0x16, "closed"),
        (Cause.CANNOT_TELL, 8, "unknown"),
    ],
)
def test_the_cause_says_what_a_policy_can_change(cause: Cause, code: int, manner: str) -> None:
    (passage,) = passages(fade(), [finding(cause, hci_code=code)])
    assert passage.manner == manner


def test_connections_that_failed_are_no_drops() -> None:
    assert passages(fade(), [finding(kind="connect_failed")]) == []


def test_a_reader_of_which_nothing_else_is_known() -> None:
    (passage,) = passages(frame(), [finding(hci_code=None)])
    assert (passage.signal_s, passage.back_s, passage.returned_s, passage.silent_s) == ([], None, None, 0.0)
