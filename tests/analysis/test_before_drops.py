"""The signal before a drop: level, slope and change against the usual, per source, never held."""

import math
import random
import statistics
from typing import Any

import pandas as pd
import pytest
from test_analysis import M2, WISEPAD, drop, frame_of, heard

from terminal_kit.analysis import signal_before_drops


def link(session: int, begin: float, end: float, **facts: Any) -> list[dict[str, Any]]:
    return [{"at": begin, "kind": "link_connected", "session": session, **facts}, drop(end, session, **facts)]


def figures(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return signal_before_drops(frame).to_dict("records")


def test_a_walk_out_of_range() -> None:
    """Calm at -50 dBm, then two decibels a second down for the last twenty."""
    rows = [heard(second, -50 - 2 * max(0, second - 80)) for second in range(1, 101)]
    (row,) = figures(frame_of(*link(1, 0, 100), *rows, heard(101, -20)))
    assert row["count"] == 21
    assert row["usual_dbm"] == -50
    assert row["slope_db_per_s"] == pytest.approx(-2)
    assert row["last_20_s_dbm"] == -70
    assert row["last_5_s_dbm"] == -85
    assert row["change_db"] == -35


def test_what_was_not_heard_is_missing() -> None:
    rows = [heard(10, -50), heard(11, -52), heard(30, -60)]
    silent, short = figures(frame_of(*link(1, 0, 35), *link(2, 40, 90), *rows))
    assert (silent["count"], silent["last_5_s_dbm"], silent["last_20_s_dbm"]) == (1, -60, -60)
    assert pd.isna(silent["slope_db_per_s"])
    assert pd.isna(short["rssi_source"])
    assert pd.isna(short["last_20_s_dbm"])


def test_sources_are_never_mixed_and_the_one_heard_most_is_taken() -> None:
    of_link = [heard(second, -70, rssi_source="reader_service") for second in range(1, 60)]
    of_air = [heard(second, -40) for second in (50, 51)]
    (row,) = figures(frame_of(*link(1, 0, 60), *of_link, *of_air, heard(55, -10, reader=WISEPAD)))
    assert (row["rssi_source"], row["last_5_s_dbm"], row["usual_dbm"]) == ("reader_service", -70, -70)


def test_many_drops_as_a_plain_loop_has_them() -> None:
    chance = random.Random(3)
    rows: list[dict[str, Any]] = []
    ends: dict[str, list[int]] = {M2: [], WISEPAD: []}
    signals: dict[str, list[tuple[int, float]]] = {M2: [], WISEPAD: []}
    for reader in (M2, WISEPAD):
        now = 0
        for session in range(1, 13):
            begin, now = now + chance.randrange(2, 30), now + chance.randrange(31, 90)
            rows += link(session, begin, now, reader=reader)
            ends[reader].append(now)
        for second in range(now + 20):
            if chance.random() < 0.6:
                level = round(chance.gauss(-65, 8))
                signals[reader].append((second, level))
                rows.append(heard(second, level, reader=reader))
    chance.shuffle(rows)
    found = figures(frame_of(*rows))
    assert len(found) == 24
    for row in found:
        heard_of, drops_of = signals[row["reader"]], ends[row["reader"]]
        end = drops_of[row["session"] - 1]
        before = [(second - end, level) for second, level in heard_of if end - 20 <= second <= end]
        last = [level for second, level in before if second >= -5]
        usual = [level for second, level in heard_of if not any(each - 20 <= second <= each for each in drops_of)]
        assert row["count"] == len(before)
        assert row["last_20_s_dbm"] == statistics.median(level for _, level in before)
        assert pd.isna(row["last_5_s_dbm"]) if not last else row["last_5_s_dbm"] == statistics.median(last)
        assert row["usual_dbm"] == statistics.median(usual)
        assert row["slope_db_per_s"] == pytest.approx(statistics.linear_regression(*zip(*before, strict=True)).slope)
        assert math.isfinite(row["slope_db_per_s"])
