"""Getting a lost reader back: ours, `bleak-retry-connector` and a plain retry loop, over ten seeded situations.

Each runs on an air of its own with the same seed. The time is from the link's end to the first new link that answers
and then lasts ten seconds: ours reads, pairs and registers on it, the peers read the battery. All the attempts until
then count. Each gives up after five minutes.
"""

import asyncio
import math
import statistics
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

from terminal_kit.events import ConnectionStatus, Event, Kind
from terminal_kit.profile import BATTERY_LEVEL
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator import Air, run_virtual
from terminal_kit.terminal import Terminal
from tests.benchmarks.table import Table

READER = "STRM26138003393"
LIMIT_S = 300.0
LASTS_S = 10.0
Situation = Callable[[Air], Awaitable[None]]


class Outcome(NamedTuple):
    """Seconds until it was back (the limit where it was not), and the connection attempts spent."""

    seconds: float
    attempts: int


def _for(seconds: float, fault: str, **parameters: float) -> Situation:
    async def happen(air: Air) -> None:
        active = air.faults.start(fault, READER, **parameters)
        await asyncio.sleep(seconds)
        active.undo()

    return happen


async def _edge(air: Air) -> None:
    reader = air.readers[READER]
    reader.move(distance_m=300.0)
    await asyncio.sleep(15)
    reader.move(distance_m=75.0)  # about −87 dBm: some packets are lost


SITUATIONS: dict[str, Situation] = {
    "restart": _for(1, "reboot"),
    "off for 20 s": _for(20, "switch_off"),
    "off for 3 min": _for(180, "switch_off"),
    "battery pulled for 1 min": _for(60, "switch_off", farewell=False),
    "walk away for 2 min": _for(120, "walk_away", to_m=600.0, speed_m_s=5.0),
    "edge of range": _edge,
    "in a metal drawer for 2 min": _for(120, "body", loss_db=60.0),
    "busy air for 30 s": _for(30, "interfere", share=0.97),
    "radio off for 30 s": _for(30, "bluetooth_off"),
    "taken by another host for 40 s": _for(40, "steal"),
}


PEERS = ("`Terminal`", "bleak-retry-connector", "plain loop")


def table(*, quick: bool) -> Table:
    """A row a situation: for each peer the median, the 95th percentile, the share that came back, the mean attempts.

    The ratios are ours to each peer's, seconds pair by pair (median) and attempts (of the means).
    """
    seeds = range(2 if quick else 50)
    situations = dict(list(SITUATIONS.items())[:2]) if quick else SITUATIONS
    rows: list[tuple[str, ...]] = []
    for name, happen in situations.items():
        ours = [run_virtual(_ours(seed, happen)) for seed in seeds]
        peers = [
            [run_virtual(_peer(seed, happen, again)) for seed in seeds] for again in (_retry_connector, _plain_loop)
        ]
        rows.append((name, *map(_summary, (ours, *peers)), " / ".join(_ratio(ours, peer) for peer in peers)))
    columns = ("back after", *PEERS, "ratios: seconds, attempts")
    return Table(f"Getting a lost reader back, {len(seeds)} seeds each", columns, rows)


def _summary(outcomes: list[Outcome]) -> str:
    seconds = sorted(outcome.seconds for outcome in outcomes)
    p95 = seconds[min(len(seconds) - 1, round(0.95 * (len(seconds) - 1)))]
    back = sum(outcome.seconds < LIMIT_S for outcome in outcomes) / len(outcomes)
    attempts = statistics.mean(outcome.attempts for outcome in outcomes)
    return f"{statistics.median(seconds):.1f} s, {p95:.1f} s, {back:.0%}, {attempts:.1f}"


def _ratio(ours: list[Outcome], peer: list[Outcome]) -> str:
    seconds = statistics.median(mine.seconds / theirs.seconds for mine, theirs in zip(ours, peer, strict=True))
    attempts = sum(outcome.attempts for outcome in ours) / sum(outcome.attempts for outcome in peer)
    return f"{seconds:.2f}, {attempts:.2f}"


def _air(seed: int) -> Air:
    air = Air(seed)
    air.add_reader(READER, distance_m=3.0)
    return air


async def _ours(seed: int, happen: Situation) -> Outcome:
    air = _air(seed)
    told: list[tuple[str, float]] = []
    lost = asyncio.Event()

    def note(event: Event) -> None:
        told.append((event.kind, air.monotonic_s()))
        if event.kind == Kind.LINK_DISCONNECTED:
            lost.set()

    def last_s(kind: Kind) -> float:
        return max((when_s for told_kind, when_s in told if told_kind == kind), default=-math.inf)

    async def back() -> float:
        """When the link came up that has lasted."""
        while True:
            await asyncio.sleep(0.1)
            if terminal.status is ConnectionStatus.NOT_CONNECTED:
                return math.inf
            link_s = last_s(Kind.LINK_CONNECTED)
            answered = last_s(Kind.RECONNECT_SUCCEEDED) > link_s > last_s(Kind.LINK_DISCONNECTED)
            if answered and air.monotonic_s() - link_s >= LASTS_S:
                return link_s

    async with Terminal(simulated_radio(air), sink=note, seed=seed) as terminal:
        await terminal.easy_connect("tml_front_desk", serial=READER)
        told.clear()
        going_on = asyncio.create_task(happen(air))
        await lost.wait()
        lost_s = told[-1][1]
        seconds = await back() - lost_s
        attempts = sum(kind == Kind.LINK_CONNECTING for kind, _ in told)
        await _end(going_on)
    air.close()
    return Outcome(min(LIMIT_S, seconds), attempts)


class _Counting:
    """How often a link was asked for."""

    attempts = 0


async def _peer(
    seed: int, happen: Situation, again: Callable[[type[BleakClient], object], Awaitable[BleakClient]]
) -> Outcome:
    air = _air(seed)
    backends = simulated_radio(air).backends
    counting = _Counting()

    class Client(BleakClient):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, backend=backends.client, **kwargs)

        async def connect(self, **kwargs: object) -> None:
            counting.attempts += 1
            await super().connect(**kwargs)

    device = await BleakScanner.find_device_by_name(READER, backend=backends.scanner)
    lost = asyncio.Event()
    client = Client(device, lambda _: lost.set())
    await client.connect()
    going_on = asyncio.create_task(happen(air))
    await lost.wait()
    lost_s, counting.attempts = air.monotonic_s(), 0
    seconds = LIMIT_S
    try:
        async with asyncio.timeout(LIMIT_S + LASTS_S):
            while True:
                client = await again(Client, device)
                linked_s = air.monotonic_s()
                try:
                    await client.read_gatt_char(BATTERY_LEVEL)
                except BleakError:
                    continue
                await asyncio.sleep(linked_s + LASTS_S - air.monotonic_s())
                if client.is_connected:
                    seconds = linked_s - lost_s
                    break
    except TimeoutError:
        pass
    await client.disconnect()
    await _end(going_on)
    air.close()
    return Outcome(min(LIMIT_S, seconds), counting.attempts)


async def _retry_connector(client_class: type[BleakClient], device: object) -> BleakClient:
    """Called again and again, as its users do when it gives up."""
    while True:
        try:
            return await establish_connection(client_class, device, READER)
        except BleakError:
            await asyncio.sleep(1)


async def _plain_loop(client_class: type[BleakClient], device: object) -> BleakClient:
    while True:
        client = client_class(device)
        try:
            await client.connect()
        except (BleakError, TimeoutError):
            await asyncio.sleep(1)
        else:
            return client


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
