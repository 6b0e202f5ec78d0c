"""The reader's firmware as a host meets it: what it broadcasts, and what can be read, written and asked of it.

Bytes in, bytes out; what it does by itself is its `Life`. It is served twice: in the simulated air, and by Bumble.
"""

import random
from collections.abc import Callable

from terminal_kit import profile
from terminal_kit.errors import InvalidParameterError
from terminal_kit.image import Image
from terminal_kit.profile import AdvertisedState, BatteryState, CommandCode, LastStop
from terminal_kit.reader import DeviceType, SoftwareUpdate, check_location_id, device_type_of
from terminal_kit.simulator import figures
from terminal_kit.simulator.gatt import BATTERY, INFORMATION, READER, Advertisement, AttributeFault, ServiceSpec
from terminal_kit.simulator.life import Life


class ReaderModel(Life):
    """One reader. `closed` models a vendor's own: no service of ours, only a name and Device Information (D8)."""

    def __init__(
        self,
        serial: str,
        *,
        device_type: DeviceType | None = None,
        battery: float = 1.0,
        charging: bool = False,
        firmware: str = "2.01.01.00-SZZZ_Prod_US_v12-481001",
        location_id: str | None = None,
        uptime_s: float = 0.0,
        rng: random.Random | None = None,
        name: str | None = None,
        closed: bool = False,
    ) -> None:
        known = device_type_of(serial)
        super().__init__(
            device_type or (DeviceType.STRIPE_M2 if known is DeviceType.UNKNOWN else known),
            battery=battery,
            charging=charging,
            uptime_s=uptime_s,
            rng=rng or random.Random(serial),
        )
        self.serial = serial
        self.name = name or serial
        self.closed = closed
        self.firmware = firmware
        self.location_id = location_id
        self.pending_update: SoftwareUpdate | None = None
        self.pending_images: tuple[Image, ...] = ()
        self._bonds: set[str] = set()

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """What it offers."""
        return (INFORMATION,) if self.closed else (INFORMATION, BATTERY, READER)

    def advertisement(self) -> Advertisement | None:
        """What it broadcasts now; None while off, booting or connected."""
        if not self.is_on or self.is_booting or self._peer is not None:
            return None
        if self.closed:
            return Advertisement(self.name)
        state = AdvertisedState(self.device_type, self.battery, self._all_flags())
        return Advertisement(self.name, (profile.READER,), {profile.COMPANY_ID: state.encode()})

    def pair(self, peer: str) -> bool:
        """Pairs by Just Works and keeps the bond."""
        self._bonds.add(peer)
        return True

    def has_bond(self, peer: str) -> bool:
        """Whether it still knows this host."""
        return peer in self._bonds

    def read(self, uuid: str, *, peer: str, encrypted: bool) -> bytes:
        """A characteristic's value. Raises `AttributeFault`."""
        texts = {
            profile.MANUFACTURER_NAME: "terminal_kit simulator",
            profile.MODEL_NUMBER: self.device_type.value,
            profile.SERIAL_NUMBER: self.serial,
            profile.FIRMWARE_REVISION: self.firmware.split("-")[0],
            profile.HARDWARE_REVISION: "simulated",
            profile.SOFTWARE_REVISION: self.firmware,
            profile.REGISTRATION: self.location_id or "",
        }
        if uuid in texts:
            return texts[uuid].encode()
        match uuid:
            case profile.BATTERY_LEVEL:
                return profile.encode_battery_level(self.battery)
            case profile.BATTERY_LEVEL_STATUS:
                return BatteryState(self.battery, self.charging).encode()
            case profile.STATE:
                return self._state().encode()
            case profile.LAST_STOP:
                return LastStop(self._stop_reason, self._boots, self._link_code).encode()
            case _:
                raise AttributeFault(figures.ATTRIBUTE_NOT_FOUND)

    def write(self, uuid: str, data: bytes, *, peer: str, encrypted: bool) -> None:
        """Registers at a location or takes a command, over an encrypted link only (C8). Raises `AttributeFault`."""
        if uuid not in (profile.REGISTRATION, profile.COMMAND):
            raise AttributeFault(figures.WRITE_NOT_PERMITTED)
        if not encrypted:
            raise AttributeFault(figures.INSUFFICIENT_AUTHENTICATION)
        self._wake()
        if uuid == profile.REGISTRATION:
            try:
                self.location_id = check_location_id(data.decode("utf-8", "replace"))
            except InvalidParameterError as error:
                raise AttributeFault(figures.VALUE_NOT_ALLOWED) from error
        elif data[:1] == bytes([CommandCode.REBOOT]):
            self.reboot()
        else:
            raise AttributeFault(figures.VALUE_NOT_ALLOWED)

    def lose_bonds(self) -> Callable[[], None]:
        """Forgets every host; gives the way to remember them."""
        lost, self._bonds = self._bonds, set[str]()
        return lambda: self._bonds.update(lost)
