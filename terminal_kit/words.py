"""Every enumeration in plain English, once: for panels, charts, reports and the command line.

`words()` is for members of enumerations, `hci_words()` for link-layer codes, `advice()` for what a person can do about
a disconnect (X2). `visible()` and `escape()` are the door for text from radios and logs, which is hostile.
"""

import html
import unicodedata
from enum import StrEnum

from terminal_kit.events import (
    Cause,
    ConnectionStatus,
    DisconnectReason,
    Kind,
    RadioName,
    ReasonSource,
    RssiSource,
    UpdateComponent,
)
from terminal_kit.reader import BatteryStatus, DeviceType, EstimatedUpdateTime

# By type, since members of different enumerations that share a value ("unknown") are equal.
_WORDS: dict[type[StrEnum], dict[StrEnum, str]] = {
    ConnectionStatus: {
        ConnectionStatus.NOT_CONNECTED: "not connected",
        ConnectionStatus.DISCOVERING: "discovering",
        ConnectionStatus.CONNECTING: "connecting",
        ConnectionStatus.CONNECTED: "connected",
        ConnectionStatus.RECONNECTING: "reconnecting",
    },
    DisconnectReason: {
        DisconnectReason.UNKNOWN: "unknown",
        DisconnectReason.DISCONNECT_REQUESTED: "asked to disconnect",
        DisconnectReason.REBOOT_REQUESTED: "asked to restart",
        DisconnectReason.SECURITY_REBOOT: "daily security restart",
        DisconnectReason.CRITICALLY_LOW_BATTERY: "battery empty",
        DisconnectReason.POWERED_OFF: "switched off",
        DisconnectReason.BLUETOOTH_DISABLED: "host's Bluetooth off",
        DisconnectReason.BLUETOOTH_SIGNAL_LOST: "signal lost",
        DisconnectReason.USB_DISCONNECTED: "USB cable removed",
        DisconnectReason.IDLE_POWER_DOWN: "powered down when idle",
        DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION: "pairing lost",
        DisconnectReason.INTERNET_LOST: "host's internet lost",
    },
    Cause: {
        Cause.RANGE: "out of range",
        Cause.BODY_OR_INTERFERENCE_FADE: "signal blocked or disturbed",
        Cause.READER_RESET_OR_POWER_LOSS: "reader restarted or lost power",
        Cause.READER_POWERED_OFF: "reader switched off",
        Cause.IDLE_POWER_DOWN: "reader powered down when idle",
        Cause.SECURITY_REBOOT: "daily security restart",
        Cause.CRITICALLY_LOW_BATTERY: "battery empty",
        Cause.BOND_LOST: "pairing lost",
        Cause.PAIRED_IN_SYSTEM_SETTINGS: "paired in the system's settings",
        Cause.TAKEN_BY_ANOTHER_HOST: "taken by another host",
        Cause.HOST_RADIO_OFF: "host's Bluetooth off",
        Cause.HOST_CLOSED: "host or app closed it",
        Cause.HOST_RADIO_OVERLOADED: "host's radio overloaded",
        Cause.FAILED_TO_ESTABLISH: "link never came about",
        Cause.FIRMWARE_HANG: "reader's firmware hung",
        Cause.UPDATE_REBOOT: "restart of an update",
        Cause.INTERNET_LOST: "host's internet lost",
        Cause.CANNOT_TELL: "cannot tell",
    },
    ReasonSource: {
        ReasonSource.FAREWELL: "the reader said so as it left",
        ReasonSource.HOST: "known to the host",
        ReasonSource.BACKEND: "from the link-layer code",
        ReasonSource.BOOT: "the reader told after it came back",
        ReasonSource.NONE: "nobody said",
    },
    RssiSource: {
        RssiSource.ADVERTISEMENT: "advertisements, heard by the host",
        RssiSource.READER_SERVICE: "the link, heard by the reader",
        RssiSource.HCI: "the host's controller",
    },
    BatteryStatus: {
        BatteryStatus.CRITICAL: "critical",
        BatteryStatus.LOW: "low",
        BatteryStatus.NOMINAL: "good",
        BatteryStatus.UNKNOWN: "unknown",
    },
    EstimatedUpdateTime: {
        EstimatedUpdateTime.LESS_THAN_1_MINUTE: "less than a minute",
        EstimatedUpdateTime.ONE_TO_TWO_MINUTES: "1–2 minutes",
        EstimatedUpdateTime.TWO_TO_FIVE_MINUTES: "2–5 minutes",
        EstimatedUpdateTime.FIVE_TO_FIFTEEN_MINUTES: "5–15 minutes",
    },
    DeviceType: {
        DeviceType.STRIPE_M2: "Stripe Reader M2",
        DeviceType.WISEPAD_3: "WisePad 3",
        DeviceType.CHIPPER_2X: "Chipper 2X BT",
        DeviceType.UNKNOWN: "other device",
    },
    Kind: {
        Kind.RUN_STARTED: "recording started",
        Kind.RUN_FINISHED: "recording finished",
        Kind.HOST_CHANGED: "host's Bluetooth or internet changed",
        Kind.SCAN_STARTED: "radio began to scan",
        Kind.SCAN_STOPPED: "radio stopped scanning",
        Kind.DISCOVERY_STARTED: "discovery started",
        Kind.DISCOVERY_FINISHED: "discovery finished",
        Kind.CLOCK_JUMPED: "clock jumped",
        Kind.GAP: "gap in the recording",
        Kind.NOTICE: "notice",
        Kind.NOTE: "note",
        Kind.ERROR: "error",
        Kind.APP_MESSAGE: "message of the app",
        Kind.READER_FOUND: "reader found",
        Kind.READER_LOST: "reader no longer heard",
        Kind.READER_INFO: "reader told about itself",
        Kind.SIGNAL: "signal strength",
        Kind.BATTERY: "battery level",
        Kind.LOW_BATTERY: "battery low",
        Kind.BATTERY_FALSE_READING: "false battery reading",
        Kind.STANDBY_ENTERED: "reader went to standby",
        Kind.STANDBY_LEFT: "reader left standby",
        Kind.BUSY_STARTED: "reader busy",
        Kind.BUSY_ENDED: "reader no longer busy",
        Kind.CARD_INSERTED: "card inserted",
        Kind.CARD_REMOVED: "card removed",
        Kind.REBOOT_REQUESTED: "restart requested",
        Kind.READER_STARTED: "reader started",
        Kind.REGISTERED: "registered at the location",
        Kind.LINK_CONNECTING: "link being made",
        Kind.LINK_CONNECTED: "link made",
        Kind.LINK_FAILED: "link could not be made",
        Kind.LINK_UPDATED: "link parameters changed",
        Kind.LINK_DISCONNECTED: "link ended",
        Kind.ENCRYPTION_CHANGED: "link encrypted",
        Kind.PAIRING_FAILED: "pairing failed",
        Kind.ATT_ERROR: "request refused by the reader",
        Kind.STATUS_CHANGED: "status changed",
        Kind.CONNECT_STARTED: "connecting",
        Kind.CONNECT_SUCCEEDED: "connected",
        Kind.CONNECT_FAILED: "could not connect",
        Kind.DISCONNECTED: "disconnected",
        Kind.REASON_LEARNED: "reason learned later",
        Kind.RECONNECT_STARTED: "reconnecting",
        Kind.RECONNECT_ATTEMPTED: "tried to reconnect",
        Kind.RECONNECT_SUCCEEDED: "reconnected",
        Kind.RECONNECT_FAILED: "could not reconnect",
        Kind.UPDATE_AVAILABLE: "update available",
        Kind.UPDATE_STARTED: "update started",
        Kind.UPDATE_PROGRESS: "update progress",
        Kind.UPDATE_FINISHED: "update finished",
    },
}

