"""Diagnosis against incidents whose truth is known: how often it is right, and how honest its confidences are.

In short form a few hundred incidents, whose figures may differ from the thresholds by what chance explains at their
number; with `TERMINAL_KIT_INCIDENTS=2000` as many as are asked for, and the thresholds as they stand.
"""

import math
import os

import pytest
from diagnosis.judge import (
    FIRST_SEED,
    Judged,
    accuracy,
    bins,
    calibration_error,
    judged,
    mean_confidence,
    report,
    wrong_when_sure,
)

ASKED = int(os.environ.get("TERMINAL_KIT_INCIDENTS", "200"))

FULL = 2000
"""From so many incidents on the thresholds hold as they stand."""

CHANCE = 0.001
"""A short run fails where a diagnosis that just holds the threshold would do as badly once in a thousand runs."""


@pytest.fixture(scope="module")
def found() -> list[Judged]:
    judgements = judged(ASKED, FIRST_SEED, processes=min(2, os.cpu_count() or 1))
    print(report(judgements))
    return judgements


def at_most(successes: int, of: int, chance: float) -> float:
    """The probability of so few successes or fewer in `of` trials."""
    return sum(math.comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(successes + 1))


@pytest.mark.timeout(3600)
def test_the_first_cause_is_right(found: list[Judged]) -> None:
    assert len({one.kind for one in found}) >= 40
    if ASKED >= FULL:
        assert accuracy(found) >= 0.95, report(found)
    else:
        right = sum(one.right for one in found)
        assert at_most(right, len(found), 0.95) >= CHANCE, report(found)


@pytest.mark.timeout(3600)
def test_sure_verdicts_are_rarely_wrong(found: list[Judged]) -> None:
    sure = [one for one in found if one.confidence >= 0.9]
    assert len(sure) >= len(found) // 4
    if ASKED >= FULL:
        assert wrong_when_sure(found) <= 0.08, report(found)
    else:
        right = sum(one.right for one in sure)
        assert at_most(right, len(sure), 0.92) >= CHANCE, report(found)


@pytest.mark.timeout(3600)
def test_confidences_are_calibrated(found: list[Judged]) -> None:
    allowed = 0.05
    if ASKED < FULL:
        # A bin's share of right verdicts errs by its standard error, two of which are allowed for.
        for _, _, group in bins(found):
            if group:
                expected = min(max(mean_confidence(group), 0.05), 0.95)
                error = math.sqrt(expected * (1 - expected) / len(group))
                allowed += 2 * error * len(group) / len(found)
    assert calibration_error(found) <= allowed, report(found)


def test_a_verdict_counts_as_the_truth_says() -> None:
    """What counts as right: the truth, or "cannot tell" only where the truth left no trace."""
    from terminal_kit.events import Cause

    def one(said: Cause, *, traced: bool) -> Judged:
        return Judged(1, "live", "walk", Cause.RANGE, traced, said, 0.9)

    assert one(Cause.RANGE, traced=True).right
    assert one(Cause.RANGE, traced=False).right
    assert one(Cause.CANNOT_TELL, traced=False).right
    assert not one(Cause.CANNOT_TELL, traced=True).right
    assert not one(Cause.BOND_LOST, traced=False).right
    sure_and_wrong = [one(Cause.BOND_LOST, traced=True), *(one(Cause.RANGE, traced=True) for _ in range(9))]
    assert accuracy(sure_and_wrong) == pytest.approx(0.9)
    assert wrong_when_sure(sure_and_wrong) == pytest.approx(0.1)
    assert calibration_error(sure_and_wrong) == pytest.approx(0.0)
    assert "| range | 1 | 9 |" in report(sure_and_wrong) or "| range | 9 | 1 |" in report(sure_and_wrong)
