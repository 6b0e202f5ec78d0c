"""What a peripheral offers and says, as plain records: services, advertisements, and what it does by itself."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from terminal_kit import profile
from terminal_kit.events import DisconnectReason

CCCD = "00002902-0000-1000-8000-00805f9b34fb"
"""Client Characteristic Configuration, a descriptor: notifications on or off (Core Vol 3 Part G, 3.3.3.3)."""


@dataclass(frozen=True, slots=True)
class CharacteristicSpec:
    """One characteristic; `properties` in bleak's words (`read`, `write`, `notify`, …).

    `key` is what its peripheral calls it: the UUID, unless a UUID stands there twice. A descriptor's is `key/uuid`.
    """

    uuid: str
    properties: tuple[str, ...]
    write_needs_encryption: bool = False
    read_needs_encryption: bool = False
    descriptors: tuple[str, ...] = ()
    name: str = ""

    @property
    def key(self) -> str:
        """What its peripheral calls it."""
        return self.name or self.uuid


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One primary service."""

    uuid: str
    characteristics: tuple[CharacteristicSpec, ...]


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What is broadcast: advertisement and scan response together."""

    local_name: str | None
    service_uuids: tuple[str, ...] = ()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    service_data: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    tx_power_dbm: int | None = None
    connectable: bool = True


class AttributeFault(Exception):  # noqa: N818 - a fault of the peer, told as a code; no error of ours
    """An attribute operation is refused with an ATT code (Core Vol 3 Part F, 3.4.1.1)."""

    def __init__(self, att_code: int) -> None:
        super().__init__(f"ATT error 0x{att_code:02x}")
        self.att_code = att_code


@dataclass(frozen=True, slots=True)
class Notify:
    """A notification. `at_s`: the model's own seconds since it was made."""

    uuid: str
    value: bytes
    at_s: float


@dataclass(frozen=True, slots=True)
class Leave:
    """The reader ends its link, with a link-layer code."""

    hci_code: int
    reason: DisconnectReason
    at_s: float


@dataclass(frozen=True, slots=True)
class Vanish:
    """The reader's power is cut: it says nothing, and the link can only time out."""

    at_s: float


Output = Notify | Leave | Vanish


class Peripheral(Protocol):
    """What the air can carry: a `ReaderModel`, or anything else with attributes, each known by its key."""

    host_rssi_dbm: int | None

    @property
    def response_delay_s(self) -> float:
        """How much longer than usual it takes to answer, seconds; infinite where it answers nothing."""
        ...

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """What it offers."""
        ...

    def advertisement(self) -> Advertisement | None:
        """What it broadcasts now."""
        ...

    def link_opened(self, peer: str) -> None:
        """A host is connected."""
        ...

    def link_closed(self, hci_code: int) -> None:
        """The link is over."""
        ...

    def pair(self, peer: str) -> bool:
        """Pairs and bonds, or refuses."""
        ...

    def has_bond(self, peer: str) -> bool:
        """Whether it knows this host."""
        ...

    def subscribe(self, uuid: str, on: bool) -> None:
        """The host's choice of notifications."""
        ...

    def read(self, uuid: str, *, peer: str, encrypted: bool) -> bytes | Awaitable[bytes]:
        """An attribute's value. Raises `AttributeFault`."""
        ...

    def write(self, uuid: str, data: bytes, *, peer: str, encrypted: bool) -> Awaitable[None] | None:
        """Writes an attribute. Raises `AttributeFault`."""
        ...

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        ...

    def next_deadline_s(self) -> float:
        """Seconds until something happens by itself."""
        ...

    def take_outputs(self) -> list[Output]:
        """What it did by itself."""
        ...


_READ = ("read",)
_READ_NOTIFY = ("read", "notify")


def _plain(*uuids: str) -> tuple[CharacteristicSpec, ...]:
    return tuple(CharacteristicSpec(uuid, _READ) for uuid in uuids)


INFORMATION = ServiceSpec(
    profile.DEVICE_INFORMATION,
    _plain(
        profile.MANUFACTURER_NAME,
        profile.MODEL_NUMBER,
        profile.SERIAL_NUMBER,
        profile.FIRMWARE_REVISION,
        profile.HARDWARE_REVISION,
        profile.SOFTWARE_REVISION,
    ),
)
BATTERY = ServiceSpec(
    profile.BATTERY,
    (
        CharacteristicSpec(profile.BATTERY_LEVEL, _READ_NOTIFY),
        CharacteristicSpec(profile.BATTERY_LEVEL_STATUS, _READ_NOTIFY),
    ),
)
READER = ServiceSpec(
    profile.READER,
    (
        CharacteristicSpec(profile.STATE, _READ_NOTIFY),
        CharacteristicSpec(profile.NOTICE, ("notify",)),
        CharacteristicSpec(profile.LAST_STOP, _READ),
        CharacteristicSpec(profile.REGISTRATION, ("read", "write"), write_needs_encryption=True),
        CharacteristicSpec(profile.COMMAND, ("write",), write_needs_encryption=True),
    ),
)


def smp_service(*, needs_pairing: bool) -> ServiceSpec:
    """The Simple Management Protocol's service; Zephyr's own asks for no pairing unless it is told to."""
    properties = ("write-without-response", "notify")
    return ServiceSpec(
        profile.SMP,
        (CharacteristicSpec(profile.SMP_CHARACTERISTIC, properties, write_needs_encryption=needs_pairing),),
    )
