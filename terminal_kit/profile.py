"""The reader's GATT profile: UUIDs, and bytes ↔ records as pure functions.

Standard parts: Device Information (0x180A), Battery Service 1.1 (0x180F) with Battery Level (0x2A19) and Battery Level
Status (0x2BED). Ours: one small service with the reader's state, its farewell and last stop, its location and its
commands. All integers are little-endian, as everywhere in GATT (Core Specification Vol 3 Part G, 2.4).

The vendor's own readers speak a closed protocol and have none of our service: they are recognised by name.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import DisconnectReason
from terminal_kit.reader import DeviceType


def _sig(number: int) -> str:
    """A 16-bit number of the Bluetooth SIG on the Bluetooth base UUID (Vol 3 Part B, 2.5.1)."""
    return f"0000{number:04x}-0000-1000-8000-00805f9b34fb"


def _ours(number: int) -> str:
    """A number on the kit's own base UUID, drawn at random once."""
    return f"5d7a{number:04x}-9c1f-4b8e-a6d3-2f1c0e4b7a90"


DEVICE_INFORMATION = _sig(0x180A)
MODEL_NUMBER = _sig(0x2A24)
SERIAL_NUMBER = _sig(0x2A25)
FIRMWARE_REVISION = _sig(0x2A26)
HARDWARE_REVISION = _sig(0x2A27)
SOFTWARE_REVISION = _sig(0x2A28)
MANUFACTURER_NAME = _sig(0x2A29)

BATTERY = _sig(0x180F)
BATTERY_LEVEL = _sig(0x2A19)
BATTERY_LEVEL_STATUS = _sig(0x2BED)

SMP = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
"""The Simple Management Protocol's service (Zephyr MCUmgr): a board that offers it is a reader too (D8)."""
SMP_CHARACTERISTIC = "da2e7828-fbce-4e01-ae9e-261174997c48"
"""Requests are written to it without response, answers are notified; both in pieces of the MTU."""

READER = _ours(0x0001)
STATE = _ours(0x0002)
NOTICE = _ours(0x0003)
LAST_STOP = _ours(0x0004)
REGISTRATION = _ours(0x0005)
COMMAND = _ours(0x0006)

COMPANY_ID = 0xFFFF
"""Manufacturer data's company: the number that Assigned Numbers reserve for use before one is assigned."""

ADVERTISEMENT_VERSION = 1
UNKNOWN_LEVEL = 255
UNKNOWN_RSSI = 127
"""An RSSI of 127 means "not available" (Vol 4 Part E, 7.5.4)."""

_DEVICE_NUMBERS = {DeviceType.UNKNOWN: 0, DeviceType.STRIPE_M2: 1, DeviceType.WISEPAD_3: 2, DeviceType.CHIPPER_2X: 3}
_REASON_NUMBERS = {reason: number for number, reason in enumerate(DisconnectReason)}
_REASONS = {number: reason for reason, number in _REASON_NUMBERS.items()}


class StateFlag(IntFlag):
    """The bits of the advertisement and of the state characteristic."""

    CHARGING = 1
    STANDBY = 2
    BUSY = 4
    CARD_INSERTED = 8
    TAKEN = 16  # advertised only, and not connectable meanwhile: another host has the reader
    ON_TRIAL = 32  # it runs new software that was not confirmed, and goes back at its next restart unless it is


class NoticeCode(IntEnum):
    """What a notice tells. `FAREWELL` carries a reason: the reader leaves now (X1)."""

    FAREWELL = 1
    CARD_INSERTED = 2
    CARD_REMOVED = 3
    STANDBY_ENTERED = 4
    STANDBY_LEFT = 5
    BUSY_STARTED = 6
    BUSY_ENDED = 7


class CommandCode(IntEnum):
    """What the host may ask for on the command characteristic; it needs an encrypted link (C8)."""

    REBOOT = 1


@dataclass(frozen=True, slots=True)
class AdvertisedState:
    """What an advertisement carries besides the name. `battery` 0…1 or None."""

    device_type: DeviceType
    battery: float | None
    flags: StateFlag = StateFlag(0)

    def encode(self) -> bytes:
        """Manufacturer data: version, device type, battery in percent, flags."""
        return bytes(
            (ADVERTISEMENT_VERSION, _DEVICE_NUMBERS[self.device_type], _percent(self.battery), self.flags & 0xFF)
        )

    @classmethod
    def decode(cls, data: bytes) -> "AdvertisedState | None":
        """The record, or None where the bytes are somebody else's (the company number is shared)."""
        if len(data) < 4 or data[0] != ADVERTISEMENT_VERSION:
            return None
        types = {number: kind for kind, number in _DEVICE_NUMBERS.items()}
        return cls(types.get(data[1], DeviceType.UNKNOWN), decode_battery_level(data[2:3]), StateFlag(data[3] & 0x3F))


