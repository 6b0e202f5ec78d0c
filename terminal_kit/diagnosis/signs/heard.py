"""What the signal says: before the incident, and as it came back.

Levels are what a phone shows for a reader: −40 dBm beside it, −70 across a room, and from −88 or so packets are lost.
The limits are round figures for phones in general; none is a constant of the kit's simulator.
"""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign

HEARD: list[Sign] = []

WEAK_DBM, STRONG_DBM = -84.0, -75.0
"""Below the one packets are lost now and then; above the other a link has a margin of 15 dB and more."""

FALL_DB = 12.0
"""People and hands move a signal by 10 dB; what falls further has moved, or something stands before it."""

STEP_DB = 19.0
"""Ten fast steps away from a phone cost some 15 dB in three seconds; a hand, a body or a tray costs more at once."""

COUNTS_S = 25.0
"""A signal older than this says nothing about the moment of the drop, whatever the supervision timeout."""

SOON_S = 12.0

HUNG_UP = 0x13
"""The reader's end closed the link, whatever for (Core Vol 1 Part F, 2.19)."""


def dbm(value: float) -> str:
    """A level with a proper minus."""
    return f"{value:.0f} dBm".replace("-", "\u2212")


def is_fresh(facts: Facts) -> bool:
    """Whether the last reading is near enough to the drop to say something about it."""
    age_s = facts.signal.age_s
    return age_s is not None and age_s <= max(COUNTS_S, (facts.link.timeout_s or 0.0) + 15.0)


def died_of_silence(facts: Facts) -> bool:
    """Whether the link ended because nothing was heard any more, as far as its code says."""
    return facts.is_drop and facts.link.hci_code in (0x08, 0x22, 0x28, None) and facts.link.muted_at is None


def _level(facts: Facts) -> float | None:
    return facts.signal.last_dbm if died_of_silence(facts) and is_fresh(facts) else None


@sign(HEARD, range=2.5, body_or_interference_fade=-1.5, reader_reset_or_power_loss=-3.0, host_radio_overloaded=-3.0)
def sank_slowly(facts: Facts) -> Seen | None:
    """A walk out of range."""
    level, signal = _level(facts), facts.signal
    if level is None or level > WEAK_DBM or signal.fall_db < FALL_DB or signal.step_db >= STEP_DB:
        return None
    text = f"the signal sank from {dbm(signal.best_dbm or 0)} to {dbm(level)} without a sudden step"
    return Seen(text, signal.at)


@sign(HEARD, body_or_interference_fade=3.5, range=-2.5, reader_reset_or_power_loss=-2.5, host_radio_overloaded=-3.0)
def fell_suddenly(facts: Facts) -> Seen | None:
    """Something came between."""
    level, signal = _level(facts), facts.signal
    if level is None or signal.step_db < STEP_DB or signal.fall_db < STEP_DB - 4:
        return None
    return Seen(f"the signal fell by {signal.step_db:.0f} dB at once, to {dbm(level)}", signal.step_at or signal.at)


LONG_S = 100.0
"""Nobody stands in the way for minutes; a reader that was carried off stays weak."""


@sign(HEARD, range=3.5, body_or_interference_fade=-1.5, reader_reset_or_power_loss=-2.0, host_radio_overloaded=-2.0)
def weak_for_long(facts: Facts) -> Seen | None:
    """Strong once, and then weak for long."""
    level, signal = _level(facts), facts.signal
    if level is None or level > WEAK_DBM or signal.fall_db < FALL_DB or signal.fall_s < LONG_S:
        return None
    return Seen(f"the signal had been weak for {signal.fall_s:.0f} s, {dbm(level)} at last", signal.at)


@sign(HEARD, range=2.0, body_or_interference_fade=-1.0, reader_reset_or_power_loss=-2.0, host_radio_overloaded=-3.0)
def weak_all_along(facts: Facts) -> Seen | None:
    """The edge of range: it was never strong."""
    level, signal = _level(facts), facts.signal
    if level is None or level > WEAK_DBM or signal.fall_db >= FALL_DB or signal.count < 3:
        return None
    return Seen(f"the signal was weak all along, {dbm(level)} at last", signal.at)


WEAK_COUNTS_S = 90.0
"""A level at the edge a minute ago says that the reader was far; where it was then it may be still."""


