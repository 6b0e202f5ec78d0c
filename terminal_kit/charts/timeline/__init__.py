"""One reader over time, in lanes, from a day to a second.

`lanes.py` says which lanes there are, `marks.py` turns rows into marks and bars, `samples.py` brings millions of
readings down to what a page can draw, `timeline.py` puts a span of all of it together, `figure.py` draws it.
"""

from terminal_kit.charts.timeline.figure import timeline_chart
from terminal_kit.charts.timeline.lanes import LANES, SIGNS, Lane
from terminal_kit.charts.timeline.marks import Mark, captured, sentence, where
from terminal_kit.charts.timeline.samples import Readings
from terminal_kit.charts.timeline.timeline import PARAMETERS, Timeline, Window, readings_of

__all__ = [
    "LANES",
    "PARAMETERS",
    "SIGNS",
    "Lane",
    "Mark",
    "Readings",
    "Timeline",
    "Window",
    "captured",
    "readings_of",
    "sentence",
    "timeline_chart",
    "where",
]