@dataclass(frozen=True, slots=True)
class ReaderState:
    """The state characteristic. `uptime_s`: seconds since the reader started; `host_rssi_dbm`: what it hears of us."""

    uptime_s: int
    flags: StateFlag = StateFlag(0)
    host_rssi_dbm: int | None = None

    def encode(self) -> bytes:
        """u32 seconds, u8 flags, i8 dBm (127: not known)."""
        rssi = UNKNOWN_RSSI if self.host_rssi_dbm is None else max(-127, min(20, self.host_rssi_dbm))
        return struct.pack("<IBb", min(max(self.uptime_s, 0), 0xFFFFFFFF), self.flags & 0xFF, rssi)

    @classmethod
    def decode(cls, data: bytes) -> "ReaderState":
        """Raises `InvalidParameterError` where the value is too short."""
        uptime_s, flags, rssi = _unpack("<IBb", data, "state")
        return cls(uptime_s, StateFlag(flags & 0x3F), None if rssi == UNKNOWN_RSSI else rssi)


@dataclass(frozen=True, slots=True)
class LastStop:
    """Why the reader last stopped, and how its last link ended, as it saw it (X1).

    `boots` counts its starts (modulo 65,536): unchanged across a drop means that it never stopped.
    `link_code` is the link-layer code of its last link's end, None where there was none.
    """

    reason: DisconnectReason
    boots: int
    link_code: int | None = None

    def encode(self) -> bytes:
        """u8 reason, u16 boots, u8 link code (0: none)."""
        return struct.pack("<BHB", _REASON_NUMBERS[self.reason], self.boots & 0xFFFF, self.link_code or 0)

    @classmethod
    def decode(cls, data: bytes) -> "LastStop":
        """Raises `InvalidParameterError` where the value is too short."""
        reason, boots, code = _unpack("<BHB", data, "last stop")
        return cls(_REASONS.get(reason, DisconnectReason.UNKNOWN), boots, code or None)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification of the notice characteristic; `reason` only with a farewell."""

    code: NoticeCode
    reason: DisconnectReason | None = None

    def encode(self) -> bytes:
        """u8 code, u8 argument."""
        return bytes((self.code, 0 if self.reason is None else _REASON_NUMBERS[self.reason]))

    @classmethod
    def decode(cls, data: bytes) -> "Notice | None":
        """The record, or None for a code that this version does not know."""
        if len(data) < 2 or data[0] not in set(NoticeCode):
            return None
        code = NoticeCode(data[0])
        return cls(code, _REASONS.get(data[1], DisconnectReason.UNKNOWN) if code is NoticeCode.FAREWELL else None)


@dataclass(frozen=True, slots=True)
class BatteryState:
    """The Battery Level Status characteristic, as far as a reader needs it (Battery Service 1.1, 3.3)."""

    level: float | None
    charging: bool | None

    def encode(self) -> bytes:
        """u8 flags (level present), u16 power state, u8 level."""
        wired = 0b01 if self.charging else 0b00
        charge = 0b01 if self.charging else 0b10
        power = 0b1 | wired << 1 | charge << 5
        return struct.pack("<BHB", 0b010, power, _percent(self.level))

    @classmethod
    def decode(cls, data: bytes) -> "BatteryState":
        """Reads the charge state (bits 5–6 of the power state) and the level where its flag (bit 1) is set."""
        flags, power = _unpack("<BH", data, "battery level status")
        charge = power >> 5 & 0b11
        # An identifier (u16) precedes the level where flag bit 0 is set.
        offset = 3 + (2 if flags & 0b001 else 0)
        level = decode_battery_level(data[offset : offset + 1]) if flags & 0b010 else None
        return cls(level, None if charge == 0 else charge == 0b01)


def encode_battery_level(battery: float | None) -> bytes:
    """Battery Level (0x2A19): whole percent."""
    return bytes((_percent(battery),))


def decode_battery_level(data: bytes) -> float | None:
    """0…1, or None where it is absent or above 100 %."""
    return data[0] / 100 if data and data[0] <= 100 else None


def decode_text(data: bytes) -> str:
    """A UTF-8 string of Device Information; hostile or broken bytes are kept visible, never raised on."""
    return bytes(data).rstrip(b"\0").decode("utf-8", "replace")


def _percent(battery: float | None) -> int:
    return UNKNOWN_LEVEL if battery is None else round(max(0.0, min(1.0, battery)) * 100)


def _unpack(layout: str, data: bytes, what: str) -> tuple[int, ...]:
    size = struct.calcsize(layout)
    if len(data) < size:
        raise InvalidParameterError(
            f"the {what} value has {len(data)} bytes, not {size}",
            parameter=what,
            value=bytes(data).hex(),
            hint="The device does not follow the profile of this version.",
        )
    return struct.unpack(layout, bytes(data[:size]))
