"""One link between a reader and a host: connection events, retransmission, and the supervision timeout.

No timer for each connection event: loss is drawn a coherence block at a time, and from it follow how long a packet
takes and when the silence has lasted too long. (Core Vol 6 Part B, 4.5: connection events, supervision timeout.)
"""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from terminal_kit.simulator.propagation import BLOCK_S, Channel

CONNECTION_TIMEOUT, LOCAL_HOST, FAILED_TO_ESTABLISH = 0x08, 0x16, 0x3E
"""Link-layer codes (Core Vol 1 Part F, 2)."""

ESTABLISHING_EVENTS = 6
"""A new link without one good packet in six intervals failed to be established (Vol 6 Part B, 4.5.2)."""

CALM_BLOCKS = 8
"""While every packet of a block was good, the next look may be two seconds later."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A link's parameters. Defaults as phones choose them for a peripheral that is used now."""

    interval_ms: float = 30.0
    peripheral_latency: int = 0
    supervision_timeout_s: float = 4.0
    mtu_bytes: int = 247


class Link:
    """An established link. `on_end(hci_code)` is called once."""

    def __init__(
        self, channel: Channel, rng: random.Random, parameters: Parameters, on_end: Callable[[int], None]
    ) -> None:
        self.parameters = parameters
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._channel = channel
        self._rng = rng
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._success = 1.0
        self._silent_since_s: float | None = None
        self._peer_is_gone = False
        self._timer = self._loop.call_soon(self._block)

    def end(self, hci_code: int) -> None:
        """Ends it, for this reason. Safe to repeat."""
        if not self.ended.done():
            self._timer.cancel()
            self.ended.set_result(hci_code)
            self._on_end(hci_code)

    def look(self) -> None:
        """Draws the next block now: something in the air has changed."""
        if not self.ended.done() and not self._peer_is_gone:
            self._timer.cancel()
            self._block()

    def go_silent(self) -> None:
        """The reader's radio is gone without a word: only the supervision timeout can end the link."""
        if self._peer_is_gone:
            return
        self._success, self._peer_is_gone = 0.0, True
        self._timer.cancel()
        self._timer = self._loop.call_later(self.parameters.supervision_timeout_s, self.end, CONNECTION_TIMEOUT)

    async def exchange(self, packets: int = 1) -> None:
        """Waits until `packets` requests and their answers have crossed; for ever if none does."""
        for _ in range(2 * packets):
            tries = 1
            while self._rng.random() > self._success:
                tries += 1
                if tries % 8 == 0:  # the block may be over by now
                    await asyncio.sleep(8 * self.parameters.interval_ms / 1000)
            await asyncio.sleep((tries % 8) * self.parameters.interval_ms / 1000 * self._rng.uniform(0.5, 1.0))

    def _block(self) -> None:
        now_s = self._loop.time()
        self._success = self._channel.success(now_s)
        events = max(1, int(BLOCK_S / (self.parameters.interval_ms / 1000)))
        # Both directions must succeed for the host to hear an answer in a connection event.
        heard = self._success * self._success
        silent_block = heard < 1.0 and self._rng.random() < (1 - heard) ** events
        if not silent_block:
            self._silent_since_s = None
        elif self._silent_since_s is None:
            self._silent_since_s = now_s
        elif now_s + BLOCK_S - self._silent_since_s >= self.parameters.supervision_timeout_s:
            left_s = self._silent_since_s + self.parameters.supervision_timeout_s - now_s
            self._timer = self._loop.call_later(max(0.0, left_s), self.end, CONNECTION_TIMEOUT)
            return
        calm = math.isclose(heard, 1.0, abs_tol=1e-3)
        self._timer = self._loop.call_later(BLOCK_S * (CALM_BLOCKS if calm else 1), self._block)