_ADVICE = {
    DisconnectReason.REBOOT_REQUESTED: "It restarts and comes back.",
    DisconnectReason.SECURITY_REBOOT: "It restarts and comes back.",
    DisconnectReason.BLUETOOTH_SIGNAL_LOST: "Bring it closer.",
    DisconnectReason.POWERED_OFF: "Switch it on.",
    DisconnectReason.IDLE_POWER_DOWN: "Switch it on.",
    DisconnectReason.CRITICALLY_LOW_BATTERY: "Charge it.",
    DisconnectReason.BLUETOOTH_DISABLED: "Turn Bluetooth on.",
    DisconnectReason.INTERNET_LOST: "Check the host's network.",
    DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION: "Forget it and pair through the kit.",
    DisconnectReason.USB_DISCONNECTED: "Plug the cable in again.",
}

_HCI_CODES = {
    0x02: "attempt cancelled",
    0x04: "page timeout",
    0x05: "authentication failure",
    0x06: "PIN or key missing",
    0x07: "memory full",
    0x08: "connection timeout",
    0x09: "too many connections",
    0x0B: "connection exists already",
    0x0C: "command disallowed",
    0x0D: "limited resources",
    0x10: "connection accept timeout",
    0x11: "feature not supported",
    0x13: "ended by the reader",
    0x14: "ended by the reader: low resources",
    0x15: "ended by the reader: power off",
    0x16: "ended by the host",
    0x1A: "feature not supported",
    0x1F: "unspecified error",
    0x1E: "invalid parameters",
    0x22: "link-layer response timeout",
    0x25: "encryption mode not acceptable",
    0x28: "instant passed",
    0x29: "pairing with this key not supported",
    0x2A: "procedures collided",
    0x2F: "insufficient security",
    0x3A: "controller busy",
    0x3B: "unacceptable connection parameters",
    0x3C: "advertising timeout",
    0x3D: "keys differ (MIC failure)",
    0x3E: "failed to be established",
    0x3F: "MAC connection failed",
    0x44: "operation cancelled by the host",
}
"""Link-layer codes that Bluetooth LE links meet (Core Vol 1 Part F, 1.3), shortened; the reader is the remote side."""

