"""A span of a timeline as plain data for the page: whole microseconds from its beginning, and None for silence."""

# pandas has no complete annotations.
# pyright: reportMissingTypeStubs=false

from typing import Any

import numpy as np

from terminal_kit.charts.timeline import LANES, PARAMETERS, SIGNS, Mark, Timeline, Window
from terminal_kit.charts.timeline.lanes import BATTERY, MARKED, RATE, SIGNAL
from terminal_kit.charts.timeline.lanes import PARAMETERS as PARAMETERS_LANE
from terminal_kit.charts.timeline.samples import Times
from terminal_kit.events import RssiSource
from terminal_kit.panels.panel import Picture

DECIMALS = 3
"""What is drawn is never wider than a few thousand pixels."""


def window_picture(window: Window) -> Picture:
    """What is drawn of a span."""
    since_us = window.since_us
    return {
        "since": since_us,
        "until": window.until_us,
        "signals": [
            {
                "source": source,
                "t": _times(samples.line_us, since_us),
                "v": _values(samples.line),
                "band": _times(samples.band_us, since_us),
                "low": _values(samples.low),
                "high": _values(samples.high),
            }
            for source, samples in window.signals.items()
        ],
        "rate": _line(window.rate, since_us),
        "battery": _line(window.battery, since_us),
        "steps": {name: _line(values, since_us) for name, values in window.steps.items()},
        "marks": {lane: [_mark(mark, since_us) for mark in found] for lane, found in window.marks.items() if found},
    }


def lanes_picture(timeline: Timeline) -> list[Picture]:
    """The lanes in which this timeline has anything, from top to bottom; `part` is what is drawn in it."""
    there = {SIGNAL.name} if any(len(each) for each in timeline.readings.values()) else set[str]()
    there |= {RATE.name} if len(timeline.readings.get(RssiSource.ADVERTISEMENT, ())) else set()
    there |= {BATTERY.name} if len(timeline.battery[0]) else set()
    there |= {mark.lane for mark in timeline.marks}
    found: list[Picture] = []
    for lane in LANES:
        if lane == PARAMETERS_LANE:
            found += [
                {"name": name, "title": title[:1].upper() + title[1:], "part": "steps"}
                for name, title in PARAMETERS.items()
                if len(timeline.parameters[name][0])
            ]
        elif lane.name in there:
            found.append({"name": lane.name, "title": lane.title, "part": "marks" if lane in MARKED else lane.name})
    return found


def _mark(mark: Mark, since_us: int) -> Picture:
    more = f" (and {mark.more} more)" if mark.more else ""
    return {
        "t": mark.t_us - since_us,
        "end": None if mark.end_us is None else mark.end_us - since_us,
        "tone": mark.tone,
        "sign": SIGNS[mark.tone],
        "words": mark.words + more,
        "where": mark.where,
        "seq": mark.seq,
        "end_seq": mark.end_seq,
        "open": mark.is_open,
    }


def _line(line: tuple[Any, Any], since_us: int) -> Picture:
    times, values = line
    return {"t": _times(times, since_us), "v": _values(values)}


def _times(t_us: Times, since_us: int) -> list[int]:
    return (np.asarray(t_us, dtype=np.int64) - since_us).tolist()


def _values(values: Any) -> list[float | None]:
    rounded = np.round(np.asarray(values, dtype=np.float64), DECIMALS).tolist()
    return [None if value != value else value for value in rounded]  # noqa: PLR0124 - not a number is no JSON