@sign(HEARD, range=2.0, reader_reset_or_power_loss=-1.0, host_radio_overloaded=-1.5)
def weak_a_while_before(facts: Facts) -> Seen | None:
    """The last reading is not fresh, and was weak already."""
    signal = facts.signal
    if not died_of_silence(facts) or is_fresh(facts) or signal.last_dbm is None or signal.last_dbm > WEAK_DBM:
        return None
    if (signal.age_s or 0.0) > WEAK_COUNTS_S or signal.step_db >= STEP_DB:
        return None
    return Seen(f"the signal was weak already {signal.age_s or 0:.0f} s before, {dbm(signal.last_dbm)}", signal.at)


@sign(
    HEARD,
    range=-4.0,
    body_or_interference_fade=0.5,
    reader_reset_or_power_loss=0.5,
    host_radio_overloaded=0.5,
    reader_powered_off=0.3,
    cannot_tell=0.7,
)
def strong_before(facts: Facts) -> Seen | None:
    """Nobody leaves from there without getting weaker first."""
    level, signal = _level(facts), facts.signal
    if level is None or level < STRONG_DBM or signal.step_db >= STEP_DB:
        return None
    return Seen(f"the signal was strong, {dbm(level)} {signal.age_s or 0:.0f} s before", signal.at)


@sign(HEARD, cannot_tell=1.5)
def no_signal_before(facts: Facts) -> Seen | None:
    """Absent evidence."""
    if not died_of_silence(facts) or is_fresh(facts):
        return None
    age_s = facts.signal.age_s
    return Seen(
        "no signal is known from before the drop" if age_s is None else f"the last signal is {age_s:.0f} s older",
        facts.signal.at,
    )


@sign(
    HEARD,
    range=1.5,
    body_or_interference_fade=1.5,
    reader_reset_or_power_loss=-2.5,
    host_radio_overloaded=-3.0,
    reader_powered_off=-2.0,
    cannot_tell=-0.5,
)
def weak_after(facts: Facts) -> Seen | None:
    """It was still there, and badly heard."""
    after = facts.after
    if not died_of_silence(facts) or after.level_dbm is None or after.level_dbm > WEAK_DBM:
        return None
    if (after.heard_after_s or 0) > 120:
        return None
    return Seen(f"it was heard {after.heard_after_s:.1f} s later, weakly: {dbm(after.level_dbm)}", after.heard_at)


@sign(HEARD, body_or_interference_fade=2.0, reader_reset_or_power_loss=-1.0, reader_powered_off=-1.5, cannot_tell=-1.0)
def strong_and_lost_again(facts: Facts) -> Seen | None:
    """Made anew and lost within seconds, though well heard: something disturbs the air."""
    after, scope, rows = facts.after, facts.scope, facts.scope.rows
    if not died_of_silence(facts) or after.back_at is None or (_level(facts) or -100.0) < STRONG_DBM:
        return None
    back_us = int(rows.t_us[after.back_at])
    again = rows.first("link_disconnected", scope.readers, back_us, back_us + 6_000_000)
    if again is None or rows.whole("hci_code", again) != 0x08:
        return None
    return Seen("the next link was lost again within seconds", again)


@sign(HEARD, range=1.0, body_or_interference_fade=-0.3)
def weak_still(facts: Facts) -> Seen | None:
    """People step aside within half a minute, most of the time."""
    after = facts.after
    if not died_of_silence(facts) or after.level_dbm is None or after.level_dbm > WEAK_DBM:
        return None
    if after.heard_after_s is None or after.heard_after_s < 20.0:
        return None
    return Seen(f"after {after.heard_after_s:.0f} s it was still weak", after.heard_at)


@sign(HEARD, body_or_interference_fade=3.0, range=-1.5, cannot_tell=-1.0)
def weak_after_strong_before(facts: Facts) -> Seen | None:
    """From strong to weak within the supervision timeout: something came between, and is still there."""
    level, after = _level(facts), facts.after
    if level is None or level < STRONG_DBM or after.level_dbm is None or after.level_dbm > WEAK_DBM:
        return None
    if (after.heard_after_s or 0) > 40 or (facts.signal.age_s or 0) > 15:
        return None
    lost_db = level - after.level_dbm
    return Seen(
        f"it lost {lost_db:.0f} dB within {(facts.signal.age_s or 0) + (after.heard_after_s or 0):.0f} s",
        after.heard_at,
    )


