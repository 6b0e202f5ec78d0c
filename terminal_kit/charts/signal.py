"""Signal over time, as a figure."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import disconnects, signal
from terminal_kit.analysis.rows import time
from terminal_kit.charts.drawing import (
    COLOURS,
    DASHES,
    FEW,
    POINTS,
    READERS,
    Rows,
    badge_of,
    local,
    new_figure,
)
from terminal_kit.charts.timeline.samples import Readings, sampled
from terminal_kit.words import escape, hci_words, reason_words


def signal_chart(
    frame: pd.DataFrame, *, readers: Sequence[str] | None = None, time_zone: str = "UTC", mixed: bool = False
) -> go.Figure:
    """Signal over time: a line for each reader and source, gaps where nothing was heard, drops and returns marked.

    `frame` as `EventLog.frame()` gives it; `readers` chooses, else the eight most heard; `time_zone` is an IANA name.
    Raises `InvalidParameterError` where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = badge_of(frame, mixed=mixed)
    heard: Rows = signal(frame)
    chosen = list(readers) if readers is not None else heard["reader"].value_counts().index[:READERS].tolist()
    figure = new_figure("Signal", badge)
    for number, reader in enumerate(chosen):
        for source, rows in heard[heard["reader"] == reader].groupby("rssi_source", dropna=False):
            times, levels = _line(rows)
            figure.add_scatter(
                x=local(times, time_zone),
                y=levels,
                name=escape(reader) if source != "reader_service" else f"{escape(reader)}, as the reader hears it",
                mode="lines+markers" if len(times) < FEW else "lines",
                marker={"size": 3},
                line={
                    "color": COLOURS[number % len(COLOURS)],
                    "dash": DASHES[number % len(DASHES)],
                    "width": 2.5 if source == "reader_service" else 1.5,
                },
                connectgaps=False,
                hovertemplate="%{x|%H:%M:%S}  %{y:.0f} dBm<extra>%{fullData.name}</extra>",
            )
    drops: Rows = disconnects(frame)
    _add_marks(figure, drops[drops["reader"].isin(chosen)], time_zone)
    figure.update_xaxes(title=f"Time ({time_zone})")
    figure.update_yaxes(title="Signal (dBm)", range=[-102, -28])
    return figure


def _line(rows: Rows) -> tuple[Rows, Any]:
    """What is drawn of the seconds of one source: broken where nothing was heard, and few enough for a page."""
    t_us = rows["time"].astype("int64").to_numpy()
    level, low, high, count = (
        rows[name].to_numpy("float64") for name in ("rssi_dbm", "rssi_min_dbm", "rssi_max_dbm", "count")
    )
    drawn = sampled(Readings(t_us, level, low, high, count, t_us), t_us[0], t_us[-1], 2 * POINTS)
    return time(pd.Series(drawn.line_us)), drawn.line


def _add_marks(figure: go.Figure, drops: Rows, time_zone: str) -> None:
    if drops.empty:
        return
    height = drops["rssi_dbm"].astype("Float64").fillna(-100.0)
    why = [
        f"{escape(reader)}: {escape(reason_words(None if pd.isna(reason) else reason))}"
        + ("" if pd.isna(code) else f", {hci_words(int(code))}")
        for reader, reason, code in zip(drops["reader"], drops["reason"], drops["hci_code"], strict=True)
    ]
    figure.add_scatter(
        x=local(drops["time"], time_zone),
        y=height.astype("float64"),
        name="drop",
        mode="markers",
        marker={"symbol": "x", "size": 9, "color": COLOURS[7]},
        customdata=why,
        hovertemplate="%{x|%H:%M:%S}  %{customdata}<extra></extra>",
    )
    back = drops["returned_s"].notna()
    if not back.any():
        return
    returned = drops["time"][back] + pd.to_timedelta(drops["returned_s"][back].astype("float64"), unit="s")
    figure.add_scatter(
        x=local(returned, time_zone),
        y=height[back].astype("float64"),
        name="back",
        mode="markers",
        marker={"symbol": "triangle-up", "size": 10, "color": COLOURS[2]},
        customdata=[
            f"{escape(reader)}: back after {seconds:.1f} s"
            for reader, seconds in zip(drops["reader"][back], drops["returned_s"][back], strict=True)
        ],
        hovertemplate="%{x|%H:%M:%S}  %{customdata}<extra></extra>",
    )
