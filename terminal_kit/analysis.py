"""What a log says about drops, returns, updates and signal: pure functions, frame in, frame out.

They take what `EventLog.frame()` gives and keep its units and column names; a row never mixes two readers.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from terminal_kit.events import Kind

Rows = Any
"""A frame on its way: pandas' own annotations are too wide to check such code against."""

SIGNAL_COUNTS_US = 10_000_000
"""A signal so long before a drop still says something about it; an older one would be a held value (X8)."""

_BY_LINK = ["run", "terminal", "reader", "session"]
_BY_ATTEMPT = ["run", "terminal", "attempt_id"]
_DROP = ["run", "terminal", "reader", "session", "t_us", "reason", "reason_source", "hci_code", "rssi_dbm"]

_UPDATE = [
    *_BY_ATTEMPT,
    "t_us",
    "reader",
    "device_type",
    "firmware_from",
    "firmware_to",
    "components",
    "battery",
    "total_bytes",
]


def disconnects(frame: pd.DataFrame) -> pd.DataFrame:
    """The disconnects, one row each, oldest first.

    A `link_disconnected` joined with its session's `disconnected`, or either alone where only one is known; a reason
    learned later replaces an earlier one (X1). Columns: `time`, `t_us`, `run`, `terminal`, `reader`, `session`,
    `reason`, `reason_source`, `hci_code`; `rssi_dbm` just before (at most 10 s, else missing); `awaited` tells that an
    automatic reconnection began; `returned_s` seconds until the reader was connected again, missing if it was not
    before its next drop; `returned_by` "itself" or "hand".
    """
    links = _of(frame, Kind.LINK_DISCONNECTED)[_DROP]
    ends = _of(frame, Kind.DISCONNECTED)[_DROP]
    known = ends[_BY_LINK].merge(links[_BY_LINK].dropna().drop_duplicates(), how="left", indicator=True)["_merge"]
    alone = ends[(known == "left_only").to_numpy()]
    drops: Rows = pd.concat([links, alone]).sort_values("t_us", kind="stable", ignore_index=True)
    drops = _with_signal(_with_learned(drops, frame), frame)
    drops = _with_return(drops, frame)
    drops.insert(0, "time", _time(drops["t_us"]))
    return drops


def reconnections(frame: pd.DataFrame) -> pd.DataFrame:
    """The automatic reconnections, one row each, oldest first.

    Columns: `time` and `t_us` of the start, `run`, `terminal`, `reader`, `reason`, `attempts`, `duration_s`,
    `came_back` and `error_code`. One that failed, was canceled, or never ended because its run died is censored: its
    `duration_s` is how long it was watched, and `came_back` is false.
    """
    started = _of(frame, Kind.RECONNECT_STARTED)[[*_BY_ATTEMPT, "reader", "t_us", "reason"]]
    ended = _of(frame, Kind.RECONNECT_SUCCEEDED, Kind.RECONNECT_FAILED)
    ended = ended.assign(
        end_us=ended["t_us"], came_back=ended["kind"] == Kind.RECONNECT_SUCCEEDED, attempts=ended["attempt"]
    )
    ended = ended[[*_BY_ATTEMPT, "end_us", "came_back", "attempts", "error_code"]].drop_duplicates(_BY_ATTEMPT)
    found = started.merge(ended, how="left", on=_BY_ATTEMPT)
    last_us = found["run"].map(_of(frame, *Kind).groupby("run")["t_us"].max())
    found["duration_s"] = (found["end_us"].fillna(last_us) - found["t_us"]).astype("Float64") / 1e6
    found["came_back"] = found["came_back"].astype("boolean").fillna(value=False)
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", _time(found["t_us"]))
    columns = [
        "time",
        "t_us",
        "run",
        "terminal",
        "reader",
        "reason",
        "attempts",
        "duration_s",
        "came_back",
        "error_code",
    ]
    return found[columns]


