"""How long links live until they are dropped."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence

import pandas as pd

from terminal_kit.analysis.facts import with_facts
from terminal_kit.analysis.intervals import CONFIDENCE
from terminal_kit.analysis.links import sessions
from terminal_kit.analysis.rows import Rows
from terminal_kit.analysis.survival import curve, quantile_s


def lifetimes(frame: pd.DataFrame, *, by: Sequence[str] = ("reader",), confidence: float = CONFIDENCE) -> pd.DataFrame:
    """How long links live until they are dropped, one row for each value of `by` (see `facts.with_facts`).

    Columns: those of `by`, `sessions`, `dropped`, `connected_h`, and the median lifetime by Kaplan and Meier,
    `median_s` between `low_s` and `high_s`. A session that was closed on purpose, or whose end nobody saw, is censored.
    """
    found: Rows = with_facts(sessions(frame), frame, by)
    lines = []
    for values, rows in found.groupby(list(by), dropna=False, sort=True) if by else [((), found)]:
        lived = quantile_s(curve(rows["duration_s"], rows["was_dropped"], confidence=confidence))
        figures = {
            "sessions": len(rows),
            "dropped": int(rows["was_dropped"].sum()),
            "connected_h": float(rows["duration_s"].sum()) / 3600,
            "median_s": lived.value,
            "low_s": lived.low,
            "high_s": lived.high,
        }
        lines.append(dict(zip(by, values, strict=True)) | figures)
    return pd.DataFrame(lines, columns=[*by, "sessions", "dropped", "connected_h", "median_s", "low_s", "high_s"])
