"""The air: readers, other devices and the host, on the running loop's clock.

Lazy: advertisements are drawn only while somebody scans, readers sleep until their own next deadline.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.errors import InvalidParameterError
from terminal_kit.profile import COMPANY_ID, AdvertisedState, StateFlag
from terminal_kit.radio import Undo
from terminal_kit.simulator.clock import SimulatorLoop
from terminal_kit.simulator.faults import Faults
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import Advertisement, Leave, Notify, Peripheral
from terminal_kit.simulator.host import Host
from terminal_kit.simulator.link import (
    ESTABLISHING_EVENTS,
    LINK_LAYER_RESPONSE_TIMEOUT,
    LOCAL_HOST,
    PROCEDURE_TIMEOUT_S,
    Link,
    Parameters,
)
from terminal_kit.simulator.propagation import Channel, Place, stream
from terminal_kit.simulator.tap import Tap

ADVERTISING_INTERVAL_S = 0.2
"""Between two advertisements, plus the standard's 0–10 ms of jitter (Core Vol 6 Part B, 4.4.2.2)."""

TICK_S = 0.05
"""Advertisements are delivered in batches: twenty a second is finer than anybody looks."""

WALK_STEP_S = 0.25
"""A walking reader is moved four times a second: at walking pace a third of a metre a step."""

HOST_ADDRESS = "02:00:00:00:00:01"


@dataclass(frozen=True, slots=True)
class Truth:
    """What a simulation did to whom and when. Kept apart from events, or diagnosis would read the answer."""

    t_us: int
    reader: str
    what: str
    facts: dict[str, Any]


P_co = TypeVar("P_co", bound=Peripheral, covariant=True)


class SimulatedReader(Generic[P_co]):
    """A reader in the air: its model, its place, and the link that it has, if any."""

    def __init__(self, air: "Air", model: P_co, address: str, place: Place) -> None:
        self.model = model
        self.address = address
        self.place = place
        self.link: Link | None = None
        self.on_notify: Callable[[str, bytes], None] | None = None
        self.air = air
        self.rng = stream(air.seed, address, "link")
        self.jitter = stream(air.seed, address, "advertising").random
        self._fresh: Advertisement | None = None
        self._is_fresh = False
        self._loop = asyncio.get_running_loop()
        self._synced_s = self._loop.time()
        self.channel = Channel(place, stream(air.seed, address, "channel"), self._synced_s)
        self._timer: asyncio.TimerHandle | None = None
        self._walking: asyncio.TimerHandle | None = None
        self.taken_by: str | None = None
        self.settle()

    def settle(self) -> None:
        """Brings the model up to now, carries out what it did, and waits for its next deadline."""
        now_s = self._loop.time()
        self.model.advance(now_s - self._synced_s)
        self._synced_s = now_s
        self._is_fresh = False
        for output in self.model.take_outputs():
            match output:
                case Notify(uuid=uuid, value=value):
                    if self.on_notify is not None:
                        self.on_notify(uuid, value)
                case Leave(hci_code=code):
                    if self.link is not None:
                        self.link.end(code)
                case _:
                    if self.link is not None:
                        self.link.go_silent()
        if self._timer is not None:
            self._timer.cancel()
        wait_s = self.model.next_deadline_s()
        self._timer = self._loop.call_later(wait_s, self._due) if wait_s < float("inf") else None

    @contextmanager
    def handled(self) -> Generator[P_co]:
        """The model at its present time, for doing something to it; what follows from it is carried out after."""
        self.settle()
        try:
            yield self.model
        finally:
            self.settle()

    def advertisement(self) -> Advertisement | None:
        """What it broadcasts now."""
        if not self._is_fresh:
            self._fresh = self.model.advertisement()
            self._is_fresh = True
        if self.link is not None and not self.link.is_alone:
            return None  # one that has restarted advertises, though its host waits for the old link to time out
        return _taken(self._fresh) if self.taken_by and self._fresh else self._fresh

    def now_s(self) -> float:
        """The loop's time, which the channel runs on."""
        return self._loop.time()

    def open_link(self, parameters: Parameters) -> Link:
        """A host connects."""
        link = Link(self.channel, self.rng, parameters, self._ended)
        self.link = link
        for tap in self.air.taps:
            tap.connected(self, link)
        self.settle()
        self.model.host_rssi_dbm = round(self.channel.mean_dbm(self._loop.time()))  # not what an earlier link had
        self.model.link_opened(HOST_ADDRESS)
        self.settle()
        return link

    def ask_for(self, parameters: Parameters) -> None:
        """The host asks for other link parameters; a reader whose firmware hangs lets the procedure time out."""
        link = self.link
        if link is None:
            return
        for tap in self.air.taps:
            tap.updating(self, parameters)
        answers = self.model.response_delay_s < PROCEDURE_TIMEOUT_S
        wait_s = ESTABLISHING_EVENTS * link.parameters.interval_ms / 1000 if answers else PROCEDURE_TIMEOUT_S

        def due() -> None:
            if self.link is not link:
                return
            if not answers:
                link.end(LINK_LAYER_RESPONSE_TIMEOUT)
                return
            link.retune(parameters)
            for tap in self.air.taps:
                tap.updated(self, parameters)

        self._loop.call_later(wait_s, due)

    def move(self, **place: float) -> None:
        """Changes its place: `distance_m`, `body_loss_db`, `interference`, `unserved`."""
        for name, value in place.items():
            setattr(self.place, name, value)
        self.channel.moved()
        if self.link is not None:
            self.link.look()

    def walk(self, to_m: float, speed_m_s: float) -> None:
        """Moves it bit by bit to a distance; a walk that is under way changes its goal."""
        if self._walking is not None:
            self._walking.cancel()
            self._walking = None
        stride_m = speed_m_s * WALK_STEP_S
        left_m = to_m - self.place.distance_m
        if abs(left_m) <= stride_m:
            self.move(distance_m=to_m)
            return
        self.move(distance_m=self.place.distance_m + math.copysign(stride_m, left_m))
        self._walking = self._loop.call_later(WALK_STEP_S, self.walk, to_m, speed_m_s)

    def close(self) -> None:
        """Takes it out of the air."""
        for timer in (self._timer, self._walking):
            if timer is not None:
                timer.cancel()
        if self.link is not None:
            self.link.end(LOCAL_HOST)

    def _due(self) -> None:
        if self.link is not None:
            self.model.host_rssi_dbm = round(self.channel.mean_dbm(self._loop.time()))
        self.settle()

    def _ended(self, hci_code: int) -> None:
        link, self.link, self.on_notify = self.link, None, None
        for tap in self.air.taps:
            if link is not None:
                tap.ended(self, link, hci_code)
        self.model.link_closed(hci_code)
        self._loop.call_soon(self.settle)


