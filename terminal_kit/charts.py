"""Frames as plotly figures. Names from radios and logs are shown, never obeyed; simulated data says that it is."""

# plotly ships no types, and pandas' are too wide to check such code against.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import disconnects, reconnections, share_back, signal
from terminal_kit.events import DisconnectReason
from terminal_kit.words import escape, words

GAP_S = 3.0
"""A signal not heard for so long is a gap in the line, never a held value (X8)."""

POINTS = 2000
"""Seconds a trace may show; beyond, each point is the median of several. More than a screen has pixels."""

_COLOURS = ("#2b6cb0", "#b7791f", "#2f855a", "#9f3a8c", "#c05621", "#285e61")
_MARK = "#c53030"


def signal_chart(frame: pd.DataFrame) -> go.Figure:
    """Signal strength of each reader over time, dBm, with its drops marked.

    `frame` is what `EventLog.frame()` gives. Lines break where nothing was heard; a hover on a drop tells the reason.
    """
    figure = _figure(frame, "Signal", "signal, dBm")
    heard = signal(frame)
    for number, (reader, seconds) in enumerate(heard.groupby("reader", sort=True)):
        name, colour = escape(str(reader)), _COLOURS[number % len(_COLOURS)]
        line = _with_gaps(_thinned(seconds))
        figure.add_scatter(
            x=line["time"], y=line["rssi_dbm"], mode="lines", name=name, line={"color": colour, "width": 1.5}
        )
    drops = disconnects(frame)
    drops = drops[drops["reason"] != DisconnectReason.DISCONNECT_REQUESTED]
    if len(drops):
        figure.add_scatter(
            x=drops["time"],
            y=drops["rssi_dbm"].astype("float64").fillna(-95.0),
            mode="markers",
            name="dropped",
            marker={"symbol": "x", "size": 10, "color": _MARK},
            text=[escape(f"{row.reader}: {_reason(row.reason)}") for row in drops.itertuples()],
            hovertemplate="%{text}<br>%{x}<extra></extra>",
        )
    return figure


def reconnection_chart(frame: pd.DataFrame) -> go.Figure:
    """The share of readers back after so many seconds, by Kaplan and Meier; those still gone are marked."""
    figure = _figure(frame, "Back after a drop", "share back")
    away = reconnections(frame)
    steps = share_back(away["duration_s"], away["came_back"])
    seconds, shares = [0.0, *(step.seconds for step in steps)], [0.0, *(step.share for step in steps)]
    figure.add_scatter(x=seconds, y=shares, mode="lines", name="back", line={"shape": "hv", "color": _COLOURS[0]})
    gone = [step for step in steps if step.still_gone]
    if gone:
        figure.add_scatter(
            x=[step.seconds for step in gone],
            y=[step.share for step in gone],
            mode="markers",
            name="still gone",
            marker={"symbol": "line-ns-open", "size": 12, "color": _MARK},
        )
    figure.update_xaxes(title="seconds since the drop", rangemode="tozero")
    figure.update_yaxes(range=[0, 1.05], tickformat=".0%")
    return figure


def drops_chart(frame: pd.DataFrame) -> go.Figure:
    """How often each reason ended a link, and how many of those readers came back."""
    figure = _figure(frame, "Drops by reason", "drops")
    drops = disconnects(frame)
    drops = drops[drops["reason"] != DisconnectReason.DISCONNECT_REQUESTED]
    back = drops["returned_s"].notna()
    for label, chosen, colour in (("came back", back, _COLOURS[2]), ("did not", ~back, _MARK)):
        counts = drops[chosen]["reason"].fillna(DisconnectReason.UNKNOWN).value_counts().sort_index()
        figure.add_bar(
            x=[escape(_reason(reason)) for reason in counts.index],
            y=counts.to_numpy(),
            name=label,
            marker={"color": colour},
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="reason")
    return figure


def _figure(frame: pd.DataFrame, title: str, y_title: str) -> go.Figure:
    simulated = "radio" in frame and bool((frame["radio"] == "simulated").any())
    figure = go.Figure()
    figure.update_layout(
        title=f"{title} · simulated" if simulated else title,
        template="plotly_white",
        height=340,
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
        legend={"orientation": "h", "y": 1.08, "x": 1, "xanchor": "right"},
        yaxis={"title": y_title},
    )
    return figure


def _reason(reason: Any) -> str:
    known = isinstance(reason, str) and reason in set(DisconnectReason)
    return words(DisconnectReason(reason)) if known else str(reason)


def _thinned(seconds: pd.DataFrame) -> pd.DataFrame:
    each = len(seconds) // POINTS + 1
    if each == 1:
        return seconds
    groups = seconds.reset_index(drop=True).groupby(lambda index: index // each)
    return groups.agg({"time": "first", "rssi_dbm": "median"})


def _with_gaps(line: pd.DataFrame) -> pd.DataFrame:
    """The line with an empty point in the middle of each silence."""
    late = line["time"].diff().dt.total_seconds() > max(GAP_S, 2 * line["time"].diff().dt.total_seconds().median())
    holes = pd.DataFrame({"time": line["time"][late] - pd.Timedelta(seconds=1), "rssi_dbm": float("nan")})
    joined = pd.concat([line[["time", "rssi_dbm"]].astype({"rssi_dbm": "float64"}), holes])
    return joined.sort_values("time", kind="stable")
