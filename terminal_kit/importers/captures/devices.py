"""The devices of a capture: one for each address, and one again where addresses turn out to be the same device's.

A key is address × 256 + type (0 public, 1 random): so an address of 48 bits and its type fit a number, and the
millions of advertisements carry a small `id` of the device instead.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.captures.coding import coded
from terminal_kit.importers.captures.payloads import Payload, serial_in
from terminal_kit.profile import StateFlag

Key = int


def key_of(address: bytes, address_type: int) -> Key:
    """The key of an address as it lies on the air (lowest byte first). Types 2 and 3 are the identities of 0 and 1."""
    return int.from_bytes(address[:6], "little") << 8 | (address_type if address_type == 0xFF else address_type & 1)


def address_of(key: Key) -> str:
    """`AA:BB:CC:DD:EE:FF`."""
    return (key >> 8).to_bytes(6, "big").hex(":").upper()


@dataclass(slots=True, eq=False)
class Device:
    """One device, as far as the capture tells. `source`, `record`, `t_us`: where it was first heard.

    `attributes`: what its handles stand for, as they were discovered. `found`: a row tells of it already.
    """

    id: int
    key: Key
    t_us: int
    source: int
    record: int
    name: str | None = None
    name_is_whole: bool = False
    serial: str | None = None
    manufacturer: int | None = None
    services: tuple[str, ...] = ()
    battery: float | None = None
    flags: StateFlag | None = None
    attributes: dict[int, str] = field(default_factory=dict[int, str])
    found: bool = False
    connected: bool = False
    attempts: int = 0
    members: list[int] = field(default_factory=list[int])

    @property
    def address(self) -> str:
        """`AA:BB:CC:DD:EE:FF`: its identity, where that is known."""
        return address_of(self.key)

    @property
    def address_type(self) -> str:
        """`public`, `random`, or `anonymous`."""
        return {0: "public", 1: "random"}.get(self.key & 0xFF, "anonymous")

    @property
    def reader(self) -> str:
        """How the log calls it: its serial, else its address."""
        return self.serial or f"addr:{self.address}"

    @property
    def is_reader(self) -> bool:
        """Whether it has a serial of a known prefix, or advertises as the kit's own readers do."""
        return self.serial is not None or self.flags is not None

    def hear(self, payload: Payload) -> None:
        """Takes what a payload adds."""
        if payload.name and not (self.name_is_whole and not payload.name_is_whole):
            self.name, self.name_is_whole = payload.name, payload.name_is_whole
        if payload.manufacturer is not None:
            self.manufacturer = payload.manufacturer
        if not set(payload.services) <= set(self.services):
            self.services = tuple(dict.fromkeys((*self.services, *payload.services)))


class Devices:
    """All devices that were heard, connected or tried."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}
        self._all: list[Device] = []
        self._one: list[int] = []
        self._by_serial: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._all)

    def get(self, key: Key, t_us: int, source: int, record: int) -> Device:
        """The device of an address; a new one is first heard then and there."""
        return self.of(self._id(key, t_us, source, record))

    def of(self, number: int) -> Device:
        """The device that an id belongs to, after all joins so far."""
        while self._one[number] != number:
            number = self._one[number]
        return self._all[number]

    def ids(
        self, keys: NDArray[np.uint64], t_us: NDArray[np.int64], source: int, record: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        """The ids of many addresses at once."""
        if not len(keys):
            return np.zeros(0, np.int32)
        found = coded(keys)
        known = [self._ids.get(key, -1) for key in found.values]
        if -1 in known:
            first = found.first()
            for number, key in enumerate(found.values):
                if known[number] < 0:
                    at = first[number]
                    known[number] = self._id(key, int(t_us[at]), source, int(record[at]))
        return np.array(known, np.int32)[found.codes]

    def learn_serial(self, device: Device, name: str | None) -> Device:
        """Reads a serial out of a name; a device that has it already is the same one. Gives the device it is now."""
        serial = serial_in(name)
        if serial is None or serial == device.serial:
            return device
        device.serial = serial
        other = self._by_serial.setdefault(serial, device.id)
        return self.join(self.of(other), device)

    def join(self, device: Device, other: Device) -> Device:
        """Says that both are one, known by the address of `device`; gives it."""
        if device is other:
            return device
        self._one[other.id] = device.id
        device.members += other.members
        for name in ("name", "serial", "manufacturer", "battery", "flags"):
            if getattr(device, name) is None:
                setattr(device, name, getattr(other, name))
        device.name_is_whole |= other.name_is_whole and device.name == other.name
        device.services = tuple(dict.fromkeys((*device.services, *other.services)))
        device.attributes = other.attributes | device.attributes
        device.found |= other.found
        device.connected |= other.connected
        device.attempts = max(device.attempts, other.attempts)
        if device.serial:
            self._by_serial[device.serial] = device.id
        return device

    def all(self) -> list[Device]:
        """Each device once."""
        return [device for number, device in enumerate(self._all) if self._one[number] == number]

    def roots(self) -> NDArray[np.int32]:
        """For each id that was given, the id of the device that it is now known to be."""
        return np.array([self.of(number).id for number in range(len(self._all))], np.int32)

    def labels(self) -> list[str]:
        """For each id what the log calls the device."""
        return [self.of(number).reader for number in range(len(self._all))]

    def aliases(self) -> dict[str, str]:
        """Addresses → what the log calls the device, where these differ."""
        told: dict[str, str] = {}
        for key, number in self._ids.items():
            device = self.of(number)
            if (alias := f"addr:{address_of(key)}") != device.reader:
                told[alias] = device.reader
        return told

    def _id(self, key: Key, t_us: int, source: int, record: int) -> int:
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self._all)
            self._all.append(Device(number, key, t_us, source, record, members=[number]))
            self._one.append(number)
        return number
