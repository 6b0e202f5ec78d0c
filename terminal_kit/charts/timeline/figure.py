"""`timeline_chart()`: a timeline as a plotly figure, for notebooks and for the page to send on."""

# plotly and pandas have no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from terminal_kit.charts.drawing import COLOURS, FEW, INK, badge_of, new_figure
from terminal_kit.charts.timeline.lanes import BATTERY, MARKED, PARAMETERS, RATE, SIGNAL, Tone
from terminal_kit.charts.timeline.marks import Mark
from terminal_kit.charts.timeline.samples import Sampled
from terminal_kit.charts.timeline.timeline import PARAMETERS as COLUMNS
from terminal_kit.charts.timeline.timeline import Timeline, Window
from terminal_kit.words import escape

POINTS = 2000
"""Points of one trace that a page draws at ease."""

TONES: dict[Tone, tuple[str, str]] = {
    "bad": (COLOURS[7], "x"),
    "warn": (COLOURS[1], "diamond"),
    "good": (COLOURS[2], "triangle-up"),
    "plain": (COLOURS[5], "circle"),
}
"""Colour and sign of marks: told apart without colour too."""

_BAND = "rgba(47,125,225,0.22)"


class Strip(NamedTuple):
    """A part of the figure with an axis of its own: its height among the others', and what draws it."""

    title: str
    height: float
    draw: "Callable[[Drawing, int], None]"


class Drawing(NamedTuple):
    """What is drawn, where, and in which time zone."""

    figure: go.Figure
    window: Window
    time_zone: str

    def times(self, t_us: Any) -> Any:
        """UTC microseconds as the clock on the wall there shows them: plotly knows no zones."""
        moments = pd.to_datetime(np.asarray(t_us, dtype=np.int64), unit="us", utc=True, errors="coerce")
        return moments.tz_convert(self.time_zone).tz_localize(None)


def timeline_chart(
    frame: pd.DataFrame,
    *,
    reader: str,
    time_zone: str = "UTC",
    since: datetime | int | None = None,
    until: datetime | int | None = None,
    findings: Iterable[Any] | None = None,
    mixed: bool = False,
) -> go.Figure:
    """One reader over time: signal, advertisements, attempts, sessions, parameters, updates, errors, the app's words.

    `frame` as `EventLog.frame()` gives it; `time_zone` is an IANA name; `since` and `until` are aware datetimes or UTC
    microseconds; `findings` are those of `diagnose()`, whose first causes become marks. Every mark tells on hover what
    it is and where it comes from: file and frame as Wireshark counts them (or line), and the row's `seq`; the three
    stand in its `customdata`. Signal is drawn as a band from lowest to highest with a line within; silences are gaps.
    Raises `InvalidParameterError` for a reader that there is not, and where simulated and real rows are mixed unasked.
    """
    badge = badge_of(frame, mixed=mixed)
    timeline = Timeline(frame, reader=reader, findings=findings or ())
    return timeline_figure(timeline, time_zone=time_zone, since_us=_us(since), until_us=_us(until), badge=badge)


