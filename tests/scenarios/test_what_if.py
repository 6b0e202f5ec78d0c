"""Drops lived through again: a longer time-out outlasts a fade, and nothing keeps a reader that is gone."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scenarios.recordings import at, fade, finding
from stage import DESK, M2

from terminal_kit.cli.recorded import recorded
from terminal_kit.errors import ConnectTimeoutError, InvalidParameterError
from terminal_kit.events import Cause, Event, Kind
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.scenarios.policy import Policy
from terminal_kit.scenarios.replay import Lived, live
from terminal_kit.scenarios.what_if import Outlook, fate, what_if
from terminal_kit.simulator import run_virtual
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.capture import CaptureTap
from terminal_kit.simulator.link import Parameters
from terminal_kit.terminal import Terminal


def outlook(policy: Policy, cause: Cause = Cause.BODY_OR_INTERFERENCE_FADE, **recorded: Any) -> Outlook:
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
    assert 8.0 < short.drops["gone_proposed_s"].iloc[0] < 11.0
    assert 16.0 < long.drops["gone_proposed_s"].iloc[0] < 20.0


def test_automatic_reconnection_brings_it_back_sooner_than_by_hand() -> None:
    there = outlook(Policy(auto_reconnect=True), back_s=4.0)
    (drop,) = there.drops.to_dict("records")
    assert drop["gone_s"] == 34.0
    assert 3.0 < drop["gone_proposed_s"] < 8.0
    assert "34.0 s after the recorded drop; it would be 3." in " ".join(there.sentences())


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


def test_by_hand_nobody_connects_a_link_that_has_not_ended() -> None:
    """Recorded: back by hand 30 s after the reader was heard. With a timeout of 32 s the app learns of it later."""
    short = outlook(Policy(supervision_timeout_s=2.0), Cause.READER_RESET_OR_POWER_LOSS, back_s=-10.0, scanning=False)
    long = outlook(Policy(supervision_timeout_s=32.0), Cause.READER_RESET_OR_POWER_LOSS, back_s=-10.0, scanning=False)
    assert short.drops["gone_proposed_s"].tolist() == [20.0]
    assert long.drops["gone_proposed_s"].tolist() == [28.0]


def test_without_reconnection_nobody_knows_when_it_is_connected_by_hand() -> None:
    (drop,) = outlook(Policy(auto_reconnect=False), automatic=True).drops.to_dict("records")
    assert pd.isna(drop["gone_proposed_s"])
    assert "not back by itself within 3 minutes" in fate(drop)


@pytest.mark.parametrize("policy", [Policy(interval_ms=500.0), Policy(supervision_timeout_s=1.0)])
def test_what_no_link_can_have_together_with_the_recorded_one_is_not_replayed(policy: Policy) -> None:
    """A latency of 30 needs more than 5 s at the recorded 90 ms, and more than 31 s at 500 ms."""
    told = outlook(policy, interval_ms=90.0, latency=30, timeout_s=6.0)
    (drop,) = told.drops.to_dict("records")
    assert not drop["replayed"]
    assert "too short for an interval of" in drop["why_not"]
    assert "a peripheral latency of 30: it must exceed" in drop["why_not"]
    assert fate(drop) == drop["why_not"]
    assert told.reproduced is None
    assert told.as_json()["drops"][0]["as_proposed"] is None
    assert told.sentences() == ["1 drop, of which none was replayed."]


@pytest.mark.parametrize("interval_ms", [7.5, 100.0, 1000.0, 2000.0, 4000.0])
def test_every_interval_that_a_link_may_have_is_lived_through(interval_ms: float) -> None:
    """A link is made with usual parameters first, as phones do: with slow ones the first questions would time out."""
    told = outlook(Policy(interval_ms=interval_ms, supervision_timeout_s=32.0), back_s=4.0)
    assert told.drops["replayed"].tolist() == [True]
    assert told.drops["as_proposed"].tolist() == [0.0]


async def lived(fade_s: float, timeout_s: float) -> tuple[bool, bytes]:
    """A reader behind a wall for so long: whether its link timed out, and what a phone would have captured of it."""
    air = Air(3, start=datetime(2026, 6, 1, 12, tzinfo=UTC))
    air.parameters = Parameters(supervision_timeout_s=timeout_s)
    tap = CaptureTap(air)
    reader = air.add_reader(M2, distance_m=2.0)
    drops: list[Event] = []

    def note(event: Event) -> None:
        if event.kind == Kind.LINK_DISCONNECTED:
            drops.append(event)

    terminal = Terminal(simulated_radio(air), sink=note, seed=3)
    await terminal.easy_connect(DESK, serial=M2, auto_reconnect_on_unexpected_disconnect=True)
    await asyncio.sleep(60)
    reader.move(body_loss_db=80.0)
    await asyncio.sleep(fade_s)
    reader.move(body_loss_db=0.0)
    await asyncio.sleep(200)
    happened, capture = bool(drops), tap.to_bytes()
    await terminal.close(force=True)
    air.close()
    return happened, capture


@pytest.mark.parametrize("fade_s", [6.0, 14.0, 40.0])
def test_what_it_says_is_what_another_timeout_does(fade_s: float, tmp_path: Path) -> None:
    """The same wall in the air under both policies, and a capture of the one alone."""
    happened, capture = run_virtual(lived(fade_s, 4.0))
    assert happened
    (tmp_path / "phone.btsnoop").write_bytes(capture)
    with recorded([str(tmp_path / "phone.btsnoop")]) as log:
        captured = log.frame()
    for timeout_s in (2.0, 9.0, 20.0, 32.0):
        outcome = what_if(captured, Policy(supervision_timeout_s=timeout_s), replays=3)
        assert outcome.reproduced == 1.0
        happened, _ = run_virtual(lived(fade_s, timeout_s))
        assert outcome.drops["as_proposed"].tolist() == [1.0 if happened else 0.0]


def test_what_was_recorded_is_a_fact_whatever_the_standard_says() -> None:
    assert outlook(Policy(auto_reconnect=True), interval_ms=90.0, latency=30, timeout_s=4.0).reproduced == 1.0


def test_an_assumed_timeout_that_does_not_fit_says_so() -> None:
    told = outlook(Policy(interval_ms=3000.0), Cause.SECURITY_REBOOT, timeout_s=None)
    assert told.drops["why_not"].str.endswith("it must exceed 6 s").tolist() == [True]
    recorded = fade(timeout_s=None).drop(columns="extra")
    told = what_if(recorded, Policy(interval_ms=3000.0), findings=[finding()])
    assert told.drops["why_not"].str.endswith("none was recorded").tolist() == [True]


def test_lines_that_tell_no_time_are_not_replayed() -> None:
    """They are a millisecond apart in the log: how long anything took is not known."""
    untimed = fade().assign(t_us=lambda rows: range(len(rows)))
    drop = finding()
    drop.t_us = 116
    told = what_if(untimed, Policy(supervision_timeout_s=12.0), findings=[drop])
    assert fate(told.drops.iloc[0].to_dict()) == "not replayed, since its file tells no times"
    (row,) = told.as_json()["drops"]
    assert (row["t_us"], row["gone_s"]) == (None, None)


def test_a_replay_that_fails_is_in_its_drops_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other drop is replayed all the same."""

    def fails_once(passage: Any, *given: Any, **chosen: Any) -> Lived:
        if passage.t_us == at(120):
            raise ConnectTimeoutError("no answer within 10 s", reader="STRM20000000001", timeout_s=10.0)
        return live(passage, *given, **chosen)

    monkeypatch.setattr("terminal_kit.scenarios.what_if.live", fails_once)
    other = finding()
    other.t_us = at(60)
    told = what_if(fade(), Policy(supervision_timeout_s=12.0), findings=[finding(), other], replays=2)
    assert told.drops["replayed"].tolist() == [False, True]
    assert "REQUEST_TIMED_OUT: no answer within 10 s" in told.drops["why_not"].iloc[0]
    assert pd.isna(told.drops["why_not"].iloc[1])
    assert told.sentences()[0] == "2 drops, of which 1 was replayed."
    assert json.loads(json.dumps(told.as_json())) == told.as_json()


