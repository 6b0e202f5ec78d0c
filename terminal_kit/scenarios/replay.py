"""One passage, lived through by a real `Terminal` in the simulated air, under one policy and by one draw of chance."""

import asyncio
import math
import random
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from terminal_kit.events import Event, Kind
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.scenarios.passages import AFTER_S, BEFORE_S, USUAL_DBM, Passage
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.clock import run_virtual
from terminal_kit.simulator.figures import REMOTE_USER_TERMINATED
from terminal_kit.simulator.link import Parameters
from terminal_kit.simulator.propagation import Channel, Place
from terminal_kit.terminal import Limits, Terminal

SERIAL = "STRM20000000001"
PLACE = "tml_front_desk"

ABSENT_DBM = -200.0
"""No packet arrives."""

SETTLED_S = 10.0
"""The link is made on a good channel, before the passage begins."""

NEAR_S = 15.0
"""A level that was heard so long ago, or so soon after, still tells of this moment."""


class Lived(NamedTuple):
    """What became of a passage: when the link ended (None: it held), and when it was there again.

    Both count from the recorded drop, so that a policy which notices it later is not taken for one that mends it
    sooner.
    """

    dropped_s: float | None
    returned_s: float | None


class _ReplayedChannel(Channel):
    """The air between reader and host as it was recorded; only the fast fading is drawn.

    `drop_s` is when, on the loop's clock, the recorded drop comes; until that is set, the level is a usual one.
    """

    def __init__(self, passage: Passage, back_s: float | None, rng: random.Random, now_s: float) -> None:
        super().__init__(Place(), rng, now_s)
        self.drop_s = math.inf
        self._passage = passage
        self._back_s = back_s
        self._at_s = np.asarray(passage.signal_s, np.float64)
        self._dbm = np.asarray(passage.signal_dbm, np.float64)

    def mean_dbm(self, now_s: float) -> float:
        """The recorded level; nothing while the reader was silent."""
        at_s = now_s - self.drop_s
        if at_s < -BEFORE_S:
            return USUAL_DBM
        if at_s >= self._passage.silent_s and (self._back_s is None or at_s < self._back_s):
            return ABSENT_DBM
        if not len(self._at_s) or np.min(np.abs(self._at_s - at_s)) > NEAR_S:
            return USUAL_DBM
        return float(np.interp(at_s, self._at_s, self._dbm))


def live(passage: Passage, parameters: Parameters, *, auto_reconnect: bool, seed: int) -> Lived:
    """Lives through a passage once. Takes some milliseconds: the clock jumps."""
    return run_virtual(_live(passage, parameters, auto_reconnect=auto_reconnect, seed=seed))


async def _live(passage: Passage, parameters: Parameters, *, auto_reconnect: bool, seed: int) -> Lived:
    rng = random.Random(f"{seed}/{passage.t_us}/{passage.reader}")
    back_s = None if passage.back_s is None else rng.uniform(*passage.back_s)
    loop = asyncio.get_running_loop()
    events: list[tuple[float, Event]] = []
    air = Air(seed)
    reader = air.add_reader(SERIAL)
    reader.channel = channel = _ReplayedChannel(passage, back_s, rng, loop.time())
    # The kit would ask a mute reader after 15 s; what ends the link here shall be the supervision timeout.
    limits = Limits(silence_s=max(Limits().silence_s, 2 * parameters.supervision_timeout_s))
    terminal = Terminal(
        simulated_radio(air), sink=lambda event: events.append((loop.time(), event)), limits=limits, seed=seed
    )
    try:
        await terminal.easy_connect(PLACE, serial=SERIAL, auto_reconnect_on_unexpected_disconnect=auto_reconnect)
        # As phones do: the link is made with usual parameters, and others are asked for.
        reader.ask_for(parameters)
        channel.drop_s = drop_s = loop.time() + SETTLED_S + BEFORE_S
        if (link := reader.link) is not None:
            if passage.manner == "gone":
                loop.call_at(drop_s + passage.silent_s, link.go_silent)
            elif passage.manner != "faded":
                loop.call_at(drop_s, link.end, passage.hci_code or REMOTE_USER_TERMINATED)
        horizon_s = drop_s + min(AFTER_S, (back_s or AFTER_S) + 60.0)
        await asyncio.sleep(horizon_s - loop.time())
    finally:
        await terminal.close(force=True)
        air.close()
    begins_s = drop_s + passage.silent_s - 1.0
    ends = [at_s for at_s, event in events if event.kind == Kind.LINK_DISCONNECTED and begins_s <= at_s < horizon_s]
    if not ends:
        return Lived(None, None)
    returns = [at_s for at_s, event in events if event.kind == Kind.RECONNECT_SUCCEEDED and at_s > ends[0]]
    return Lived(ends[0] - drop_s, max(0.0, returns[0] - drop_s) if returns else None)


def recorded_parameters(passage: Passage) -> Parameters:
    """The link's parameters as they were recorded, and usual ones for what is not known."""
    usual = Parameters()
    return replace(
        usual,
        interval_ms=passage.interval_ms or usual.interval_ms,
        peripheral_latency=passage.peripheral_latency or usual.peripheral_latency,
        supervision_timeout_s=passage.supervision_timeout_s or usual.supervision_timeout_s,
    )
