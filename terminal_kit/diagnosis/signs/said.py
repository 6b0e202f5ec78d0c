"""What somebody said: the reader as it left or after it came back, the link-layer code, the host's errors.

The codes' meaning: Core Vol 1 Part F, 2, and the facts about card readers in the field. A code says who ended a link
and seldom why, so its weight against what it excludes is larger than for what it allows.
"""

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


def _code(facts: Facts, *codes: int) -> Seen | None:
    link = facts.link
    if link.hci_code not in codes:
        return None
    return Seen(f"the link-layer code is {hci_words(link.hci_code)}", link.code_at)


@sign(
    SAID,
    range=1.0,
    body_or_interference_fade=1.0,
    reader_reset_or_power_loss=1.0,
    host_radio_overloaded=1.0,
    host_closed=-4.0,
    host_radio_off=-4.0,
    idle_power_down=-3.0,
    security_reboot=-3.0,
    internet_lost=-4.0,
    taken_by_another_host=-3.0,
    bond_lost=-3.0,
    failed_to_establish=-4.0,
)
def code_timeout(facts: Facts) -> Seen | None:
    """Nothing was heard for the supervision timeout: nobody ended it."""
    return _code(facts, 0x08) if facts.is_drop else None


@sign(
    SAID,
    reader_powered_off=1.0,
    idle_power_down=1.0,
    security_reboot=1.0,
    taken_by_another_host=1.0,
    critically_low_battery=0.5,
    internet_lost=0.5,
    range=-5.0,
    body_or_interference_fade=-5.0,
    host_radio_overloaded=-5.0,
    host_closed=-3.0,
    host_radio_off=-4.0,
    failed_to_establish=-5.0,
    reader_reset_or_power_loss=-3.0,
    firmware_hang=-3.0,
)
def code_reader_ended(facts: Facts) -> Seen | None:
    """The reader hung up, and was well enough to say so."""
    return _code(facts, 0x13)


@sign(
    SAID,
    reader_powered_off=2.5,
    idle_power_down=1.5,
    critically_low_battery=1.0,
    security_reboot=1.0,
    range=-5.0,
    body_or_interference_fade=-5.0,
    host_radio_overloaded=-5.0,
    host_closed=-4.0,
    host_radio_off=-4.0,
    failed_to_establish=-5.0,
    taken_by_another_host=-2.0,
    firmware_hang=-4.0,
    reader_reset_or_power_loss=-3.0,
)
def code_power_off(facts: Facts) -> Seen | None:
    """The reader hung up because it powers off, for whatever reason."""
    return _code(facts, 0x15)


@sign(
    SAID,
    critically_low_battery=3.5,
    reader_powered_off=0.5,
    range=-5.0,
    body_or_interference_fade=-5.0,
    host_radio_overloaded=-5.0,
    host_closed=-4.0,
    host_radio_off=-4.0,
    failed_to_establish=-5.0,
    reader_reset_or_power_loss=-3.0,
)
def code_low_resources(facts: Facts) -> Seen | None:
    """The reader hung up for want of something, mostly power."""
    return _code(facts, 0x14)


@sign(
    SAID,
    host_closed=2.0,
    host_radio_off=1.0,
    firmware_hang=0.5,
    range=-4.0,
    body_or_interference_fade=-4.0,
    host_radio_overloaded=-3.0,
    reader_reset_or_power_loss=-4.0,
    reader_powered_off=-4.0,
    idle_power_down=-4.0,
    security_reboot=-4.0,
    critically_low_battery=-3.0,
    taken_by_another_host=-4.0,
    internet_lost=-2.0,
    failed_to_establish=-3.0,
)
def code_host_ended(facts: Facts) -> Seen | None:
    """The host hung up."""
    return _code(facts, 0x16) if facts.is_drop else None


@sign(SAID, bond_lost=4.5, range=-2.0, body_or_interference_fade=-2.0, cannot_tell=-2.0)
def code_keys(facts: Facts) -> Seen | None:
    """The keys of the two sides differ, or one side has none."""
    return _code(facts, 0x05, 0x06, 0x25, 0x29, 0x2F, 0x3D)


@sign(SAID, failed_to_establish=6.0, cannot_tell=-3.0, range=0.5)
def code_not_established(facts: Facts) -> Seen | None:
    """Six connection intervals without an answer."""
    link = facts.link
    if link.never_at is None:
        return None
    many = f" ({link.never_established} tries)" if link.never_established > 1 else ""
    return Seen(f"the reader never answered the connection request: {hci_words(0x3E)}{many}", link.never_at)


@sign(
    SAID,
    firmware_hang=4.5,
    range=0.5,
    body_or_interference_fade=0.5,
    host_closed=-4.0,
    host_radio_off=-4.0,
    cannot_tell=-2.5,
)
def code_no_answer(facts: Facts) -> Seen | None:
    """A link-layer procedure got no answer in 40 s."""
    return _code(facts, 0x22)


@sign(SAID, body_or_interference_fade=2.0, range=1.0, firmware_hang=0.5, host_closed=-3.0)
def code_instant_passed(facts: Facts) -> Seen | None:
    """A change of parameters missed its moment: a weak or disturbed link."""
    return _code(facts, 0x28)


