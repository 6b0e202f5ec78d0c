"""What the reader's own life says: restarts, uptime, idleness, battery, updates, bonds.

Times are those of the vendor's documents (24 h, 10 h, 5 %), with a margin; how long a reader takes to start is not
published, so any time up to a minute counts as a restart.
"""

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.diagnosis.signs.sign import Seen, Sign, sign
from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.words import stage_words

LIVED: list[Sign] = []

DAY_S, DAY_MARGIN_S = 86_400.0, 900.0
IDLE_S, IDLE_MARGIN_S = 36_000.0, 900.0
RESTART_S = 60.0
"""Readers start within seconds; a minute leaves room for slow ones and for the host to notice."""

CRITICAL, LOW = 0.05, 0.15
"""The vendor's critical level (B), and one from which an old cell may break down."""

_LEFT = (0x13, 0x14, 0x15)
"""Codes of a reader that hung up."""


@sign(
    LIVED,
    reader_reset_or_power_loss=4.5,
    range=-5.0,
    body_or_interference_fade=-5.0,
    host_radio_overloaded=-5.0,
    taken_by_another_host=-5.0,
    internet_lost=-4.0,
    host_closed=-1.0,
    firmware_hang=-1.0,
    cannot_tell=-3.0,
)
def restarted(facts: Facts) -> Seen | None:
    """Its count of starts, its uptime, or its own word: it stopped, whatever made it."""
    after = facts.after
    if not facts.is_drop or facts.link.said in _RESTART_WORDS or facts.link.hci_code in (0x13, 0x14, 0x15):
        return None
    if after.started_at is not None:
        return Seen("it had started anew when it came back", after.started_at)
    if after.boots_before is not None and after.boots_after is not None and after.boots_after != after.boots_before:
        return Seen(f"its count of starts went from {after.boots_before} to {after.boots_after}", after.info_at)
    if after.booted_after_s is not None and after.booted_after_s > -(facts.link.timeout_s or 6.0) - 5.0:
        return Seen(f"its uptime was {after.uptime_after_s:.0f} s when it came back", after.info_at)
    return None


_RESTART_WORDS = (
    DisconnectReason.POWERED_OFF,
    DisconnectReason.IDLE_POWER_DOWN,
    DisconnectReason.SECURITY_REBOOT,
    DisconnectReason.CRITICALLY_LOW_BATTERY,
    DisconnectReason.REBOOT_REQUESTED,
)


@sign(
    LIVED,
    reader_reset_or_power_loss=-6.0,
    reader_powered_off=-6.0,
    security_reboot=-6.0,
    idle_power_down=-6.0,
    update_reboot=-5.0,
    critically_low_battery=-4.0,
    cannot_tell=-0.5,
)
def ran_on(facts: Facts) -> Seen | None:
    """It never stopped."""
    after = facts.after
    if after.boots_before is None or after.boots_after is None or after.boots_after != after.boots_before:
        return None
    return Seen("it had not restarted: its count of starts is the same", after.info_at)


@sign(LIVED, security_reboot=4.0)
def day_is_over(facts: Facts) -> Seen | None:
    """R2."""
    uptime_s = facts.reader.uptime_s
    if uptime_s is None or abs(uptime_s - DAY_S) > DAY_MARGIN_S:
        return None
    return Seen(f"it had run for {uptime_s / 3600:.1f} h", facts.reader.uptime_at)


@sign(LIVED, security_reboot=-5.0)
def day_is_not_over(facts: Facts) -> Seen | None:
    """R2."""
    uptime_s = facts.reader.uptime_s
    if uptime_s is None or not facts.is_drop or abs(uptime_s - DAY_S) <= DAY_MARGIN_S:
        return None
    return Seen(f"it had run for {uptime_s / 3600:.1f} h only", facts.reader.uptime_at)


