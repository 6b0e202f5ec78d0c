"""The nouns around a card reader: what it is, where it is registered, what software it runs."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import UpdateComponent


class DeviceType(StrEnum):
    """The vendor's Bluetooth readers, and `unknown` for anything else with a radio."""

    STRIPE_M2 = "stripe_m2"
    WISEPAD_3 = "wisepad_3"
    CHIPPER_2X = "chipper_2x"
    UNKNOWN = "unknown"


SERIAL_PREFIXES: dict[str, DeviceType] = {
    "STRM2": DeviceType.STRIPE_M2,
    "WPC32": DeviceType.WISEPAD_3,
    "CHB2": DeviceType.CHIPPER_2X,
}
"""How a serial number begins ↔ which device it is (lifecycle, Words)."""


def device_type_of(serial: str | None) -> DeviceType:
    """The device type that a serial number tells, `unknown` where its prefix is not in `SERIAL_PREFIXES`."""
    for prefix, device_type in SERIAL_PREFIXES.items():
        if serial and serial.startswith(prefix):
            return device_type
    return DeviceType.UNKNOWN


class BatteryStatus(StrEnum):
    """A battery level in words: critical ≤ 5 % < low ≤ 20 % < nominal."""

    CRITICAL = "critical"
    LOW = "low"
    NOMINAL = "nominal"
    UNKNOWN = "unknown"


CRITICAL_BATTERY = 0.05
LOW_BATTERY = 0.20
"""Upper ends of `critical` and `low`, both inclusive (lifecycle, Words)."""


def battery_status(battery: float | None) -> BatteryStatus:
    """The words for a level of 0…1; None is `unknown`."""
    if battery is None:
        return BatteryStatus.UNKNOWN
    if battery <= CRITICAL_BATTERY:
        return BatteryStatus.CRITICAL
    return BatteryStatus.LOW if battery <= LOW_BATTERY else BatteryStatus.NOMINAL


class EstimatedUpdateTime(StrEnum):
    """How long an update takes, as the vendor puts it."""

    LESS_THAN_1_MINUTE = "less_than_1_minute"
    ONE_TO_TWO_MINUTES = "1_to_2_minutes"
    TWO_TO_FIVE_MINUTES = "2_to_5_minutes"
    FIVE_TO_FIFTEEN_MINUTES = "5_to_15_minutes"


SOFTWARE_PARTS = (UpdateComponent.FIRMWARE, UpdateComponent.CONFIG, UpdateComponent.KEYS)
"""What a software version names, in its order: FIRMWARE-CONFIG-KEYPROFILE (Words)."""


def software_parts(version: str) -> dict[UpdateComponent, str]:
    """What a software version says of each component; a board's may end after the firmware."""
    return dict(zip(SOFTWARE_PARTS, version.split("-", len(SOFTWARE_PARTS) - 1), strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePart:
    """One image of an update: which component it replaces, the version it brings, and what the file must be."""

    component: UpdateComponent
    version: str
    size_bytes: int
    sha256: str
    file: str = ""


MINIMUM_BATTERY = 0.5
"""An update begins above this level only (U2)."""

GRACE_US = 30 * 24 * 3600 * 1_000_000
"""A version that was the newest within the last 30 days may be used although its update failed (U5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareUpdate:
    """An update that waits for a reader (U7). Times are UTC microseconds.

    `version` is the reader's whole version after it. `required_at_us` is None where it stays optional;
    `superseded_at_us` tells since when the reader's present version is no longer the newest at its location (U5).
    `minimum_battery` 0…1: it begins strictly above (U2).
    """

    version: str
    components: UpdateComponent
    estimated_time: EstimatedUpdateTime
    required_at_us: int | None = None
    release_id: str = ""
    superseded_at_us: int | None = None
    minimum_battery: float = MINIMUM_BATTERY
    parts: tuple[UpdatePart, ...] = ()

    @property
    def total_bytes(self) -> int:
        """The size of all parts."""
        return sum(part.size_bytes for part in self.parts)

    @property
    def can_be_canceled(self) -> bool:
        """An update made of the incremental component alone cannot (U6), nor one that only has to be confirmed."""
        return bool(self.components & ~UpdateComponent.INCREMENTAL)

    def has_grace(self, now_us: int) -> bool:
        """Whether the reader may be used although the update is required and failed (U5)."""
        return self.superseded_at_us is not None and now_us - self.superseded_at_us <= GRACE_US

    def is_required(self, now_us: int) -> bool:
        """Whether it must be installed at the next connection (U8); `now_us` in UTC microseconds."""
        return self.required_at_us is not None and now_us >= self.required_at_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where readers are registered (L1). `time_zone` is an IANA name."""

    id: str
    name: str
    address: str = ""
    region: str = ""
    time_zone: str = "UTC"


def check_location_id(location_id: str | None) -> str:
    """The id itself, or `InvalidParameterError` before any radio work (C1).

    A location id is `tml_` and one or more letters, digits or underscores, 64 bytes at most (what a reader stores).
    """
    if not location_id:
        raise InvalidParameterError(
            "connecting a reader needs a location id",
            parameter="location_id",
            hint="Pass one of `list_locations()`, for instance location_id='tml_front_desk'.",
        )
    body = location_id.removeprefix("tml_")
    well_formed = body != location_id and body.isascii() and body.replace("_", "").isalnum() and len(location_id) <= 64
    if not well_formed:
        raise InvalidParameterError(
            f"{location_id!r} is not a location id",
            parameter="location_id",
            value=location_id,
            hint="A location id looks like tml_ and then letters, digits or underscores.",
        )
    return location_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader as a discovery or a connection knows it. A new record at every change, never edited in place.

    `serial` is what is known of its serial number: what it tells when connected, before that the `name` it advertises.
    `address` is opaque (on macOS an identifier); `battery` is 0…1; `last_heard_us` UTC microseconds; `rssi_dbm` the
    last advertisement's. `is_ours` tells that the reader offers the kit's service (or an SMP server): others can be
    seen and measured, and connected at link level only (D8). `is_taken` tells that it says of itself that another host
    has it. `details` is what the radio needs to connect.
    """

    serial: str
    name: str = ""
    address: str = ""
    label: str | None = None
    device_type: DeviceType = DeviceType.UNKNOWN
    rssi_dbm: float | None = None
    last_heard_us: int | None = None
    battery: float | None = None
    charging: bool | None = None
    firmware: str | None = None
    location_id: str | None = None
    paired_in_host: bool = False
    is_ours: bool = True
    is_taken: bool = False
    uptime_s: float | None = None
    standby: bool = False
    available_update: SoftwareUpdate | None = None
    details: Any = field(default=None, repr=False, compare=False)

    def is_same(self, other: "Reader") -> bool:
        """Whether two records are of one reader, by its serial number or its address."""
        return self.serial == other.serial or bool(self.address and self.address == other.address)

    @property
    def battery_status(self) -> BatteryStatus:
        """The battery level in words."""
        return battery_status(self.battery)
