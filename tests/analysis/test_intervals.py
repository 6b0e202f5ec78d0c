"""Intervals against published worked examples, and against their own promise."""

import math
import random

import pytest

from terminal_kit.analysis.intervals import (
    Interval,
    check_confidence,
    detectable,
    difference,
    median,
    rate,
    rate_ratio,
    share,
)
from terminal_kit.analysis.survival import curve, median_s, quantile_s, share_back, share_within
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


def test_a_curve_with_the_censored_holds_the_truth_as_often_as_it_says() -> None:
    """Waits of 10 s on average, watched for 20 s on average, so that a third of them are censored."""
    rng = random.Random(11)
    held = {"share": 0, "median": 0}
    draws = 200
    for _ in range(draws):
        waits = [(rng.expovariate(1 / 10), rng.expovariate(1 / 20)) for _ in range(40)]
        steps = curve([min(pair) for pair in waits], [wait <= watched for wait, watched in waits])
        _, low, high = share_within(steps, 5)
        held["share"] += low <= 1 - math.exp(-0.5) <= high
        _, low, high = quantile_s(steps)
        held["median"] += low <= 10 * math.log(2) <= high
    assert min(held.values()) >= 0.90 * draws, held


def test_the_band_as_it_is_printed() -> None:
    """The same patients, log-log band: at 6 weeks 0.620 to 0.952, at 23 weeks 0.188 to 0.680; the median from 13 on."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    steps = curve(weeks, [bool(each) for each in relapsed]).set_index("seconds")
    band = {week: (1 - steps.loc[week, "high"], 1 - steps.loc[week, "low"]) for week in (6, 23)}
    assert band[6] == pytest.approx((0.620, 0.952), abs=5e-4)
    assert band[23] == pytest.approx((0.188, 0.680), abs=5e-4)
    assert steps["at_risk"].tolist()[:4] == [21, 17, 16, 15]
    assert steps["censored"].tolist()[:4] == [1, 0, 1, 1]
    assert quantile_s(steps.reset_index())[1:] == (13, math.inf)


def test_a_ratio_as_it_is_printed() -> None:
    """Breast cancer after fluoroscopy (Boice and Monson, 1977), in textbooks: 1.86, exact from 1.01 to 3.61."""
    assert rate_ratio(41, 28_010, 15, 19_017) == pytest.approx((1.86, 1.01, 3.61), abs=5e-3)


def test_the_ends_of_a_curve_are_no_certainty() -> None:
    """Where none or all came back the log-log band says nothing; Wilson's says what so few can."""
    none, every = curve([3.0, 4.0], [False, False]), curve([3.0, 4.0, 5.0], [True, True, True])
    assert share_within(none, 2.5) == (0.0, 0.0, pytest.approx(share(0, 2).high))
    assert share_within(none, 3.5) == (0.0, 0.0, pytest.approx(share(0, 1).high))  # the other had left
    assert share_within(none, 9.0).value != share_within(none, 9.0).value  # nobody was watched for so long
    assert share_within(every, 9.0).low < 0.6
    assert share_within(every, 9.0)[::2] == (1.0, 1.0)
    assert share_within(every, 1.0) == (0.0, 0.0, pytest.approx(share(0, 3).high))
    assert curve([], []).empty
    assert math.isnan(quantile_s(curve([], [])).value)
    assert math.isnan(quantile_s(none).value)


def test_too_few_values_have_a_median_and_no_bounds() -> None:
    assert median([3.0, 1.0, 2.0]) == (2.0, -math.inf, math.inf)
    assert median(range(6)) == (2.5, 0, 5)


def test_the_smallest_detectable_effect_is_a_power_of_four_in_five() -> None:
    """By the normal law: 2.80 standard errors, as every plan of a trial has it; of a ratio the same in logarithms."""
    assert detectable(Interval(0.0, -1.96, 1.96), is_ratio=False) == pytest.approx(2.80, abs=5e-3)
    assert detectable(Interval(1.0, 1 / 2, 2.0), is_ratio=True) == pytest.approx(2 ** (2.80 / 1.96), abs=5e-3)
    assert math.isnan(detectable(Interval(0.0, -math.inf, 1.0), is_ratio=False))
    assert math.isnan(detectable(Interval(math.nan, 0.0, math.inf), is_ratio=True))


def test_who_has_left_before_the_first_event_narrows_no_band() -> None:
    """Nine were watched for a second, one for longer: of half a minute one alone can tell."""
    steps = curve([1.0] * 9 + [100.0], [False] * 9 + [True])
    assert share_within(steps, 30) == (0.0, 0.0, pytest.approx(share(0, 1).high))
    assert steps["at_risk"].tolist() == [10, 1]


def test_what_has_no_duration_is_left_out_of_every_curve() -> None:
    assert share_back([math.nan, 3.0, 5.0], [True, True, False]) == share_back([3.0, 5.0], [True, False])


def test_both_medians_are_the_same() -> None:
    """The products of shares fall a hair short of a half."""
    seconds = [float(number) for number in range(1, 39)]
    assert median_s(share_back(seconds, [True] * 38)) == quantile_s(curve(seconds, [True] * 38)).value == 19.0
