"""Drops lived through again: a longer time-out outlasts a fade, and nothing keeps a reader that is gone."""

import json

import pytest
from scenarios.recordings import fade, finding

from terminal_kit.errors import InvalidParameterError
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


@pytest.mark.parametrize("policy", [{"supervision_timeout_s": 40.0}, {"interval_ms": 1.0}])
def test_a_policy_that_no_link_can_have_is_refused(policy: dict[str, float]) -> None:
    with pytest.raises(InvalidParameterError):
        Policy(**policy)


def test_no_replay_is_no_outlook() -> None:
    with pytest.raises(InvalidParameterError):
        what_if(fade(), Policy(), findings=[], replays=0)
