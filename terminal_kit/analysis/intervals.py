"""Figures with the interval that their numbers allow: shares, rates, medians, and how two of them differ.

`nan` stands for what cannot be said, an infinite bound for what has none. SciPy is loaded by who asks.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from terminal_kit.errors import InvalidParameterError

CONFIDENCE = 0.95
"""How often an interval holds the truth, unless another share is asked for: what readers of such figures expect."""

POWER = 0.8
"""How often a difference must be seen to be called detectable: the custom of planning."""


class Interval(NamedTuple):
    """An estimate between its bounds."""

    value: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def check_confidence(confidence: float) -> float:
    """Raises `InvalidParameterError` for a confidence that is not between 0 and 1."""
    if not 0 < confidence < 1:
        raise InvalidParameterError(
            "the confidence lies between 0 and 1", parameter="confidence", value=confidence, hint="Take 0.95."
        )
    return confidence


def share(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's score interval (1927), which stays inside 0…1 and serves small numbers too."""
    if not trials:
        return UNKNOWN
    from scipy.stats import binomtest  # noqa: PLC0415

    bounds: Any = binomtest(successes, trials).proportion_ci(confidence, "wilson")
    return Interval(successes / trials, float(bounds.low), float(bounds.high))


def rate(count: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """Events for each unit of exposure with the exact Poisson interval (Garwood, 1936).

    It takes the events for independent of each other: where one brings the next, the truth is wider.
    """
    if not exposure > 0:
        return UNKNOWN
    from scipy.stats import chi2  # noqa: PLC0415

    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    return Interval(count / exposure, low / exposure, float(chi2.ppf(1 - tail, 2 * count + 2)) / 2 / exposure)


def rate_ratio(
    count: int, exposure: float, base_count: int, base_exposure: float, confidence: float = CONFIDENCE
) -> Interval:
    """How many times the base's rate, with the exact interval given the sum of both counts (Clopper and Pearson).

    Without any event nothing can be said, and the interval is 0…∞.
    """
    if not (exposure > 0 and base_exposure > 0):
        return UNKNOWN
    if not count + base_count:
        return Interval(math.nan, 0.0, math.inf)
    from scipy.stats import binomtest  # noqa: PLC0415

    bounds: Any = binomtest(count, count + base_count).proportion_ci(confidence, "exact")
    low, high = (
        float(bound) / (1 - float(bound)) * base_exposure / exposure if bound < 1 else math.inf for bound in bounds
    )
    value = count / exposure / (base_count / base_exposure) if base_count else math.inf
    return Interval(value, low, high)


def difference(one: Interval, base: Interval) -> Interval:
    """How much more than the base, from the two intervals alone (Zou and Donner, 2008).

    Of two Wilson intervals it is Newcombe's (1998, method 10). A bound that is infinite stays so.
    """
    value = one.value - base.value
    if math.isnan(value):
        return UNKNOWN
    return Interval(
        value,
        value - math.hypot(one.value - one.low, base.high - base.value),
        value + math.hypot(one.high - one.value, base.value - base.low),
    )


def median(values: Iterable[float], confidence: float = CONFIDENCE) -> Interval:
    """A median with the interval between two order statistics: at least so sure, whatever the distribution.

    Of too few values (five for 95 %) the bounds are infinite.
    """
    ranked: list[float] = sorted(values)
    if not ranked:
        return UNKNOWN
    from scipy.stats import binom  # noqa: PLC0415

    rank: Any = binom.ppf((1 - confidence) / 2, len(ranked), 0.5)
    within = int(rank)
    half = len(ranked) // 2
    value = ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2
    if within == 0:
        return Interval(value, -math.inf, math.inf)
    return Interval(value, ranked[within - 1], ranked[-within])


def detectable(effect: Interval, *, is_ratio: bool, confidence: float = CONFIDENCE) -> float:
    """The smallest effect that data of this size show four times in five (`POWER`), by the interval's width.

    A ratio is told as a factor above 1 (and, below 1, its reciprocal). `nan` where the interval has no width to tell
    from. An approximation, as if estimates were spread normally.
    """
    low, high = (math.log(bound) if bound > 0 else -math.inf for bound in effect[1:]) if is_ratio else effect[1:]
    if not math.isfinite(high - low):
        return math.nan
    from scipy.stats import norm  # noqa: PLC0415

    z = float(norm.ppf(0.5 + confidence / 2))
    least = (high - low) / 2 * (z + float(norm.ppf(POWER))) / z
    return math.exp(least) if is_ratio else least
