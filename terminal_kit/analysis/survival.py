"""How long it takes until something happens, where for some it was never seen to happen."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import math
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terminal_kit.analysis.intervals import CONFIDENCE, UNKNOWN, Interval, check_confidence, share

Rows = Any
"""As in `rows`."""


ROUNDED = 1e-12
"""A share that falls short by so little has been reached: products of shares are rounded."""


class Step(NamedTuple):
    """A corner of the curve of returns: after `seconds` this `share` (0…1) was back; `still_gone`: one was censored."""

    seconds: float
    share: float
    still_gone: bool


def share_back(duration_s: Iterable[float], came_back: Iterable[bool]) -> list[Step]:
    """The share of readers back after so many seconds, by Kaplan and Meier's estimate (1958).

    Those still gone count for as long as they were watched: leaving them out would make the readers look better than
    they are. One step for each distinct duration and outcome, in order of time. Missing durations are left out.
    """
    known_s, is_back = _known(duration_s, came_back)
    watched: list[tuple[float, bool]] = sorted(zip(known_s.tolist(), (~is_back).tolist(), strict=True))
    steps: list[Step] = []
    still_out, at_risk = 1.0, len(watched)
    while watched:
        first = watched[0]
        same = next((index for index, each in enumerate(watched) if each != first), len(watched))
        seconds, gone = first
        if not gone:
            still_out *= 1 - same / at_risk
        steps.append(Step(seconds, 1 - still_out, gone))
        at_risk -= same
        watched = watched[same:]
    return steps


def median_s(steps: Iterable[Step]) -> float | None:
    """After how many seconds half of them were back; None if that was not seen."""
    return next((step.seconds for step in steps if step.share >= 0.5 - ROUNDED), None)


def curve(duration_s: Iterable[float], happened: Iterable[bool], *, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """The same curve as a frame, with its band: one row for each distinct duration.

    Columns: `seconds`; `share` (0…1) to which it has happened by then (Kaplan–Meier); `low` and `high`, the band of the
    log-log transform, point by point; `at_risk` just before; `happened` and `censored` at that moment. What is censored
    at the moment of an event counts as still at risk. The transform gives nothing where none have happened, or all: the
    band is Wilson's there, of those who are still watched, or were at the last event. Missing durations are left out.
    """
    check_confidence(confidence)
    taken_s, is_event = _known(duration_s, happened)
    if not len(taken_s):
        names = ("seconds", "share", "low", "high", "at_risk", "happened", "censored")
        return pd.DataFrame({name: pd.Series(dtype="int64" if name in names[4:] else "float64") for name in names})
    from scipy.stats import CensoredData, ecdf  # noqa: PLC0415

    estimate: Any = ecdf(CensoredData(uncensored=taken_s[is_event], right=taken_s[~is_event])).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of the ends of the curve, which are seen to below
        band: Any = estimate.confidence_interval(confidence, method="log-log")
    seconds = np.asarray(estimate.quantiles)
    still = np.asarray(estimate.probabilities, dtype=float)
    ranked, events = np.sort(taken_s), np.sort(taken_s[is_event])
    at_risk = len(ranked) - np.searchsorted(ranked, seconds)
    happening = np.searchsorted(events, seconds, "right") - np.searchsorted(events, seconds)
    leaving = np.searchsorted(ranked, seconds, "right") - np.searchsorted(ranked, seconds)
    low, high = 1 - np.asarray(band.high.probabilities), 1 - np.asarray(band.low.probabilities)
    # Before the first event, those who have left already say nothing of what comes; the last to leave do.
    watched = np.where(at_risk > leaving, at_risk - leaving, at_risk)
    for is_end, none_happened in ((still >= 1, True), (still <= 0, False)):
        for index in np.flatnonzero(is_end):
            known_of = watched if none_happened else at_risk
            low[index], high[index] = _end(int(known_of[index]), confidence, none_happened=none_happened)
        if is_end.any() and not none_happened:
            low[is_end] = np.fmax(low[is_end], np.fmax.accumulate(np.where(is_end, 0, low))[is_end])
    return pd.DataFrame(
        {
            "seconds": seconds,
            "share": 1 - still,
            "low": low,
            "high": high,
            "at_risk": at_risk,
            "happened": happening,
            "censored": leaving - happening,
        }
    )


def share_within(steps: pd.DataFrame, seconds: float, *, confidence: float = CONFIDENCE) -> Interval:
    """The share to which it has happened within so many seconds, from a `curve()`.

    Unknown where nobody was watched for so long and some were still to come.
    """
    rows: Rows = steps
    if rows.empty or (seconds > rows["seconds"].iloc[-1] and rows["share"].iloc[-1] < 1):
        return UNKNOWN
    before = rows[rows["seconds"] <= seconds]
    if before.empty:
        return share(0, int(rows["at_risk"].iloc[0]), confidence)
    last = before.iloc[-1]
    return Interval(float(last["share"]), float(last["low"]), float(last["high"]))


def quantile_s(steps: pd.DataFrame, quantile: float = 0.5) -> Interval:
    """After how many seconds it has happened to this share, from a `curve()`, with Brookmeyer and Crowley's interval.

    The interval holds the times at which the curve's band holds that share. The value is missing where so many were not
    seen; a bound that was not reached is infinite.
    """
    reached = (_first(steps, name, quantile) for name in ("share", "high", "low"))
    value, low, high = reached
    return Interval(value if math.isfinite(value) else math.nan, low, high) if len(steps) else UNKNOWN


def _first(steps: Rows, column: str, quantile: float) -> float:
    """The first time at which a column has reached it."""
    reached = steps["seconds"][steps[column] >= quantile - ROUNDED]
    return float(reached.iloc[0]) if len(reached) else math.inf


def _end(at_risk: int, confidence: float, *, none_happened: bool) -> tuple[float, float]:
    return share(0 if none_happened else at_risk, at_risk, confidence)[1:]


def _known(duration_s: Iterable[float], happened: Iterable[bool]) -> tuple[Any, Any]:
    rows: Rows = pd.DataFrame({"s": pd.Series(duration_s, dtype="Float64").array})
    rows["is_event"] = pd.Series(happened, dtype="boolean").array
    rows = rows.dropna()
    return rows["s"].to_numpy("float64"), rows["is_event"].to_numpy("bool")
