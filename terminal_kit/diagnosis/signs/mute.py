"""A reader that is there and does not answer: its link layer runs on, its firmware does not."""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign
from terminal_kit.events import Kind

MUTE: list[Sign] = []

MUTE_S = 4.0
"""A reader answers within a few connection intervals, a busy one within a second or two."""

TRIED_S = 15.0
"""An SDK tries more than once in that time."""

HEARD_WELL_DBM = -80.0
"""A link at this level loses hardly a packet."""

SOON_US = 2_500_000
"""A host that connects again this soon had a reason to."""


@sign(MUTE, firmware_hang=4.0, range=-1.5, body_or_interference_fade=-1.5, host_closed=-2.0, cannot_tell=-2.0)
def no_answer(facts: Facts) -> Seen | None:
    """The link lived and requests got no answer: the reader's link layer ran on, its firmware did not."""
    at = facts.link.muted_at
    if at is None or not facts.is_drop:
        return None
    return Seen("the link was up and the reader answered no request any more", at)


@sign(MUTE, firmware_hang=4.0, failed_to_establish=-2.0, cannot_tell=-2.0)
def connected_and_mute(facts: Facts) -> Seen | None:
    """A connection whose link came about and that timed out."""
    at = facts.link.error_codes.get("REQUEST_TIMED_OUT", facts.link.error_codes.get("READER_COMMUNICATION_ERROR"))
    if at is None or facts.is_drop or facts.link.never_at is not None:
        return None
    rows, scope = facts.scope.rows, facts.scope
    came = rows.last("link_connected", scope.readers, int(rows.t_us[at]), scope.t_us - 60_000_000)
    ended = facts.link.hci_code in (0x16, None)
    return Seen("the link came about and the reader did not answer in it", came) if came is not None and ended else None


@sign(MUTE, firmware_hang=5.5, host_closed=-2.5, range=-1.0, body_or_interference_fade=-1.0, cannot_tell=-2.0)
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


@sign(MUTE, firmware_hang=4.0, host_closed=-1.0, failed_to_establish=-1.0, range=-1.5, cannot_tell=-2.0)
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


@sign(MUTE, firmware_hang=3.5, host_closed=-2.5, failed_to_establish=-0.5, cannot_tell=-1.5)
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


@sign(MUTE, firmware_hang=4.0, host_closed=-3.5, cannot_tell=0.5)
def closed_and_tried_again(facts: Facts) -> Seen | None:
    """A host that closes a young link and connects again at once did not want it closed: it got no answer."""
    link, scope, rows = facts.link, facts.scope, facts.scope.rows
    if link.hci_code != 0x16 or link.lifetime_s is None or link.lifetime_s > 45.0:
        return None
    again = rows.first(Kind.LINK_CONNECTING, scope.readers, scope.t_us, scope.t_us + SOON_US)
    if again is None:
        return None
    return Seen(f"the host closed it after {link.lifetime_s:.0f} s and connected again at once", again)
