"""Groups of recordings side by side, as a figure."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import math
from typing import Any

import plotly.graph_objects as go

from terminal_kit.analysis import Comparison
from terminal_kit.analysis.comparison import bounds, shown
from terminal_kit.charts.drawing import COLOURS, INK, above, new_figure
from terminal_kit.words import escape

ROW = 34
"""Height of a group's line, in pixels."""

GROUPS = 40
"""Groups that are drawn. More would be a page of dots; the table has them all."""


def comparison_chart(comparison: Comparison) -> go.Figure:
    """A small field for each measure: a dot for each group's figure, and its interval.

    A bound that is infinite is an arrow's end at the edge of the field. A group that differs from the first, so that
    the interval of the contrast excludes that there is no difference, has a filled dot; the first has a square.
    """
    rows: Any = comparison.figures
    contrasts: Any = comparison.contrasts
    differing = {(row["measure"], row["group"]) for row in contrasts.to_dict("records") if row["differs"]}
    fields = list(rows.groupby("measure", sort=False))
    figure = new_figure("Side by side", " + ".join(each for each in comparison.radios if each != "native") or None)
    above(figure)
    heights = [min(len(of_measure), GROUPS) + 1.6 for _, of_measure in fields]
    top = 1.0
    for number, (measure, of_measure) in enumerate(fields, 1):
        lines = of_measure.to_dict("records")[:GROUPS]
        share = heights[number - 1] / sum(heights)
        low, high = _edges(lines)
        suffix = "" if number == 1 else str(number)
        figure.add_scatter(
            x=[line["value"] for line in lines],
            y=[escape(str(line["group"])) for line in lines],
            xaxis=f"x{suffix}",
            yaxis=f"y{suffix}",
            mode="markers",
            showlegend=False,
            marker={
                "size": 11,
                "color": COLOURS[0],
                "line": {"width": 2, "color": COLOURS[0]},
                "symbol": [_symbol(place, (measure, line["group"]) in differing) for place, line in enumerate(lines)],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_reach(line["value"], line["high"], high) for line in lines],
                "arrayminus": [_reach(line["value"], line["low"], low) for line in lines],
                "color": COLOURS[0],
            },
            customdata=[
                f"{shown(line['value'], line['unit'])} ({bounds(line, line['unit'])}; {line['basis']})"
                for line in lines
            ],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )
        grid = {"gridcolor": "rgba(128,136,144,0.25)", "zeroline": False, "linecolor": INK}
        body = [top - share + share * 0.8 / heights[number - 1], top - share * 0.6 / heights[number - 1]]
        figure.update_layout(
            {
                f"xaxis{suffix}": grid
                | {
                    "anchor": f"y{suffix}",
                    "title": None,
                    "range": [low, high],
                    "tickformat": ".0%" if lines[0]["unit"] == "share" else None,
                },
                f"yaxis{suffix}": grid
                | {
                    "anchor": f"x{suffix}",
                    "domain": [max(0.0, body[0]), min(1.0, body[1])],
                    "type": "category",
                    "autorange": "reversed",
                    "automargin": True,
                },
            }
        )
        unit = lines[0]["unit"]
        title = lines[0]["title"][0].upper() + lines[0]["title"][1:]
        figure.add_annotation(
            text=escape(title if unit in ("share", "attempts") else f"{title} ({unit})"),
            xref="paper", yref="paper", x=0, y=top, xanchor="left", yanchor="top", showarrow=False,
            font={"size": 12, "color": INK},
        )  # fmt: skip
        top -= share
    figure.update_layout(height=max(260, round(80 + ROW * sum(heights))))
    return figure


def _symbol(place: int, differs: bool) -> str:
    return "square-open" if place == 0 else "circle" if differs else "circle-open"


def _edges(lines: list[dict[str, Any]]) -> tuple[float, float]:
    """What a field shows: every finite number, with some air."""
    finite = [line[name] for line in lines for name in ("value", "low", "high") if math.isfinite(line[name])]
    if not finite:
        return 0.0, 1.0
    air = 0.08 * (max(finite) - min(finite)) or 0.1 * abs(finite[0]) or 1.0
    return min(finite) - air, max(finite) + air


def _reach(value: float, bound: float, edge: float) -> float:
    """How far an interval goes from its dot: to its bound, or to the edge of the field."""
    if math.isnan(value):
        return 0.0
    return abs((bound if math.isfinite(bound) else edge) - value)
