"""Which radio a terminal uses: native (the host's), simulated (in process) or virtual (Bumble).

The seam is bleak's own: a radio is a pair of bleak backend classes, plus the few things that bleak tells on no system.
`Terminal` uses bleak's public API and this record, and cannot tell the three apart.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner

from terminal_kit.events import RadioName
from terminal_kit.radio.updates import NoUpdates, UpdateSource

HostFault = Literal["radio_off", "permission_denied", "le_unsupported", "no_adapter", "no_service"]
"""What keeps a host from using its radio (D5); `no_service`: the system's Bluetooth service does not run."""


@dataclass(frozen=True, slots=True)
class HostState:
    """What the host can do now. `fault` is None where the radio is usable (D5); `internet` None where not known."""

    fault: HostFault | None = None
    internet: bool | None = None


@dataclass(frozen=True, slots=True)
class LinkLoss:
    """How a link ended at the link layer: the HCI code, and whether the reader or the host ended it, if known."""

    hci_code: int | None = None
    initiator: Literal["reader", "host"] | None = None


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """The link's parameters in force; None where the radio does not tell."""

    interval_ms: float | None = None
    peripheral_latency: int | None = None
    supervision_timeout_s: float | None = None
    mtu_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a radio can show, so that nobody waits for what cannot come.

    `supervision_timeout`: silence ends a link; `varying_signal`: the signal is not constant; `link_codes`: `link_loss`
    tells the code of a link's end; `host_faults`: `watch_host` tells when the radio goes and comes; `pairs_by_itself`:
    the host's system pairs as soon as a reader refuses an unpaired host.
    """

    supervision_timeout: bool = True
    varying_signal: bool = True
    link_codes: bool = False
    host_faults: bool = False
    pairs_by_itself: bool = False


class Clock(Protocol):
    """The two clocks of a run. In simulated runs both are the air's."""

    def utc_us(self) -> int:
        """The time for records: UTC, microseconds."""
        ...

    def monotonic_s(self) -> float:
        """The time for durations and deadlines: seconds, never going back."""
        ...


class SystemClock:
    """The host's clocks."""

    def utc_us(self) -> int:
        """UTC, microseconds."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Seconds."""
        return time.monotonic()


Undo = Callable[[], None]


def _unknown_host() -> HostState:
    return HostState()


def _watch_nothing(_callback: Callable[[HostState], None]) -> Undo:
    return lambda: None


def _no_loss(_client: BleakClient) -> LinkLoss:
    return LinkLoss()


def _mtu_only(client: BleakClient) -> LinkParameters:
    return LinkParameters(mtu_bytes=client.mtu_size)


async def _nobody(_device: BLEDevice) -> bool:
    return False


async def _forget_it(_address: str, _bonded: bool) -> None:
    pass


class Backends(NamedTuple):
    """bleak's backend classes; None stands for the host's own."""

    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None


@dataclass(frozen=True, kw_only=True)
class Radio:
    """One radio: bleak's backend classes and what bleak tells on no system.

    `host_state()` and `watch_host(callback)` (which returns its undo) tell of the radio and the internet;
    `link_loss(client)` how a link ended; `link_parameters(client)` what is in force; `held_by_host(device)` whether
    the system's own settings hold the device (D6); `note_bond(address, bonded)` is told when the kit pairs a device or
    forgets it, so that it knows its own; `updates` what waits for its readers, where no feed is given.
    """

    name: RadioName
    backends: Backends = Backends()
    clock: Clock = field(default_factory=SystemClock)
    capabilities: Capabilities = Capabilities()
    host_state: Callable[[], HostState] = _unknown_host
    watch_host: Callable[[Callable[[HostState], None]], Undo] = _watch_nothing
    link_loss: Callable[[BleakClient], LinkLoss] = _no_loss
    link_parameters: Callable[[BleakClient], LinkParameters] = _mtu_only
    held_by_host: Callable[[BLEDevice], Awaitable[bool]] = _nobody
    note_bond: Callable[[str, bool], Awaitable[None]] = _forget_it
    updates: UpdateSource = field(default_factory=NoUpdates)

    def scanner(self, callback: AdvertisementDataCallback) -> BleakScanner:
        """A bleak scanner on this radio; `callback(device, advertisement)` must be synchronous (it is hot)."""
        return BleakScanner(callback, backend=self.backends.scanner)

    def client(
        self, device: BLEDevice, *, on_disconnect: Callable[[BleakClient], None], timeout_s: float
    ) -> BleakClient:
        """A bleak client on this radio; nothing happens until it is connected."""
        return BleakClient(device, on_disconnect, timeout=timeout_s, backend=self.backends.client)
