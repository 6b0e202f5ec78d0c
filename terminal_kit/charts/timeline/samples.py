"""Signal, rates and values over a span: as many points as a page can draw, whatever lies behind them.

Everything here is NumPy on sorted times, so that a span of millions of readings is answered in milliseconds.
"""

# tsdownsample ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GAP_US = 3_500_000
"""Points come once a second: after a longer silence nothing is drawn, and nothing held (X8)."""

SELDOM_US = 65_000_000
"""Some logs tell a signal once a minute; what is told less often than that is no line."""

Times = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one source in the order of time: UTC microseconds, median, lowest, highest (dBm), how many.

    `record` is the row (`seq`) or the record of the capture that a reading comes from.
    """

    t_us: Times
    median: Values
    low: Values
    high: Values
    count: Values
    record: Times

    def __len__(self) -> int:
        return len(self.t_us)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What is drawn of them. A band of lowest and highest, and a line; not-a-number where nothing was heard."""

    band_us: Times
    low: Values
    high: Values
    line_us: Times
    line: Values
    record: Times


def sampled(readings: Readings, since_us: int, until_us: int, points: int) -> Sampled:
    """At most about `points` points of the line and as many of the band, those just outside the span included."""
    begin, end = within(readings.t_us, since_us, until_us)
    t_us = readings.t_us[begin:end]
    # A silence counts by how often the source speaks at its times: live rows come once a second.
    usual_us = min(SELDOM_US, int(np.quantile(np.diff(readings.t_us), 0.25))) if len(readings) > 2 else 0
    silences = np.concatenate(([0], np.cumsum(np.diff(t_us) > max(GAP_US, 2 * usual_us)))) if len(t_us) else t_us
    chosen = _telling(t_us, readings.median[begin:end], max(4, points // 2))
    line_us, line, record = _broken(
        t_us[chosen], silences[chosen], readings.median[begin:end][chosen], readings.record[begin:end][chosen]
    )
    starts = _stretches(t_us, since_us, until_us, max(2, points // 2))
    low = np.minimum.reduceat(readings.low[begin:end], starts) if len(starts) else readings.low[:0]
    high = np.maximum.reduceat(readings.high[begin:end], starts) if len(starts) else readings.high[:0]
    band_us, low, high = _broken(t_us[starts], silences[starts], low, high)
    return Sampled(band_us, low, high, line_us, line, record.astype(np.int64))


def rates(readings: Readings, since_us: int, until_us: int, points: int) -> tuple[Times, Values]:
    """How many readings a second, by stretches of equal length; 0 where there were none."""
    begin, end = within(readings.t_us, since_us, until_us, around=0)
    width_us = max(1_000_000, -(-(until_us - since_us) // max(1, points)))
    first_us = since_us // width_us * width_us
    number = int((until_us - first_us) // width_us) + 1
    places = (readings.t_us[begin:end] - first_us) // width_us
    totals = np.bincount(places, weights=readings.count[begin:end], minlength=number)[:number]
    times = first_us + width_us * np.arange(number, dtype=np.int64)
    if not totals.any():
        return times[:0], np.empty(0)
    return times, totals / (width_us / 1e6)


def steps(t_us: Times, values: Values, since_us: int, until_us: int, points: int) -> tuple[Times, Values]:
    """Values that hold until the next one: those in the span, and the one in force when it begins."""
    begin, end = within(t_us, since_us, until_us)
    times, kept = t_us[begin:end], values[begin:end]
    if len(times) > points:
        chosen = np.unique(np.linspace(0, len(times) - 1, points).astype(int))
        times, kept = times[chosen], kept[chosen]
    return times, kept


def within(t_us: Times, since_us: int, until_us: int, *, around: int = 1) -> tuple[int, int]:
    """The places of a span in sorted times, and of `around` readings before and after it."""
    begin = int(np.searchsorted(t_us, since_us, "left"))
    end = int(np.searchsorted(t_us, until_us, "right"))
    return max(0, begin - around), min(len(t_us), end + around)


def _telling(t_us: Times, values: Values, points: int) -> NDArray[np.int64]:
    """The places of the points that tell most (MinMaxLTTB): no dip and no peak is lost."""
    if len(t_us) <= points:
        return np.arange(len(t_us))
    from tsdownsample import MinMaxLTTBDownsampler  # noqa: PLC0415 - only for what is long

    sampler: Any = MinMaxLTTBDownsampler()
    even = points // 2 * 2
    return np.asarray(sampler.downsample(t_us, np.ascontiguousarray(values), n_out=even), dtype=np.int64)


def _stretches(t_us: Times, since_us: int, until_us: int, number: int) -> NDArray[np.int64]:
    """Where each stretch of equal length begins that holds anything."""
    if len(t_us) <= number:
        return np.arange(len(t_us))
    width_us = max(1, (until_us - since_us) // number)
    return np.flatnonzero(np.diff((t_us - since_us) // width_us, prepend=-(2**62)))


def _broken(t_us: Times, silences: Times, *values: Any) -> tuple[Any, ...]:
    """Points with an empty one in each silence, at which a line breaks."""
    breaks = np.flatnonzero(np.diff(silences) > 0) + 1
    times = np.insert(t_us, breaks, t_us[breaks] - 1)
    return (times, *(np.insert(np.asarray(each, dtype=np.float64), breaks, _empty(each)) for each in values))


def _empty(values: Any) -> float:
    return np.nan if np.asarray(values).dtype.kind == "f" else 0.0
