"""Several scans at once on BlueZ, which lets one program run a single one (`StartDiscovery` answers `InProgress`).

So that a monitor goes on while a lost reader is listened for, and two terminals share an adapter, the scanners of one
event loop take part in one scan: it begins with the first of them and ends with the last.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner


class SharedScanner(BaseBleakScanner):
    """A bleak scanner backend that takes part in its loop's scan. Filters are applied here, not by BlueZ."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        *_foreign: Any,
        **__: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Takes part from now on; raises what BlueZ says where it cannot scan."""
        self.seen_devices = {}
        await _Scan.of_this_loop().join(self)

    async def stop(self) -> None:
        """Takes part no longer. Safe to repeat."""
        await _Scan.of_this_loop().leave(self)

    def hear(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        """One advertisement that the common scan heard."""
        if self.is_allowed_uuid(advertisement.service_uuids):
            self.seen_devices[device.address] = device, advertisement
            self.call_detection_callbacks(device, advertisement)


class _Scan:
    """The one scan of an event loop, and who takes part in it."""

    def __init__(self) -> None:
        self._listeners: list[SharedScanner] = []
        self._running: BleakScanner | None = None
        self._changing = asyncio.Lock()

    @classmethod
    def of_this_loop(cls) -> "_Scan":
        """The running loop's scan: bleak has one connection to BlueZ a loop, and BlueZ one scan a connection."""
        return _SCANS.setdefault(asyncio.get_running_loop(), cls())

    async def join(self, listener: SharedScanner) -> None:
        async with self._changing:
            if self._running is None:
                scan = BleakScanner(self._hear)
                await scan.start()
                self._running = scan
            if listener not in self._listeners:
                self._listeners.append(listener)

    async def leave(self, listener: SharedScanner) -> None:
        async with self._changing:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners and self._running is not None:
                scan, self._running = self._running, None
                await scan.stop()

    def _hear(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        for listener in tuple(self._listeners):
            listener.hear(device, advertisement)


_SCANS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Scan] = WeakKeyDictionary()
"""Keyed weakly: a loop that is gone takes its scan along."""