def _taken(advertisement: Advertisement) -> Advertisement:
    """What a reader of ours goes on to say while another host has it: that it is taken. Nobody can connect then."""
    state = AdvertisedState.decode(advertisement.manufacturer_data.get(COMPANY_ID, b""))
    data = {} if state is None else {COMPANY_ID: replace(state, flags=state.flags | StateFlag.TAKEN).encode()}
    return replace(advertisement, connectable=False, manufacturer_data={**advertisement.manufacturer_data, **data})


Hearing = Callable[[SimulatedReader[Peripheral], Advertisement, int], None]


class Air:
    """Everything in range of one host. Make it on the loop that it shall run on.

    `seed` repeats a run. `start` is the UTC time at which it begins (aware); now by default. `readers` are by serial,
    `taps` whoever listens at the host's controller.
    """

    def __init__(self, seed: int = 0, *, start: datetime | None = None) -> None:
        self.seed = seed
        self.readers: dict[str, SimulatedReader[Any]] = {}
        self.host = Host(self)
        self.parameters = Parameters()
        self.advertising_interval_s = ADVERTISING_INTERVAL_S
        self.faults = Faults(self)
        self._loop = asyncio.get_running_loop()
        self._begun_s = self._loop.time()
        start = start or datetime.now(UTC)
        if start.tzinfo is None:
            raise InvalidParameterError("start needs a time zone", parameter="start", value=start)
        self._start_us = int(start.timestamp() * 1_000_000)
        self.taps: list[Tap] = []
        self._hearing: list[Hearing] = []
        self._queue: list[tuple[float, int, SimulatedReader[Any]]] = []
        self._order = itertools.count()
        self._tick: asyncio.TimerHandle | None = None
        self._on_truth: list[Callable[[Truth], None]] = []
        self._on_jump: list[Callable[[float], None]] = []

    def utc_us(self) -> int:
        """The air's time for records: UTC, microseconds."""
        return self._start_us + round(self.monotonic_s() * 1e6)

    def monotonic_s(self) -> float:
        """Seconds since the air began."""
        return self._loop.time() - self._begun_s

    def add_reader(
        self, serial: str, *, distance_m: float = 2.0, address: str | None = None, **model: Any
    ) -> SimulatedReader[ReaderModel]:
        """A reader at a distance; `model` are `ReaderModel`'s parameters (`battery`, `firmware`, …)."""
        if serial in self.readers:
            raise InvalidParameterError(f"{serial} is in the air already", parameter="serial", value=serial)
        model.setdefault("rng", stream(self.seed, serial, "firmware"))
        return self.add(serial, ReaderModel(serial, **model), distance_m=distance_m, address=address)

    def add(
        self, name: str, peripheral: P_co, *, distance_m: float = 2.0, address: str | None = None
    ) -> SimulatedReader[P_co]:
        """Any peripheral at a distance."""
        number = len(self.readers) + 1
        own = address or f"C0:00:00:{number >> 16 & 0xFF:02X}:{number >> 8 & 0xFF:02X}:{number & 0xFF:02X}"
        reader = SimulatedReader(self, peripheral, own, Place(distance_m, unserved=self.host.overload))
        self.readers[name] = reader
        if self._hearing:
            self._enqueue(reader, self._loop.time())
        return reader

    def trust(self, key: Ed25519PublicKey) -> None:
        """Lets the readers that are in the air accept software that this key has signed."""
        for reader in self.readers.values():
            reader.model.trust(key)

    async def skip_time(self, seconds: float) -> None:
        """Lets time pass at once ("+24 h"). Needs a `SimulatorLoop`. The jump is told to `on_clock_jump` listeners."""
        if not isinstance(self._loop, SimulatorLoop):
            raise InvalidParameterError(
                "this loop's clock cannot jump",
                parameter="seconds",
                value=seconds,
                hint="Use a Session, or run on a SimulatorLoop.",
            )
        await self._loop.skip(seconds)
        for listener in self._on_jump:
            listener(seconds)

    def on_clock_jump(self, listener: Callable[[float], None]) -> None:
        """Calls `listener(seconds)` after every jump."""
        self._on_jump.append(listener)

    def on_truth(self, listener: Callable[[Truth], None]) -> None:
        """Calls `listener(truth)` for whatever is done to a reader or the host."""
        self._on_truth.append(listener)

    def tell_truth(self, reader: str, what: str, **facts: Any) -> None:
        """Notes what was done to whom."""
        for listener in self._on_truth:
            listener(Truth(self.utc_us(), reader, what, facts))

    def hear(self, hearing: Hearing) -> Undo:
        """Calls `hearing(reader, advertisement, rssi_dbm)` for every advertisement that arrives; returns its end."""
        self._hearing.append(hearing)
        if self._tick is None:
            now_s = self._loop.time()
            for reader in self.readers.values():
                self._enqueue(reader, now_s)
            self._tick = self._loop.call_later(TICK_S, self._deliver)
            for tap in self.taps:
                tap.scanning(True)

        def undo() -> None:
            if hearing in self._hearing:
                self._hearing.remove(hearing)
            if not self._hearing and self._tick is not None:
                self._tick.cancel()
                self._tick = None
                self._queue.clear()
                for tap in self.taps:
                    tap.scanning(False)

        return undo

    def close(self) -> None:
        """Ends every timer."""
        self.faults.close()
        self.host.close()
        if self._tick is not None:
            self._tick.cancel()
        for reader in self.readers.values():
            reader.close()

    def _enqueue(self, reader: SimulatedReader[Any], now_s: float) -> None:
        first_s = now_s + reader.jitter() * self.advertising_interval_s
        heapq.heappush(self._queue, (first_s, next(self._order), reader))

    def _deliver(self) -> None:
        now_s = self._loop.time()
        queue, hearing = self._queue, tuple(self._hearing)
        interval_s = self.advertising_interval_s
        while queue and queue[0][0] <= now_s:
            due_s, _, reader = queue[0]
            heapq.heapreplace(queue, (due_s + interval_s + reader.jitter() * 0.01, next(self._order), reader))
            advertisement = reader.advertisement()
            if advertisement is None:
                continue
            rssi_dbm = reader.channel.receive(due_s)
            if rssi_dbm is not None:
                for listener in hearing:
                    listener(reader, advertisement, round(rssi_dbm))
                for tap in self.taps:
                    tap.heard(reader, advertisement, round(rssi_dbm))
        if self._hearing:
            self._tick = self._loop.call_later(TICK_S, self._deliver)
