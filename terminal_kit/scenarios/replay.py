"""One passage, lived through by a real `Terminal` in the simulated air, under one policy and by one draw of chance."""

import asyncio
import math
import random
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

WATCHED_S = 60.0
"""A reader that is back is watched for another minute: whether a link that held so far holds, or it returns."""


class Lived(NamedTuple):
    """What became of a passage; seconds count from the recorded drop, whatever the policy.

    `dropped_s`: when the link ended first (None: it held). `back_s`: when it was there again, 0 where a link that had
    ended before was back at the recorded drop and held (None: it was not).
    """

    dropped_s: float | None
    back_s: float | None


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
    """Lives through a passage once. Takes some milliseconds: the clock jumps.

    Links are made with usual parameters, and have `parameters` once they are set up, as phones do it. Until the first
    end of the link chance depends on the seed alone and not on the supervision timeout: a longer one never brings a
    drop that a shorter one did not. Raises what `Terminal` raises where the first link does not come about.
    """
    return run_virtual(_live(passage, parameters, auto_reconnect=auto_reconnect, seed=seed))


async def _live(passage: Passage, parameters: Parameters, *, auto_reconnect: bool, seed: int) -> Lived:
    rng = random.Random(f"{seed}/{passage.t_us}/{passage.reader}")
    back_s = None if passage.back_s is None else rng.uniform(*passage.back_s)
    loop = asyncio.get_running_loop()
    events: list[tuple[float, str]] = []
    air = Air(seed)
    reader = air.add_reader(SERIAL)
    reader.channel = channel = _ReplayedChannel(passage, back_s, rng, loop.time())

    def note(event: Event) -> None:
        events.append((loop.time(), event.kind))
        if event.kind in (Kind.CONNECT_SUCCEEDED, Kind.RECONNECT_SUCCEEDED):
            reader.ask_for(parameters)

    def happen() -> None:
        if (link := reader.link) is None:
            return
        if passage.manner == "gone":
            link.go_silent()
        elif passage.manner == "faded":
            link.look()  # a calm link looks at the air every two seconds only
        else:
            link.end(passage.hci_code or REMOTE_USER_TERMINATED)

    # The kit would ask a mute reader after 15 s; what ends the link here shall be the supervision timeout.
    limits = Limits(silence_s=max(Limits().silence_s, 2 * parameters.supervision_timeout_s))
    terminal = Terminal(simulated_radio(air), sink=note, limits=limits, seed=seed)
    try:
        await terminal.easy_connect(PLACE, serial=SERIAL, auto_reconnect_on_unexpected_disconnect=auto_reconnect)
        channel.drop_s = drop_s = loop.time() + SETTLED_S + BEFORE_S
        loop.call_at(drop_s + passage.silent_s, happen)
        watched_s = AFTER_S if back_s is None else min(AFTER_S, back_s + WATCHED_S)
        await asyncio.sleep(drop_s + watched_s - loop.time())
        lived = [(at_s - drop_s, kind) for at_s, kind in events]
    finally:
        await terminal.close(force=True)
        air.close()
    return _lived(lived)


def _lived(events: list[tuple[float, str]]) -> Lived:
    ends = [at_s for at_s, kind in events if kind == Kind.LINK_DISCONNECTED]
    if not ends:
        return Lived(None, None)
    returns = [at_s for at_s, kind in events if kind == Kind.LINK_CONNECTED and at_s > ends[0]]
    late = [at_s for at_s in returns if at_s > 0]
    held = bool(returns) and returns[-1] > ends[-1]
    return Lived(ends[0], late[0] if late else 0.0 if held else None)
