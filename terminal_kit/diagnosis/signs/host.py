"""What the host did: its radio, its internet, its other links, the app."""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.heard import STRONG_DBM, died_of_silence, is_fresh
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign
from terminal_kit.events import Kind
from terminal_kit.words import HOST_FAULTS

DONE: list[Sign] = []

MANY_LINKS = 2
"""Phones serve some seven links, and begin to starve them with three busy ones beside a scan."""

OFFLINE_S = 180.0
"""A reader that needs the internet leaves half a minute after it was lost (X2); settable, hence the room."""


@sign(
    DONE,
    host_radio_off=5.0,
    host_closed=-2.0,
    range=-2.0,
    body_or_interference_fade=-2.0,
    cannot_tell=-3.0,
    internet_lost=-2.0,
)
def radio_went(facts: Facts) -> Seen | None:
    """D5, X7."""
    host = facts.host
    if host.fault_at is None or host.fault is None:
        return None
    at_us = int(facts.scope.rows.t_us[host.fault_at])
    if abs(at_us - facts.scope.t_us) > 5_000_000 and facts.is_drop:
        return None
    return Seen(f"the host's radio: {HOST_FAULTS.get(host.fault, 'a fault')}", host.fault_at)


@sign(DONE, host_radio_off=6.0, host_closed=-2.5, cannot_tell=-3.0)
def radio_restarted(facts: Facts) -> Seen | None:
    """A capture: the controller was reset or switched off as the link ended, or nothing was done with it any more."""
    scope, rows = facts.scope, facts.scope.rows
    for place in rows.of(Kind.HOST_CHANGED, None, scope.t_us - 2_000_000, scope.t_us + 3_000_000):
        if rows.extra(int(place)).get("change") in ("reset", "adapter_off", "adapter_removed"):
            return Seen(rows.text("text", int(place)) or "the host's Bluetooth controller was reset", int(place))
    return None


@sign(DONE, internet_lost=4.5, taken_by_another_host=-1.5, reader_powered_off=-1.5, cannot_tell=-2.0)
def internet_went(facts: Facts) -> Seen | None:
    """X2."""
    host = facts.host
    if host.offline_at is None or host.offline_s is None or host.offline_s > OFFLINE_S:
        return None
    if facts.link.hci_code == 0x08:
        return None
    return Seen(f"the host lost the internet {host.offline_s:.0f} s before", host.offline_at)


@sign(DONE, internet_lost=-3.0)
def internet_stayed(facts: Facts) -> Seen | None:
    """Nothing in the record says that it went."""
    if facts.host.offline_at is not None or facts.link.said == "internet_lost":
        return None
    return Seen("nothing says that the internet was lost")


@sign(DONE, host_closed=3.0, cannot_tell=-1.5)
def app_asked(facts: Facts) -> Seen | None:
    """A line of the app, or the Disconnect command in a capture."""
    link, host = facts.link, facts.host
    if link.asked_record is not None:
        return Seen("the host sent a Disconnect command", facts.scope.incident.rows[0], link.asked_record)
    return None if host.asked_at is None else Seen("the app asked to disconnect", host.asked_at)


@sign(DONE, host_closed=2.0)
def app_in_background(facts: Facts) -> Seen | None:
    """Systems take Bluetooth from such apps, and apps give it up."""
    at = facts.host.background_at
    if at is None or not facts.is_drop or facts.link.hci_code == 0x08:
        return None
    return Seen("the app went to the background", at)


@sign(DONE, host_closed=2.5, cannot_tell=-1.0)
def program_ended(facts: Facts) -> Seen | None:
    """The recorder's own end."""
    at = facts.host.run_end_at
    return None if at is None or facts.link.hci_code == 0x08 else Seen("the program ended", at)


def _open(facts: Facts) -> int:
    return max(facts.link.other_links or 0, facts.host.open_links)


@sign(DONE, host_radio_overloaded=3.5, body_or_interference_fade=-0.5, range=-0.5)
def many_links(facts: Facts) -> Seen | None:
    """The host had others to serve, and the signal was no reason."""
    if not died_of_silence(facts) or _open(facts) < MANY_LINKS:
        return None
    level = facts.signal.last_dbm if is_fresh(facts) else facts.after.level_dbm
    if level is not None and level < STRONG_DBM:
        return None
    return Seen(f"the host held {_open(facts)} other links", facts.scope.incident.rows[0])


@sign(DONE, host_radio_overloaded=-4.0)
def few_links(facts: Facts) -> Seen | None:
    """Nothing else to serve."""
    if not facts.is_drop or _open(facts) >= MANY_LINKS:
        return None
    return Seen(f"the host held {_open(facts) or 'no'} other link{'s' * (_open(facts) != 1)}")


@sign(
    DONE,
    host_radio_overloaded=1.0,
    body_or_interference_fade=0.5,
    reader_reset_or_power_loss=-3.0,
    reader_powered_off=-3.0,
    host_radio_off=0.5,
)
def others_dropped_too(facts: Facts) -> Seen | None:
    """What takes several links at once is at the host or in the air, not in one reader."""
    together = facts.host.together
    if not together or not facts.is_drop:
        return None
    return Seen(f"{len(together)} other link{'s' * (len(together) > 1)} ended in the same moment", together[0])
