"""What every radio's client does: connecting, reading, writing, being told, losing the link."""

import asyncio
import warnings

import pytest
from bleak.exc import BleakCharacteristicNotFoundError, BleakError, BleakGATTProtocolError
from radio_bench import on_every_radio

from terminal_kit import profile
from terminal_kit.events import DisconnectReason
from terminal_kit.profile import CommandCode, LastStop, Notice, NoticeCode, ReaderState
from terminal_kit.radio import LinkLoss

M2, WISEPAD = "STRM26138003393", "WPC323105002323"
LOCATION = b"tml_front_desk"


async def reboot(client):
    await client.write_gatt_char(profile.COMMAND, bytes([CommandCode.REBOOT]), response=True)


async def register(bench):
    async with bench.connected(M2) as client:
        await client.pair()
        await client.write_gatt_char(profile.REGISTRATION, LOCATION, response=True)


# ---- connecting


@on_every_radio
async def test_connecting_again_and_again(bench):
    for _ in range(3):
        async with bench.connected(M2) as client:
            assert client.is_connected
            assert client.name == M2
        assert not client.is_connected


@on_every_radio
async def test_the_same_client_connects_twice(bench):
    async with bench.connected(M2) as client:
        await client.disconnect()
        await client.connect()
        assert await client.read_gatt_char(profile.SERIAL_NUMBER) == M2.encode()


@on_every_radio
async def test_a_connected_client_refuses_to_connect(bench):
    async with bench.connected(M2) as client:
        with pytest.raises(BleakError):
            await client.connect()
        assert client.is_connected


@on_every_radio
async def test_disconnecting_twice_is_safe_and_told_once(bench):
    told = []
    async with bench.connected(M2, told.append) as client:
        await client.disconnect()
        await client.disconnect()
    assert told == [client]
    assert bench.radio.link_loss(client).initiator in {"host", None}


@on_every_radio
async def test_a_reader_that_is_gone_cannot_be_connected(bench):
    device = await bench.find(M2)
    bench.models[M2].switch_off(farewell=False)
    bench.touch(M2)
    await asyncio.sleep(0.3)
    client = bench.radio.client(device, on_disconnect=lambda _client: None, timeout_s=1.5)
    with pytest.raises((TimeoutError, BleakError)):
        await client.connect()
    assert not client.is_connected
    async with bench.connected(WISEPAD) as other:
        assert other.is_connected


@on_every_radio
async def test_a_connected_reader_is_not_heard(bench):
    async with bench.connected(M2):
        await asyncio.sleep(0.5)
        assert await bench.find(M2, 1.0) is None
    assert await bench.find(M2)


@on_every_radio
async def test_two_readers_at_once(bench):
    async with bench.connected(M2) as one, bench.connected(WISEPAD) as other:
        serials = await asyncio.gather(*(each.read_gatt_char(profile.SERIAL_NUMBER) for each in (one, other)))
        assert serials == [M2.encode(), WISEPAD.encode()]


# ---- attributes


@on_every_radio
async def test_services_are_there_with_their_properties(bench):
    async with bench.connected(M2) as client:
        offered = {service.uuid for service in client.services}
        assert {profile.DEVICE_INFORMATION, profile.BATTERY, profile.READER} <= offered
        properties = client.services.get_characteristic(profile.REGISTRATION).properties
        assert set(properties) == {"read", "write"}
        assert set(client.services.get_characteristic(profile.BATTERY_LEVEL).properties) == {"read", "notify"}


@on_every_radio
async def test_device_information_is_read(bench):
    async with bench.connected(M2) as client:
        for uuid, value in {
            profile.SERIAL_NUMBER: M2,
            profile.MODEL_NUMBER: "stripe_m2",
            profile.SOFTWARE_REVISION: bench.models[M2].firmware,
            profile.FIRMWARE_REVISION: bench.models[M2].firmware.split("-")[0],
        }.items():
            assert profile.decode_text(await client.read_gatt_char(uuid)) == value


