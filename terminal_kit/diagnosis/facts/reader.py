"""What the reader told of itself: battery, uptime, idleness, updates, restarts that were asked for."""

from dataclasses import dataclass

import numpy as np

from terminal_kit.diagnosis.facts.scope import AFTERMATH_US, Scope
from terminal_kit.events import Kind

DAY_US = 86_400_000_000
SAME_HOUR_US = 10 * 60 * 1_000_000
"""A daily restart moves by the minute that a start takes: ten minutes hold several days of it."""

BATTERY_COUNTS_US = 45 * 60 * 1_000_000
"""Levels come about every 10 minutes, and only on change (B1)."""

_IN_USE = (
    Kind.BUSY_STARTED,
    Kind.BUSY_ENDED,
    Kind.CARD_INSERTED,
    Kind.CARD_REMOVED,
    Kind.STANDBY_LEFT,
    Kind.UPDATE_FINISHED,
    Kind.REGISTERED,
    Kind.CONNECT_SUCCEEDED,
    Kind.LINK_CONNECTED,
)
_BATTERY = (Kind.BATTERY, Kind.LOW_BATTERY, Kind.SIGNAL, Kind.READER_FOUND)


@dataclass(slots=True)
class ReaderFacts:
    """`battery` 0…1 before the incident, `battery_after` the first after it; `drain_per_h` how fast it fell.

    `uptime_s` is how long the reader had run; `idle_s` since anybody used it, as far as the record reaches back.
    `days_alike` counts its drops at the same time of other days. `update_at` is the start of an update that was under
    way, `installed_at` its end shortly before or after.
    """

    battery: float | None = None
    battery_at: int | None = None
    battery_age_s: float | None = None
    charging: bool | None = None
    drain_per_h: float | None = None
    battery_after: float | None = None
    battery_after_at: int | None = None
    low_at: int | None = None
    uptime_s: float | None = None
    uptime_at: int | None = None
    idle_s: float | None = None
    idle_at: int | None = None
    standby_at: int | None = None
    days_alike: int = 0
    alike_at: int | None = None
    update_at: int | None = None
    update_progress: float | None = None
    update_stage: str | None = None
    installed_at: int | None = None
    firmware_before: str | None = None
    firmware_after: str | None = None
    firmware_at: int | None = None
    reboot_at: int | None = None


def reader_facts(scope: Scope) -> ReaderFacts:
    """The facts about the reader at one incident."""
    facts = ReaderFacts()
    _take_battery(scope, facts)
    _take_uptime(scope, facts)
    _take_idleness(scope, facts)
    _take_update(scope, facts)
    _take_days(scope, facts)
    asked = scope.rows.last(Kind.REBOOT_REQUESTED, scope.readers, scope.t_us, scope.t_us - 30_000_000)
    facts.reboot_at = asked
    return facts


def _take_battery(scope: Scope, facts: ReaderFacts) -> None:
    rows = scope.rows
    places = rows.all_of(_BATTERY, scope.readers, scope.t_us - 3 * BATTERY_COUNTS_US, scope.t_us)
    levels = rows.numbers("battery")[places]
    places, levels = places[~np.isnan(levels)], levels[~np.isnan(levels)]
    if len(places):
        last = int(places[-1])
        facts.battery_at, facts.battery = last, float(levels[-1])
        facts.battery_age_s = (scope.t_us - int(rows.t_us[last])) / 1e6
        hours = (rows.t_us[places] - scope.t_us) / 3.6e9
        if len(set(levels)) > 1 and hours[-1] > hours[0]:
            facts.drain_per_h = float((levels[0] - levels[-1]) / max(hours[-1] - hours[0], 1 / 60))
        told = [cell for cell in rows.cells("charging")[places] if cell is not None]
        facts.charging = bool(told[-1]) if told else None
    facts.low_at = rows.last(Kind.LOW_BATTERY, scope.readers, scope.t_us, scope.t_us - 2 * BATTERY_COUNTS_US)
    later = rows.all_of(_BATTERY, scope.readers, scope.t_us + 1, min(scope.next_us, scope.t_us + AFTERMATH_US))
    later = later[~np.isnan(rows.numbers("battery")[later])]
    if len(later):
        facts.battery_after_at = int(later[0])
        facts.battery_after = rows.number("battery", int(later[0]))


