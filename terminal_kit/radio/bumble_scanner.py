# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false
"""bleak's scanner backend over a Bumble host."""

from typing import Any, ClassVar

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement

from terminal_kit.radio.bumble_discovery import uuid_text
from terminal_kit.radio.bumble_host import BumbleHost

UUID_LISTS = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
"""Lists of service UUIDs, incomplete and complete, and the bytes of each UUID (Assigned Numbers, 2.3)."""

SERVICE_DATA = {0x16: 2, 0x20: 4, 0x21: 16}
"""Service data, and the bytes of the UUID that it begins with (Assigned Numbers, 2.3)."""


class VirtualScanner(BaseBleakScanner):
    """A bleak scanner backend; `virtual_radio` derives one that knows its host. It always scans actively."""

    host: ClassVar[BumbleHost]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        _scanning_mode: str = "active",
        **_foreign: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Hears advertisements until `stop`."""
        self.seen_devices = {}
        await self.host.listen(self._on_advertisement)

    async def stop(self) -> None:
        """Ends the scan; safe to repeat."""
        await self.host.ignore(self._on_advertisement)

    def _on_advertisement(self, heard: Advertisement) -> None:
        advertisement = parse(heard)
        if not self.is_allowed_uuid(advertisement.service_uuids):
            return
        address = heard.address.to_string(False)
        before, _ = self.seen_devices.get(address, (None, None))
        name = advertisement.local_name or (before and before.name)
        device = self.create_or_update_device(address, address, name, heard.address, advertisement)
        self.call_detection_callbacks(device, advertisement)


def parse(heard: Advertisement) -> AdvertisementData:
    """An advertisement with its scan response as bleak's record (Core Specification Supplement, Part A)."""
    name: str | None = None
    tx_power: int | None = None
    manufacturer_data: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    service_uuids: dict[str, None] = {}
    for kind, data in heard.data.ad_structures:
        if kind in UUID_LISTS:
            size = UUID_LISTS[kind]
            whole = range(0, len(data) - size + 1, size)
            service_uuids |= dict.fromkeys(uuid_text(UUID.from_bytes(data[at : at + size])) for at in whole)
        elif kind in SERVICE_DATA and len(data) >= SERVICE_DATA[kind]:
            size = SERVICE_DATA[kind]
            service_data[uuid_text(UUID.from_bytes(data[:size]))] = data[size:]
        elif kind in {AdvertisingData.SHORTENED_LOCAL_NAME, AdvertisingData.COMPLETE_LOCAL_NAME}:
            name = data.decode("utf-8", "replace")
        elif kind == AdvertisingData.TX_POWER_LEVEL:
            tx_power = int.from_bytes(data, "little", signed=True)
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA and len(data) >= 2:
            manufacturer_data[int.from_bytes(data[:2], "little")] = data[2:]
    return AdvertisementData(name, manufacturer_data, service_data, list(service_uuids), tx_power, heard.rssi, (heard,))