@on_every_radio
async def test_battery_and_state_are_read(bench):
    async with bench.connected(M2) as client:
        assert profile.decode_battery_level(await client.read_gatt_char(profile.BATTERY_LEVEL)) == 0.42
        assert ReaderState.decode(await client.read_gatt_char(profile.STATE)).uptime_s < 600


@on_every_radio
async def test_many_reads_at_once_are_all_answered(bench):
    async with bench.connected(M2) as client:
        values = await asyncio.gather(*(client.read_gatt_char(profile.SERIAL_NUMBER) for _ in range(20)))
        assert set(map(bytes, values)) == {M2.encode()}


@on_every_radio
async def test_what_is_not_there_is_not_found(bench):
    async with bench.connected(M2) as client:
        with pytest.raises(BleakCharacteristicNotFoundError):
            await client.read_gatt_char("0000ffff-0000-1000-8000-00805f9b34fb")


@on_every_radio
async def test_the_mtu_is_one_that_the_standard_allows(bench):
    async with bench.connected(M2) as client:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # BlueZ's backend warns that it does not know
            mtu = client.mtu_size
            assert bench.radio.link_parameters(client).mtu_bytes in (mtu, None)
        assert 23 <= mtu <= 517


# ---- pairing and writing


@on_every_radio
async def test_an_unpaired_host_may_read_and_not_write(bench):
    if bench.radio.capabilities.pairs_by_itself:
        pytest.skip("this radio's host pairs by itself when it is refused")
    async with bench.connected(M2) as client:
        assert await client.read_gatt_char(profile.REGISTRATION) == b""
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(profile.REGISTRATION, LOCATION, response=True)
        assert refused.value.code in {0x05, 0x0F}
        assert client.is_connected


@on_every_radio
async def test_a_paired_host_writes_and_its_bond_lasts(bench):
    async with bench.connected(M2) as client:
        await client.pair()
        await client.write_gatt_char(profile.REGISTRATION, LOCATION, response=True)
        assert await client.read_gatt_char(profile.REGISTRATION) == LOCATION
    async with bench.connected(M2) as client:
        await client.write_gatt_char(profile.REGISTRATION, b"tml_terrace", response=True)
        await client.pair()
    assert bench.models[M2].location_id == "tml_terrace"


@on_every_radio
async def test_a_refused_value_comes_with_its_code(bench):
    async with bench.connected(M2) as client:
        await client.pair()
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(profile.REGISTRATION, b"nowhere", response=True)
        assert refused.value.code == 0x13
        assert client.is_connected


@on_every_radio
async def test_a_host_whose_bond_the_reader_lost_is_refused(bench):
    async with bench.connected(M2) as client:
        await client.pair()
    bench.models[M2].lose_bonds()
    with pytest.raises(BleakError):
        await register(bench)
    assert bench.models[M2].location_id is None


# ---- being told


@on_every_radio
async def test_a_change_of_the_battery_is_told_until_nobody_asks(bench):
    levels = asyncio.Queue()
    async with bench.connected(M2) as client, asyncio.timeout(20):
        await client.start_notify(profile.BATTERY_LEVEL, lambda _c, data: levels.put_nowait(bytes(data)))
        bench.models[M2].set_battery(0.3)
        bench.touch(M2)
        assert profile.decode_battery_level(await levels.get()) == 0.3
        await client.stop_notify(profile.BATTERY_LEVEL)
        bench.models[M2].set_battery(0.2)
        bench.touch(M2)
        await asyncio.sleep(0.3)
        assert levels.empty()


@on_every_radio
async def test_notices_come_in_order(bench):
    notices = asyncio.Queue()
    async with bench.connected(M2) as client, asyncio.timeout(20):
        await client.start_notify(profile.NOTICE, lambda _c, data: notices.put_nowait(Notice.decode(bytes(data)).code))
        bench.models[M2].insert_card()
        bench.models[M2].set_busy(True)
        bench.models[M2].set_busy(False)
        bench.models[M2].remove_card()
        bench.touch(M2)
        heard = [await notices.get() for _ in range(4)]
    assert heard == [
        NoticeCode.CARD_INSERTED,
        NoticeCode.BUSY_STARTED,
        NoticeCode.BUSY_ENDED,
        NoticeCode.CARD_REMOVED,
    ]


