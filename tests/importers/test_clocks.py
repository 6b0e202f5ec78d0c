"""Two clocks that saw the same links: how far they are apart, and when that cannot be said."""

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.importers import clocks
from terminal_kit.importers.clocks import Marks, fit, marks

NOON_US = 1_764_072_000_000_000
SECOND = 1_000_000


def story(
    seed: int, links: int, *, hours: float = 1.0, readers: tuple[str, ...] = ("",)
) -> list[tuple[int, bool, str]]:
    """Links that came up and ended at random moments of some hours."""
    rng = np.random.default_rng(seed)
    moments = np.sort(rng.uniform(0, hours * 3600, 2 * links)) * 1e6
    return [
        (NOON_US + int(moment), place % 2 == 0, readers[place // 2 % len(readers)])
        for place, moment in enumerate(moments)
    ]


def moved(rows: list[tuple[int, bool, str]], by_us: int, *, jitter_us: int = 0, seed: int = 0) -> Marks:
    rng = np.random.default_rng(seed)
    late = rng.integers(0, jitter_us + 1, len(rows))
    return marks(
        (t_us + by_us + int(more), begins, reader) for (t_us, begins, reader), more in zip(rows, late, strict=True)
    )


@given(
    seed=st.integers(0, 10_000),
    links=st.integers(3, 40),
    offset_s=st.floats(-500, 500),
    jitter_ms=st.integers(0, 300),
)
def test_an_offset_is_found_within_the_delay_of_the_app(seed, links, offset_s, jitter_ms) -> None:
    rows = story(seed, links)
    offset_us = round(offset_s * 1e6)
    found = fit(marks(rows), moved(rows, -offset_us, jitter_us=jitter_ms * 1000, seed=seed))
    assert found is not None
    # Rows may lie so that another shift brings as many together; then it says so.
    if found.is_unambiguous:
        assert abs(found.offset_us - offset_us) <= jitter_ms * 1000
        assert found.matches == 2 * links
        assert found.residual_us == found.offset_us


@given(seed=st.integers(0, 10_000), quarter=st.integers(-48, 56), off_ms=st.integers(-30_000, 30_000))
def test_a_zone_is_found_besides_what_the_clock_differs(seed, quarter, off_ms) -> None:
    rows = story(seed, 8)
    zone_us = quarter * clocks.QUARTER_US
    centres = [-zone for zone in clocks.ZONES_US]
    found = fit(marks(rows), moved(rows, zone_us + off_ms * 1000), centres, clocks.SLACK_US)
    assert found is not None
    if found.is_unambiguous:
        assert found.centre_us == -zone_us
        assert found.residual_us == -off_ms * 1000


@given(seed=st.integers(0, 3000), missing=st.floats(0, 0.4), foreign=st.integers(0, 20))
def test_marks_that_one_of_the_two_lacks_do_not_mislead(seed, missing, foreign) -> None:
    rows = story(seed, 15)
    rng = np.random.default_rng(seed + 1)
    seen = [row for row in rows if rng.random() > missing]
    others = story(seed + 2, foreign) if foreign else []
    found = fit(marks(rows + others), moved(seen, -7 * SECOND), (0,))
    assert found is not None
    if found.is_sure:
        assert abs(found.offset_us - 7 * SECOND) < 1000


def test_a_daily_rhythm_is_no_match_of_its_own() -> None:
    """The same hour every day matches at every day's shift: whole days are no time zone, and no residual."""
    rows = [(NOON_US + day * 86_400 * SECOND, False, "") for day in range(10)]
    shifted = moved(rows, -3 * SECOND)
    found = fit(marks(rows), shifted, [-zone for zone in clocks.ZONES_US], clocks.SLACK_US)
    assert found is not None
    assert (found.centre_us, found.offset_us) == (0, 3 * SECOND)
    assert found.is_sure


def test_what_happens_every_minute_is_ambiguous() -> None:
    rows = [(NOON_US + minute * 60 * SECOND, minute % 2 == 0, "") for minute in range(20)]
    found = fit(marks(rows), moved(rows[6:12], 0))
    assert found is not None
    assert not found.is_unambiguous
    assert not found.is_sure


def test_two_matches_are_too_few_to_correct_a_clock() -> None:
    rows = story(3, 1)
    found = fit(marks(rows), moved(rows, -5 * SECOND))
    assert found is not None
    assert (found.matches, found.offset_us) == (2, 5 * SECOND)
    assert found.is_unambiguous
    assert not found.is_sure


def test_an_end_is_never_taken_for_a_beginning() -> None:
    begins = marks([(NOON_US, True, "")] * 1)
    ends = marks([(NOON_US, False, "")] * 1)
    assert fit(begins, ends) is None


@pytest.mark.parametrize(
    ("mine", "theirs", "may_match"),
    [
        ("STRM2A", "STRM2A", True),
        ("STRM2A", "STRM2B", False),
        ("addr:AA:BB:CC:DD:EE:01", "STRM2A", True),
        ("STRM2A", "", True),
        ("addr:AA:BB:CC:DD:EE:01", "addr:AA:BB:CC:DD:EE:02", False),
        ("addr:AA:BB:CC:DD:EE:01", "addr:AA:BB:CC:DD:EE:01", True),
        ("addr:AA:BB:CC:DD:EE:01", "", True),
        ("", "", True),
        ("STRM2****01", "STRM2A", True),
    ],
)
def test_only_what_may_be_one_reader_matches(mine, theirs, may_match) -> None:
    there, here = marks([(NOON_US, True, mine)]), marks([(NOON_US, True, theirs)])
    assert (fit(there, here) is not None) is may_match


def test_each_mark_counts_once() -> None:
    reference = marks([(NOON_US, True, "")])
    echo = marks([(NOON_US + more, True, "") for more in (0, 100_000, 200_000)])
    found = fit(reference, echo)
    assert found is not None
    assert found.matches == 1


def test_a_match_of_a_small_part_is_no_match() -> None:
    """Two of twenty marks fall together somewhere, as chance has it."""
    found = fit(marks(story(1, 20)), marks(story(2, 20)))
    assert found is None or not found.is_sure


def test_the_spread_says_how_uncertain_it_is() -> None:
    rows = story(5, 30)
    steady = fit(marks(rows), moved(rows, -4 * SECOND, jitter_us=50_000))
    loose = fit(marks(rows), moved(rows, -4 * SECOND, jitter_us=1_900_000))
    assert steady is not None
    assert loose is not None
    assert steady.uncertainty_us < loose.uncertainty_us
    assert steady.is_sure
    assert not loose.is_sure


@given(st.integers(31_536_000_000_000, 7_258_000_000_000_000), st.integers(1971, 2200))
def test_a_year_is_moved_by_the_calendar(t_us, year) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_us)
    there = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t_us + clocks.year_shift_us(t_us, year))
    assert there.year == year
    assert (there.time(), clocks.year_of(t_us)) == (moment.time(), moment.year)
    if (moment.month, moment.day) != (2, 29):
        assert (there.month, there.day) == (moment.month, moment.day)


