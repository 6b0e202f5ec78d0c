"""How long drops last, as a figure."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import curve, median_s, return_times, share_back
from terminal_kit.charts.drawing import COLOURS, INK, Rows, badge_of, new_figure, spread


def reconnection_chart(frame: pd.DataFrame, *, band: bool = False, mixed: bool = False) -> go.Figure:
    """How long drops last: the share of readers back over time (Kaplan–Meier), with those still gone marked.

    The drops are those of `analysis.return_times()`. `band` adds the 95 % band of the log-log transform. Raises
    `InvalidParameterError` where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = badge_of(frame, mixed=mixed)
    found: Rows = return_times(frame)
    taken_s, came_back = found["duration_s"].tolist(), found["came_back"].tolist()
    steps: Rows = pd.DataFrame(share_back(taken_s, came_back), columns=["seconds", "share", "still_gone"])
    figure = new_figure("Back after a drop", badge)
    if band:
        _add_band(figure, spread(curve(taken_s, came_back)))
    line = spread(steps)
    figure.add_scatter(
        x=[0.0, *line["seconds"]],
        y=[0.0, *line["share"]],
        name=f"back ({sum(came_back)} of {len(found)})",
        mode="lines",
        line={"shape": "hv", "color": COLOURS[0], "width": 2.5},
        hovertemplate="%{y:.0%} back after %{x:.1f} s<extra></extra>",
    )
    gone = spread(steps[steps["still_gone"].astype(bool)])
    figure.add_scatter(
        x=gone["seconds"],
        y=gone["share"],
        name="still gone when last looked",
        mode="markers",
        marker={"symbol": "cross-thin", "size": 11, "line": {"width": 2, "color": COLOURS[1]}},
        hovertemplate="not back after %{x:.1f} s<extra></extra>",
    )
    if (half_s := median_s(share_back(taken_s, came_back))) is not None:
        figure.add_vline(
            x=half_s, line={"dash": "dot", "color": INK, "width": 1}, annotation_text=f"half after {half_s:.1f} s"
        )
    figure.update_xaxes(title="Seconds after the drop", rangemode="tozero")
    figure.update_yaxes(title="Share of readers back", tickformat=".0%", range=[0, 1.03])
    return figure


def _add_band(figure: go.Figure, steps: Rows) -> None:
    """Between the bounds, drawn once along the lower one and back along the upper one."""
    for column, fill in (("low", None), ("high", "tonexty")):
        figure.add_scatter(
            x=[0.0, *steps["seconds"]],
            y=[0.0, *steps[column]],
            name="95 % band",
            mode="lines",
            line={"shape": "hv", "width": 0, "color": COLOURS[0]},
            fill=fill,
            fillcolor="rgba(47,125,225,0.18)",
            showlegend=fill is not None,
            hoverinfo="skip",
        )