# ---- losing the link


@on_every_radio
async def test_a_reader_says_goodbye_before_it_leaves(bench):
    order = asyncio.Queue()
    async with bench.connected(M2, lambda _client: order.put_nowait("gone")) as client, asyncio.timeout(20):
        await client.start_notify(profile.NOTICE, lambda _c, data: order.put_nowait(Notice.decode(bytes(data))))
        bench.models[M2].switch_off()
        bench.touch(M2)
        assert await order.get() == Notice(NoticeCode.FAREWELL, DisconnectReason.POWERED_OFF)
        assert await order.get() == "gone"
        assert not client.is_connected


@on_every_radio
async def test_the_end_of_a_link_is_told_once_and_with_its_code(bench):
    told = asyncio.Queue()
    async with bench.connected(M2, told.put_nowait) as client, asyncio.timeout(20):
        assert bench.radio.link_loss(client) == LinkLoss()
        bench.models[M2].switch_off()
        bench.touch(M2)
        assert await told.get() is client
        if bench.radio.capabilities.link_codes:
            assert bench.radio.link_loss(client) == LinkLoss(0x15, "reader")
        with pytest.raises(BleakError):
            await client.read_gatt_char(profile.BATTERY_LEVEL)
    assert told.empty()


@on_every_radio
async def test_a_request_under_way_dies_with_its_link(bench):
    async with bench.connected(M2) as client, asyncio.timeout(30):
        bench.models[M2].hang(True)
        reading = asyncio.create_task(client.read_gatt_char(profile.BATTERY_LEVEL))
        await asyncio.sleep(0.3)
        assert not reading.done()
        bench.models[M2].hang(False)
        bench.models[M2].switch_off()
        bench.touch(M2)
        with pytest.raises(BleakError):
            await reading


@on_every_radio
async def test_a_cancelled_request_harms_no_later_one(bench):
    async with bench.connected(M2) as client, asyncio.timeout(30):
        bench.models[M2].slow(0.5)
        reading = asyncio.create_task(client.read_gatt_char(profile.BATTERY_LEVEL))
        await asyncio.sleep(0.1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        bench.models[M2].slow(0.0)
        assert await client.read_gatt_char(profile.SERIAL_NUMBER) == M2.encode()


@on_every_radio
async def test_a_power_cut_is_noticed_where_there_is_a_supervision_timeout(bench):
    told = asyncio.Queue()
    if not bench.radio.capabilities.supervision_timeout:
        pytest.skip("this radio has no supervision timeout")
    async with bench.connected(M2, told.put_nowait) as client, asyncio.timeout(30):
        bench.models[M2].switch_off(farewell=False)
        bench.touch(M2)
        assert await told.get() is client
        if bench.radio.capabilities.link_codes:
            assert bench.radio.link_loss(client).hci_code == 0x08


@on_every_radio
async def test_a_rebooted_reader_comes_back_and_tells_why_it_left(bench):
    told = asyncio.Queue()
    async with bench.connected(M2, told.put_nowait) as client, asyncio.timeout(30):
        await client.pair()
        before = LastStop.decode(await client.read_gatt_char(profile.LAST_STOP))
        await reboot(client)
        await told.get()
    await bench.skip(20.0)
    async with bench.connected(M2) as client:
        after = LastStop.decode(await client.read_gatt_char(profile.LAST_STOP))
    assert (after.reason, after.boots) == (DisconnectReason.REBOOT_REQUESTED, before.boots + 1)


@on_every_radio
async def test_a_fault_of_the_host_ends_every_link(bench):
    if not bench.radio.capabilities.host_faults:
        pytest.skip("this radio's host has no faults")
    told = asyncio.Queue()
    async with bench.connected(M2, told.put_nowait), asyncio.timeout(30):
        await bench.set_fault("radio_off")
        await told.get()
    await bench.set_fault(None)
    async with bench.connected(M2) as client:
        assert client.is_connected
