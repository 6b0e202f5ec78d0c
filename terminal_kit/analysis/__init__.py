"""What a log says about drops, returns, updates and signal: pure functions, frame in, frame out.

They take what `EventLog.frame()` gives and keep its units and column names; a row never mixes two readers. Nothing is
held over a silence, and what was not seen to end is censored, never left out.
"""

from terminal_kit.analysis.comparison import Comparison, compare
from terminal_kit.analysis.drops import SIGNAL_COUNTS_US, disconnects
from terminal_kit.analysis.installing import updates
from terminal_kit.analysis.lifetimes import lifetimes
from terminal_kit.analysis.links import connection_attempts, sessions
from terminal_kit.analysis.rates import Finding, drop_rates, drops, exposure
from terminal_kit.analysis.returns import reconnections, return_times
from terminal_kit.analysis.signals import signal, signal_before_drops
from terminal_kit.analysis.survival import Step, curve, median_s, quantile_s, share_back, share_within

__all__ = [
    "SIGNAL_COUNTS_US",
    "Comparison",
    "Finding",
    "Step",
    "compare",
    "connection_attempts",
    "curve",
    "disconnects",
    "drop_rates",
    "drops",
    "exposure",
    "lifetimes",
    "median_s",
    "quantile_s",
    "reconnections",
    "return_times",
    "sessions",
    "share_back",
    "share_within",
    "signal",
    "signal_before_drops",
    "updates",
]
