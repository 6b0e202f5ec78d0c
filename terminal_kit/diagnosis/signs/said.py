"""What somebody said: the reader as it left or after it came back, and the host's errors."""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign
from terminal_kit.events import DisconnectReason, Kind, ReasonSource
from terminal_kit.words import hci_words, reason_words

SAID: list[Sign] = []

_WHO = {
    ReasonSource.FAREWELL: "the reader said as it left",
    ReasonSource.BOOT: "the reader said after it came back",
    ReasonSource.HOST: "the host knew",
    ReasonSource.BACKEND: "the link-layer code was taken for",
}


def _said(facts: Facts, *reasons: DisconnectReason) -> Seen | None:
    link = facts.link
    if link.said not in reasons:
        return None
    if link.said != link.learned and link.reason_source == ReasonSource.BACKEND:
        return None  # the code under another name
    in_capture = link.reason_at is not None and facts.scope.rows.is_capture(link.reason_at)
    if in_capture and link.said == link.reason and link.reason_source == ReasonSource.HOST:
        return None  # a capture tells who sent the command, not what the app wanted: see `app_asked`
    if link.learned == link.said:
        told = facts.scope.rows.text("reason_source", link.learned_at) if link.learned_at is not None else None
        by = "the app was told" if told == ReasonSource.HOST else _WHO[ReasonSource.BOOT]
        return Seen(f"{by}: {reason_words(link.said)}", link.learned_at)
    who = _WHO.get(ReasonSource(link.reason_source)) if link.reason_source in frozenset(ReasonSource) else None
    return Seen(f"{who or 'the app reported'}: {reason_words(link.said)}", link.reason_at)


@sign(SAID, reader_powered_off=5.0, critically_low_battery=0.5, idle_power_down=0.5, cannot_tell=-3.0)
def said_powered_off(facts: Facts) -> Seen | None:
    """Its power key, as far as it knows."""
    return _said(facts, DisconnectReason.POWERED_OFF)


@sign(SAID, idle_power_down=6.0, cannot_tell=-3.0)
def said_idle(facts: Facts) -> Seen | None:
    """R3."""
    return _said(facts, DisconnectReason.IDLE_POWER_DOWN)


@sign(SAID, security_reboot=6.0, cannot_tell=-3.0)
def said_security_reboot(facts: Facts) -> Seen | None:
    """R2."""
    return _said(facts, DisconnectReason.SECURITY_REBOOT)


@sign(SAID, critically_low_battery=6.0, cannot_tell=-3.0)
def said_battery(facts: Facts) -> Seen | None:
    """C4."""
    return _said(facts, DisconnectReason.CRITICALLY_LOW_BATTERY)


@sign(SAID, host_radio_off=5.0, cannot_tell=-3.0)
def said_radio_off(facts: Facts) -> Seen | None:
    """X7."""
    return _said(facts, DisconnectReason.BLUETOOTH_DISABLED)


@sign(SAID, internet_lost=6.0, cannot_tell=-3.0)
def said_internet_lost(facts: Facts) -> Seen | None:
    """X2."""
    return _said(facts, DisconnectReason.INTERNET_LOST)


@sign(SAID, host_closed=4.0, cannot_tell=-2.0)
def said_requested(facts: Facts) -> Seen | None:
    """The app's own wish; SDKs say so of some battery drains too (complaint 4), so others can outweigh it."""
    return _said(facts, DisconnectReason.DISCONNECT_REQUESTED)


@sign(SAID, host_closed=3.5, update_reboot=2.0, cannot_tell=-2.0)
def said_reboot(facts: Facts) -> Seen | None:
    """A restart on request: the app's (R1), or the end of an update."""
    return _said(facts, DisconnectReason.REBOOT_REQUESTED)


@sign(SAID, bond_lost=5.0, cannot_tell=-3.0)
def said_bond_lost(facts: Facts) -> Seen | None:
    """A host's stack that says so has seen the codes of a lost key."""
    seen = _said(facts, DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION)
    at = facts.link.error_codes.get("BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION")
    return seen or (Seen("the host reported that the reader removed its pairing", at) if at is not None else None)


@sign(SAID, bond_lost=5.5, host_closed=-2.0, firmware_hang=-2.0, cannot_tell=-3.0)
def encryption_failed(facts: Facts) -> Seen | None:
    """The keys of the two sides differ: the encryption, the pairing or a request failed for it."""
    scope, rows = facts.scope, facts.scope.rows
    since_us = max(scope.began_us, scope.t_us - 60_000_000)
    for place in rows.of(Kind.ENCRYPTION_CHANGED, scope.readers, since_us, scope.t_us):
        code = rows.whole("hci_code", int(place))
        if code:
            return Seen(f"the encryption failed: {hci_words(code)}", int(place))
    failed = rows.last(Kind.PAIRING_FAILED, scope.readers, scope.t_us, since_us)
    if failed is not None:
        return Seen("the pairing failed", failed)
    for place in rows.of(Kind.ATT_ERROR, scope.readers, since_us, scope.t_us):
        if rows.whole("att_code", int(place)) in (0x05, 0x0F) and scope.t_us - int(rows.t_us[place]) < 5_000_000:
            return Seen("a request was refused for want of a key", int(place))
    return None


@sign(SAID, taken_by_another_host=5.0, paired_in_system_settings=0.5, cannot_tell=-3.0)
def said_taken(facts: Facts) -> Seen | None:
    """The host's error for a reader that somebody else has; the system's settings have the same code."""
    at = facts.link.error_codes.get("READER_CONNECTED_TO_ANOTHER_DEVICE")
    if at is None:
        at = facts.after.codes.get("READER_CONNECTED_TO_ANOTHER_DEVICE")
    if at is None or "system" in (facts.scope.rows.text("text", at) or ""):
        return None
    return Seen("the host was told that the reader is connected to another device", at)


@sign(SAID, paired_in_system_settings=7.0, taken_by_another_host=-1.0, cannot_tell=-3.0)
def said_paired_in_system(facts: Facts) -> Seen | None:
    """D6."""
    at = facts.link.error_codes.get("READER_CONNECTED_TO_ANOTHER_DEVICE")
    if at is None or "system" not in (facts.scope.rows.text("text", at) or ""):
        return None
    return Seen("the reader is paired in the system's Bluetooth settings", at)


@sign(SAID, critically_low_battery=6.0, cannot_tell=-3.0)
def said_too_low(facts: Facts) -> Seen | None:
    """C4."""
    at = facts.link.error_codes.get("READER_BATTERY_CRITICALLY_LOW")
    return None if at is None else Seen("the connection was refused for a critically low battery", at)


@sign(SAID, host_radio_off=5.0, cannot_tell=-3.0)
def said_radio_unusable(facts: Facts) -> Seen | None:
    """D5."""
    names = ("BLUETOOTH_DISABLED", "BLUETOOTH_PERMISSION_DENIED", "RADIO_UNAVAILABLE")
    name = next((name for name in names if name in facts.link.error_codes), None)
    return None if name is None else Seen(f"the host reported {name}", facts.link.error_codes[name])


@sign(SAID, host_closed=4.0, cannot_tell=-2.0, failed_to_establish=-2.0)
def said_canceled(facts: Facts) -> Seen | None:
    """The app gave up."""
    names = ("CANCELED", "CANCELED_DUE_TO_INTEGRATION_ERROR", "USER_ERROR_CANCELED")
    name = next((name for name in names if name in facts.link.error_codes), None)
    return None if name is None else Seen(f"the app canceled it ({name})", facts.link.error_codes[name])
