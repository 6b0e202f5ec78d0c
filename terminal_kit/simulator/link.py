"""One link between a reader and a host: connection events, retransmission, and the supervision timeout.

No timer for each connection event: loss is drawn a coherence block at a time, and from it follow how long a packet
takes and when the silence has lasted too long. (Core Vol 6 Part B, 4.5: connection events, supervision timeout.)
"""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from terminal_kit.simulator.propagation import BLOCK_S, Channel

CONNECTION_TIMEOUT, LOCAL_HOST, LINK_LAYER_RESPONSE_TIMEOUT, FAILED_TO_ESTABLISH = 0x08, 0x16, 0x22, 0x3E
"""Link-layer codes (Core Vol 1 Part F, 2)."""

ESTABLISHING_EVENTS = 6
"""A new link without one good packet in six intervals failed to be established (Vol 6 Part B, 4.5.2)."""

PROCEDURE_TIMEOUT_S = 40.0
"""A link-layer procedure without an answer for so long ends the link (Vol 6 Part B, 5.2)."""

CALM_BLOCKS = 8
"""While every packet of a block was good, the next look may be two seconds later."""


PACKET_S = 0.0025
"""One full packet on the 1M PHY and its answer: 265 bytes encrypted, 150 µs, 10 bytes, 150 µs (Vol 6 Part B, 2.1)."""

PACKET_BYTES = 251
"""What a packet carries with the data length extension (Vol 6 Part B, 2.4), the L2CAP header's four included."""

HOST_QUEUE = 16
"""Packets that wait in the host's controller before a write without response has to wait: a usual number of buffers."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A link's parameters. Defaults as phones choose them for a peripheral that is used now."""

    interval_ms: float = 30.0
    peripheral_latency: int = 0
    supervision_timeout_s: float = 4.0
    mtu_bytes: int = 247

    @property
    def least_timeout_s(self) -> float:
        """What the supervision timeout must exceed: two events that the reader need not sleep through.

        (Core Vol 6 Part B, 4.5.2; in HCI: Vol 4 Part E, 7.8.12.)
        """
        return 2 * (1 + self.peripheral_latency) * self.interval_ms / 1000


class Lane:
    """One direction of a link's data: packets in order, as many in a connection event as fit, lost ones again.

    An event stays open while there is more to send; a lost packet closes it (Vol 6 Part B, 4.5.6). Packets of the other
    direction travel in the pauses between ours and take no time of their own.
    """

    def __init__(self, parameters: Parameters, success: Callable[[], float], rng: random.Random) -> None:
        self._success = success
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self.retune(parameters)
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None
        self._moved = asyncio.Event()

    def retune(self, parameters: Parameters) -> None:
        """From now on the link's events come at this interval."""
        self._interval_s = parameters.interval_ms / 1000
        self._slots = max(1, int(self._interval_s / PACKET_S + 1e-9))
        self._begun_s = self._loop.time()

    def put(self, size_bytes: int, deliver: Callable[[], None], *, joins: "Lane | None" = None) -> None:
        """Queues an attribute packet; `deliver()` is called when it has arrived.

        An event that `joins` keeps open carries it too; else it waits for the next one.
        """
        packets = -(-(size_bytes + 4) // PACKET_BYTES)
        self._waiting.extend((left, deliver) for left in range(packets - 1, -1, -1))
        if self._timer is None:
            slot = joins._slot if joins is not None and joins._timer is not None else self._slots  # noqa: SLF001
            self._next(slot)

    async def room(self) -> None:
        """Waits until the host's controller takes one more."""
        await self._until(HOST_QUEUE)

    async def drained(self) -> None:
        """Waits until everything has arrived."""
        await self._until(1)

    def close(self) -> None:
        """Drops what waits, for ever."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._moved.set()

    async def _until(self, fewer: int) -> None:
        while len(self._waiting) >= fewer:
            self._moved.clear()
            await self._moved.wait()

    def _next(self, slot: int) -> None:
        """Sends in this slot of the present event, or in the first one of the next."""
        now_s = self._loop.time()
        if slot < self._slots:
            self._slot = slot
            self._timer = self._loop.call_at(now_s + PACKET_S, self._sent)
            return
        events = math.ceil((now_s - self._begun_s) / self._interval_s - 1e-9)
        self._slot = 0
        self._timer = self._loop.call_at(self._begun_s + events * self._interval_s + PACKET_S, self._sent)

    def _sent(self) -> None:
        self._timer = None
        if self._rng.random() > self._success():
            self._next(self._slots)
            return
        left, deliver = self._waiting.popleft()
        if self._waiting:
            self._next(self._slot + 1)
        self._moved.set()
        if left == 0:
            deliver()


class Link:
    """An established link. `on_end(hci_code)` is called once.

    `up` carries what the host writes without response, `down` what the reader notifies.
    """

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
        data = random.Random(rng.random())  # a stream of its own: how much is sent changes no other chance
        self.up = Lane(parameters, lambda: self._success, data)
        self.down = Lane(parameters, lambda: self._success, data)
        self._timer = self._loop.call_soon(self._block)

    def end(self, hci_code: int) -> None:
        """Ends it, for this reason. Safe to repeat."""
        if not self.ended.done():
            self._timer.cancel()
            self.up.close()
            self.down.close()
            self.ended.set_result(hci_code)
            self._on_end(hci_code)

    @property
    def is_silent(self) -> bool:
        """Whether the host hears nothing of the reader now."""
        return self._peer_is_gone or self._silent_since_s is not None

    @property
    def is_alone(self) -> bool:
        """Whether only the host still believes in it: the reader's power was cut."""
        return self._peer_is_gone

    def retune(self, parameters: Parameters) -> None:
        """Other parameters are in force."""
        self.parameters = parameters
        self.up.retune(parameters)
        self.down.retune(parameters)

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
        interval_s = self.parameters.interval_ms / 1000
        span_s = max(BLOCK_S, interval_s)  # where events are rarer than blocks, there is one draw for each event
        events = max(1, int(BLOCK_S / interval_s))
        # Both directions must succeed for the host to hear an answer in a connection event.
        heard = self._success * self._success
        silent_block = heard < 1.0 and self._rng.random() < (1 - heard) ** events
        if not silent_block:
            self._silent_since_s = None
        elif self._silent_since_s is None:
            self._silent_since_s = now_s
        elif now_s + span_s - self._silent_since_s >= self.parameters.supervision_timeout_s:
            left_s = self._silent_since_s + self.parameters.supervision_timeout_s - now_s
            self._timer = self._loop.call_later(max(0.0, left_s), self.end, CONNECTION_TIMEOUT)
            return
        calm = math.isclose(heard, 1.0, abs_tol=1e-3)
        self._timer = self._loop.call_later(max(BLOCK_S * CALM_BLOCKS, span_s) if calm else span_s, self._block)
