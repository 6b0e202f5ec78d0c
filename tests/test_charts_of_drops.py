"""Figures of drops and comparisons: what they draw, gaps that stay gaps, badges, names as text, and few points."""

import math
from typing import Any

import pandas as pd
import pytest
from test_analysis import M2, START_US, WISEPAD, drop, frame_of, heard

from terminal_kit.analysis import compare
from terminal_kit.charts import POINTS, comparison_chart, drop_chart, reconnection_chart, signal_before_drop_chart
from terminal_kit.errors import InvalidParameterError

HOSTILE = "<img src=x onerror=alert(1)>"
NOON = 1_795_003_200 - START_US // 1_000_000  # 12:00 UTC


def link(session: int, begin: float, end: float, **facts: Any) -> list[dict[str, Any]]:
    return [
        {
            "at": begin,
            "kind": "link_connected",
            "session": session,
            **{k: v for k, v in facts.items() if k != "reason"},
        },
        drop(end, session, **facts),
    ]


def shop() -> list[dict[str, Any]]:
    return [
        *link(1, NOON, NOON + 1800, reason="powered_off"), *link(2, NOON + 1860, NOON + 2400, reason="powered_off"),
        *link(3, NOON + 2460, NOON + 3600 * 2.5, reason=None), heard(NOON + 1795, -80), heard(NOON + 2395, -84),
    ]  # fmt: skip


def test_drops_stand_at_their_hour_and_reason() -> None:
    (field,) = drop_chart(frame_of(*shop())).data
    counts = {
        name: {hour: int(n) for hour, n in enumerate(line) if not math.isnan(n)}
        for name, line in zip(field.y, field.z, strict=True)
    }
    assert counts == {"switched off (2)": {12: 2}, "unknown (1)": {14: 1}}
    hovered = field.customdata[list(field.y).index("switched off (2)")][12]
    # Connected from 12:00 to 13:00 but for two minutes.
    assert hovered == f"switched off: 2, {2 / (58 / 60) * 100:.3g} for 100 connected hours"
    (there,) = drop_chart(frame_of(*shop()), time_zone="Asia/Kolkata").data
    assert {hour for line in there.z for hour, n in enumerate(line) if not math.isnan(n)} == {18, 20}  # 5½ hours on


def test_causes_are_those_of_the_findings() -> None:
    cause = type("Verdict", (), {"cause": "range"})
    finding = type("Finding", (), {"t_us": START_US + (NOON + 1800) * 1_000_000, "reader": M2, "causes": [cause]})
    (field,) = drop_chart(frame_of(*shop()), by="cause", findings=[finding]).data
    assert set(field.y) == {"out of range (1)", "not diagnosed (2)"}


def test_the_signal_before_drops_is_their_median_and_a_silence_stays_empty() -> None:
    rows = [*link(1, 0, 100), *link(2, 110, 200), *link(3, 210, 300)]
    for end, level in ((100, -60), (200, -70), (300, -90)):
        rows += [heard(end - before, level) for before in (1, 2, 30)]
    rows.append(heard(300 - 10, -50))
    middle, median = signal_before_drop_chart(frame_of(*rows)).data
    told = dict(zip(median.x, median.y, strict=True))
    assert {second: level for second, level in told.items() if not math.isnan(level)} == {-30: -70, -2: -70, -1: -70}
    assert math.isnan(told[-10])  # one drop alone is no middle
    assert not median.connectgaps
    assert median.name == "median of 3 drops"
    assert [base for second, base in zip(middle.x, middle.base, strict=True) if second == -1] == [-80]
    figure = signal_before_drop_chart(frame_of(*rows))
    assert any("usually" in (note.text or "") for note in figure.layout.annotations)


def test_the_band_lies_around_the_curve() -> None:
    rows = [*link(1, 0, 10), *link(2, 14, 20), *link(3, 29, 40), {"at": 60, "kind": "note", "reader": ""}]
    low, high, curve, gone = reconnection_chart(frame_of(*rows), band=True).data
    assert list(curve.x) == [0, 4, 9, 20]
    assert list(low.x) == list(curve.x)
    assert all(a <= b <= c for a, b, c in zip(low.y, curve.y, high.y, strict=True))
    assert high.fill == "tonexty"
    assert list(gone.x) == [20]


def test_long_curves_keep_to_what_a_page_draws() -> None:
    rows = [row for number in range(3000) for row in link(number, number * 100.0, number * 100.0 + 50 - number * 0.01)]
    rows.append({"at": 300_020.01, "kind": "note", "reader": ""})
    for trace in reconnection_chart(frame_of(*rows), band=True).data:
        assert len(trace.x) <= POINTS + 1
    curve = reconnection_chart(frame_of(*rows)).data[0]
    assert (curve.x[1], curve.x[-1]) == (50.0, pytest.approx(100))


def groups() -> Any:
    calm = frame_of(
        *(row for number in range(4) for row in link(number, number * 9000, number * 9000 + 8000)), heard(90_000, -60)
    )
    rough = frame_of(
        *(row for number in range(90) for row in link(number, number * 100, number * 100 + 80)), heard(90_000, -61)
    )
    return compare(calm, rough, names=("calm", HOSTILE))


def test_a_comparison_is_a_dot_and_an_interval_for_each_group() -> None:
    told = groups()
    figure = comparison_chart(told)
    assert len(figure.data) == told.figures["measure"].nunique()
    drops = figure.data[0]
    value, low, high = (told.figures[name].tolist()[:2] for name in ("value", "low", "high"))
    assert list(drops.x) == value
    assert [x + up for x, up in zip(drops.x, drops.error_x.array, strict=True)] == pytest.approx(high)
    assert [x - down for x, down in zip(drops.x, drops.error_x.arrayminus, strict=True)] == pytest.approx(low)
    assert drops.marker.symbol == ("square-open", "circle")  # it differs
    signal = figure.data[-1]
    assert signal.marker.symbol == ("square-open", "circle-open")
    assert "<img" not in figure.to_json().replace("\\u003c", "<")
    assert [note.text for note in figure.layout.annotations][:2] == ["simulated", "Drops (/100 h)"]


def test_a_bound_without_end_ends_at_the_edge() -> None:
    signal = comparison_chart(groups()).data[-1]
    assert all(math.isfinite(reach) for reach in (*signal.error_x.array, *signal.error_x.arrayminus))


@pytest.mark.parametrize("chart", [drop_chart, signal_before_drop_chart, reconnection_chart])
def test_badges_mixing_and_nothing(chart: Any) -> None:
    assert "simulated" in [note.text for note in chart(frame_of(*shop())).layout.annotations]
    assert "simulated" not in [note.text for note in chart(frame_of(*shop(), radio="native")).layout.annotations]
    both = pd.concat([frame_of(heard(1, -50)), frame_of(heard(1, -50, run="r2"), radio="native")])
    with pytest.raises(InvalidParameterError, match="mixes"):
        chart(both)
    chart(both, mixed=True)
    assert not [trace for trace in chart(frame_of()).data if trace.x is not None and len(trace.x) > 24]
    assert not comparison_chart(compare(frame_of(), frame_of())).data


def test_names_from_a_radio_are_text() -> None:
    rows = frame_of(*link(1, 0, 10, reason=HOSTILE, reader=WISEPAD))
    assert "<img" not in drop_chart(rows).to_json().replace("\\u003c", "<")
    with pytest.raises(InvalidParameterError):
        drop_chart(rows, time_zone=HOSTILE)