@sign(SAID, host_radio_overloaded=3.5, cannot_tell=-1.0)
def code_too_many(facts: Facts) -> Seen | None:
    """The host's controller has no room."""
    return _code(facts, 0x07, 0x09, 0x0D)


@sign(SAID, firmware_hang=4.0, range=-1.5, body_or_interference_fade=-1.5, host_closed=-2.0, cannot_tell=-2.0)
def no_answer(facts: Facts) -> Seen | None:
    """The link lived and requests got no answer: the reader's link layer ran on, its firmware did not."""
    at = facts.link.muted_at
    if at is None or not facts.is_drop:
        return None
    return Seen("the link was up and the reader answered no request any more", at)


@sign(SAID, firmware_hang=4.0, failed_to_establish=-2.0, cannot_tell=-2.0)
def connected_and_mute(facts: Facts) -> Seen | None:
    """A connection whose link came about and that timed out."""
    at = facts.link.error_codes.get("REQUEST_TIMED_OUT", facts.link.error_codes.get("READER_COMMUNICATION_ERROR"))
    if at is None or facts.is_drop or facts.link.never_at is not None:
        return None
    rows, scope = facts.scope.rows, facts.scope
    came = rows.last("link_connected", scope.readers, int(rows.t_us[at]), scope.t_us - 60_000_000)
    ended = facts.link.hci_code in (0x16, None)
    return Seen("the link came about and the reader did not answer in it", came) if came is not None and ended else None


MUTE_S = 4.0
"""A reader answers within a few connection intervals, a busy one within a second or two."""


@sign(SAID, firmware_hang=5.5, host_closed=-2.5, range=-1.0, body_or_interference_fade=-1.0, cannot_tell=-2.0)
def procedure_pending(facts: Facts) -> Seen | None:
    """What a capture shows of a mute reader: its link layer is heard, and what it was asked gets no answer."""
    link = facts.link
    if link.pending is None or (link.pending_s or 0.0) < MUTE_S:
        return None
    silence_s = link.silence_s or 0.0
    if (link.heard_since_s or 0.0) < MUTE_S / 2 and silence_s > MUTE_S and link.hci_code == 0x08:
        return None  # nothing was heard any more: then nothing can answer
    return Seen(
        f"no answer for {link.pending_s or 0:.0f} s to: {link.pending}",
        facts.scope.incident.rows[0],
        link.pending_record,
    )


@sign(SAID, firmware_hang=4.0, host_closed=-1.0, failed_to_establish=-1.0, range=-1.5, cannot_tell=-2.0)
def heard_and_mute(facts: Facts) -> Seen | None:
    """A reader that advertises, well heard, and answers nothing once it is connected."""
    link, signal, after = facts.link, facts.signal, facts.after
    at = link.error_codes.get("REQUEST_TIMED_OUT", link.error_codes.get("READER_COMMUNICATION_ERROR"))
    if facts.is_drop or at is None or link.never_at is not None:
        return None
    levels = [level for level in (signal.last_dbm, after.level_dbm) if level is not None]
    if not levels or max(levels) < HEARD_WELL_DBM or link.hci_code not in (0x16, None):
        return None
    return Seen("it advertised within reach, and requests timed out", at)


@sign(SAID, firmware_hang=3.5, host_closed=-2.5, failed_to_establish=-0.5, cannot_tell=-1.5)
def found_and_mute(facts: Facts) -> Seen | None:
    """The same in a log that tells no level: the reader is in the list, and try after try times out."""
    link, scope, rows = facts.link, facts.scope, facts.scope.rows
    at = link.error_codes.get("REQUEST_TIMED_OUT")
    if facts.is_drop or at is None or link.never_at is not None or facts.signal.at is not None:
        return None
    begun = rows.last(Kind.CONNECT_STARTED, scope.readers, int(rows.t_us[at]))
    lasted_s = 0.0 if begun is None else (int(rows.t_us[at]) - int(rows.t_us[begun])) / 1e6
    if link.tries < 2 and lasted_s < TRIED_S:
        return None
    seen = rows.all_of((Kind.READER_FOUND,), scope.readers, scope.t_us - 30_000_000, int(rows.t_us[at]))
    if not len(seen) or link.hci_code not in (0x16, None):
        return None
    return Seen(f"it is in the list of readers, and did not answer for {lasted_s:.0f} s", at)


TRIED_S = 15.0
"""An SDK tries more than once in that time."""

HEARD_WELL_DBM = -80.0
"""A link at this level loses hardly a packet."""

SOON_US = 2_500_000


@sign(SAID, firmware_hang=4.0, host_closed=-3.5, cannot_tell=0.5)
def closed_and_tried_again(facts: Facts) -> Seen | None:
    """A host that closes a young link and connects again at once did not want it closed: it got no answer."""
    link, scope, rows = facts.link, facts.scope, facts.scope.rows
    if link.hci_code != 0x16 or link.lifetime_s is None or link.lifetime_s > 45.0:
        return None
    again = rows.first(Kind.LINK_CONNECTING, scope.readers, scope.t_us, scope.t_us + SOON_US)
    if again is None:
        return None
    return Seen(f"the host closed it after {link.lifetime_s:.0f} s and connected again at once", again)


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
