"""A link, an attempt to make one, and an adapter with its links: what is known of them at each moment."""

from dataclasses import dataclass, field
from typing import Any

from terminal_kit.events import DisconnectReason
from terminal_kit.importers.captures.devices import Device, Key
from terminal_kit.importers.captures.rows import Moment
from terminal_kit.importers.captures.traffic import link_key

ROLES = {0: "central", 1: "peripheral"}
"""The host's role in a link (Vol 4 Part E, 7.7.65.1)."""


@dataclass(slots=True, eq=False)
class Attempt:
    """A host's wish to connect: to a device, or to whoever is first of its accept list."""

    device: Device | None
    began: Moment
    number: int
    id: str
    accept_list: int = 0


@dataclass(slots=True)
class Request:
    """An attribute request that waits for its answer. `type`: the UUID that a discovery or a read by type asks for."""

    opcode: int
    handle: int
    type: str | None
    now: Moment


@dataclass(slots=True)
class Partial:
    """The first pieces of an L2CAP frame that more of it follows."""

    need: int
    data: bytearray


@dataclass(slots=True, eq=False)
class Link:
    """One link session. `handle` is its number on the adapter, `session` its number in the import.

    `heard` is the last sign of life of the peer; the `advertised` and `queued` counts are those since (see
    `evidence.py`). All of them are up to date to the place `since` of the chunk. `undirected`: it had data of which the
    capture does not tell who sent it.
    """

    adapter: int
    handle: int
    session: int
    began: Moment
    heard: Moment
    since: int
    device: Device | None = None
    role: str | None = None
    set_up_seen: bool = False
    undirected: bool = False
    attempt: Attempt | None = None
    interval_ms: float | None = None
    peripheral_latency: int | None = None
    supervision_timeout_s: float | None = None
    mtu_bytes: int | None = None
    asked: Moment | None = None
    asked_reason: int | None = None
    farewell: tuple[Moment, DisconnectReason] | None = None
    uptime_s: int | None = None
    advertised: int = 0
    advertised_record: int | None = None
    queued: int = 0
    pending: dict[str, Moment] = field(default_factory=dict[str, Moment])
    requests: dict[int, Request] = field(default_factory=dict[int, Request])
    partial: dict[int, Partial] = field(default_factory=dict[int, Partial])

    @property
    def key(self) -> int:
        """Its number among those of all adapters."""
        return link_key(self.adapter, self.handle)

    @property
    def reader(self) -> str:
        """How the log calls the peer; one whose set-up was not seen has no address."""
        return self.device.reader if self.device else f"handle:{self.handle:04X}"

    @property
    def parameters(self) -> dict[str, Any]:
        """The columns of the parameters in force."""
        return {
            "interval_ms": self.interval_ms,
            "peripheral_latency": self.peripheral_latency,
            "supervision_timeout_s": self.supervision_timeout_s,
            "mtu_bytes": self.mtu_bytes,
        }

    @property
    def extra(self) -> dict[str, Any]:
        """What the rows of its beginning and its end share."""
        peer = {"address": self.device.address, "address_type": self.device.address_type} if self.device else {}
        return {**peer, "role": self.role, "set_up_seen": self.set_up_seen}

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of every row of the link."""
        return {"session": self.session}


@dataclass(slots=True)
class Scan:
    """A scan that the host asked for and the controller has not confirmed yet."""

    enable: bool
    filter_duplicates: bool
    now: Moment
    opcode: int


@dataclass(slots=True)
class Adapter:
    """One controller. `scanning` None: nothing has told yet.

    `classic` are handles of BR/EDR links; `unsure` those that carried data of no fixed LE channel before anything told
    what they are.
    """

    number: int
    links: dict[int, Link] = field(default_factory=dict[int, Link])
    classic: set[int] = field(default_factory=set[int])
    unsure: set[int] = field(default_factory=set[int])
    attempt: Attempt | None = None
    before: Attempt | None = None
    accept_list: set[Key] = field(default_factory=set[Key])
    scan: Scan | None = None
    scanning: bool | None = None
    filter_duplicates: bool | None = None
    active: bool | None = None
