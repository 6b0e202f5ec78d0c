"""The signal before an incident: how strong, how it got there, and how old the last reading is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terminal_kit.diagnosis.facts.scope import Scope
from terminal_kit.events import Kind, RssiSource

WINDOW_S = 300.0
"""So far back the signal is looked at: a slow walk out of range takes some minutes."""

LAST_S = 4.0
"""The last level is the median of so many seconds, since single readings fade by 10 dB and more."""

BIN_S = 3.0
"""The course of the signal is looked at in medians of so many seconds, for the same reason."""

STEP_S = 12.0
"""Bins further apart are no step: a reader in standby may report every ten seconds, a gap may hide anything."""


@dataclass(slots=True)
class SignalFacts:
    """Levels in dBm. `age_s` is the time between the last reading and the incident, `at` the last reading's place.

    `best_dbm` is the strongest level of the window, `fall_db` how far the last lies below it, `step_db` the largest
    fall from one level to the next, `fall_s` the time since the signal was within a third of the fall of its best.
    """

    count: int = 0
    source: str | None = None
    last_dbm: float | None = None
    best_dbm: float | None = None
    fall_db: float = 0.0
    step_db: float = 0.0
    fall_s: float = 0.0
    span_s: float = 0.0
    age_s: float | None = None
    at: int | None = None
    step_at: int | None = None


def signal_facts(scope: Scope) -> SignalFacts:
    """The facts of the signal before one incident."""
    rows = scope.rows
    since_us = max(scope.t_us - int(WINDOW_S * 1e6), scope.began_us - 30_000_000)
    kinds = (Kind.SIGNAL, Kind.READER_FOUND, Kind.CONNECT_STARTED)
    places = rows.all_of(kinds, scope.readers, since_us, scope.t_us)
    levels = rows.numbers("rssi_dbm")[places]
    places, levels = places[~np.isnan(levels)], levels[~np.isnan(levels)]
    if not len(places):
        return _told_at_the_end(scope)
    sources = rows.cells("rssi_source")[places]
    in_link = (sources != RssiSource.ADVERTISEMENT) & (rows.t_us[places] >= scope.began_us)
    if in_link.sum() >= 2:  # what was heard before the link, or by the other side, is another series
        places, levels, sources = places[in_link], levels[in_link], sources[in_link]
    times: NDArray[np.float64] = rows.t_us[places] / 1e6
    end_s = float(times[-1])
    facts = SignalFacts(
        count=len(levels),
        source=sources[-1],
        last_dbm=float(np.median(levels[times >= end_s - LAST_S])),
        span_s=end_s - float(times[0]),
        age_s=scope.t_us / 1e6 - end_s,
        at=int(places[-1]),
    )
    _take_course(facts, times, levels, places)
    return facts


def _take_course(
    facts: SignalFacts, times: NDArray[np.float64], levels: NDArray[np.float64], places: NDArray[np.int64]
) -> None:
    bins = np.floor((times - times[-1]) / BIN_S)
    edges = np.flatnonzero(np.diff(bins, prepend=np.nan) != 0)
    course = np.array([np.median(part) for part in np.split(levels, edges[1:])])
    moments = times[edges]
    last = facts.last_dbm or 0.0
    facts.best_dbm = float(course.max())
    facts.fall_db = facts.best_dbm - last
    near_best = times[levels >= facts.best_dbm - max(facts.fall_db / 3, 4.0)]
    facts.fall_s = float(times[-1] - near_best[-1]) if len(near_best) else facts.span_s
    for apart in (1, 2):
        if len(course) > apart:
            falls = np.where(moments[apart:] - moments[:-apart] <= STEP_S, course[:-apart] - course[apart:], 0.0)
            falls = falls / (1.0 if apart == 1 else 1.3)  # what takes twice as long is less of a step
            if falls.max() > facts.step_db:
                facts.step_db = float(falls.max())
                facts.step_at = int(places[edges[int(falls.argmax()) + apart]])


def _told_at_the_end(scope: Scope) -> SignalFacts:
    """The level that the row of the end itself carries."""
    for place in scope.incident.rows:
        level = scope.rows.number("rssi_dbm", place)
        if level is not None:
            source = scope.rows.text("rssi_source", place)
            return SignalFacts(1, source, level, level, age_s=0.0, at=place)
    return SignalFacts()