def test_a_replay_that_does_not_bring_the_recorded_drop_says_nothing() -> None:
    """A link that timed out after 4 s, whose reader was back at once, and heard well all the time."""
    drop = {"replayed": True, "as_recorded": 0.0, "as_proposed": 0.0}
    assert "nothing can be said" in fate(drop)
    assert fate(drop | {"as_recorded": 0.5}) == "would not have happened; as recorded it happens in 50%"


def test_drops_are_counted_in_plain_words() -> None:
    assert outlook(Policy(supervision_timeout_s=12.0)).sentences() == [
        "1 drop, of which 1 was replayed.",
        "The recorded policy brings a replayed drop at its time in 100% of the replays.",
        "Under the proposed one none would have happened.",
    ]
    assert "none would have been spared" in " ".join(outlook(Policy(auto_reconnect=True)).sentences())
    later = finding()
    later.t_us = at(60)
    two = what_if(fade(), Policy(supervision_timeout_s=12.0), findings=[finding(), later], replays=1)
    gone = dataclasses.replace(two, drops=two.drops.assign(as_proposed=[0.0, 1.0]))
    assert gone.sentences()[0] == "2 drops, of which 2 were replayed."
    assert gone.sentences()[2] == "Under the proposed one about 1 of 2 drops would not have happened."
    assert what_if(pd.DataFrame(), Policy()).sentences() == ["There are no drops to replay."]