def updates(frame: pd.DataFrame) -> pd.DataFrame:
    """The attempts to update a reader, one row for each `update_started`, oldest first.

    Columns: `time` and `t_us` of the start, `run`, `terminal`, `reader`, `device_type`, `firmware_from`, `firmware_to`,
    `components`, `battery` (0…1, at the start), `outcome`, `duration_s`, `error_code`, `stage`, `sent_bytes`,
    `total_bytes`. `outcome` is "installed" (finished without an error), "failed" (with one; a cancel is one too) or
    "unfinished": nothing more was recorded of it, since its run died or still goes on. `duration_s` goes from start to
    finish, or for an unfinished one to the last row of its run: how long it was watched. `stage` and `sent_bytes` are
    where it ended, or was seen last. An update that was refused before it began (U2) is no attempt; nor is one of no
    components, by which a connection lets software stay that an earlier attempt, cut off, had installed (U10).
    """
    started = _of(frame, Kind.UPDATE_STARTED)[_UPDATE].drop_duplicates(_BY_ATTEMPT)
    started = started[(started["components"] != 0).fillna(value=True)]
    ended = _of(frame, Kind.UPDATE_FINISHED)
    ended = ended.assign(end_us=ended["t_us"], took_s=ended["duration_s"])
    ended = ended[[*_BY_ATTEMPT, "end_us", "took_s", "error_code"]].drop_duplicates(_BY_ATTEMPT)
    seen = _of(frame, Kind.UPDATE_PROGRESS, Kind.UPDATE_FINISHED).groupby(_BY_ATTEMPT, dropna=False, as_index=False)
    seen = seen[["stage", "sent_bytes"]].last()
    found = started.merge(ended, how="left", on=_BY_ATTEMPT).merge(seen, how="left", on=_BY_ATTEMPT)
    last_us = found["run"].map(_of(frame, *Kind).groupby("run")["t_us"].max())
    watched_s = (found["end_us"].fillna(last_us) - found["t_us"]).astype("Float64") / 1e6
    found["duration_s"] = found["took_s"].astype("Float64").fillna(watched_s)
    found["outcome"] = "installed"
    found.loc[found["error_code"].notna(), "outcome"] = "failed"
    found.loc[found["end_us"].isna(), "outcome"] = "unfinished"
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", _time(found["t_us"]))
    what = [name for name in _UPDATE if name not in (*_BY_ATTEMPT, "t_us", "total_bytes")]
    how = ["outcome", "duration_s", "error_code", "stage", "sent_bytes", "total_bytes"]
    return found[["time", "t_us", "run", "terminal", *what, *how]]


def signal(frame: pd.DataFrame) -> pd.DataFrame:
    """The signal of each reader, one row a second and source, oldest first; an unheard second has none.

    Columns: `time` (the second's start), `reader`, `rssi_source` (X8), `rssi_dbm` (median), `rssi_min_dbm`,
    `rssi_max_dbm`, `count`.
    """
    heard = _of(frame, Kind.SIGNAL)
    heard = heard[heard["rssi_dbm"].notna()]
    seconds = heard.assign(
        second=heard["t_us"] // 1_000_000,
        rssi_min_dbm=heard["rssi_min_dbm"].fillna(heard["rssi_dbm"]),
        rssi_max_dbm=heard["rssi_max_dbm"].fillna(heard["rssi_dbm"]),
        count=heard["count"].fillna(1),
    ).groupby(["reader", "rssi_source", "second"], dropna=False, as_index=False)
    found = seconds.agg({"rssi_dbm": "median", "rssi_min_dbm": "min", "rssi_max_dbm": "max", "count": "sum"})
    found = found.sort_values(["second", "reader"], kind="stable", ignore_index=True)
    found.insert(0, "time", _time(found.pop("second") * 1_000_000))
    return found


class Step(NamedTuple):
    """A corner of the curve of returns: after `seconds` this `share` (0…1) was back; `still_gone`: one was censored."""

    seconds: float
    share: float
    still_gone: bool


