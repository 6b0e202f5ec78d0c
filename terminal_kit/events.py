"""The `Event`: one fact about a reader, a link or the host, and the words it is told in.

Live sessions, captures and logs of apps all become events; everything that people look at is drawn from them. The
columns are fixed by the table `COLUMNS`, which the log, the archive and the frames share.

A capture knows more of a link than a live session does. What has no column stands in `extra`, under these keys:

- `link_connected`: `address`, `address_type`, `role` ("central" or "peripheral"), `set_up_seen` (false where the
  capture begins in the middle of the link)
- `link_disconnected`: the same and `silence_s` (since the peer was last heard on the link), `last_heard_record`,
  `advertised` (how often the peer was heard advertising in that silence) and `advertised_record`, `queued_packets`
  (sent and not acknowledged), `asked_record` and `asked_reason` (the host's Disconnect command), `other_links`,
  `scanning` (whether the host was), `pending` (a procedure or a request that got no answer), `pending_record`,
  `pending_s` (for how long) and `heard_since_s` (how long of that the peer's link layer was still heard)
- `scan_started`: `filter_duplicates` (then counts of advertisements mean nothing), `active`
- `reader_found`: `address`, `address_type`, `services`, `manufacturer`
- `att_error`: `request` (the opcode that was refused), `handle`
- `pairing_failed`: `smp_reason` (of the Security Manager, not an HCI code)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Any, Literal, NamedTuple


class ConnectionStatus(StrEnum):
    """What a terminal is doing (the SDK's words)."""

    NOT_CONNECTED = "not_connected"
    DISCOVERING = "discovering"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"


class DisconnectReason(StrEnum):
    """Why a link ended (the SDK's words, and `internet_lost`, which the SDKs fold into `unknown`)."""

    UNKNOWN = "unknown"
    DISCONNECT_REQUESTED = "disconnect_requested"
    REBOOT_REQUESTED = "reboot_requested"
    SECURITY_REBOOT = "security_reboot"
    CRITICALLY_LOW_BATTERY = "critically_low_battery"
    POWERED_OFF = "powered_off"
    BLUETOOTH_DISABLED = "bluetooth_disabled"
    BLUETOOTH_SIGNAL_LOST = "bluetooth_signal_lost"
    USB_DISCONNECTED = "usb_disconnected"
    IDLE_POWER_DOWN = "idle_power_down"
    PEER_REMOVED_PAIRING_INFORMATION = "peer_removed_pairing_information"
    INTERNET_LOST = "internet_lost"


REASON_OF_CODE = {
    0x06: DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION,  # PIN or key missing
    0x08: DisconnectReason.BLUETOOTH_SIGNAL_LOST,  # connection timeout: the supervision timeout
    0x15: DisconnectReason.POWERED_OFF,  # remote device terminated: power off
    0x22: DisconnectReason.BLUETOOTH_SIGNAL_LOST,  # link layer response timeout
    0x3D: DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION,  # MIC failure: the keys differ
}
"""What a link-layer code proves by itself (Core Vol 1 Part F, 2). Others say who ended the link, not why."""


class Cause(StrEnum):
    """What lies behind a drop or a connection that failed, as diagnosis tells them apart."""

    RANGE = "range"
    BODY_OR_INTERFERENCE_FADE = "body_or_interference_fade"
    READER_RESET_OR_POWER_LOSS = "reader_reset_or_power_loss"
    READER_POWERED_OFF = "reader_powered_off"
    IDLE_POWER_DOWN = "idle_power_down"
    SECURITY_REBOOT = "security_reboot"
    CRITICALLY_LOW_BATTERY = "critically_low_battery"
    BOND_LOST = "bond_lost"
    PAIRED_IN_SYSTEM_SETTINGS = "paired_in_system_settings"
    TAKEN_BY_ANOTHER_HOST = "taken_by_another_host"
    HOST_RADIO_OFF = "host_radio_off"
    HOST_CLOSED = "host_closed"
    HOST_RADIO_OVERLOADED = "host_radio_overloaded"
    FAILED_TO_ESTABLISH = "failed_to_establish"
    FIRMWARE_HANG = "firmware_hang"
    UPDATE_REBOOT = "update_reboot"
    INTERNET_LOST = "internet_lost"
    CANNOT_TELL = "cannot_tell"


class ReasonSource(StrEnum):
    """Where the knowledge of a reason comes from, in the order in which evidence is taken (X1)."""

    FAREWELL = "farewell"  # the reader's notification before it left
    HOST = "host"  # own request, radio off, internet gone
    BACKEND = "backend"  # the link layer's code, as the backend tells it
    BOOT = "boot"  # what the reader says of its last stop, read after it came back
    NONE = "none"  # nobody said: the reason stays unknown


class RssiSource(StrEnum):
    """Who measured a signal strength (X8)."""

    ADVERTISEMENT = "advertisement"
    READER_SERVICE = "reader_service"
    HCI = "hci"


class UpdateComponent(IntFlag):
    """What an update replaces."""

    INCREMENTAL = 1
    FIRMWARE = 2
    CONFIG = 4
    KEYS = 8


class Kind(StrEnum):
    """The kinds of events. A log may hold others: they are kept and ignored."""

    # host
    RUN_STARTED = "run_started"
    RUN_FINISHED = "run_finished"
    HOST_CHANGED = "host_changed"
    SCAN_STARTED = "scan_started"
    SCAN_STOPPED = "scan_stopped"
    DISCOVERY_STARTED = "discovery_started"
    DISCOVERY_FINISHED = "discovery_finished"
    CLOCK_JUMPED = "clock_jumped"
    GAP = "gap"
    NOTICE = "notice"
    NOTE = "note"
    ERROR = "error"
    APP_MESSAGE = "app_message"
    # reader
    READER_FOUND = "reader_found"
    READER_LOST = "reader_lost"
    READER_INFO = "reader_info"
    SIGNAL = "signal"
    BATTERY = "battery"
    LOW_BATTERY = "low_battery"
    BATTERY_FALSE_READING = "battery_false_reading"
    STANDBY_ENTERED = "standby_entered"
    STANDBY_LEFT = "standby_left"
    BUSY_STARTED = "busy_started"
    BUSY_ENDED = "busy_ended"
    CARD_INSERTED = "card_inserted"
    CARD_REMOVED = "card_removed"
    REBOOT_REQUESTED = "reboot_requested"
    READER_STARTED = "reader_started"
    REGISTERED = "registered"
    # link
    LINK_CONNECTING = "link_connecting"
    LINK_CONNECTED = "link_connected"
    LINK_FAILED = "link_failed"
    LINK_UPDATED = "link_updated"
    LINK_DISCONNECTED = "link_disconnected"
    ENCRYPTION_CHANGED = "encryption_changed"
    PAIRING_FAILED = "pairing_failed"
    ATT_ERROR = "att_error"
    # terminal
    STATUS_CHANGED = "status_changed"
    CONNECT_STARTED = "connect_started"
    CONNECT_SUCCEEDED = "connect_succeeded"
    CONNECT_FAILED = "connect_failed"
    DISCONNECTED = "disconnected"
    REASON_LEARNED = "reason_learned"
    RECONNECT_STARTED = "reconnect_started"
    RECONNECT_ATTEMPTED = "reconnect_attempted"
    RECONNECT_SUCCEEDED = "reconnect_succeeded"
    RECONNECT_FAILED = "reconnect_failed"
    # update
    UPDATE_AVAILABLE = "update_available"
    UPDATE_STARTED = "update_started"
    UPDATE_PROGRESS = "update_progress"
    UPDATE_FINISHED = "update_finished"


URGENT_KINDS = frozenset({Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.UPDATE_STARTED, Kind.UPDATE_FINISHED})
"""Kinds that the log commits at once, because they are what one looks for after a crash."""

RadioName = Literal["native", "simulated", "virtual", "import"]
"""Where a run's events come from; simulated ones are never mixed with real ones unasked."""

LOG = "sdk log"
"""How the containers of imported logs of apps begin, such as `sdk log (android brief)`."""

ColumnType = Literal["int64", "int32", "int16", "float64", "float32", "bool", "str", "json"]


class Column(NamedTuple):
    """One column of the events table."""

    name: str
    type: ColumnType
    meaning: str
    required: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("seq", "int64", "order in this log, without gaps", True),
    Column("t_us", "int64", "when it happened: UTC, microseconds; simulated time in simulated runs", True),
    Column("mono_us", "int64", "the recorder's monotonic clock, comparable within one run"),
    Column("run", "str", "one run of a recorder or one import", True),
    Column("terminal", "str", "which terminal of the run"),
    Column("reader", "str", "serial, else addr:…; empty for the host", True),
    Column("kind", "str", "what happened", True),
    Column("session", "int64", "link session: from connected to disconnected"),
    Column("attempt_id", "str", "one connection, reconnection or update from start to end"),
    Column("attempt", "int32", "number of the try"),
    Column("status", "str", "ConnectionStatus after the event"),
    Column("reason", "str", "DisconnectReason (X1)"),
    Column("reason_source", "str", "ReasonSource (X1)"),
    Column("hci_code", "int16", "link-layer code"),
    Column("att_code", "int16", "attribute protocol code"),
    Column("error_code", "str", "code of the error tree (E)"),
    Column("rssi_dbm", "float32", "median of that second, dBm"),
    Column("rssi_min_dbm", "float32", "lowest of that second, dBm"),
    Column("rssi_max_dbm", "float32", "highest of that second, dBm"),
    Column("count", "int32", "number of readings in that second"),
    Column("rssi_source", "str", "RssiSource (X8)"),
    Column("battery", "float32", "0…1"),
    Column("charging", "bool", "on external power and filling"),
    Column("location", "str", "tml_…"),
    Column("device_type", "str", "stripe_m2, wisepad_3, chipper_2x"),
    Column("firmware", "str", "software version on the reader"),
    Column("firmware_from", "str", "version before an update"),
    Column("firmware_to", "str", "version an update brings"),
    Column("components", "int32", "UpdateComponent flags"),
    Column("required_at_us", "int64", "when an update becomes required: UTC, microseconds"),
    Column("stage", "str", "where an update or a connection stands"),
    Column("progress", "float32", "0…1"),
    Column("sent_bytes", "int64", "bytes sent so far"),
    Column("total_bytes", "int64", "bytes in all"),
    Column("duration_s", "float64", "seconds, on the row that ends something"),
    Column("interval_ms", "float32", "connection interval in force, milliseconds"),
    Column("peripheral_latency", "int16", "connection events the reader may skip"),
    Column("supervision_timeout_s", "float32", "supervision timeout in force, seconds"),
    Column("mtu_bytes", "int32", "ATT MTU in force, bytes"),
    Column("source", "int32", "imported file"),
    Column("record", "int64", "record or line in it"),
    Column("record_end", "int64", "last record or line in it"),
    Column("text", "str", "as read; escaped only when shown"),
    Column("extra", "json", "what has no column"),
)
"""The events table: name, type, meaning with unit. Additive: a new column breaks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact. The fields are the columns of `COLUMNS`, with their units; None means that it does not apply.

    `seq` and `run` are given by the log that stores the event.
    """

    kind: str
    t_us: int
    seq: int = 0
    mono_us: int | None = None
    run: str = ""
    terminal: str | None = None
    reader: str = ""
    session: int | None = None
    attempt_id: str | None = None
    attempt: int | None = None
    status: str | None = None
    reason: str | None = None
    reason_source: str | None = None
    hci_code: int | None = None
    att_code: int | None = None
    error_code: str | None = None
    rssi_dbm: float | None = None
    rssi_min_dbm: float | None = None
    rssi_max_dbm: float | None = None
    count: int | None = None
    rssi_source: str | None = None
    battery: float | None = None
    charging: bool | None = None
    location: str | None = None
    device_type: str | None = None
    firmware: str | None = None
    firmware_from: str | None = None
    firmware_to: str | None = None
    components: int | None = None
    required_at_us: int | None = None
    stage: str | None = None
    progress: float | None = None
    sent_bytes: int | None = None
    total_bytes: int | None = None
    duration_s: float | None = None
    interval_ms: float | None = None
    peripheral_latency: int | None = None
    supervision_timeout_s: float | None = None
    mtu_bytes: int | None = None
    source: int | None = None
    record: int | None = None
    record_end: int | None = None
    text: str | None = None
    extra: Mapping[str, Any] | None = None


UNDATED_US = 86_400_000_000
"""Lines that tell no time begin at the epoch, a millisecond apart (`order_only`): a day is enough for any file."""


def is_dated(t_us: int) -> bool:
    """Whether a time is one."""
    return not 0 <= t_us < UNDATED_US


def is_capture(container: str) -> bool:
    """Whether an imported file of this format has records, which count from 0; an app's log has lines, from 1."""
    return not container.startswith(LOG)
