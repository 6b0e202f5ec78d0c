"""Bytes a second of an update on the modelled link, beside `smpclient`'s own upload, as shares of what is possible.

On the simulated link's own clock: the same every time, whatever the machine. The reader's flash takes no time here.
"""

import asyncio
import math
import random
import statistics
from typing import Any

from bleak import BleakClient
from smpclient import SMPClient
from smpclient.transport import SMPTransport

from terminal_kit import profile
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.clock import run_virtual
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.link import PACKET_S, Parameters
from terminal_kit.updates.carrier import Carrier
from terminal_kit.updates.smp import SmpClient
from terminal_kit.updates.upload import Upload
from tests.benchmarks.table import Table

SERIAL = "STRM26138003393"
PIECE_BYTES = 244
OVERHEAD_BYTES = 24
"""SMP's header and the fields beside the data of a chunk, at the least."""

IMAGE_BYTES = 200_000


def table(*, quick: bool) -> Table:
    """Every interval with every size and number of buffers; goodput in kB/s."""
    intervals, sizes = ((15.0,), (244, 2475)) if quick else ((15.0, 7.5), (244, 384, 1024, 2475))
    seeds = range(1) if quick else range(5)
    rows: list[tuple[str, ...]] = []
    for interval_ms in intervals:
        for size in sizes:
            for buffers in (1, 4):
                ours, theirs = (
                    statistics.median(run_virtual(_goodput(upload, interval_ms, size, buffers, seed)) for seed in seeds)
                    for upload in (_ours, _smpclients)
                )
                link = PIECE_BYTES * int(interval_ms / 1000 / PACKET_S + 1e-9) / (interval_ms / 1000)
                possible = _possible(interval_ms / 1000, size, buffers)
                rows.append(
                    (
                        f"{interval_ms:g} ms",
                        f"{buffers} × {size} B",
                        f"{ours / 1000:.1f}",
                        f"{theirs / 1000:.1f}",
                        f"{ours / theirs:.2f}",
                        f"{ours / link:.0%}",
                        f"{ours / possible:.0%}",
                    )
                )
    columns = ("interval", "buffers", "the kit, kB/s", "`smpclient`, kB/s", "ratio", "of the link", "of the possible")
    return Table("Update goodput", columns, rows)


def _possible(interval_s: float, size: int, buffers: int) -> float:
    """What window and round trip allow, with the better of two frame sizes: the largest, or whole packets alone."""
    slots = int(interval_s / PACKET_S + 1e-9)
    rates: list[float] = []
    for frame in {size, max(1, size // PIECE_BYTES) * PIECE_BYTES}:
        packets = math.ceil(frame / PIECE_BYTES)
        on_the_air_s = packets * interval_s / slots
        # One at a time: a request fills some events, its answer comes in the next one, and the next request follows in
        # the one after. With more, answers come while the event is held open, and only the air is the limit.
        round_trip_s = (math.ceil(packets / slots) + 1) * interval_s
        rates.append((frame - OVERHEAD_BYTES) / (round_trip_s if buffers == 1 else on_the_air_s))
    return max(rates)


async def _goodput(upload: Any, interval_ms: float, size: int, buffers: int, seed: int) -> float:
    air = Air(seed)
    air.parameters = Parameters(interval_ms=interval_ms)
    reader = air.add_reader(
        SERIAL, distance_m=0.5, smp_buffer_bytes=size, smp_buffers=buffers, flash_bytes_per_s=math.inf
    )
    image = make_image(
        random.Random(seed).randbytes(IMAGE_BYTES), component=UpdateComponent.FIRMWARE, version="9.0.0.0", key=DEMO_KEY
    )
    radio = simulated_radio(air)
    async with BleakClient(reader.address, backend=radio.backends.client) as client:
        await client.pair()
        begun_s = asyncio.get_running_loop().time()
        await upload(client, image.data)
        took_s = asyncio.get_running_loop().time() - begun_s
    air.close()
    return len(image.data) / took_s


async def _ours(client: BleakClient, image: bytes) -> None:
    characteristic = client.services.get_characteristic(profile.SMP_CHARACTERISTIC)
    assert characteristic is not None
    carrier = Carrier(client, characteristic)
    smp = SmpClient(carrier.send, piece_bytes=carrier.piece_bytes)
    carrier.take = smp.take
    await client.start_notify(characteristic, lambda _characteristic, data: carrier.hear(bytes(data)))
    await smp.read_parameters()
    async for _offset in Upload(smp, image, 0).run():
        pass


async def _smpclients(client: BleakClient, image: bytes) -> None:
    transport = _Transport(client)
    smp = SMPClient(transport, "")
    await smp.connect()
    async for _offset in smp.upload(image):
        pass


class _Transport(SMPTransport):
    """smpclient's own way of sending frames, on a connection that there is already."""

    def __init__(self, client: BleakClient) -> None:
        self._client = client
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        characteristic = client.services.get_characteristic(profile.SMP_CHARACTERISTIC)
        assert characteristic is not None
        self._carrier = Carrier(client, characteristic)
        self._carrier.take = self._frames.put_nowait

    async def connect(self, address: str, timeout_s: float) -> None:
        await self._client.start_notify(
            profile.SMP_CHARACTERISTIC, lambda _characteristic, data: self._carrier.hear(bytes(data))
        )

    async def disconnect(self) -> None:
        pass

    async def send_and_receive(self, data: bytes) -> bytes:
        await self._carrier.send(data)
        return await self._frames.get()

    @property
    def mtu(self) -> int:
        return self._carrier.piece_bytes
