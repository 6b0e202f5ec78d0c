"""Figures: gaps stay gaps, drops are marked, simulated data says so, names are text."""

import pandas as pd
import pytest
from test_analysis import M2, drop, frame_of, heard

from terminal_kit import charts
from terminal_kit.charts import reconnection_chart, signal_chart
from terminal_kit.errors import InvalidParameterError

HOSTILE = "<img src=x onerror=alert(1)>"


def trace(figure, name):
    return next(each for each in figure.data if each.name.startswith(name))


def test_x8_a_silence_breaks_the_line() -> None:
    figure = signal_chart(frame_of(*(heard(at, -50) for at in (1, 2, 3, 20, 21))))
    line = trace(figure, M2)
    assert [None if pd.isna(y) else y for y in line.y] == [-50, -50, -50, None, -50, -50]
    assert not line.connectgaps


def test_drops_and_returns_are_marked_with_their_reasons() -> None:
    figure = signal_chart(
        frame_of(
            heard(1, -50), drop(3, reason="bluetooth_signal_lost", hci_code=8, rssi_dbm=-93),
            {"at": 7, "kind": "reconnect_succeeded"}, heard(8, -60), drop(30, session=2),
        )
    )  # fmt: skip
    crosses, triangles = trace(figure, "drop"), trace(figure, "back")
    assert list(crosses.y) == [-93, -100]
    assert crosses.customdata[0] == f"{M2}: signal lost, 0x08 connection timeout"
    assert list(triangles.customdata) == [f"{M2}: back after 4.0 s"]
    assert (pd.Timestamp(triangles.x[0]) - pd.Timestamp(crosses.x[0])).total_seconds() == 4.0


def test_times_are_those_of_the_place() -> None:
    rows = frame_of(heard(1, -50))
    utc, berlin = (signal_chart(rows, time_zone=zone).data[0].x[0] for zone in ("UTC", "Europe/Berlin"))
    assert pd.Timestamp(berlin) - pd.Timestamp(utc) in (pd.Timedelta("1h"), pd.Timedelta("2h"))


def test_a_long_line_is_thinned_without_losing_its_extremes() -> None:
    rows = [heard(second, -60.0 + second % 3) for second in range(10_000)]
    rows[4321]["rssi_dbm"], rows[8765]["rssi_dbm"] = -99.0, -31.0
    line = signal_chart(frame_of(*rows)).data[0]
    assert len(line.y) <= charts.POINTS + 2
    assert min(line.y) == -99.0
    assert max(line.y) == -31.0
    assert not any(pd.isna(y) for y in line.y)


def test_returns_over_time_with_the_censored_marked() -> None:
    figure = reconnection_chart(
        frame_of(
            {"at": 0, "kind": "reconnect_started", "attempt_id": "a1"},
            {"at": 4, "kind": "reconnect_succeeded", "attempt_id": "a1"},
            {"at": 10, "kind": "reconnect_started", "attempt_id": "a2"},
            {"at": 20, "kind": "reconnect_failed", "attempt_id": "a2"},
        )
    )
    curve, gone = figure.data
    assert (list(curve.x), list(curve.y)) == ([0, 4, 10], [0, 0.5, 0.5])
    assert (list(gone.x), list(gone.y)) == ([10], [0.5])
    assert any("half after 4.0 s" in note.text for note in figure.layout.annotations)


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart])
def test_simulated_data_is_badged_and_real_data_is_not(chart) -> None:
    assert [note.text for note in chart(frame_of(heard(1, -50))).layout.annotations] == ["simulated"]
    assert not chart(frame_of(heard(1, -50), radio="native")).layout.annotations


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart])
def test_simulated_and_real_are_never_mixed_unasked(chart) -> None:
    both = frame_of(heard(1, -50), heard(2, -50, radio="native", run="r2"))
    with pytest.raises(InvalidParameterError, match="mixes native and simulated"):
        chart(both)
    assert [note.text for note in chart(both, mixed=True).layout.annotations] == ["simulated"]
    with pytest.raises(InvalidParameterError, match="no column radio"):
        chart(both.drop(columns="radio"))


def test_names_are_text() -> None:
    figure = signal_chart(frame_of(heard(1, -50, reader=HOSTILE), drop(3, reader=HOSTILE)))
    assert "<img" not in figure.to_json().replace("\\u003c", "<")
    assert figure.data[0].name == "&lt;img src=x onerror=alert(1)&gt;"


def test_nothing_recorded_gives_an_empty_figure() -> None:
    assert not signal_chart(frame_of()).data
    assert reconnection_chart(frame_of()).data[0].name == "back (0 of 0)"
