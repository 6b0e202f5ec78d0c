"""Charts: gaps are gaps, drops are marked, hostile names are harmless, simulated data says so."""

import pandas as pd
import pytest

from terminal_kit.charts import drops_chart, reconnection_chart, signal_chart
from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def frame(tmp_path) -> pd.DataFrame:
    with EventLog(tmp_path / "bench.db") as log:
        run = log.start_run(radio="simulated")
        for second in (*range(10), *range(60, 70)):
            run.append(Event(kind="signal", t_us=second * 1_000_000, reader=HOSTILE, rssi_dbm=-50.0 - second, count=1))
        for number, (kind, second) in enumerate((("succeeded", 25), ("failed", 400))):
            facts = {"reader": HOSTILE, "terminal": "t", "reason": "bluetooth_signal_lost", "session": number + 1}
            start_us = (10 + number * 100) * 1_000_000
            run.append(Event(kind="link_disconnected", t_us=start_us, rssi_dbm=-90.0, **facts))
            run.append(Event(kind="reconnect_started", t_us=start_us, attempt_id=f"a{number}", **facts))
            run.append(
                Event(kind=f"reconnect_{kind}", t_us=second * 1_000_000, attempt_id=f"a{number}", attempt=1, **facts)
            )
        log.flush()
        return log.frame()


def test_a_silence_is_a_gap(frame: pd.DataFrame) -> None:
    """X8: never a held value."""
    line = signal_chart(frame).data[0]
    assert pd.isna(list(line.y)).sum() == 1
    assert len(line.y) == 21


def test_drops_are_marked_with_their_reason(frame: pd.DataFrame) -> None:
    marks = signal_chart(frame).data[-1]
    assert len(marks.x) == 2
    assert "signal lost" in marks.text[0]


def test_those_still_gone_are_marked(frame: pd.DataFrame) -> None:
    back, gone = reconnection_chart(frame).data
    assert list(back.y) == [0.0, 0.5, 0.5]
    assert list(gone.x) == [290.0]


def test_drops_by_reason_tell_who_came_back(frame: pd.DataFrame) -> None:
    counts = {bar.name: sum(bar.y) for bar in drops_chart(frame).data}
    assert counts == {"came back": 1, "did not": 1}


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart, drops_chart])
def test_simulated_data_says_so_and_names_are_harmless(chart, frame: pd.DataFrame) -> None:
    figure = chart(frame)
    assert "simulated" in figure.layout.title.text
    assert "<img" not in figure.to_json()


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart, drops_chart])
def test_an_empty_log_draws_an_empty_chart(chart, tmp_path) -> None:
    with EventLog(tmp_path / "empty.db") as log:
        assert chart(log.frame()).layout.title.text
