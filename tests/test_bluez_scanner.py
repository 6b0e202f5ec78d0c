"""Several scanners take part in one scan of BlueZ's. BlueZ itself is asked in its machine (tests/bluez)."""

import pytest
from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from terminal_kit import profile
from terminal_kit.radio import bluez_scanner
from terminal_kit.radio.bluez_scanner import SharedScanner

READER = BLEDevice("C0:00:00:00:00:01", "STRM26138003393", None)


class BlueZ:
    """What stands for bleak's own scanner: one scan at a time, as BlueZ has it."""

    def __init__(self) -> None:
        self.scanning = None
        self.broken = False

    def __call__(self, callback):
        self._callback = callback
        return self

    async def start(self) -> None:
        if self.broken or self.scanning:
            raise BleakError("InProgress")
        self.scanning = self._callback

    async def stop(self) -> None:
        self.scanning = None

    def advertise(self, *uuids: str) -> None:
        self.scanning(READER, AdvertisementData("STRM26138003393", {}, {}, list(uuids), None, -50, ()))


@pytest.fixture
def bluez(monkeypatch) -> BlueZ:
    fake = BlueZ()
    monkeypatch.setattr(bluez_scanner, "BleakScanner", fake)
    return fake


def scanner(heard: list, **options) -> BleakScanner:
    return BleakScanner(lambda device, _data: heard.append(device), backend=SharedScanner, **options)


async def test_the_scan_begins_with_the_first_and_ends_with_the_last(bluez) -> None:
    heard, also = [], []
    one, other = scanner(heard), scanner(also)
    await one.start()
    await other.start()
    bluez.advertise()
    await one.stop()
    await one.stop()
    bluez.advertise()
    assert (len(heard), len(also)) == (1, 2)
    assert one.discovered_devices == [READER]
    await other.stop()
    assert bluez.scanning is None


async def test_each_has_its_own_filter(bluez) -> None:
    readers, boards = [], []
    async with scanner(readers, service_uuids=[profile.READER]), scanner(boards, service_uuids=[profile.SMP]):
        bluez.advertise(profile.READER)
    assert (readers, boards) == ([READER], [])


async def test_a_scan_that_cannot_begin_leaves_nobody_in_it(bluez) -> None:
    bluez.broken = True
    heard = []
    with pytest.raises(BleakError):
        await scanner(heard).start()
    bluez.broken = False
    async with scanner([]):
        bluez.advertise()
    assert not heard