@sign(LIVED, security_reboot=3.5, cannot_tell=-0.5)
def same_hour(facts: Facts) -> Seen | None:
    """Complaint 2."""
    reader = facts.reader
    if not reader.days_alike:
        return None
    days = "another day" if reader.days_alike == 1 else f"{reader.days_alike} other days"
    return Seen(f"it dropped at the same time of {days}", reader.alike_at)


@sign(LIVED, security_reboot=1.5, cannot_tell=-1.0)
def same_hour_again(facts: Facts) -> Seen | None:
    """Complaint 2: twice may be chance."""
    reader = facts.reader
    if reader.days_alike < 2:
        return None
    return Seen(f"that makes {reader.days_alike + 1} days in all", reader.alike_at)


@sign(LIVED, idle_power_down=4.0, reader_powered_off=-1.0)
def idle_for_ten_hours(facts: Facts) -> Seen | None:
    """R3."""
    reader = facts.reader
    if reader.idle_s is None or not facts.is_drop or abs(reader.idle_s - IDLE_S) > IDLE_MARGIN_S:
        return None
    return Seen(f"nobody had used it for {reader.idle_s / 3600:.1f} h", reader.idle_at)


@sign(LIVED, idle_power_down=-5.0)
def in_use_lately(facts: Facts) -> Seen | None:
    """R3."""
    reader = facts.reader
    if reader.idle_s is None or not facts.is_drop or reader.idle_s > IDLE_S - IDLE_MARGIN_S:
        return None
    return Seen(f"it was connected or used {reader.idle_s / 60:.0f} min before", reader.idle_at)


@sign(
    LIVED,
    security_reboot=1.2,
    reader_powered_off=-0.8,
    reader_reset_or_power_loss=1.0,
    taken_by_another_host=-1.5,
    idle_power_down=-2.0,
    critically_low_battery=-1.5,
)
def left_and_returned(facts: Facts) -> Seen | None:
    """It hung up by itself and was back within the time of a restart."""
    after = facts.after
    if facts.link.hci_code not in _LEFT or after.heard_after_s is None or not 1.5 <= after.heard_after_s <= RESTART_S:
        return None
    if after.boots_before is not None and after.boots_before == after.boots_after:
        return None
    return Seen(f"it hung up and was heard again {after.heard_after_s:.0f} s later", after.heard_at)


@sign(
    LIVED,
    taken_by_another_host=0.5,
    internet_lost=1.0,
    reader_powered_off=-3.0,
    idle_power_down=-3.0,
    security_reboot=-3.0,
    critically_low_battery=-3.0,
)
def left_and_stayed_on(facts: Facts) -> Seen | None:
    """It hung up and went on advertising at once: it never went off."""
    after = facts.after
    if facts.link.hci_code not in _LEFT or after.heard_after_s is None or after.heard_after_s >= 1.5:
        return None
    return Seen(f"it hung up and was heard again at once ({after.heard_after_s:.1f} s later)", after.heard_at)


@sign(
    LIVED,
    critically_low_battery=4.5,
    reader_powered_off=-1.5,
    cannot_tell=-2.0,
    host_closed=-2.0,
    reader_reset_or_power_loss=-1.5,
)
def battery_critical(facts: Facts) -> Seen | None:
    """Whatever else is said (complaint 4)."""
    reader = facts.reader
    if reader.battery is None or reader.battery > CRITICAL or reader.charging:
        return None
    age_min = (reader.battery_age_s or 0) / 60
    return Seen(f"its battery was at {reader.battery:.0%} {age_min:.0f} min before", reader.battery_at)


@sign(LIVED, critically_low_battery=2.5, reader_powered_off=-0.5, reader_reset_or_power_loss=-0.5)
def battery_low(facts: Facts) -> Seen | None:
    """A cell under load, or one that is measured every ten minutes."""
    reader = facts.reader
    if reader.battery is None or not CRITICAL < reader.battery <= LOW or reader.charging or not facts.is_drop:
        return None
    falls = f", falling by {reader.drain_per_h:.0%} an hour" if (reader.drain_per_h or 0) > 0 else ""
    return Seen(f"its battery was at {reader.battery:.0%}{falls}", reader.battery_at)


