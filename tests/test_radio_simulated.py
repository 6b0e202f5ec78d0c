"""The simulated radio's links: the supervision timeout, retransmission, and what dies with them."""

import asyncio
import statistics
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError
from stage import M2, virtual

from terminal_kit import profile
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator.air import Air, SimulatedReader


class Linked:
    """A bare bleak client with a link to a simulated reader."""

    def __init__(self, air: Air, reader: SimulatedReader, client: BleakClient, lost: asyncio.Future[float]) -> None:
        self.air = air
        self.reader = reader
        self.client = client
        self.lost = lost
        self.loss = lambda: simulated_radio(air).link_loss(client)


@asynccontextmanager
async def linked(seed: int = 1, distance_m: float = 2.0, **parameters: float) -> AsyncGenerator[Linked]:
    air = Air(seed)
    air.parameters = replace(air.parameters, **parameters)
    reader = air.add_reader(M2, distance_m=2.0)
    backends = simulated_radio(air).backends
    device = await BleakScanner.find_device_by_name(M2, backend=backends.scanner)
    lost = asyncio.get_running_loop().create_future()
    client = BleakClient(device, lambda _: lost.set_result(air.monotonic_s()), backend=backends.client)
    async with client:
        reader.move(distance_m=distance_m)
        yield Linked(air, reader, client, lost)
    air.close()


@pytest.mark.parametrize("timeout_s", [1.0, 4.0, 20.0])
def test_a_reader_that_falls_silent_is_missed_after_the_supervision_timeout(timeout_s: float) -> None:
    @virtual
    async def check() -> None:
        async with linked(supervision_timeout_s=timeout_s) as on:
            cut_s = on.air.monotonic_s()
            on.air.faults.start("switch_off", M2, farewell=False)
            assert await on.lost - cut_s == pytest.approx(timeout_s)
            assert on.loss().hci_code == 0x08

    check()


@virtual
async def test_moving_a_dead_reader_does_not_bring_its_link_to_life() -> None:
    async with linked() as on:
        cut_s = on.air.monotonic_s()
        on.air.faults.start("switch_off", M2, farewell=False)
        await asyncio.sleep(1)
        on.reader.move(distance_m=1.0)
        assert await on.lost - cut_s == pytest.approx(4.0)


@virtual
async def test_out_of_range_is_the_timeout_too() -> None:
    async with linked() as on:
        gone_s = on.air.monotonic_s()
        on.reader.move(distance_m=1000.0)
        assert 4.0 <= await on.lost - gone_s <= 6.5  # the link looks every two seconds while all is calm
        assert on.loss().hci_code == 0x08


@virtual
async def test_a_fade_shorter_than_the_timeout_is_survived() -> None:
    async with linked() as on:
        on.reader.move(distance_m=1000.0)
        await asyncio.sleep(2)
        on.reader.move(distance_m=2.0)
        await asyncio.sleep(60)
        assert on.client.is_connected


@virtual
async def test_an_answer_takes_longer_from_the_edge_of_range() -> None:
    """Lost packets are sent again, a connection event later each time."""
    medians = []
    for distance_m in (2.0, 110.0):
        took_s: list[float] = []
        for seed in range(12):
            async with linked(seed, distance_m, supervision_timeout_s=32.0) as on:
                for _ in range(10):
                    asked_s = on.air.monotonic_s()
                    await on.client.read_gatt_char(profile.SERIAL_NUMBER)
                    took_s.append(on.air.monotonic_s() - asked_s)
        medians.append(statistics.fmean(took_s))
    near_s, far_s = medians
    assert near_s < 0.1
    assert far_s > 1.5 * near_s


@virtual
async def test_the_interval_decides_how_long_a_read_takes() -> None:
    took_s = []
    for interval_ms in (15.0, 150.0):
        async with linked(interval_ms=interval_ms) as on:
            asked_s = on.air.monotonic_s()
            for _ in range(20):
                await on.client.read_gatt_char(profile.SERIAL_NUMBER)
            took_s.append(on.air.monotonic_s() - asked_s)
    assert took_s[1] == pytest.approx(10 * took_s[0], rel=0.2)


@virtual
async def test_a_read_that_is_under_way_dies_with_the_link() -> None:
    async with linked() as on:
        on.air.faults.start("slow", M2, delay_s=60.0)
        reading = asyncio.create_task(on.client.read_gatt_char(profile.SERIAL_NUMBER))
        await asyncio.sleep(1)
        on.air.faults.start("switch_off", M2, farewell=False)
        with pytest.raises(BleakError, match="disconnected"):
            await reading
        assert not on.client.is_connected