@pytest.mark.parametrize(
    ("offset_us", "name"),
    [(0, "+00:00"), (7200 * SECOND, "+02:00"), (-34_200 * SECOND, "-09:30"), (20_700 * SECOND, "+05:45")],
)
def test_a_zone_has_the_name_that_people_write(offset_us, name) -> None:
    assert clocks.zone_name(offset_us) == name


@given(
    st.lists(
        st.tuples(st.integers(-(10**15), 10**15), st.booleans(), st.sampled_from(["", "A", "addr:1"])), max_size=30
    ),
    st.lists(
        st.tuples(st.integers(-(10**15), 10**15), st.booleans(), st.sampled_from(["", "A", "addr:2"])), max_size=30
    ),
)
def test_any_marks_can_be_compared(mine, theirs) -> None:
    found = fit(marks(mine), marks(theirs), [0, clocks.QUARTER_US], clocks.SLACK_US)
    if found is not None:
        assert 1 <= found.matches <= min(len(mine), len(theirs))
        assert sum(found.pairs.values()) == found.matches


def test_links_of_an_hour_tell_the_zone_nearly_always() -> None:
    centres = [-zone for zone in clocks.ZONES_US]
    right = 0
    for seed in range(100):
        rows = story(seed, 5)
        found = fit(marks(rows), moved(rows, 2 * 3600 * SECOND + 250_000, jitter_us=400_000), centres, clocks.SLACK_US)
        right += bool(found and found.is_sure and found.centre_us == -2 * 3600 * SECOND)
    assert right >= 95


def test_links_that_come_and_go_every_second_take_no_time_to_compare() -> None:
    rng = np.random.default_rng(1)
    rows = [(NOON_US + int(t_us), bool(place % 2), "") for place, t_us in enumerate(rng.uniform(0, 6e8, 3000))]
    began = time.process_time()
    found = fit(marks(rows), moved(rows, -3 * SECOND))
    assert time.process_time() - began < 5
    assert found is not None
