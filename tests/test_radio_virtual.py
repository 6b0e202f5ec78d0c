"""A reader's life over the virtual radio: real ATT, real pairing, a real host stack in Python."""

import asyncio

import pytest
from bleak import BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError

from terminal_kit import profile
from terminal_kit.events import ConnectionStatus, DisconnectReason
from terminal_kit.profile import AdvertisedState, CommandCode, LastStop, Notice, NoticeCode, ReaderState
from terminal_kit.radio import LinkLoss
from terminal_kit.radio.bumble_advertising import encode
from terminal_kit.radio.virtual import virtual_radio
from terminal_kit.reader import DeviceType
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import Advertisement
from terminal_kit.terminal import Terminal

SERIAL = "STRM26138003393"


@pytest.fixture
async def radio():
    async with virtual_radio(ReaderModel(SERIAL, battery=0.42)) as radio:
        yield radio


@pytest.fixture
def reader(radio):
    return radio.readers[SERIAL]


async def find(radio, name=SERIAL, timeout_s=2.0):
    return await BleakScanner.find_device_by_name(name, timeout_s, backend=radio.backends.scanner)


async def connect(radio, lost=lambda _client: None):
    client = radio.client(await find(radio), on_disconnect=lost, timeout_s=5.0)
    await client.connect()
    return client


async def test_a_reader_is_discovered_with_its_service_and_state(radio):
    heard = asyncio.Queue()
    async with radio.scanner(lambda device, data: heard.put_nowait((device, data))):
        device, data = await heard.get()
    assert device.address == radio.readers[SERIAL].address
    assert data.local_name == SERIAL
    assert data.service_uuids == [profile.READER]
    state = AdvertisedState.decode(data.manufacturer_data[profile.COMPANY_ID])
    assert state == AdvertisedState(DeviceType.STRIPE_M2, 0.42)


async def test_its_advertisement_follows_its_battery(radio, reader):
    reader.model.set_battery(0.17)
    reader.touch()
    heard = asyncio.Queue()
    async with radio.scanner(lambda _device, data: heard.put_nowait(data)):
        for _ in range(2):  # the first may be of before
            data = await heard.get()
    assert AdvertisedState.decode(data.manufacturer_data[profile.COMPANY_ID]).battery == 0.17


async def test_battery_is_read_and_notified_and_the_hosts_signal_is_told(radio, reader):
    client = await connect(radio)
    assert profile.decode_battery_level(await client.read_gatt_char(profile.BATTERY_LEVEL)) == 0.42
    levels, states = asyncio.Queue(), asyncio.Queue()
    await client.start_notify(profile.BATTERY_LEVEL, lambda _c, data: levels.put_nowait(bytes(data)))
    await client.start_notify(profile.STATE, lambda _c, data: states.put_nowait(bytes(data)))
    reader.model.set_battery(0.3)
    reader.touch()
    assert profile.decode_battery_level(await levels.get()) == 0.3
    reader.skip(1.0)
    assert ReaderState.decode(await states.get()).host_rssi_dbm == -50
    await client.disconnect()


async def test_writing_needs_pairing_which_lasts(radio, reader):
    client = await connect(radio)
    with pytest.raises(BleakGATTProtocolError) as refused:
        await client.write_gatt_char(profile.REGISTRATION, b"tml_desk", response=True)
    assert refused.value.code == 0x05
    await client.pair()
    await client.write_gatt_char(profile.REGISTRATION, b"tml_desk", response=True)
    with pytest.raises(BleakGATTProtocolError) as refused:
        await client.write_gatt_char(profile.REGISTRATION, b"nowhere", response=True)
    assert refused.value.code == 0x13
    assert reader.model.location_id == "tml_desk"
    await client.disconnect()
    client = await connect(radio)
    await client.write_gatt_char(profile.REGISTRATION, b"tml_door", response=True)
    await client.disconnect()
    reader.model.lose_bonds()
    client = await connect(radio)
    with pytest.raises(BleakGATTProtocolError):
        await client.write_gatt_char(profile.REGISTRATION, b"tml_desk", response=True)
    await client.disconnect()


async def test_it_says_goodbye_restarts_and_tells_why(radio, reader):
    notices, gone = asyncio.Queue(), asyncio.Queue()
    client = await connect(radio, gone.put_nowait)
    await client.pair()
    before = LastStop.decode(await client.read_gatt_char(profile.LAST_STOP))
    await client.start_notify(profile.NOTICE, lambda _c, data: notices.put_nowait(Notice.decode(bytes(data))))
    await client.write_gatt_char(profile.COMMAND, bytes([CommandCode.REBOOT]), response=True)
    assert await notices.get() == Notice(NoticeCode.FAREWELL, DisconnectReason.REBOOT_REQUESTED)
    assert await gone.get() is client
    assert radio.link_loss(client) == LinkLoss(0x13, "reader")
    assert await find(radio, timeout_s=0.3) is None
    reader.skip(20.0)
    client = await connect(radio)
    after = LastStop.decode(await client.read_gatt_char(profile.LAST_STOP))
    assert (after.reason, after.boots) == (DisconnectReason.REBOOT_REQUESTED, before.boots + 1)
    await client.disconnect()
    assert gone.empty()


async def test_a_hung_reader_answers_nothing_and_keeps_its_link(radio, reader):
    client = await connect(radio)
    reader.model.hang(True)
    reading = asyncio.create_task(client.read_gatt_char(profile.BATTERY_LEVEL))
    done, _ = await asyncio.wait({reading}, timeout=0.2)
    assert not done
    assert client.is_connected
    await client.disconnect()
    with pytest.raises(BleakError):
        await reading


async def test_a_power_cut_says_nothing_and_the_reader_can_be_found_again(radio, reader):
    gone = []
    client = await connect(radio, gone.append)
    reader.model.switch_off(farewell=False)
    reader.touch()
    assert await find(radio, timeout_s=0.2) is None
    assert client.is_connected, "there is no supervision timeout on Bumble's link"
    await client.disconnect()
    assert radio.link_loss(client) == LinkLoss(0x16, "host")
    reader.model.switch_on()
    reader.skip(20.0)
    client = await connect(radio)
    assert LastStop.decode(await client.read_gatt_char(profile.LAST_STOP)).link_code == 0x08
    await client.disconnect()


async def test_a_terminal_lives_through_a_reboot_on_it(radio, reader):
    """C6, R1, X2: what is true on the simulated radio is true over a whole Bluetooth stack."""
    terminal = Terminal(radio)
    try:
        found = await terminal.easy_connect("tml_front_desk", serial=SERIAL)
        assert (found.serial, found.location_id) == (SERIAL, "tml_front_desk")
        await terminal.reboot_reader()
        async with asyncio.timeout(10):
            await terminal.until(ConnectionStatus.RECONNECTING)
            reader.skip(20.0)
            await terminal.until(ConnectionStatus.CONNECTED)
        await terminal.disconnect_reader()
    finally:
        await terminal.close()


async def test_one_of_each_type_is_there_by_default():
    async with virtual_radio() as radio:
        for serial in radio.readers:
            assert await find(radio, serial) is not None
        assert len(radio.readers) == 3


def test_a_long_name_is_shortened_between_characters():
    data, response = encode(Advertisement("é" * 40, (profile.READER,), {profile.COMPANY_ID: b"1234"}))
    assert len(data) <= 31
    assert len(response) == 2 + 28
    assert response[1:] == b"\x08" + ("é" * 14).encode()


def test_what_cannot_be_shortened_must_fit():
    with pytest.raises(ValueError, match="0xff"):
        encode(Advertisement(None, (), {profile.COMPANY_ID: bytes(40)}))
