"""What lines tell of a reader and its host besides links: battery, software, cards, errors, the app's own life."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terminal_kit.events import Kind
from terminal_kit.importers.sdk_logs.payloads import plain
from terminal_kit.importers.sdk_logs.stories.telling import Teller
from terminal_kit.importers.sdk_logs.vocabulary import SERIAL

_PERCENTAGES = ("batteryPercentage", "battery_percentage")
_LEVELS = ("reader_battery_level", "batteryLevel", "battery_level")
_VOLTS = 5
"""Up to here, a level above 1 with a fraction is the voltage of a cell, as the reader's library tells it beside."""

_CHARGING = ("isCharging", "is_charging", "charging")
_VERSIONS = (
    "reader_software_version",
    "deviceSoftwareVersion",
    "device_software_version",
    "softwareVersion",
    "firmwareVersion",
)
_SERIALS = ("serialNumber", "serial_number", "stripe_serial", "serial", "deviceSerialNumber")
_LABELS = ("label", "deviceName", "name")


def number(value: Any) -> float | None:
    """A number, whether or not it stands in quotes; with the sign of a percentage, its share of 1."""
    found = plain(value.strip().rstrip("% ")) if isinstance(value, str) else value
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found / 100 if is_percentage(value) else float(found)


def is_percentage(value: Any) -> bool:
    """Whether a text ends with the sign of a percentage."""
    return isinstance(value, str) and value.rstrip().endswith("%")


def first(pairs: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these that is there."""
    return next((pairs[name] for name in names if pairs.get(name) not in (None, "", "null", "unknown")), None)


def level_of(pairs: Mapping[str, Any]) -> float | None:
    """A battery level, 0…1: libraries tell it as a percentage or as a share, and call a voltage a level too."""
    for name in (*_PERCENTAGES, *_LEVELS):
        told = pairs.get(name)
        level = number(told)
        if level is None or (name in _LEVELS and 1 < level <= _VOLTS and (level % 1 or "." in str(told))):
            continue
        if not is_percentage(told) and (name in _PERCENTAGES or level > 1):
            level /= 100
        if 0 <= level <= 1:
            return level
    return None


def charging_of(pairs: Mapping[str, Any]) -> bool | None:
    """Whether a reader charges, where that is told."""
    told = first(pairs, _CHARGING)
    told = plain(told) if isinstance(told, str) else told
    return told if isinstance(told, bool) else None


def reader_of(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """A reader's record as the lists of discoveries hold it: `serial`, `label`, `battery`, `firmware`, `location`."""
    serial = first(pairs, _SERIALS)
    location = first(pairs, ("locationId", "location_id", "location"))
    return {
        "serial": str(serial) if serial is not None else None,
        "label": first(pairs, _LABELS),
        "address": first(pairs, ("bluetoothDevice", "address", "deviceAddress")),
        "battery": level_of(pairs),
        "firmware": first(pairs, _VERSIONS),
        "location": location if isinstance(location, str) and location.startswith("tml_") else None,
    }


@dataclass(slots=True)
class Told:
    """What was told of one reader."""

    battery: float | None = None
    charging: bool | None = None
    firmware: str | None = None


class Facts:
    """Battery, software, cards, errors and the host. Methods give whether the line said something new."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._readers: dict[str, Told] = {}
        self._foreground: bool | None = None
        self._radio: str | None = None
        self._internet: bool | None = None

    def battery(self, level: float | None, charging: bool | None = None) -> bool:
        """A battery level, where it is news."""
        told = self._told()
        if level is None or (level == told.battery and charging in (None, told.charging)):
            return False
        told.battery, told.charging = level, charging
        self._teller.tell(Kind.BATTERY, battery=level, charging=charging)
        return True

    def low_battery(self) -> bool:
        """The SDK warns."""
        self._teller.tell(Kind.LOW_BATTERY, battery=self._told().battery)
        return True

    def info(self, pairs: Mapping[str, Any]) -> bool:
        """What the reader tells about itself."""
        serial = first(pairs, _SERIALS)
        if isinstance(serial, str) and SERIAL.fullmatch(serial):
            self._teller.know(serial)
        firmware = first(pairs, _VERSIONS)
        before, told = self._told(), False
        if firmware is not None and str(firmware) != before.firmware:
            before.firmware = str(firmware)
            names = ("bootloaderVersion", "hardwareVersion", "sdkVersion", "isUsbConnected", "configVersion")
            extra = {name: str(pairs[name]) for name in names if name in pairs}
            self._teller.tell(Kind.READER_INFO, extra, firmware=before.firmware, device_type=self._teller.device_type())
            told = True
        return self.battery(level_of(pairs), charging_of(pairs)) or told

    def card(self, *, inserted: bool) -> bool:
        """A card went in or came out."""
        self._teller.tell(Kind.CARD_INSERTED if inserted else Kind.CARD_REMOVED)
        return True

    def error(self, code: str | None, extra: Mapping[str, Any] | None = None) -> bool:
        """An error of the SDK, with its code where the line has one."""
        self._teller.tell(Kind.ERROR, extra, error_code=code)
        return True

    def app(self, *, foreground: bool) -> bool:
        """The app comes to the front, or goes behind another."""
        if foreground == self._foreground:
            return False
        self._foreground = foreground
        self._teller.tell(Kind.HOST_CHANGED, {"app": "foreground" if foreground else "background"})
        return True

    def radio(self, *, on: bool, fault: str = "radio_off") -> bool:
        """The host's Bluetooth can be used, or cannot: `fault` is one of `words.HOST_FAULTS`."""
        state = "" if on else fault
        if state == self._radio:
            return False
        self._radio = state
        self._teller.tell(Kind.HOST_CHANGED, {"bluetooth": on, "fault": None if on else fault})
        return True

    def internet(self, *, on: bool) -> bool:
        """The host reaches the internet, or does not."""
        if on == self._internet:
            return False
        self._internet = on
        self._teller.tell(Kind.HOST_CHANGED, {"internet": on})
        return True

    def _told(self) -> Told:
        """What was told of the reader in force: of one without a name, over the present connection."""
        unnamed = f"connection {self._teller.connection}"
        name = self._teller.serial or unnamed
        if name not in self._readers:
            self._readers[name] = self._readers.pop(unnamed, None) or Told()
        return self._readers[name]
