"""What all figures share: colours, the badge of simulated data, local time, thinning."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import plotly.graph_objects as go

from terminal_kit.errors import InvalidParameterError
from terminal_kit.words import escape

POINTS = 2000
"""Points of one line that a page draws at ease. Of more, each stretch keeps its lowest and its highest."""

FEW = 300
"""Points of one line that have a dot each, so that one between two silences is seen."""

READERS = 8
"""Lines that can be told apart, by colour and by dashes."""

COLOURS = ("#2f7de1", "#d9730d", "#0f9d83", "#9a5fe0", "#d3478c", "#7c8794", "#a68a00", "#c0392b")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px", "2px 6px")
INK = "#77808a"
"""Chosen to be read on Lab's light and on its dark ground; the figures have no ground of their own."""

Rows = Any


def badge_of(frame: Rows, *, mixed: bool) -> str | None:
    """What the figure says about where its rows come from."""
    if "radio" not in frame:
        raise InvalidParameterError(
            "the frame has no column radio", parameter="frame", hint="Pass EventLog.frame() with all of its columns."
        )
    radios = {str(radio) for radio in frame["radio"].dropna().unique()}
    if "simulated" in radios and len(radios) > 1 and not mixed:
        raise InvalidParameterError(
            f"the frame mixes {' and '.join(sorted(radios))} rows",
            parameter="frame",
            hint="Choose one with EventLog.frame(radio=…), or pass mixed=True.",
        )
    return " + ".join(sorted(radios - {"native"})) or None


def new_figure(title: str, badge: str | None) -> go.Figure:
    """An empty figure of the house: no ground of its own, a quiet grid, the badge where there is one."""
    figure = go.Figure()
    figure.update_layout(
        title={"text": title, "x": 0.01, "font": {"size": 15}},
        font={"color": INK, "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 60, "r": 16, "t": 44, "b": 48},
        height=380,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        hovermode="closest",
    )
    lines: dict[str, Any] = {"gridcolor": "rgba(128,136,144,0.25)", "zeroline": False, "linecolor": INK}
    figure.update_xaxes(**lines)
    figure.update_yaxes(**lines)
    if badge is not None:
        figure.add_annotation(
            text=escape(badge), xref="paper", yref="paper", x=0.005, y=0.99, xanchor="left", yanchor="top",
            showarrow=False, font={"color": COLOURS[3]}, bordercolor=COLOURS[3], borderpad=3,
        )  # fmt: skip
    return figure


def above(figure: go.Figure) -> None:
    """Puts the badge above the field, where it would lie on what is drawn."""
    figure.update_annotations(x=1, xanchor="right", y=1, yanchor="bottom", yshift=4)


def local(times: Rows, time_zone: str) -> Rows:
    """Times as the clock on the wall there shows them: plotly knows no zones."""
    return times.dt.tz_convert(time_zone).dt.tz_localize(None)


def spread(rows: Rows) -> Rows:
    """Of a curve that only rises, as many points as a page draws at ease, the first and the last among them."""
    if len(rows) <= POINTS:
        return rows
    return rows.iloc[[round(number * (len(rows) - 1) / (POINTS - 1)) for number in range(POINTS)]]
