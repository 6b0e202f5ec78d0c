"""When silence has lasted too long: chances as often as connection events, and no more."""

import asyncio
import random

import pytest

from terminal_kit.simulator.clock import run_virtual
from terminal_kit.simulator.link import CONNECTION_TIMEOUT, Link, Parameters
from terminal_kit.simulator.propagation import Channel, Place


class Heard(Channel):
    """Packets arrive until `until_s` and from `from_s` on; `looked_s` are the times at which it was asked."""

    def __init__(self, until_s: float, from_s: float = float("inf")) -> None:
        super().__init__(Place(), random.Random(0), 0.0)
        self.span_s = (until_s, from_s)
        self.looked_s: list[float] = []

    def success(self, now_s: float) -> float:
        self.looked_s.append(now_s)
        return 0.0 if self.span_s[0] <= now_s < self.span_s[1] else 0.99


def ended_s(channel: Channel, parameters: Parameters, *, within_s: float = 60.0) -> float | None:
    """When a link on this channel times out, or None where it holds."""

    async def live() -> float | None:
        loop, ends = asyncio.get_running_loop(), list[float]()
        link = Link(channel, random.Random(0), parameters, lambda _code: ends.append(loop.time()))
        await asyncio.sleep(within_s)
        link.end(CONNECTION_TIMEOUT)
        return ends[0] if ends[0] < within_s else None

    return run_virtual(live())


@pytest.mark.parametrize("interval_ms", [30.0, 250.0, 1000.0, 4000.0])
def test_a_silence_has_one_chance_an_event(interval_ms: float) -> None:
    """A silence of 25 s, looked at every 250 ms at the least, which is a block of the channel."""
    channel = Heard(10.0, 35.0)
    assert ended_s(channel, Parameters(interval_ms=interval_ms, supervision_timeout_s=32.0)) is None
    looked = [at_s for at_s in channel.looked_s if 10.0 <= at_s < 35.0]
    assert len(looked) == pytest.approx(25.0 / max(0.25, interval_ms / 1000), abs=1)


@pytest.mark.parametrize(("interval_ms", "timeout_s"), [(30.0, 4.0), (30.0, 0.1), (1000.0, 2.5), (4000.0, 8.5)])
def test_the_timeout_counts_from_the_last_packet(interval_ms: float, timeout_s: float) -> None:
    at_s = ended_s(Heard(10.1), Parameters(interval_ms=interval_ms, supervision_timeout_s=timeout_s))
    assert at_s is not None
    assert 10.1 + timeout_s - interval_ms / 1000 <= at_s <= 10.1 + timeout_s + 0.25


def test_two_lost_events_do_not_end_a_link_that_may_lose_two() -> None:
    """Events at 12 and 16 s are lost, the one at 20 s arrives within 12.5 s of the last."""
    slow = Parameters(interval_ms=4000.0, supervision_timeout_s=12.5)
    assert ended_s(Heard(9.0, 19.0), slow) is None
    assert ended_s(Heard(9.0, 23.0), slow) == pytest.approx(8.0 + 12.5)
