"""Frames as plotly figures. Text goes through the one door; simulated data is badged, and never mixed unasked."""

from terminal_kit.charts.comparison import comparison_chart
from terminal_kit.charts.drawing import COLOURS, DASHES, INK, POINTS, READERS
from terminal_kit.charts.drop import drop_chart, signal_before_drop_chart
from terminal_kit.charts.reconnection import reconnection_chart
from terminal_kit.charts.signal import signal_chart
from terminal_kit.charts.update import UPDATE_MARKS, update_chart

__all__ = [
    "COLOURS",
    "DASHES",
    "INK",
    "POINTS",
    "READERS",
    "UPDATE_MARKS",
    "comparison_chart",
    "drop_chart",
    "reconnection_chart",
    "signal_before_drop_chart",
    "signal_chart",
    "update_chart",
]