def share_back(duration_s: Iterable[float], came_back: Iterable[bool]) -> list[Step]:
    """The share of readers back after so many seconds, by Kaplan and Meier's estimate (1958).

    Those still gone count for as long as they were watched: leaving them out would make the readers look better than
    they are. One step for each distinct duration and outcome, in order of time.
    """
    watched = sorted(zip(duration_s, (not back for back in came_back), strict=True))
    steps: list[Step] = []
    still_out, at_risk = 1.0, len(watched)
    while watched:
        first = watched[0]
        same = next((index for index, each in enumerate(watched) if each != first), len(watched))
        seconds, gone = first
        if not gone:
            still_out *= 1 - same / at_risk
        steps.append(Step(seconds, 1 - still_out, gone))
        at_risk -= same
        watched = watched[same:]
    return steps


def median_s(steps: Iterable[Step]) -> float | None:
    """After how many seconds half of them were back; None if that was not seen."""
    return next((step.seconds for step in steps if step.share >= 0.5), None)


def _of(frame: Rows, *kinds: Kind) -> Rows:
    return frame[frame["kind"].isin([kind.value for kind in kinds])]


def _time(t_us: Rows) -> Rows:
    return pd.to_datetime(t_us.astype("int64"), unit="us", utc=True).astype("datetime64[us, UTC]")


def _with_learned(drops: Rows, frame: Rows) -> Rows:
    learned = _of(frame, Kind.REASON_LEARNED)[[*_BY_LINK, "reason", "reason_source", "hci_code"]]
    learned = learned.drop_duplicates(_BY_LINK, keep="last")
    learned = learned[learned["session"].notna()]
    joined = drops.merge(learned, how="left", on=_BY_LINK, suffixes=("", "_learned"))
    for column in ("reason", "reason_source", "hci_code"):
        joined[column] = joined.pop(f"{column}_learned").fillna(joined[column])
    return joined


def _with_signal(drops: Rows, frame: Rows) -> Rows:
    heard = _of(frame, Kind.SIGNAL)[["t_us", "reader", "rssi_dbm"]].dropna()
    before = _nearest(drops, heard.rename(columns={"rssi_dbm": "heard_dbm"}), tolerance=SIGNAL_COUNTS_US)
    drops["rssi_dbm"] = drops["rssi_dbm"].fillna(before["heard_dbm"])
    return drops


def _with_return(drops: Rows, frame: Rows) -> Rows:
    back = _of(frame, Kind.RECONNECT_SUCCEEDED, Kind.CONNECT_SUCCEEDED)
    returned: Rows = pd.DataFrame({"t_us": back["t_us"], "reader": back["reader"], "back_us": back["t_us"]})
    returned["returned_by"] = back["kind"].map(
        {Kind.RECONNECT_SUCCEEDED.value: "itself", Kind.CONNECT_SUCCEEDED.value: "hand"}
    )
    after = _nearest(drops, returned, direction="forward")
    next_us = drops.groupby("reader")["t_us"].shift(-1)
    in_time = (after["back_us"].notna() & (next_us.isna() | (after["back_us"] <= next_us))).fillna(value=False)
    begun = _of(frame, Kind.RECONNECT_STARTED)[["t_us", "reader"]]
    begun = _nearest(drops, begun.assign(begun_us=begun["t_us"]), direction="forward")["begun_us"]
    drops["awaited"] = (begun.notna() & (next_us.isna() | (begun < next_us))).fillna(value=False).astype(bool)
    drops["awaited"] &= ~(after["back_us"].notna() & (after["back_us"] < begun)).fillna(value=False).astype(bool)
    drops["returned_s"] = ((after["back_us"] - drops["t_us"]).astype("Float64") / 1e6).where(in_time)
    drops["returned_by"] = after["returned_by"].where(in_time)
    return drops


def _nearest(drops: Rows, others: Rows, **how: Any) -> Rows:
    """For each drop the nearest other row of the same reader, in the drops' order."""
    left = drops[["t_us", "reader"]].astype({"t_us": "int64"})
    right = others.astype({"t_us": "int64"}).sort_values("t_us", kind="stable")
    if left.empty or right.empty:
        # merge_asof cannot take an empty side of Arrow strings (pandas 3.1).
        return left.merge(right.drop(columns="t_us"), how="left", on="reader")
    return pd.merge_asof(left, right, on="t_us", by="reader", **how)