def _take_uptime(scope: Scope, facts: ReaderFacts) -> None:
    rows = scope.rows
    info = rows.last(Kind.READER_INFO, scope.readers, scope.t_us)
    if info is not None:
        uptime_s = rows.extra(info).get("uptime_s")
        if isinstance(uptime_s, int | float) and not isinstance(uptime_s, bool):
            facts.uptime_s = uptime_s + (scope.t_us - int(rows.t_us[info])) / 1e6
            facts.uptime_at = info


def _take_idleness(scope: Scope, facts: ReaderFacts) -> None:
    rows = scope.rows
    used = rows.all_of(_IN_USE, scope.readers, to_us=scope.t_us - 1)
    if len(used):
        facts.idle_at = int(used[-1])
        facts.idle_s = (scope.t_us - int(rows.t_us[used[-1]])) / 1e6
    entered = rows.last(Kind.STANDBY_ENTERED, scope.readers, scope.t_us, scope.began_us)
    if (
        entered is not None
        and rows.first(Kind.STANDBY_LEFT, scope.readers, int(rows.t_us[entered]), scope.t_us) is None
    ):
        facts.standby_at = entered


def _take_update(scope: Scope, facts: ReaderFacts) -> None:
    rows, t_us = scope.rows, scope.t_us
    started = rows.last(Kind.UPDATE_STARTED, scope.readers, t_us, t_us - 2 * AFTERMATH_US)
    finished = rows.last(Kind.UPDATE_FINISHED, scope.readers, t_us, t_us - 120_000_000)
    if started is not None and rows.first(Kind.UPDATE_FINISHED, scope.readers, int(rows.t_us[started]), t_us) is None:
        facts.update_at = started
        told = rows.last(Kind.UPDATE_PROGRESS, scope.readers, t_us, int(rows.t_us[started]))
        if told is not None:
            facts.update_progress, facts.update_stage = rows.number("progress", told), rows.text("stage", told)
        finished = rows.first(Kind.UPDATE_FINISHED, scope.readers, t_us, t_us + 180_000_000)
    if finished is not None and rows.text("error_code", finished) is None:
        facts.installed_at = finished
    before, after = _firmware(scope, before=True), _firmware(scope, before=False)
    if before is not None and after is not None:
        facts.firmware_before, facts.firmware_after = before[1], after[1]
        facts.firmware_at = after[0]


def _firmware(scope: Scope, *, before: bool) -> tuple[int, str] | None:
    rows = scope.rows
    spans = (-(2**62), scope.t_us) if before else (scope.t_us + 1, min(scope.next_us, scope.t_us + AFTERMATH_US))
    places = rows.of(Kind.READER_INFO, scope.readers, *spans)
    for place in reversed(places) if before else places:
        if (version := rows.text("firmware", int(place))) is not None:
            return int(place), version
    return None


def _take_days(scope: Scope, facts: ReaderFacts) -> None:
    rows = scope.rows
    if scope.incident.kind != "disconnect":
        return
    others = rows.of(Kind.LINK_DISCONNECTED, scope.readers)
    apart = np.abs(rows.t_us[others] - scope.t_us)
    off = np.minimum(apart % DAY_US, DAY_US - apart % DAY_US)
    alike = others[(apart > DAY_US // 2) & (off <= SAME_HOUR_US)]
    if len(alike):
        days = np.unique(np.round((rows.t_us[alike] - scope.t_us) / DAY_US))
        facts.days_alike, facts.alike_at = len(days), int(alike[-1])