@sign(
    HEARD,
    range=-2.5,
    body_or_interference_fade=1.0,
    reader_powered_off=-3.0,
    reader_reset_or_power_loss=0.3,
    host_radio_overloaded=0.7,
    cannot_tell=1.1,
)
def strong_soon_after(facts: Facts) -> Seen | None:
    """It was near and alive the moment after: something stood before it, or it has restarted."""
    after = facts.after
    if not died_of_silence(facts) or after.level_dbm is None or after.level_dbm < STRONG_DBM:
        return None
    if after.heard_after_s is None or after.heard_after_s > SOON_S:
        return None
    return Seen(f"it was heard {after.heard_after_s:.1f} s later, strongly: {dbm(after.level_dbm)}", after.heard_at)


@sign(
    HEARD,
    reader_reset_or_power_loss=1.2,
    reader_powered_off=1.2,
    body_or_interference_fade=-0.3,
    range=-2.5,
    host_radio_overloaded=-2.0,
)
def strong_late_after(facts: Facts) -> Seen | None:
    """It came back where it was, after a while: it was not there in between, or something stood before it."""
    after = facts.after
    if not died_of_silence(facts) or after.level_dbm is None or after.level_dbm < STRONG_DBM:
        return None
    if after.heard_after_s is None or after.heard_after_s <= SOON_S or after.listened_s < 0.7 * after.heard_after_s:
        return None
    return Seen(
        f"the host listened and heard nothing for {after.heard_after_s:.0f} s, then {dbm(after.level_dbm)}",
        after.heard_at,
    )


@sign(
    HEARD,
    reader_powered_off=2.0,
    reader_reset_or_power_loss=-0.5,
    range=0.5,
    body_or_interference_fade=-1.0,
    host_radio_overloaded=-3.0,
    taken_by_another_host=-1.0,
    firmware_hang=-1.0,
    cannot_tell=0.3,
)
def never_heard_again(facts: Facts) -> Seen | None:
    """Off, empty, or far away."""
    return None if facts.link.hci_code == HUNG_UP else _not_heard(facts)


@sign(
    HEARD,
    reader_powered_off=1.0,
    critically_low_battery=0.5,
    idle_power_down=0.5,
    taken_by_another_host=-1.0,
    cannot_tell=1.2,
)
def left_for_good(facts: Facts) -> Seen | None:
    """It hung up and is off, or starts slowly: switched off, idle or empty, which look the same from here."""
    return _not_heard(facts) if facts.link.hci_code == HUNG_UP else None


def _not_heard(facts: Facts) -> Seen | None:
    after = facts.after
    if not facts.is_drop or after.heard_after_s is not None or after.listened_s < 20.0:
        return None
    return Seen(f"the host listened for {after.listened_s:.0f} s and did not hear it again")


@sign(HEARD, cannot_tell=1.0)
def nobody_listened(facts: Facts) -> Seen | None:
    """Absent evidence."""
    after = facts.after
    if not facts.is_drop or after.heard_after_s is not None or after.listened_s >= 5.0:
        return None
    return Seen("the host did not listen afterwards, or the record ends here")


@sign(
    HEARD,
    reader_reset_or_power_loss=4.0,
    range=-2.0,
    body_or_interference_fade=-2.0,
    host_radio_overloaded=-2.0,
    cannot_tell=-2.0,
)
def advertised_in_silence(facts: Facts) -> Seen | None:
    """A reader advertises while the host believes in the link: it has forgotten the link, so it has restarted."""
    after, link = facts.after, facts.link
    if not died_of_silence(facts):
        return None
    if link.advertised:
        return Seen(
            f"it advertised {link.advertised} times while the host still believed in the link",
            facts.scope.incident.rows[0],
            link.advertised_record,
        )
    if after.heard_in_silence and after.silence_at is not None:
        lead_s = (facts.scope.t_us - int(facts.scope.rows.t_us[after.silence_at])) / 1e6
        if lead_s >= 0.8:
            return Seen(f"it advertised {lead_s:.1f} s before the host gave the link up", after.silence_at)
    return None


@sign(HEARD, failed_to_establish=1.5, range=0.5)
def weak_at_the_try(facts: Facts) -> Seen | None:
    """A connection tried at the edge of range."""
    signal = facts.signal
    if facts.is_drop or signal.last_dbm is None or signal.last_dbm > WEAK_DBM or (signal.age_s or 99) > 30:
        return None
    return Seen(f"the reader was heard weakly before: {dbm(signal.last_dbm)}", signal.at)
