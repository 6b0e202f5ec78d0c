"""Figures: gaps stay gaps, drops are marked, simulated data says so, names are text."""

import pandas as pd
import pytest
from test_analysis import M2, OFFER, WISEPAD, drop, frame_of, heard, update

from terminal_kit import charts
from terminal_kit.charts import reconnection_chart, signal_chart, update_chart
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


def test_a_reader_heard_now_and_then_is_no_line() -> None:
    """X8: seldom is not steadily, however seldom the other times are."""
    line = signal_chart(frame_of(*[heard(at, -90) for at in (0, 2, 700, 2400, 3500)])).data[0]
    assert [None if pd.isna(y) else y for y in line.y] == [-90, -90, None, -90, None, -90, None, -90]
    assert line.mode == "lines+markers"


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


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart, update_chart])
def test_simulated_data_is_badged_and_real_data_is_not(chart) -> None:
    assert [note.text for note in chart(frame_of(heard(1, -50))).layout.annotations] == ["simulated"]
    assert not chart(frame_of(heard(1, -50), radio="native")).layout.annotations


@pytest.mark.parametrize("chart", [signal_chart, reconnection_chart, update_chart])
def test_simulated_and_real_are_never_mixed_unasked(chart) -> None:
    both = frame_of(heard(1, -50), heard(2, -50, radio="native", run="r2"))
    with pytest.raises(InvalidParameterError, match="mixes native and simulated"):
        chart(both)
    assert [note.text for note in chart(both, mixed=True).layout.annotations] == ["simulated"]
    with pytest.raises(InvalidParameterError, match="no column radio"):
        chart(both.drop(columns="radio"))


def attempt(at: float, attempt_id: str, seconds: float | None, **facts):
    """One attempt to update, which ends after so many seconds, or not at all."""
    offer = OFFER | {name: fact for name, fact in facts.items() if name != "error_code"}
    end = {name: fact for name, fact in facts.items() if name in ("error_code", "run", "radio", "reader")}
    yield update(at, "started", attempt_id, **offer)
    if seconds is not None:
        yield update(at + seconds, "finished", attempt_id, **end)


def test_updates_by_release_and_type_with_the_censored_told_apart() -> None:
    figure = update_chart(
        frame_of(
            *attempt(0, "a1", 60),
            *attempt(100, "a2", 80),
            *attempt(200, "a3", 20, error_code="READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"),
            *attempt(300, "a4", 50, reader=WISEPAD, device_type="wisepad_3"),
            *attempt(400, "a5", None, reader=WISEPAD, device_type="wisepad_3"),
            heard(430, -50),
        )
    )
    m2, wisepad = "2.02 · Stripe Reader M2", "2.02 · WisePad 3"
    installed, failed, unfinished, half = figure.data
    assert (list(installed.x), list(installed.y)) == ([60, 80, 50], [m2, m2, wisepad])
    assert (list(failed.x), list(failed.y), list(unfinished.x), list(unfinished.y)) == ([20], [m2], [30], [wisepad])
    assert failed.customdata[0] == f"{M2}: failed, READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"
    assert [trace.name for trace in figure.data[:3]] == ["installed (3)", "failed (1)", "unfinished (1)"]
    assert len({trace.marker.symbol for trace in figure.data}) == 4
    # By hand: of the M2's three the failed one is censored at 20 s, so that half are installed after 60 s.
    assert dict(zip(half.y, half.x, strict=True)) == {m2: 60, wisepad: 50}


def test_updates_are_told_apart_by_any_column() -> None:
    rows = frame_of(*attempt(0, "a1", 60), *attempt(100, "a2", 80, device_type="of a newer version", components=None))
    assert list(update_chart(rows, by=["reader"]).data[0].y) == [M2, M2]
    assert list(update_chart(rows, by=["components"]).data[0].y) == ["firmware and regional configuration", "not known"]
    assert list(update_chart(rows, by=["device_type"]).data[0].y) == ["Stripe Reader M2", "of a newer version"]
    with pytest.raises(InvalidParameterError, match="no column moon_phase"):
        update_chart(rows, by=["moon_phase"])


def test_a_release_that_was_never_installed_has_no_half() -> None:
    figure = update_chart(frame_of(*attempt(0, "a1", 60, error_code="CANCELED")))
    assert not figure.data[-1].x


def test_names_are_text() -> None:
    figure = signal_chart(frame_of(heard(1, -50, reader=HOSTILE), drop(3, reader=HOSTILE)))
    assert "<img" not in figure.to_json().replace("\\u003c", "<")
    assert figure.data[0].name == "&lt;img src=x onerror=alert(1)&gt;"
    named = {"reader": HOSTILE, "firmware_to": HOSTILE, "device_type": HOSTILE, "error_code": HOSTILE}
    hostile = update_chart(frame_of(*attempt(0, "a1", 60, **named)), by=["firmware_to", "device_type", "reader"])
    assert "<img" not in hostile.to_json().replace("\\u003c", "<")


def test_nothing_recorded_gives_an_empty_figure() -> None:
    assert not signal_chart(frame_of()).data
    assert reconnection_chart(frame_of()).data[0].name == "back (0 of 0)"
    assert [len(trace.x) for trace in update_chart(frame_of()).data] == [0, 0, 0, 0]
