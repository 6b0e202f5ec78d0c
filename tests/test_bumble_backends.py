"""bleak's backends over Bumble, against a plain GATT peripheral: what bleak's own shallow tests leave out."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble.core import AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.link import LocalLink

from terminal_kit.radio import LinkLoss
from terminal_kit.radio.bumble_controller import controller_on
from terminal_kit.radio.bumble_host import just_works, open_host
from terminal_kit.radio.virtual import bumble_backends

PLAIN, SLOW, SECRET, TICKS = (f"1a1af049-9c23-4b69-b763-e1096674ed{n:02}" for n in range(1, 5))
SERVICE = "1a1af049-9c23-4b69-b763-e1096674ed00"
P, READABLE, WRITEABLE = Characteristic.Properties, Characteristic.READABLE, Characteristic.WRITEABLE


class World:
    """A host, a peripheral with four characteristics, and what a test wants to know of them."""

    def __init__(self, host, peripheral):
        self.host, self.peripheral, self.backends = host, peripheral, bumble_backends(host)
        self.answer, self.asked, self.lost = asyncio.Event(), asyncio.Event(), []
        self.plain = Characteristic(PLAIN, P.READ | P.WRITE, READABLE | WRITEABLE, b"plain")
        self.slow = Characteristic(SLOW, P.READ, READABLE, CharacteristicValue(read=self._answer_late))
        needs = READABLE | WRITEABLE | Characteristic.WRITE_REQUIRES_ENCRYPTION
        self.secret = Characteristic(SECRET, P.READ | P.WRITE, needs, b"secret")
        self.ticks = Characteristic(TICKS, P.NOTIFY, READABLE, b"")
        peripheral.add_service(Service(SERVICE, [self.plain, self.slow, self.secret, self.ticks]))

    async def _answer_late(self, _connection):
        self.asked.set()
        await self.answer.wait()
        return b"late"

    async def find(self):
        device = await BleakScanner.find_device_by_name("Far", 5, backend=self.backends.scanner)
        assert device is not None
        return device

    def client(self, device, timeout_s=5.0):
        return BleakClient(device, self.lost.append, timeout=timeout_s, backend=self.backends.client)

    @asynccontextmanager
    async def connected(self):
        await self.peripheral.start_advertising()
        async with self.client(await self.find()) as client:
            yield client

    @property
    def far_end(self):
        (connection,) = self.peripheral.connections.values()
        return connection


@pytest.fixture
async def world():
    link = LocalLink()
    with controller_on(link, "near") as near, controller_on(link, "far") as far:
        advertisement = bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, b"Far")]))
        response = bytes(AdvertisingData([(AdvertisingData.MANUFACTURER_SPECIFIC_DATA, b"\xff\xffdata")]))
        config = DeviceConfiguration("Far", Address.generate_static_address(), advertising_data=advertisement)
        config.advertising_interval_min = config.advertising_interval_max = 20
        config.scan_response_data = response
        peripheral = Device.from_config_with_hci(config, far.source, far.sink)
        peripheral.pairing_config_factory = just_works
        async with open_host(near) as host:
            world = World(host, peripheral)
            await peripheral.power_on()
            yield world
            world.answer.set()


async def test_an_advertisement_and_its_scan_response_are_heard_as_one(world):
    heard = asyncio.Queue()
    await world.peripheral.start_advertising()
    async with BleakScanner(lambda _device, data: heard.put_nowait(data), backend=world.backends.scanner):
        for _ in range(3):
            data = await heard.get()
            assert (data.local_name, data.manufacturer_data) == ("Far", {0xFFFF: b"data"})


async def test_a_connection_that_times_out_leaves_the_host_free_for_the_next(world):
    await world.peripheral.start_advertising()
    device = await world.find()
    await world.peripheral.stop_advertising()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await world.client(device, timeout_s=0.05).connect()
    async with world.connected() as client:
        assert client.is_connected


async def test_an_address_nobody_has_is_not_found(world):
    with pytest.raises(BleakDeviceNotFoundError):
        await world.client("F0:00:00:00:00:01", timeout_s=0.05).connect()


async def test_a_second_connection_waits_until_the_first_is_made_or_given_up(world):
    await world.peripheral.start_advertising()
    there = await world.find()
    absent = BLEDevice("F0:00:00:00:00:01", None, Address("F0:00:00:00:00:01"))
    client = world.client(there)
    outcomes = await asyncio.gather(
        world.client(absent, timeout_s=0.1).connect(), client.connect(), return_exceptions=True
    )
    assert isinstance(outcomes[0], TimeoutError)
    assert client.is_connected
    await client.disconnect()


@pytest.mark.parametrize("mtu", [23, 48, 517])
async def test_long_values_are_read_and_written_whole(world, mtu):
    world.peripheral.gatt_server.max_mtu = mtu
    value = bytes(range(256)) * 2
    async with world.connected() as client:
        assert client.mtu_size == mtu
        await client.write_gatt_char(PLAIN, value, response=True)
        assert world.plain.value == value
        assert await client.read_gatt_char(PLAIN) == value


async def test_a_value_longer_than_the_packet_is_no_write_without_response(world):
    world.peripheral.gatt_server.max_mtu = 23
    async with world.connected() as client:
        with pytest.raises(BleakError, match="20"):
            await client.write_gatt_char(PLAIN, bytes(21), response=False)


async def test_a_request_in_flight_dies_with_its_link_and_the_callback_comes_once(world):
    async with world.connected() as client:
        reading = asyncio.create_task(client.read_gatt_char(SLOW))
        queued = asyncio.create_task(client.read_gatt_char(PLAIN))
        await world.asked.wait()
        await world.far_end.disconnect(0x15)
        for request in (reading, queued):
            with pytest.raises(BleakError):
                await request
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.read_gatt_char(PLAIN)
        assert world.host.links[client.address].loss == LinkLoss(0x15, "reader")
    assert world.lost == [client]


async def test_a_cancelled_read_does_not_pass_its_answer_on_to_the_next(world):
    async with world.connected() as client:
        reading = asyncio.create_task(client.read_gatt_char(SLOW))
        await world.asked.wait()
        reading.cancel()
        following = asyncio.create_task(client.read_gatt_char(PLAIN))
        world.answer.set()
        assert await following == b"plain"
        assert reading.cancelled()


async def test_a_callback_that_raises_disturbs_neither_the_link_nor_the_next_notification(world):
    heard, complaints = asyncio.Queue(), []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context["exception"]))

    def on_tick(_characteristic, data):
        heard.put_nowait(bytes(data))
        raise ValueError(data)

    async with world.connected() as client:
        await client.start_notify(TICKS, on_tick)
        for tick in (b"1", b"2"):
            await world.peripheral.notify_subscribers(world.ticks, tick)
            assert await heard.get() == tick
        with pytest.raises(BleakError):
            await client.start_notify(PLAIN, on_tick)
    assert len(complaints) == 2


async def test_pairing_lasts_and_a_lost_bond_is_told(world):
    async with world.connected() as client:
        with pytest.raises(BleakGATTProtocolError):
            await client.write_gatt_char(SECRET, b"0", response=True)
        await client.pair()
        assert world.far_end.sc
        await client.write_gatt_char(SECRET, b"1", response=True)
    async with world.connected() as client:
        await client.write_gatt_char(SECRET, b"2", response=True)
    await world.peripheral.keystore.delete_all()
    async with world.connected() as client:
        assert await client.read_gatt_char(PLAIN) == b"plain"
        with pytest.raises(BleakGATTProtocolError):
            await client.pair()
        await client.unpair()
        assert not client.is_connected
    async with world.connected() as client:
        await client.pair()
        await client.write_gatt_char(SECRET, b"3", response=True)
        assert world.secret.value == b"3"


async def test_a_peripheral_that_falls_silent_is_not_missed_until_the_host_hangs_up(world):
    async with world.connected() as client:
        await world.peripheral.reset()
        await asyncio.sleep(0.1)
        assert client.is_connected
        reading = asyncio.create_task(client.read_gatt_char(PLAIN))
        await asyncio.sleep(0)
        await client.disconnect()
        with pytest.raises(BleakError):
            await reading
        assert world.host.links[client.address].loss == LinkLoss(0x16, "host")