def timeline_figure(
    timeline: Timeline,
    *,
    time_zone: str = "UTC",
    since_us: int | None = None,
    until_us: int | None = None,
    badge: str | None = None,
) -> go.Figure:
    """The same of a timeline that stands already."""
    window = timeline.window(since_us, until_us, points=POINTS // 2)
    strips = [
        strip
        for strip, has_content in (
            (Strip(SIGNAL.title, 3.0, _draw_signal), any(len(each.line_us) for each in window.signals.values())),
            (Strip("adv./s", 1.0, _draw_rate), len(window.rate[0]) > 0),
            (Strip("", 0.42 * len(_lanes(window)) + 0.2, _draw_marks), bool(_lanes(window))),
            (Strip(PARAMETERS.title, 1.4, _draw_parameters), bool(window.steps)),
            (Strip(BATTERY.title, 1.0, _draw_battery), len(window.battery[0]) > 0),
        )
        if has_content
    ] or [Strip("nothing in this span", 1.0, _draw_marks)]
    figure = make_subplots(
        rows=len(strips), shared_xaxes=True, vertical_spacing=0.025, row_heights=[strip.height for strip in strips]
    )
    figure.update_layout(new_figure(f"Timeline of {escape(timeline.reader)}", badge).layout)
    drawing = Drawing(figure, window, time_zone)
    for number, strip in enumerate(strips, start=1):
        figure.update_yaxes(title=strip.title, title_font={"size": 11}, row=number)
        strip.draw(drawing, number)
    grid: dict[str, Any] = {"gridcolor": "rgba(128,136,144,0.25)", "zeroline": False, "linecolor": INK}
    figure.update_xaxes(**grid, range=list(drawing.times([window.since_us, window.until_us])))
    figure.update_yaxes(**grid)
    figure.update_xaxes(title=f"Time ({escape(time_zone)})", row=len(strips))
    figure.update_layout(height=round(130 + 78 * sum(strip.height for strip in strips)), margin={"l": 130})
    if timeline.remark and len(window.rate[0]):
        figure.add_annotation(
            text=escape(timeline.remark), xref="paper", yref="paper", x=1, y=-0.02, yanchor="top", showarrow=False,
            font={"size": 11},
        )  # fmt: skip
    return figure


def _draw_signal(drawing: Drawing, row: int) -> None:
    for number, (source, samples) in enumerate(drawing.window.signals.items()):
        colour = COLOURS[number % len(COLOURS)]
        for begin, end in _runs(samples):
            times = drawing.times(samples.band_us[begin:end])
            for edge, fill in ((samples.low[begin:end], None), (samples.high[begin:end], "tonexty")):
                drawing.figure.add_scatter(
                    x=times, y=edge, mode="lines", line={"width": 0}, fill=fill, fillcolor=_BAND, hoverinfo="skip",
                    showlegend=False, row=row, col=1,
                )  # fmt: skip
        drawing.figure.add_scatter(
            x=drawing.times(samples.line_us),
            y=samples.line,
            name=escape(source),
            mode="lines+markers" if len(samples.line_us) < FEW else "lines",
            marker={"size": 3},
            line={"color": colour, "width": 1.5, "dash": ("solid", "dash", "dot")[number % 3]},
            connectgaps=False,
            customdata=samples.record,
            hovertemplate="%{x|%H:%M:%S}  %{y:.0f} dBm, row %{customdata}<extra>%{fullData.name}</extra>",
            row=row,
            col=1,
        )
    drawing.figure.update_yaxes(range=[-102, -28], row=row)


BANDS = 60
"""Pieces of a band that are filled one by one; where silences break it into more, only the line is drawn."""


def _runs(samples: Sampled) -> list[tuple[int, int]]:
    """The stretches of a band between silences: plotly fills across an empty point."""
    empty = np.flatnonzero(np.isnan(samples.low))
    ends = [*empty.tolist(), len(samples.low)]
    found = [(begin, end) for begin, end in zip([0, *(empty + 1).tolist()], ends, strict=True) if end - begin > 1]
    return found if len(found) <= BANDS else []


def _draw_rate(drawing: Drawing, row: int) -> None:
    times, values = drawing.window.rate
    drawing.figure.add_scatter(
        x=drawing.times(times), y=values, name=RATE.title, mode="lines", line={"color": COLOURS[5], "shape": "hv"},
        fill="tozeroy", showlegend=False, hovertemplate="%{x|%H:%M:%S}  %{y:.1f} a second<extra></extra>", row=row,
        col=1,
    )  # fmt: skip


def _lanes(window: Window) -> list[str]:
    return [lane.title for lane in MARKED if window.marks.get(lane.name)]


def _draw_marks(drawing: Drawing, row: int) -> None:
    """The lanes share an axis: bars as thick lines, marks as signs, a trace for each tone."""
    titles = {lane.name: lane.title for lane in MARKED}
    every = [mark for marks in drawing.window.marks.values() for mark in marks]
    for tone, (colour, sign) in TONES.items():
        bars = [mark for mark in every if mark.tone == tone and mark.end_us is not None]
        _add_bars(drawing, bars[: POINTS // 3], titles, colour, row)
        points = [mark for mark in every if mark.tone == tone and mark.end_us is None][:POINTS]
        drawing.figure.add_scatter(
            x=drawing.times([mark.t_us for mark in points]),
            y=[titles[mark.lane] for mark in points],
            mode="markers",
            marker={"symbol": sign, "size": 9, "color": colour, "line": {"width": 1, "color": colour}},
            customdata=[_custom(mark) for mark in points],
            hovertemplate=_HOVER,
            showlegend=False,
            row=row,
            col=1,
        )
    drawing.figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=_lanes(drawing.window)[::-1], row=row, automargin=True
    )


_HOVER = "%{customdata[3]}<br>%{customdata[0]}<br>row %{customdata[2]}<extra></extra>"


def _add_bars(drawing: Drawing, bars: list[Mark], titles: dict[str, str], colour: str, row: int) -> None:
    ends: list[int] = []
    lanes: list[str | None] = []
    facts: list[list[Any]] = []
    for bar in bars:
        end_us = bar.t_us if bar.end_us is None else bar.end_us
        ends += [bar.t_us, end_us, end_us]
        lanes += [titles[bar.lane], titles[bar.lane], None]
        facts += [_custom(bar)] * 3
    drawing.figure.add_scatter(
        x=drawing.times(ends), y=lanes, mode="lines+markers", connectgaps=False, customdata=facts, hovertemplate=_HOVER,
        line={"color": colour, "width": 9}, marker={"size": 5, "color": colour}, opacity=0.75, showlegend=False,
        row=row, col=1,
    )  # fmt: skip


def _custom(mark: Mark) -> list[Any]:
    """What a mark leads to: where it comes from, which lane, which row; and its words."""
    more = f" (and {mark.more} more)" if mark.more else ""
    return [escape(mark.where), mark.lane, mark.seq, escape(f"{mark.words}{more}")]


def _draw_parameters(drawing: Drawing, row: int) -> None:
    for number, (name, (times, values)) in enumerate(drawing.window.steps.items()):
        drawing.figure.add_scatter(
            x=drawing.times(times), y=values, name=COLUMNS[name], mode="lines+markers", connectgaps=False,
            line={"shape": "hv", "color": COLOURS[number], "dash": ("solid", "dash", "dot", "dashdot")[number % 4]},
            marker={"size": 4}, hovertemplate="%{x|%H:%M:%S}  %{y:.4g}<extra>%{fullData.name}</extra>", row=row, col=1,
        )  # fmt: skip
    drawing.figure.update_yaxes(type="log", row=row)


def _draw_battery(drawing: Drawing, row: int) -> None:
    times, values = drawing.window.battery
    drawing.figure.add_scatter(
        x=drawing.times(times), y=values, name=BATTERY.title, mode="lines+markers", line={"color": COLOURS[2]},
        marker={"size": 4}, showlegend=False, hovertemplate="%{x|%H:%M:%S}  %{y:.0%}<extra></extra>", row=row, col=1,
    )  # fmt: skip
    drawing.figure.update_yaxes(range=[0, 1.05], tickformat=".0%", row=row)


def _us(moment: datetime | int | None) -> int | None:
    return round(moment.timestamp() * 1e6) if isinstance(moment, datetime) else moment
