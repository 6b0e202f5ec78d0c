"""The attempts to update a reader, and what became of each."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pandas as pd

from terminal_kit.analysis.readers import named
from terminal_kit.analysis.rows import BY_ATTEMPT, dated, of, steady, time
from terminal_kit.events import Kind

_UPDATE = [
    *BY_ATTEMPT,
    "t_us",
    "reader",
    "device_type",
    "firmware_from",
    "firmware_to",
    "components",
    "battery",
    "total_bytes",
]


def updates(frame: pd.DataFrame) -> pd.DataFrame:
    """The attempts to update a reader, one row for each `update_started`, oldest first.

    Columns: `time` and `t_us` of the start, `run`, `terminal`, `reader`, `device_type`, `firmware_from`, `firmware_to`,
    `components`, `battery` (0…1, at the start), `outcome`, `duration_s`, `error_code`, `stage`, `sent_bytes`,
    `total_bytes`. `outcome` is "installed" (finished without an error), "failed" (with one; a cancel is one too) or
    "unfinished": nothing more was recorded of it, since its run died or still goes on. `duration_s` goes from start to
    finish, or for an unfinished one to the last row of its run: how long it was watched; missing where a file tells no
    times. `stage` and `sent_bytes` are where it ended, or was seen last. An update that was refused before it began
    (U2) is no attempt; nor is one of no components, by which a connection lets software stay that an earlier attempt,
    cut off, had installed (U10).
    """
    frame = named(frame).reset_index(drop=True)
    frame = frame.assign(at_us=steady(dated(frame)).astype("Int64").reindex(frame.index))
    started = of(frame, Kind.UPDATE_STARTED)[[*_UPDATE, "at_us"]].drop_duplicates(BY_ATTEMPT)
    started = started[(started["components"] != 0).fillna(value=True)]
    ended = of(frame, Kind.UPDATE_FINISHED)
    ended = ended.assign(end_us=ended["at_us"], took_s=ended["duration_s"], is_finished=True)
    ended = ended[[*BY_ATTEMPT, "end_us", "took_s", "is_finished", "error_code"]].drop_duplicates(BY_ATTEMPT)
    seen = of(frame, Kind.UPDATE_PROGRESS, Kind.UPDATE_FINISHED).groupby(BY_ATTEMPT, dropna=False, as_index=False)
    seen = seen[["stage", "sent_bytes"]].last()
    found = started.merge(ended, how="left", on=BY_ATTEMPT).merge(seen, how="left", on=BY_ATTEMPT)
    last_us = found["run"].map(of(frame, *Kind).groupby("run")["at_us"].max())
    watched_s = (found["end_us"].fillna(last_us) - found["at_us"]).astype("Float64") / 1e6
    found["duration_s"] = found["took_s"].astype("Float64").fillna(watched_s)
    found["outcome"] = "installed"
    found.loc[found["error_code"].notna(), "outcome"] = "failed"
    found.loc[found["is_finished"].isna(), "outcome"] = "unfinished"
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", time(found["t_us"]))
    what = [name for name in _UPDATE if name not in (*BY_ATTEMPT, "t_us", "total_bytes")]
    how = ["outcome", "duration_s", "error_code", "stage", "sent_bytes", "total_bytes"]
    return found[["time", "t_us", "run", "terminal", *what, *how]]