@sign(LIVED, critically_low_battery=-4.0)
def battery_good(facts: Facts) -> Seen | None:
    """Enough for hours."""
    reader = facts.reader
    if reader.battery is None or reader.battery <= 0.2:
        return None
    return Seen(f"its battery was at {reader.battery:.0%}", reader.battery_at)


@sign(LIVED, critically_low_battery=-3.0)
def battery_good_after(facts: Facts) -> Seen | None:
    """It came back with enough."""
    reader = facts.reader
    if reader.battery_after is None or reader.battery_after <= 0.2 or (facts.after.heard_after_s or 1e9) > 600:
        return None
    return Seen(f"its battery was at {reader.battery_after:.0%} when it came back", reader.battery_after_at)


@sign(
    LIVED,
    update_reboot=5.0,
    security_reboot=-2.0,
    reader_powered_off=-2.0,
    cannot_tell=-2.0,
    host_closed=-2.0,
    reader_reset_or_power_loss=-1.5,
)
def update_was_done(facts: Facts) -> Seen | None:
    """U12."""
    reader = facts.reader
    if not facts.is_drop:
        return None
    if reader.installed_at is not None:
        return Seen("an update was being finished", reader.installed_at)
    if reader.update_at is not None and (reader.update_progress or 0) >= 0.95:
        stage = stage_words(reader.update_stage) if reader.update_stage else "nearly done"
        return Seen(f"an update was under way ({stage})", reader.update_at)
    if reader.firmware_before and reader.firmware_after and reader.firmware_before != reader.firmware_after:
        text = f"it came back with software {reader.firmware_after} instead of {reader.firmware_before}"
        return Seen(text, reader.firmware_at)
    return None


@sign(LIVED, update_reboot=1.5)
def update_under_way(facts: Facts) -> Seen | None:
    """It may be the restart, or what cut the update off."""
    reader = facts.reader
    if reader.update_at is None or (reader.update_progress or 0) >= 0.95 or not facts.is_drop:
        return None
    return Seen(f"an update was under way, at {reader.update_progress or 0:.0%}", reader.update_at)


@sign(LIVED, host_closed=2.0, security_reboot=-2.0, reader_reset_or_power_loss=-1.0)
def reboot_was_asked_for(facts: Facts) -> Seen | None:
    """R1."""
    at = facts.reader.reboot_at
    return None if at is None or not facts.is_drop else Seen("the host asked the reader to restart", at)


@sign(LIVED, bond_lost=5.0, cannot_tell=-2.0, failed_to_establish=-3.0, host_closed=-2.0, firmware_hang=-2.0)
def pairing_failed(facts: Facts) -> Seen | None:
    """Before the end, or at the next connection."""
    rows, scope = facts.scope.rows, facts.scope
    at = rows.last(Kind.PAIRING_FAILED, scope.readers, scope.t_us + 10_000_000, scope.t_us - 30_000_000)
    return None if at is None else Seen("the pairing failed", at)


@sign(LIVED, taken_by_another_host=5.0, reader_powered_off=-4.0, internet_lost=-1.0, cannot_tell=-3.0)
def advertised_as_taken(facts: Facts) -> Seen | None:
    """A reader that says so."""
    at = facts.after.taken_at
    return None if at is None else Seen("it advertised that another host has it", at)


@sign(LIVED, firmware_hang=2.5, cannot_tell=-1.0)
def heard_and_unreachable(facts: Facts) -> Seen | None:
    """It advertises, takes no link or answers nothing in it."""
    after = facts.after
    if "REQUEST_TIMED_OUT" not in after.codes or facts.link.muted_at is None or after.heard_after_s is None:
        return None
    return Seen("afterwards it was heard and could not be connected", after.codes["REQUEST_TIMED_OUT"])
