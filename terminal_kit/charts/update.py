"""How long updates take, as a figure."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import median_s, share_back, updates
from terminal_kit.charts.drawing import COLOURS, INK, Rows, badge_of, new_figure
from terminal_kit.errors import InvalidParameterError
from terminal_kit.reader import DeviceType
from terminal_kit.words import component_words, escape, words

UPDATE_MARKS = {
    "installed": ("circle", COLOURS[2]),
    "failed": ("x-thin", COLOURS[7]),
    "unfinished": ("triangle-right-open", COLOURS[1]),
}
"""Outcome ↔ mark and colour: told apart without colour too."""


def update_chart(
    frame: pd.DataFrame, *, by: Sequence[str] = ("firmware_to", "device_type"), mixed: bool = False
) -> go.Figure:
    """How long updates take: a mark for each attempt, a line of marks for each release and device type.

    Those that failed, and those whose end nobody saw, stand where they were seen last: they would have taken longer.
    The upright stroke is the time after which half of them were installed (Kaplan–Meier, as for reconnections).
    `by` names the columns of `analysis.updates()` that make a line. Raises `InvalidParameterError` for one that is not
    there, and where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = badge_of(frame, mixed=mixed)
    found: Rows = updates(frame)
    if strange := [column for column in by if column not in found]:
        raise InvalidParameterError(
            f"updates have no column {strange[0]}",
            parameter="by",
            value=by,
            hint=f"Choose from {', '.join(found.columns)}.",
        )
    found["line"] = [" · ".join(map(_update_words, by, row)) for row in found[list(by)].itertuples(index=False)]
    figure = new_figure("Time to update", badge)
    for outcome, (symbol, colour) in UPDATE_MARKS.items():
        rows = found[found["outcome"] == outcome]
        figure.add_scatter(
            x=rows["duration_s"].astype("float64"),
            y=rows["line"],
            name=f"{outcome} ({len(rows)})",
            mode="markers",
            marker={
                "symbol": symbol,
                "size": 10,
                "opacity": 0.75,
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            customdata=[
                f"{escape(reader)}: {outcome}" + ("" if pd.isna(code) else f", {escape(code)}")
                for reader, code in zip(rows["reader"], rows["error_code"], strict=True)
            ],
            hovertemplate="%{x:.1f} s  %{customdata}<extra></extra>",
        )
    halves = {
        line: median_s(share_back(rows["duration_s"], rows["outcome"] == "installed"))
        for line, rows in found.groupby("line", sort=False)
    }
    known = {line: half_s for line, half_s in halves.items() if half_s is not None}
    figure.add_scatter(
        x=list(known.values()),
        y=list(known),
        name="half installed",
        mode="markers",
        marker={"symbol": "line-ns", "size": 26, "line": {"width": 2, "color": INK}},
        hovertemplate="half installed after %{x:.1f} s<extra></extra>",
    )
    figure.update_xaxes(title="Seconds from start to end", rangemode="tozero")
    lines = sorted(halves, reverse=True)
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=lines, automargin=True)
    figure.update_layout(height=max(260, 150 + 44 * len(lines)))
    return figure


def _update_words(column: str, value: Any) -> str:
    if pd.isna(value):
        return "not known"
    if column == "components":
        return component_words(int(value))
    return words(DeviceType(value)) if value in set(DeviceType) else escape(str(value))
