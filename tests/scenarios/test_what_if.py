"""Drops lived through again: a longer time-out outlasts a fade, and nothing keeps a reader that is gone."""

import itertools
import json
import math
from typing import Any

import pytest
from scenarios.recordings import fade, finding

from terminal_kit.errors import ConnectTimeoutError, InvalidParameterError
from terminal_kit.events import Cause
from terminal_kit.scenarios.what_if import Outlook, Policy, fate, what_if


def outlook(policy: Policy, cause: Cause = Cause.BODY_OR_INTERFERENCE_FADE, **recorded: float) -> Outlook:
    return what_if(fade(**recorded), policy, findings=[finding(cause)], replays=6)


def test_a_longer_time_out_outlasts_a_fade() -> None:
    """Silent from 4 s before the drop until about 4 s after it: 6 s are too few, 12 s are enough."""
    longer = outlook(Policy(supervision_timeout_s=12.0), back_s=4.0)
    assert longer.reproduced == 1.0
    assert longer.drops["as_proposed"].tolist() == [0.0]
    assert longer.avoided == 1.0
    assert outlook(Policy(supervision_timeout_s=6.0), back_s=4.0).avoided == 0.0


def test_a_reader_that_restarted_is_not_kept_and_is_missed_for_longer() -> None:
    short = outlook(
        Policy(supervision_timeout_s=2.0, auto_reconnect=True), Cause.READER_RESET_OR_POWER_LOSS, back_s=9.0
    )
    long = outlook(
        Policy(supervision_timeout_s=20.0, auto_reconnect=True), Cause.READER_RESET_OR_POWER_LOSS, back_s=9.0
    )
    assert short.drops["as_proposed"].tolist() == long.drops["as_proposed"].tolist() == [1.0]
    assert long.avoided == 0.0


def test_automatic_reconnection_brings_it_back_sooner_than_by_hand() -> None:
    there = outlook(Policy(auto_reconnect=True), back_s=4.0)
    (drop,) = there.drops.to_dict("records")
    assert drop["gone_s"] == 34.0
    assert 3.0 < drop["gone_proposed_s"] < 8.0
    assert "it would be" in " ".join(there.sentences())


def test_what_somebody_asked_for_is_not_replayed() -> None:
    asked = outlook(Policy(supervision_timeout_s=20.0), Cause.HOST_CLOSED)
    (drop,) = asked.drops.to_dict("records")
    assert not drop["replayed"]
    assert asked.reproduced is None
    assert fate(drop) == "asked for, so it would have happened all the same"
    assert "nothing can be said" in fate(outlook(Policy(interval_ms=50.0), Cause.CANNOT_TELL).drops.iloc[0].to_dict())


def test_the_same_seed_gives_the_same_outlook() -> None:
    first, again = (outlook(Policy(supervision_timeout_s=7.0), back_s=4.0).as_json() for _ in range(2))
    assert first == again
    assert json.loads(json.dumps(first)) == first


@pytest.mark.parametrize("policy", [
    {"supervision_timeout_s": 40.0}, {"interval_ms": 1.0}, {"supervision_timeout_s": "5"}, {"interval_ms": math.nan},
    {"interval_ms": math.inf}, {"supervision_timeout_s": -1}, {"interval_ms": True}, {"auto_reconnect": "yes"},
    {"supervision_timeout_s": 2.0, "interval_ms": 1000.0},
])  # fmt: skip
def test_a_policy_that_no_link_can_have_is_refused(policy: dict[str, Any]) -> None:
    """Core Vol 6 Part B, 4.5.2: the time-out exceeds two intervals."""
    with pytest.raises(InvalidParameterError):
        Policy(**policy)


@pytest.mark.parametrize(("policy", "recorded"), [
    (Policy(interval_ms=2000.0), {}),  # two of them are the four seconds that were recorded
    (Policy(supervision_timeout_s=0.5), {"peripheral_latency": 9}),  # 2 · 10 · 30 ms
])  # fmt: skip
def test_what_no_link_can_have_beside_the_recorded_is_said_and_not_replayed(
    policy: Policy, recorded: dict[str, Any]
) -> None:
    frame = fade().assign(**recorded)
    told = what_if(frame, policy, findings=[finding()], replays=1)
    (drop,) = told.drops.to_dict("records")
    assert not drop["replayed"]
    assert "too short" in fate(drop)
    assert told.avoided == 0.0


@pytest.mark.parametrize("interval_ms", [7.5, 100.0, 1000.0, 2000.0, 4000.0])
def test_every_interval_that_a_link_may_have_is_lived_through(interval_ms: float) -> None:
    """A link is made with usual parameters first, as phones do: with slow ones the first questions would time out."""
    told = outlook(Policy(interval_ms=interval_ms, supervision_timeout_s=32.0), back_s=4.0)
    assert told.drops["replayed"].tolist() == [True]
    assert told.drops["as_proposed"].tolist() == [0.0]


@pytest.mark.parametrize("back_s", [2.0, 9.0, 30.0])
def test_a_longer_time_out_never_brings_more_drops_and_no_sooner_return(back_s: float) -> None:
    """It only tells later of what is gone: the reader is there again when it is there again."""
    timeouts_s = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
    told = [
        outlook(Policy(supervision_timeout_s=timeout_s, auto_reconnect=True), cause, back_s=back_s).drops.iloc[0]
        for cause in (Cause.BODY_OR_INTERFERENCE_FADE, Cause.READER_RESET_OR_POWER_LOSS)
        for timeout_s in timeouts_s
    ]
    for lived in (told[: len(timeouts_s)], told[len(timeouts_s) :]):
        shares = [drop["as_proposed"] for drop in lived]
        assert shares == sorted(shares, reverse=True)
        returns = [drop["gone_proposed_s"] for drop in lived if drop["as_proposed"] == 1.0]
        assert all(after >= back_s - 2.0 for after in returns)
        assert all(later >= sooner - 3.0 for sooner, later in itertools.pairwise(returns))


def test_a_replay_that_comes_to_no_link_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectTimeoutError("no answer")

    monkeypatch.setattr("terminal_kit.scenarios.what_if.live", refuse)
    (drop,) = outlook(Policy(interval_ms=50.0)).drops.to_dict("records")
    assert not drop["replayed"]
    assert "REQUEST_TIMED_OUT" in fate(drop)


def test_columns_that_only_some_frames_have_are_not_asked_for() -> None:
    bare = fade().drop(columns=["extra", "interval_ms", "supervision_timeout_s"])
    assert what_if(bare, Policy(interval_ms=50.0), findings=[finding()], replays=1).drops["replayed"].tolist() == [True]


def test_no_replay_is_no_outlook() -> None:
    with pytest.raises(InvalidParameterError):
        what_if(fade(), Policy(), findings=[], replays=0)
