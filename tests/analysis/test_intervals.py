"""Intervals against published worked examples, and against their own promise."""

import math
import random

import pytest

from terminal_kit.analysis.intervals import check_confidence, difference, median, rate, rate_ratio, share
from terminal_kit.analysis.survival import curve, quantile_s, share_within
from terminal_kit.errors import InvalidParameterError


def test_wilson_as_newcombe_prints_it() -> None:
    """Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert share(81, 263)[1:] == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert share(15, 148)[1:] == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert share(0, 20)[1:] == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert share(1, 29)[1:] == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_a_difference_as_newcombe_prints_it() -> None:
    """Newcombe (1998), "Interval estimation for the difference", table II, method 10."""
    assert difference(share(56, 70), share(48, 80))[1:] == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference(share(9, 10), share(3, 10))[1:] == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_the_exact_poisson_interval() -> None:
    """Garwood's bounds for 10 events: 4.80 and 18.39, as tables of the Poisson distribution have them."""
    assert rate(10, 1.0) == pytest.approx((10.0, 4.7954, 18.3904), abs=5e-4)
    assert rate(0, 2.0)[1:] == pytest.approx((0.0, 3.6889 / 2), abs=5e-4)


def test_a_ratio_of_rates_without_events_says_nothing() -> None:
    assert rate_ratio(0, 10.0, 0, 10.0)[1:] == (0.0, math.inf)
    assert rate_ratio(20, 10.0, 10, 10.0).value == pytest.approx(2.0)


def test_kaplan_meier_as_it_is_taught() -> None:
    """Remission times of 21 patients on 6-MP (Freireich et al., 1963), the survival curve of every textbook."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    steps = curve(weeks, [bool(each) for each in relapsed])
    told = {row["seconds"]: 1 - row["share"] for row in steps.to_dict("records")}
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {week: told[week] for week in expected} == pytest.approx(expected, abs=5e-4)
    assert quantile_s(steps).value == 23
    assert share_within(steps, 10).value == pytest.approx(1 - 0.753, abs=5e-4)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0])
def test_no_confidence_is_none(confidence: float) -> None:
    with pytest.raises(InvalidParameterError):
        check_confidence(confidence)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Two hundred draws of each: 95 % of them hold it, or more (exact ones are wide); chance allows for 90 %."""
    rng = random.Random(7)
    held = {"share": 0, "rate": 0, "median": 0, "ratio": 0}
    draws = 200
    for _ in range(draws):
        _, low, high = share(sum(rng.random() < 0.3 for _ in range(40)), 40)
        held["share"] += low <= 0.3 <= high
        counts = [sum(rng.random() < 0.02 for _ in range(300)) for _ in range(2)]
        _, low, high = rate(counts[0], 300.0)
        held["rate"] += low <= 0.02 <= high
        _, low, high = rate_ratio(counts[0], 300.0, counts[1], 300.0)
        held["ratio"] += low <= 1.0 <= high
        _, low, high = median([rng.expovariate(math.log(2)) for _ in range(25)])
        held["median"] += low <= 1.0 <= high
    assert min(held.values()) >= 0.90 * draws, held