def test_who_does_not_come_back_is_counted() -> None:
    """Four drops: back by hand after 30 s and 300 s, or not at all; under the policy one is back, and one is spared."""
    one = outlook(Policy(auto_reconnect=True))
    drops = pd.concat([one.drops] * 4, ignore_index=True).assign(
        as_proposed=[1.0, 0.4, 1.0, 0.0],
        gone_s=pd.array([30.0, 300.0, None, 20.0], "Float64"),
        gone_proposed_s=pd.array([5.0, None, None, None], "Float64"),
    )
    of_three, of_one = (dataclasses.replace(one, drops=rows).sentences()[3:] for rows in (drops, drops[2:3]))
    back = "Where the link would have ended, the reader was back"
    many = "where the link would have ended, so many are without a known return within 3 minutes"
    assert of_three == [
        f"{back} 30.0 s after the recorded drop (median of 1 of 3 drops); it would be 5.0 s.",
        f"Of 3 drops {many}: 2 as recorded, 2 as proposed.",
    ]
    assert of_one == [f"Of 1 drop {many}: 1 as recorded, 1 as proposed."]


def test_a_reader_that_nobody_heard_again_is_not_back() -> None:
    recorded = fade()
    told = what_if(recorded[recorded["t_us"] <= at(120)], Policy(auto_reconnect=True), findings=[finding()], replays=2)
    assert told.sentences()[-1].endswith("within 3 minutes: 1 as recorded, 1 as proposed.")


@pytest.mark.parametrize("wrong", [{"replays": 0}, {"replays": 2.5}, {"replays": True}, {"seed": "a"}, {"seed": None}])
def test_what_cannot_be_counted_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        what_if(fade(), Policy(), findings=[], **wrong)


def test_optional_columns_may_be_missing() -> None:
    recorded = fade().drop(columns="extra")
    assert what_if(recorded, Policy(supervision_timeout_s=12.0), findings=[finding()], replays=2).avoided == 1.0
    assert what_if(recorded[["t_us", "reader", "kind"]], Policy(interval_ms=30.0), replays=1).drops.shape[0] == 1


def test_rows_without_what_every_row_has_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="the frame has no column reader"):
        what_if(fade().drop(columns="reader"), Policy())
