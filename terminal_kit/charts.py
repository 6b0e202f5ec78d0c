"""Frames as plotly figures. Text goes through the one door; simulated data is badged, and never mixed unasked."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from terminal_kit.analysis import disconnects, median_s, reconnections, share_back, signal, updates
from terminal_kit.errors import InvalidParameterError
from terminal_kit.reader import DeviceType
from terminal_kit.words import component_words, escape, hci_words, reason_words, words

GAP_S = 3.5
"""Points come once a second: after a longer silence a line is broken, never held (X8)."""

POINTS = 2000
"""Points of one line that a page draws at ease. Of more, each stretch keeps its lowest and its highest."""

READERS = 8
"""Lines that can be told apart, by colour and by dashes."""

COLOURS = ("#2f7de1", "#d9730d", "#0f9d83", "#9a5fe0", "#d3478c", "#7c8794", "#a68a00", "#c0392b")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px", "2px 6px")
INK = "#77808a"
"""Chosen to be read on Lab's light and on its dark ground; the figures have no ground of their own."""

UPDATE_MARKS = {
    "installed": ("circle", COLOURS[2]),
    "failed": ("x-thin", COLOURS[7]),
    "unfinished": ("triangle-right-open", COLOURS[1]),
}
"""Outcome ↔ mark and colour: told apart without colour too."""

Rows = Any


def signal_chart(
    frame: pd.DataFrame, *, readers: Sequence[str] | None = None, time_zone: str = "UTC", mixed: bool = False
) -> go.Figure:
    """Signal over time: a line for each reader and source, gaps where nothing was heard, drops and returns marked.

    `frame` as `EventLog.frame()` gives it; `readers` chooses, else the eight most heard; `time_zone` is an IANA name.
    Raises `InvalidParameterError` where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = _badge(frame, mixed=mixed)
    heard: Rows = signal(frame)
    chosen = list(readers) if readers is not None else heard["reader"].value_counts().index[:READERS].tolist()
    figure = _figure("Signal", badge)
    for number, reader in enumerate(chosen):
        for source, rows in heard[heard["reader"] == reader].groupby("rssi_source", dropna=False):
            line = _with_gaps(_thinned(rows))
            figure.add_scatter(
                x=_local(line["time"], time_zone),
                y=line["rssi_dbm"].astype("float64"),
                name=escape(reader) if source != "reader_service" else f"{escape(reader)}, as the reader hears it",
                mode="lines",
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


def reconnection_chart(frame: pd.DataFrame, *, mixed: bool = False) -> go.Figure:
    """How long drops last: the share of readers back over time (Kaplan–Meier), with those still gone marked.

    Raises `InvalidParameterError` where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = _badge(frame, mixed=mixed)
    found: Rows = reconnections(frame)
    steps = share_back(found["duration_s"].tolist(), found["came_back"].tolist())
    figure = _figure("Back after a drop", badge)
    figure.add_scatter(
        x=[0.0, *(step.seconds for step in steps)],
        y=[0.0, *(step.share for step in steps)],
        name=f"back ({sum(found['came_back'])} of {len(found)})",
        mode="lines",
        line={"shape": "hv", "color": COLOURS[0], "width": 2.5},
        hovertemplate="%{y:.0%} back after %{x:.1f} s<extra></extra>",
    )
    gone = [step for step in steps if step.still_gone]
    figure.add_scatter(
        x=[step.seconds for step in gone],
        y=[step.share for step in gone],
        name="still gone when last looked",
        mode="markers",
        marker={"symbol": "cross-thin", "size": 11, "line": {"width": 2, "color": COLOURS[1]}},
        hovertemplate="not back after %{x:.1f} s<extra></extra>",
    )
    if (half_s := median_s(steps)) is not None:
        figure.add_vline(
            x=half_s, line={"dash": "dot", "color": INK, "width": 1}, annotation_text=f"half after {half_s:.1f} s"
        )
    figure.update_xaxes(title="Seconds after the drop", rangemode="tozero")
    figure.update_yaxes(title="Share of readers back", tickformat=".0%", range=[0, 1.03])
    return figure


def update_chart(
    frame: pd.DataFrame, *, by: Sequence[str] = ("firmware_to", "device_type"), mixed: bool = False
) -> go.Figure:
    """How long updates take: a mark for each attempt, a line of marks for each release and device type.

    Those that failed, and those whose end nobody saw, stand where they were seen last: they would have taken longer.
    The upright stroke is the time after which half of them were installed (Kaplan–Meier, as for reconnections).
    `by` names the columns of `analysis.updates()` that make a line. Raises `InvalidParameterError` for one that is not
    there, and where simulated and real rows are mixed and `mixed` does not ask for it.
    """
    badge = _badge(frame, mixed=mixed)
    found: Rows = updates(frame)
    if strange := [column for column in by if column not in found]:
        raise InvalidParameterError(
            f"updates have no column {strange[0]}",
            parameter="by",
            value=by,
            hint=f"Choose from {', '.join(found.columns)}.",
        )
    found["line"] = [" · ".join(map(_update_words, by, row)) for row in found[list(by)].itertuples(index=False)]
    figure = _figure("Time to update", badge)
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


def _badge(frame: Rows, *, mixed: bool) -> str | None:
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


def _figure(title: str, badge: str | None) -> go.Figure:
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
        x=_local(drops["time"], time_zone),
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
        x=_local(returned, time_zone),
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


def _local(times: Rows, time_zone: str) -> Rows:
    """Times as the clock on the wall there shows them: plotly knows no zones."""
    return times.dt.tz_convert(time_zone).dt.tz_localize(None)


def _thinned(rows: Rows) -> Rows:
    """The lowest and the highest point of each stretch, so that no dip is lost."""
    if len(rows) <= POINTS:
        return rows
    rows = rows.reset_index(drop=True)
    stretch = rows.groupby(rows.index // -(-len(rows) * 2 // POINTS))["rssi_dbm"]
    return rows.loc[sorted({*stretch.idxmin(), *stretch.idxmax()})]


def _with_gaps(rows: Rows) -> Rows:
    """An empty point into each silence, at which plotly breaks the line."""
    rows = rows.reset_index(drop=True)
    usual_s = max(GAP_S, 2 * rows["time"].diff().dt.total_seconds().median())
    late = rows["time"].diff().dt.total_seconds() > usual_s
    breaks = (rows["time"][late] - pd.Timedelta("1us")).to_frame()
    return pd.concat([rows, breaks]).sort_values("time", kind="stable")
