"""What every radio's scanner does."""

import asyncio

import pytest
from bleak import BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError
from radio_bench import PATIENCE_S, Bench, on_every_radio

from terminal_kit import profile
from terminal_kit.profile import AdvertisedState
from terminal_kit.reader import DeviceType

M2, WISEPAD = "STRM26138003393", "WPC323105002323"


async def hear(bench: Bench, serial: str):
    """The reader's next whole advertisement, and the device it came from."""
    heard = asyncio.Queue()
    async with (
        bench.radio.scanner(lambda device, data: heard.put_nowait((device, data))),
        asyncio.timeout(PATIENCE_S),
    ):
        while True:
            device, data = await heard.get()
            if data.local_name == serial and data.service_uuids:
                return device, data


@on_every_radio
async def test_a_reader_is_found_by_its_name(bench):
    device = await bench.find(M2)
    assert device is not None
    assert device.name == M2


@on_every_radio
async def test_its_advertisement_carries_service_state_and_signal(bench):
    _, data = await hear(bench, M2)
    assert profile.READER in data.service_uuids
    state = AdvertisedState.decode(data.manufacturer_data[profile.COMPANY_ID])
    assert (state.device_type, state.battery) == (DeviceType.STRIPE_M2, 0.42)
    assert isinstance(data.rssi, int)
    assert -127 <= data.rssi <= 20


@on_every_radio
async def test_the_signal_varies_where_there_is_an_air(bench):
    strengths = {(await hear(bench, M2))[1].rssi for _ in range(8)}
    assert (len(strengths) > 1) == bench.radio.capabilities.varying_signal


@on_every_radio
async def test_a_changed_state_is_advertised(bench):
    bench.models[M2].set_battery(0.17)
    bench.touch(M2)
    async with asyncio.timeout(PATIENCE_S):
        battery = None
        while battery != 0.17:
            _, data = await hear(bench, M2)
            battery = AdvertisedState.decode(data.manufacturer_data[profile.COMPANY_ID]).battery


@on_every_radio
async def test_a_scan_hears_every_reader(bench):
    names, both = set(), asyncio.Event()

    def on_advertisement(_device, data):
        names.add(data.local_name)
        if {M2, WISEPAD} <= names:
            both.set()

    async with bench.radio.scanner(on_advertisement), asyncio.timeout(PATIENCE_S):
        await both.wait()


@on_every_radio
async def test_a_filter_lets_our_service_through(bench):
    filtered = {"service_uuids": [profile.READER], "backend": bench.radio.backends.scanner}
    assert await BleakScanner.find_device_by_name(M2, PATIENCE_S, **filtered)


@on_every_radio
async def test_a_filter_for_another_service_lets_no_reader_through(bench):
    filtered = {"service_uuids": [profile.SMP], "backend": bench.radio.backends.scanner}
    assert await BleakScanner.find_device_by_name(M2, 1.0, **filtered) is None


@on_every_radio
async def test_after_stop_nothing_more_is_heard_and_a_second_scan_hears_again(bench):
    heard = []
    scanner = bench.radio.scanner(lambda _device, data: heard.append(data))
    for _ in range(2):
        await scanner.start()
        await asyncio.sleep(1.5)
        await scanner.stop()
        assert heard
        heard.clear()
        await asyncio.sleep(0.5)
        assert not heard
    await scanner.stop()


@on_every_radio
async def test_two_scans_at_once_do_not_disturb_each_other(bench):
    heard = asyncio.Queue()
    async with bench.radio.scanner(lambda _device, data: heard.put_nowait(data)), asyncio.timeout(PATIENCE_S):
        async with bench.radio.scanner(lambda _device, _data: None):
            await heard.get()
        while not heard.empty():
            heard.get_nowait()
        await heard.get()


@on_every_radio
async def test_a_reader_that_is_off_is_not_heard(bench):
    bench.models[M2].switch_off()
    await bench.skip(1.0)
    bench.touch(M2)
    await asyncio.sleep(0.3)
    assert await bench.find(M2, 1.0) is None
    assert await bench.find(WISEPAD)


@on_every_radio
async def test_a_radio_that_is_off_says_so_and_works_when_it_is_on_again(bench):
    if not bench.radio.capabilities.host_faults:
        pytest.skip("this radio's host has no faults")
    changes = []
    undo = bench.radio.watch_host(changes.append)
    await bench.set_fault("radio_off")
    assert bench.radio.host_state().fault == "radio_off"
    with pytest.raises(BleakBluetoothNotAvailableError):
        await bench.radio.scanner(lambda _device, _data: None).start()
    await bench.set_fault(None)
    undo()
    assert [state.fault for state in changes] == ["radio_off", None]
    assert await bench.find(M2)
