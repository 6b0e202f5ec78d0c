"""The signal of each reader over time, and before its drops."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import numpy as np
import pandas as pd

from terminal_kit.analysis.rates import drops
from terminal_kit.analysis.readers import named
from terminal_kit.analysis.rows import Rows, dated, of, time
from terminal_kit.analysis.twins import imported_runs
from terminal_kit.events import Kind

SHORT_S, LONG_S = 5.0, 20.0
"""The last moments, and the approach to them: a person walks out of range in some 20 s, a fade takes a few."""

SLOPE_FROM = 3
"""A line through two points says nothing of how straight they lie."""


def signal(frame: pd.DataFrame) -> pd.DataFrame:
    """The signal of each reader, one row a second and source, oldest first; an unheard second has none.

    Columns: `time` (the second's start), `reader`, `rssi_source` (X8), `rssi_dbm` (median), `rssi_min_dbm`,
    `rssi_max_dbm`, `count`.
    """
    heard = of(dated(named(frame)), Kind.SIGNAL)
    heard = heard[heard["rssi_dbm"].notna()]
    seconds = heard.assign(
        second=heard["t_us"] // 1_000_000,
        rssi_min_dbm=heard["rssi_min_dbm"].fillna(heard["rssi_dbm"]),
        rssi_max_dbm=heard["rssi_max_dbm"].fillna(heard["rssi_dbm"]),
        count=heard["count"].fillna(1),
    ).groupby(["reader", "rssi_source", "second"], dropna=False, as_index=False)
    found = seconds.agg({"rssi_dbm": "median", "rssi_min_dbm": "min", "rssi_max_dbm": "max", "count": "sum"})
    found = found.sort_values(["second", "reader"], kind="stable", ignore_index=True)
    found.insert(0, "time", time(found.pop("second") * 1_000_000))
    return found


def signal_before_drops(frame: pd.DataFrame) -> pd.DataFrame:
    """The signal in the last 20 s before each drop (see `drops()`), one row for each, oldest first.

    Columns: `time`, `t_us`, `run`, `terminal`, `reader`, `session`, `reason` of the drop; `rssi_source` of the one
    source that was heard most in those 20 s, to which all of the rest belongs; `count` of its seconds; `last_5_s_dbm`
    and `last_20_s_dbm`, medians; `slope_db_per_s`, the least-squares line's over the 20 s, from three seconds on;
    `usual_dbm`, the median of the same reader, source and run at all times that are not within 20 s before one of its
    drops; `change_db`, the last 5 s less the usual. A second at the moment of the drop itself counts, later ones do
    not, and a silence is no value: what was not heard is missing (X8).
    """
    frame = named(frame)
    fell: Rows = drops(frame)
    heard = of(frame, Kind.SIGNAL)
    heard = heard[heard["rssi_dbm"].notna()].sort_values("t_us", kind="stable")
    imported = imported_runs(frame)
    of_drops = dict(list(fell.groupby("reader", sort=False)))
    lines: dict[Any, dict[str, Any]] = {}
    for (run, reader, source), rows in heard.groupby(["run", "reader", "rssi_source"], dropna=False, sort=False):
        if reader not in of_drops:
            continue
        ends: Rows = of_drops[reader]  # of two recordings, one may tell of the drop and the other of the signal
        ends = ends[(ends["run"] == run) | ((run in imported) & ends["run"].isin(imported))]
        at_us, level = rows["t_us"].to_numpy("int64"), rows["rssi_dbm"].to_numpy("float64")
        moments = np.sort(ends["t_us"].to_numpy("int64"))
        usual_dbm = _usual(at_us, level, moments)
        for place, t_us in zip(ends.index, ends["t_us"], strict=True):
            line = _before(at_us, level, int(t_us), usual_dbm)
            if line and line["count"] > lines.get(place, {"count": 0})["count"]:
                lines[place] = line | {"rssi_source": source}
    told = [lines.get(place, {}) for place in fell.index]
    types = {"rssi_source": "string", "count": "Int64"} | dict.fromkeys(FIGURES, "Float64")
    figures = pd.DataFrame(told, columns=[*types], index=fell.index).astype(types)
    what = ["time", "t_us", "run", "terminal", "reader", "session", "reason"]
    return pd.concat([fell[what], figures], axis=1)


FIGURES = ("last_5_s_dbm", "last_20_s_dbm", "slope_db_per_s", "usual_dbm", "change_db")
"""What is told of the signal before a drop."""


def _usual(at_us: Any, level: Any, moments: Any) -> float | None:
    following = np.searchsorted(moments, at_us)
    padded = np.append(moments, np.iinfo("int64").max)
    calm = level[padded[following] - at_us > LONG_S * 1e6]
    return float(np.median(calm)) if len(calm) else None


def _before(at_us: Any, level: Any, t_us: int, usual_dbm: float | None) -> dict[str, Any] | None:
    end = np.searchsorted(at_us, t_us, "right")
    start = np.searchsorted(at_us, t_us - round(LONG_S * 1e6))
    if start == end:
        return None
    seconds, levels = (at_us[start:end] - t_us) / 1e6, level[start:end]
    last = levels[seconds >= -SHORT_S]
    last_dbm = float(np.median(last)) if len(last) else None
    spread = seconds - seconds.mean()
    is_line = len(levels) >= SLOPE_FROM and np.any(spread)
    return {
        "count": len(levels),
        "last_5_s_dbm": last_dbm,
        "last_20_s_dbm": float(np.median(levels)),
        "slope_db_per_s": float(spread @ levels / (spread @ spread)) if is_line else None,
        "usual_dbm": usual_dbm,
        "change_db": last_dbm - usual_dbm if last_dbm is not None and usual_dbm is not None else None,
    }
