"""When readers drop and why, as a figure; and the signal on the way there."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import Finding, drop_rates, signal, signal_before_drops
from terminal_kit.charts.drawing import COLOURS, INK, Rows, above, badge_of, new_figure
from terminal_kit.events import Cause, DisconnectReason
from terminal_kit.words import escape, reason_words, words

BEFORE_S = 60
"""As long as a walk out of range takes to show, and some calm before it."""


def drop_chart(
    frame: pd.DataFrame,
    *,
    by: Literal["reason", "cause"] = "reason",
    time_zone: str = "UTC",
    findings: Iterable[Finding] | None = None,
    mixed: bool = False,
) -> go.Figure:
    """Drops by the hour of the day and by reason, or by the cause that `findings` of `diagnose()` name first.

    A field's colour is the number of drops; pointing at it tells them for 100 connected hours of that hour of the day
    too. `time_zone` is an IANA name. Raises `InvalidParameterError` for an unknown one, and where simulated and real
    rows are mixed and `mixed` does not ask for it.
    """
    badge = badge_of(frame, mixed=mixed)
    told = None if findings is None else list(findings)
    found: Rows = drop_rates(frame, by=(by, "hour"), time_zone=time_zone, findings=told)
    order: list[str] = found.groupby(by)["drops"].sum().sort_values(kind="stable").index.tolist()
    counts = np.full((len(order), 24), np.nan)
    hover = np.full((len(order), 24), "", dtype=object)
    for row in found.itertuples(index=False):
        place = order.index(getattr(row, by)), int(row.hour)
        counts[place] = row.drops
        rate = "" if pd.isna(row.per_100_h) else f", {row.per_100_h:.3g} for 100 connected hours"
        hover[place] = f"{_why(order[place[0]])}: {row.drops}{rate}"
    figure = new_figure("Drops by hour", badge)
    above(figure)
    figure.add_heatmap(
        x=list(range(24)),
        y=[f"{_why(name)} ({int(np.nansum(line))})" for name, line in zip(order, counts, strict=True)],
        z=counts,
        customdata=hover,
        colorscale=[[0, "rgba(47,125,225,0.15)"], [1, COLOURS[0]]],
        zmin=0,
        xgap=2,
        ygap=2,
        texttemplate="%{z}",
        showscale=False,
        hoverongaps=False,
        hovertemplate="%{x}:00  %{customdata}<extra></extra>",
    )
    figure.update_xaxes(title=f"Hour of the day ({escape(time_zone)})", dtick=2, range=[-0.5, 23.5], showgrid=False)
    figure.update_yaxes(type="category", automargin=True, showgrid=False)
    figure.update_layout(height=max(260, 150 + 34 * len(order)))
    return figure


def signal_before_drop_chart(frame: pd.DataFrame, *, mixed: bool = False) -> go.Figure:
    """The signal in the last minute before drops: the median and the middle half of all drops, second by second.

    Of each drop it is the source that was heard most before it (`analysis.signal_before_drops()`); beside it the usual
    signal of the same readers. Seconds in which fewer than two drops had a signal are left empty. Raises
    `InvalidParameterError` where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = badge_of(frame, mixed=mixed)
    found: Rows = signal_before_drops(frame)
    known = found[found["rssi_source"].notna()]
    figure = new_figure("Signal before a drop", badge)
    seconds = _seconds_before(known, frame)
    if len(seconds):
        levels = seconds.groupby("second")["rssi_dbm"]
        spread: Rows = pd.DataFrame({quantile: levels.quantile(quantile) for quantile in (0.25, 0.5, 0.75)})
        spread = spread.mask(levels.size() < 2).reindex(range(-BEFORE_S, 1))
        # Bars, since a filled band would reach across a silence (X8).
        figure.add_bar(
            x=spread.index,
            base=spread[0.25],
            y=spread[0.75] - spread[0.25],
            name="middle half",
            width=1,
            marker={"color": "rgba(47,125,225,0.18)", "line": {"width": 0}},
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=spread.index,
            y=spread[0.5],
            name=f"median of {len(known)} drops",
            mode="lines",
            line={"color": COLOURS[0], "width": 2.5},
            connectgaps=False,
            hovertemplate="%{y:.0f} dBm %{x} s before<extra></extra>",
        )
    usual_dbm = known["usual_dbm"].median()
    if not pd.isna(usual_dbm):
        figure.add_hline(
            y=float(usual_dbm),
            line={"dash": "dot", "color": INK, "width": 1},
            annotation_text=f"usually {float(usual_dbm):.0f} dBm",
        )
    figure.update_xaxes(title="Seconds before the drop", range=[-BEFORE_S, 1])
    figure.update_yaxes(title="Signal (dBm)", range=[-102, -28])
    return figure


def _seconds_before(known: Rows, frame: Rows) -> Rows:
    """The seconds heard before each drop, with the number of seconds to it."""
    heard: Rows = signal(frame)
    at_us = heard["time"].astype("int64").to_numpy()
    places = heard.groupby(["reader", "rssi_source"]).indices
    level = heard["rssi_dbm"].to_numpy("float64")
    parts: list[Any] = []
    for t_us, reader, source in zip(known["t_us"], known["reader"], known["rssi_source"], strict=True):
        rows = places.get((reader, source), np.array([], dtype="int64"))
        # A second counts by its end: it may reach beyond the drop.
        first, last = np.searchsorted(at_us[rows], [t_us - BEFORE_S * 1_000_000, t_us], "right")
        own = rows[first:last]
        parts.append(pd.DataFrame({"second": np.ceil((at_us[own] - t_us) / 1e6), "rssi_dbm": level[own]}))
    rows: Rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"second": [], "rssi_dbm": []})
    return rows.astype({"second": "int64"})


def _why(name: str) -> str:
    """A reason or a cause in plain English."""
    if name in set(DisconnectReason):
        return escape(reason_words(name))
    return words(Cause(name)) if name in set(Cause) else escape(name)
