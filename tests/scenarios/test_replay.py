"""One passage lived through: when the link ends, when it is back, and what chance and policy have to do with it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios.recordings import fade, finding

from terminal_kit.events import Cause
from terminal_kit.scenarios.passages import Passage, passages
from terminal_kit.scenarios.replay import live
from terminal_kit.simulator.link import Parameters


def passage(*, back_s: float, cause: Cause = Cause.RANGE) -> Passage:
    (found,) = passages(fade(back_s=back_s), [finding(cause)])
    return found


def weak(levels_dbm: list[float]) -> Passage:
    """Levels a second, from half a minute before the drop on, and the four silent seconds before it."""
    seconds = [float(second) for second in range(-30, len(levels_dbm) - 30)]
    return replace(passage(back_s=3.0), signal_s=seconds, signal_dbm=levels_dbm)


@pytest.mark.parametrize("cause", [Cause.RANGE, Cause.READER_RESET_OR_POWER_LOSS, Cause.SECURITY_REBOOT])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_recorded_drop_comes_at_its_time(cause: Cause, seed: int) -> None:
    lived = live(passage(back_s=4.0, cause=cause), Parameters(), auto_reconnect=True, seed=seed)
    assert lived.dropped_s == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("cause", [Cause.RANGE, Cause.READER_RESET_OR_POWER_LOSS])
def test_a_longer_timeout_is_no_faster_return(cause: Cause) -> None:
    """The signal is gone for a minute: the reader is back a minute after the drop, whatever the timeout."""
    lived = [
        live(
            passage(back_s=60.0, cause=cause), Parameters(supervision_timeout_s=timeout_s), auto_reconnect=True, seed=1
        )
        for timeout_s in (1.0, 4.0, 20.0)
    ]
    assert [each.dropped_s for each in lived] == pytest.approx([-3.0, 0.0, 16.0], abs=0.01)
    returns = [each.back_s or 0.0 for each in lived]
    assert min(returns) > 59.0
    assert max(returns) - min(returns) < 2.0


def test_a_reader_that_is_back_waits_until_the_old_link_has_ended() -> None:
    restarted = passage(back_s=5.0, cause=Cause.READER_RESET_OR_POWER_LOSS)
    lived = live(restarted, Parameters(supervision_timeout_s=20.0), auto_reconnect=True, seed=0)
    assert lived.dropped_s == pytest.approx(16.0, abs=0.01)
    assert 16.0 < (lived.back_s or 0.0) < 20.0


def test_a_link_that_ended_before_the_recorded_drop_is_no_link_that_held() -> None:
    """Ten seconds of silence that a timeout of 20 s outlasts, and nobody to connect it again."""
    before = weak([-60.0] * 5 + [-120.0] * 10 + [-60.0] * 45)
    short = live(before, Parameters(supervision_timeout_s=2.0), auto_reconnect=False, seed=0)
    assert short.dropped_s is not None
    assert -25.0 < short.dropped_s < -15.0
    again = live(before, Parameters(supervision_timeout_s=2.0), auto_reconnect=True, seed=0)
    assert again.dropped_s == short.dropped_s
    assert 2.0 < (again.back_s or 0.0) < 8.0


@pytest.mark.parametrize("interval_ms", [7.5, 1000.0, 4000.0])
def test_links_are_made_with_usual_parameters(interval_ms: float) -> None:
    """At a long interval the services would be discovered for longer than anybody waits; it is changed thereafter."""
    slow = Parameters(interval_ms=interval_ms, supervision_timeout_s=10.0)
    lived = live(passage(back_s=30.0), slow, auto_reconnect=True, seed=2)
    assert lived.dropped_s == pytest.approx(6.0, abs=interval_ms / 1000 + 0.01)
    assert 29.0 < (lived.back_s or 0.0) < 33.0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-104, -80).map(float), min_size=20, max_size=60),
    st.tuples(st.integers(50, 3200), st.integers(50, 3200)).map(sorted),
    st.sampled_from([7.5, 30.0, 100.0]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_a_longer_timeout_brings_no_drop_that_a_shorter_one_did_not(
    levels_dbm: list[float], timeouts: list[int], interval_ms: float, automatic: bool, seed: int
) -> None:
    shorter, longer = (
        live(weak(levels_dbm), Parameters(interval_ms, 0, timeout / 100), auto_reconnect=automatic, seed=seed).dropped_s
        for timeout in timeouts
    )
    if longer is not None:
        assert shorter is not None
        assert shorter <= longer
