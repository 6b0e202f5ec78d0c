"""Battery readings judged (B1–B3)."""

from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.events import Kind
from terminal_kit.profile import BatteryState
from terminal_kit.terminal.battery import BatteryWatch


def read(watch: BatteryWatch, *levels: float, charging: bool = False) -> list[Kind]:
    return [kind for level in levels for kind in watch.take(BatteryState(level, charging)).kinds]


def test_only_a_change_is_news() -> None:
    """B1."""
    assert read(BatteryWatch(), 0.8, 0.8, 0.79) == [Kind.BATTERY, Kind.BATTERY]


def test_one_warning_when_it_falls_to_low() -> None:
    """B2."""
    assert read(BatteryWatch(), 0.21, 0.20, 0.19).count(Kind.LOW_BATTERY) == 1


def test_no_warning_while_charging() -> None:
    """B2."""
    assert Kind.LOW_BATTERY not in read(BatteryWatch(), 0.21, 0.20, charging=True)


def test_a_zero_between_two_healthy_readings_is_false() -> None:
    """B3, complaint 9: battery levels that are absent, stale or false."""
    watch = BatteryWatch()
    assert read(watch, 0.8) == [Kind.BATTERY]
    verdict = watch.take(BatteryState(0.0, None))
    assert verdict.read_again
    assert verdict.kinds == ()
    assert watch.level == 0.8
    assert read(watch, 0.8) == [Kind.BATTERY_FALSE_READING]


def test_a_zero_that_stays_is_believed() -> None:
    watch = BatteryWatch()
    assert read(watch, 0.8, 0.0, 0.0) == [Kind.BATTERY, Kind.BATTERY, Kind.LOW_BATTERY]
    assert watch.level == 0.0


def test_an_absent_level_says_nothing() -> None:
    assert BatteryWatch().take(BatteryState(None, None)).kinds == ()


@given(st.lists(st.floats(0, 1), max_size=30))
def test_the_believed_level_is_always_one_that_was_read(levels: list[float]) -> None:
    watch = BatteryWatch()
    read(watch, *levels)
    assert watch.level in (*levels, None)