HOST_FAULTS = {
    "radio_off": "Bluetooth is off",
    "permission_denied": "no permission to use Bluetooth",
    "le_unsupported": "Bluetooth LE is not supported",
    "no_adapter": "no Bluetooth adapter",
    "no_service": "the system's Bluetooth service does not run",
}
"""What keeps the host's radio from being used (D5)."""

RADIOS: dict[RadioName, str] = {
    "native": "this machine's radio",
    "simulated": "simulated radio",
    "virtual": "virtual radio",
    "import": "imported",
}

TIME_RULES = {
    "exact": "times as written",
    "zone_assumed": "time zone assumed",
    "year_assumed": "year assumed",
    "order_only": "no times, only an order",
}
"""How the times of an imported file came about, by `eventlog.sources.TimeRule`."""

_COMPONENTS = {
    UpdateComponent.INCREMENTAL: "incremental part",
    UpdateComponent.FIRMWARE: "firmware",
    UpdateComponent.CONFIG: "regional configuration",
    UpdateComponent.KEYS: "keys",
}

_STAGES = {
    "checking": "checking what the reader has",
    "uploading": "sending",
    "activating": "preparing the start",
    "restarting": "restarting into the new software",
    "confirming": "confirming the new software",
}
"""What an installation does, by the `stage` of its rows."""

_WHY_UPDATE = {
    UpdateComponent.INCREMENTAL: "small corrections",
    UpdateComponent.FIRMWARE: "security and reliability",
    UpdateComponent.CONFIG: "what card networks and issuers ask at this location",
    UpdateComponent.KEYS: "fresh keys",
}


def words(member: StrEnum) -> str:
    """A member of any of the kit's enumerations in plain English, without a capital."""
    return _WORDS[type(member)][member]


def reason_words(reason: str | None) -> str:
    """A `reason` column in plain English; one of a newer version as it is."""
    return words(DisconnectReason(reason)) if reason in _ANY_REASON else visible(reason or "unknown")


def kind_words(kind: str) -> str:
    """A `kind` column in plain English; an unknown kind as it is."""
    return words(Kind(kind)) if kind in _ANY_KIND else visible(kind)


def advice(reason: str | None) -> str:
    """What the user is told to do after a disconnect for `reason` (X2); empty where there is nothing to do."""
    return _ADVICE.get(DisconnectReason(reason), "") if reason in _ANY_REASON else ""


def hci_words(code: int) -> str:
    """A link-layer code with its number, for instance `0x08 connection timeout`."""
    return f"0x{code:02X} {_HCI_CODES.get(code, 'not in our table')}"


def component_words(components: int) -> str:
    """What an update replaces: `firmware and keys`."""
    return _join([text for flag, text in _COMPONENTS.items() if components & flag]) or "nothing"


def stage_words(stage: str | None, component: str | None = None) -> str:
    """What an installation is doing, for instance `sending firmware`; a stage of a newer version as it is."""
    flag = UpdateComponent.__members__.get((component or "").upper())
    sent = _COMPONENTS[flag] if flag is not None and stage == "uploading" else ""
    return f"{_STAGES.get(stage or '', visible(stage or 'starting'))} {sent}".rstrip()


def why_update(components: int) -> str:
    """What an update is for (U1)."""
    return _join([text for flag, text in _WHY_UPDATE.items() if components & flag])


def notice_words(stage: str | None, reason: str | None = None) -> str:
    """One of the notices that people are given (X9, D2) as a sentence."""
    match stage:
        case "connection_lost":
            return f"Connection lost ({reason_words(reason)}), reconnecting. {advice(reason)}".rstrip()
        case "reconnected":
            return "Reconnected, working normally."
        case "disconnected":
            return f"Disconnected unexpectedly: {reason_words(reason)}. {advice(reason)}".rstrip()
        case "scan_timed_out":
            return "No reader was heard."
        case "low_battery":
            return "The battery is low. Charge the reader."
        case "update_failed":
            return "A required update was not installed."
        case _:
            return visible((stage or "notice").replace("_", " ").capitalize()) + "."


def counted(number: int, what: str) -> str:
    """So many of them: "1 drop", "2 drops"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def visible(text: str) -> str:
    """Text with control, format and direction characters shown instead of obeyed.

    For places that show text as text (`textContent`, a canvas, a terminal window); for HTML use `escape()`.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def escape(text: str) -> str:
    """The door for text from radios and logs on its way into HTML, plotly or a data frame's HTML."""
    return html.escape(visible(text))


_ANY_REASON = frozenset(DisconnectReason)
_ANY_KIND = frozenset(Kind)


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode has a picture for each of these
    if char.isprintable() and unicodedata.category(char) != "Cf":
        return char
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def _join(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
