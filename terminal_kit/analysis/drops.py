"""The disconnects of a log, each with why, the signal before it, and the return after it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pandas as pd

from terminal_kit.analysis.links import NOT_ESTABLISHED, connection_attempts
from terminal_kit.analysis.readers import named
from terminal_kit.analysis.rows import BY_LINK, Rows, is_undated, nearest, of, steady, time
from terminal_kit.analysis.twins import elsewhere, once
from terminal_kit.events import Kind

SIGNAL_COUNTS_US = 10_000_000
"""A signal so long before a drop still says something about it; an older one would be a held value (X8)."""
_DROP = ["run", "terminal", "reader", "session", "t_us", "wall_us", "reason", "reason_source", "hci_code", "rssi_dbm"]


def disconnects(frame: pd.DataFrame) -> pd.DataFrame:
    """The disconnects, one row each, oldest first.

    A `link_disconnected` joined with its session's `disconnected`, or either alone where only one is known; a reason
    learned later replaces an earlier one (X1). Columns: `time`, `t_us`, `run`, `terminal`, `reader`, `session`,
    `reason`, `reason_source`, `hci_code`; `rssi_dbm` just before (at most 10 s, else missing); `awaited` tells that an
    automatic reconnection began; `returned_s` seconds until the reader was connected again, missing if it was not
    before its next drop, or the file tells no times; `returned_by` "itself" or "hand", missing where only a capture saw
    it, which does not tell. A drop that an app's log and a capture tell is one.
    """
    frame = named(frame)
    frame = frame.assign(wall_us=frame["t_us"], t_us=steady(frame))
    links = of(frame, Kind.LINK_DISCONNECTED)[_DROP]
    ends = of(frame, Kind.DISCONNECTED)[_DROP]
    known = ends[BY_LINK].merge(
        links.loc[links["session"].notna(), BY_LINK].drop_duplicates(), how="left", indicator=True
    )["_merge"]
    alone = ends[(known == "left_only").to_numpy()]
    drops: Rows = _with_learned(pd.concat([links, alone]).sort_values("t_us", kind="stable"), frame)
    knows_link = drops["hci_code"].notna()
    drops = once(
        pd.concat([drops[knows_link], drops[~knows_link]]), frame, fill=["reason", "reason_source", "rssi_dbm"]
    )
    drops = _with_signal(drops.sort_values("t_us", kind="stable", ignore_index=True), frame)
    drops = _with_return(drops, frame)
    drops["t_us"] = drops.pop("wall_us")
    drops["returned_s"] = drops["returned_s"].mask(is_undated(drops["t_us"]))
    drops.insert(0, "time", time(drops["t_us"]))
    return drops


def _with_learned(drops: Rows, frame: Rows) -> Rows:
    learned = of(frame, Kind.REASON_LEARNED)[[*BY_LINK, "reason", "reason_source", "hci_code"]]
    learned = learned.drop_duplicates(BY_LINK, keep="last")
    learned = learned[learned["session"].notna()]
    joined = drops.merge(learned, how="left", on=BY_LINK, suffixes=("", "_learned"))
    for column in ("reason", "reason_source", "hci_code"):
        joined[column] = joined.pop(f"{column}_learned").fillna(joined[column])
    return joined


def _with_signal(drops: Rows, frame: Rows) -> Rows:
    heard = of(frame, Kind.SIGNAL)[["t_us", "reader", "rssi_dbm"]].dropna()
    before = nearest(drops, heard.rename(columns={"rssi_dbm": "heard_dbm"}), tolerance=SIGNAL_COUNTS_US)
    drops["rssi_dbm"] = drops["rssi_dbm"].fillna(before["heard_dbm"])
    return drops


def _with_return(drops: Rows, frame: Rows) -> Rows:
    told = of(frame, Kind.RECONNECT_SUCCEEDED, Kind.CONNECT_SUCCEEDED)[["t_us", "run", "reader", "kind"]]
    telling = told["run"].unique()
    links: Rows = connection_attempts(frame)
    links = links[links["is_made"].astype(bool) & ~links["run"].isin(telling)]
    links = links[~elsewhere(links, frame, telling)].assign(kind=Kind.LINK_CONNECTED.value)[list(told)]
    back: Rows = pd.concat([part for part in (told, links) if len(part)] or [told])
    returned: Rows = pd.DataFrame({"t_us": back["t_us"], "reader": back["reader"], "back_us": back["t_us"]})
    returned["returned_by"] = back["kind"].map(
        {Kind.RECONNECT_SUCCEEDED.value: "itself", Kind.CONNECT_SUCCEEDED.value: "hand"}
    )
    after = nearest(drops, returned, direction="forward")
    # A link that never was ends no wait.
    real_us = drops["t_us"].astype("Int64").mask((drops["hci_code"] == NOT_ESTABLISHED).fillna(value=False))
    next_us = real_us.groupby(drops["reader"]).bfill().groupby(drops["reader"]).shift(-1)
    in_time = (after["back_us"].notna() & (next_us.isna() | (after["back_us"] <= next_us))).fillna(value=False)
    begun = of(frame, Kind.RECONNECT_STARTED)[["t_us", "reader"]]
    begun = nearest(drops, begun.assign(begun_us=begun["t_us"]), direction="forward")["begun_us"]
    drops["awaited"] = (begun.notna() & (next_us.isna() | (begun < next_us))).fillna(value=False).astype(bool)
    drops["awaited"] &= ~(after["back_us"].notna() & (after["back_us"] < begun)).fillna(value=False).astype(bool)
    drops["returned_s"] = ((after["back_us"] - drops["t_us"]).astype("Float64") / 1e6).where(in_time)
    drops["returned_by"] = after["returned_by"].where(in_time)
    return drops
