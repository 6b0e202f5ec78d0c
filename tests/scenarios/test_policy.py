"""What a link may have, and what nobody can mean."""

import copy
import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.errors import InvalidParameterError
from terminal_kit.scenarios.policy import Policy
from terminal_kit.simulator.link import Parameters


@pytest.mark.parametrize("name", ["interval_ms", "supervision_timeout_s"])
@pytest.mark.parametrize("value", ["8", math.nan, math.inf, -8.0, 0, True, [8], 1e9])
def test_no_number_of_a_link_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError) as told:
        Policy(**{name: value})
    assert (told.value.parameter, told.value.value) == (name, value)
    assert told.value.hint.startswith("From ")


@pytest.mark.parametrize("value", ["yes", 1, 0.0, [True]])
def test_reconnection_is_yes_or_no(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="auto_reconnect"):
        Policy(auto_reconnect=value)


def test_numbers_of_a_table_are_numbers() -> None:
    policy = Policy(interval_ms=np.int64(30), supervision_timeout_s=np.float32(2.5), auto_reconnect=np.bool_(True))  # pyright: ignore
    assert policy == Policy(interval_ms=30.0, supervision_timeout_s=2.5, auto_reconnect=True)
    assert {type(policy.interval_ms), type(policy.supervision_timeout_s)} == {float}


@given(st.integers(6, 3200), st.integers(10, 3200))
def test_the_timeout_is_longer_than_two_intervals(interval: int, timeout: int) -> None:
    """In the units of the controller, 1.25 ms and 10 ms, the rule is exact (Core Vol 4 Part E, 7.8.12)."""
    values = {"interval_ms": interval * 1.25, "supervision_timeout_s": timeout / 100}
    if 4 * timeout > interval:
        assert Policy(**values).parameters(Parameters()) == Parameters(**values)
    else:
        with pytest.raises(InvalidParameterError, match="is too short for an interval of"):
            Policy(**values)


@given(st.integers(6, 3200), st.integers(0, 499), st.integers(10, 3200))
def test_a_reader_that_skips_events_needs_a_longer_timeout(interval: int, latency: int, timeout: int) -> None:
    link = Parameters(interval * 1.25, latency, timeout / 100)
    assert link.is_consistent == (4 * timeout > (1 + latency) * interval)


def test_what_is_not_named_stays_as_it_was_recorded() -> None:
    recorded = Parameters(48.75, 4, 5.0)
    assert Policy(interval_ms=30).parameters(recorded) == Parameters(30.0, 4, 5.0)
    assert Policy(auto_reconnect=True).parameters(recorded) == recorded


def test_a_policy_is_copied_as_it_is() -> None:
    policy = Policy(supervision_timeout_s=8)
    assert copy.copy(policy) == pickle.loads(pickle.dumps(policy)) == policy
    assert dataclasses.replace(policy, interval_ms=15) == Policy(interval_ms=15.0, supervision_timeout_s=8.0)
