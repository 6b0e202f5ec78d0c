"""How readers come back after a drop: the automatic reconnections of a log."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pandas as pd

from terminal_kit.analysis.links import connection_attempts, steady_sessions
from terminal_kit.analysis.readers import SAME_US, named
from terminal_kit.analysis.rows import BY_ATTEMPT, BY_READER, Rows, dated, nearest, of, run_ends, steady, time
from terminal_kit.analysis.twins import once
from terminal_kit.events import Kind


def reconnections(frame: pd.DataFrame) -> pd.DataFrame:
    """The automatic reconnections, one row each, oldest first.

    Columns: `time` and `t_us` of the start, `run`, `terminal`, `reader`, `reason`, `attempts`, `duration_s`,
    `came_back` and `error_code`. One that failed, was canceled, or never ended because its run died is censored: its
    `duration_s` is how long it was watched, and `came_back` is false. Durations are those of the steady clock
    (`rows.steady`).
    """
    frame = dated(named(frame))
    frame = frame.assign(at_us=steady(frame))
    started = of(frame, Kind.RECONNECT_STARTED)
    started = started.assign(start_us=started["at_us"])[[*BY_ATTEMPT, "reader", "t_us", "start_us", "reason"]]
    ended = of(frame, Kind.RECONNECT_SUCCEEDED, Kind.RECONNECT_FAILED)
    ended = ended.assign(
        end_us=ended["at_us"], came_back=ended["kind"] == Kind.RECONNECT_SUCCEEDED, attempts=ended["attempt"]
    )
    ended = ended[[*BY_ATTEMPT, "end_us", "came_back", "attempts", "error_code"]].drop_duplicates(BY_ATTEMPT)
    found = started.merge(ended, how="left", on=BY_ATTEMPT)
    last_us = found["run"].map(run_ends(of(frame, *Kind)))
    found["duration_s"] = (found["end_us"].fillna(last_us) - found["start_us"]).astype("Float64") / 1e6
    found["came_back"] = found["came_back"].astype("boolean").fillna(value=False)
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", time(found["t_us"]))
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


def return_times(frame: pd.DataFrame) -> pd.DataFrame:
    """How long readers stayed away after a drop, one row each, oldest first.

    Columns: `time` and `t_us` of the drop, `run`, `terminal`, `reader`, `reason`, `attempts`, `duration_s`,
    `came_back`, `seen_by`. In runs that tell of reconnecting (`seen_by` "reconnection") they are `reconnections()`. In
    the others, captures above all, they go from the end of a dropped session to the start of the reader's next one
    ("link"), whoever made it; one after which no session follows is censored at the last row of its run, and one whose
    next session's start was not seen is left out, since nobody knows when that was. `attempts` are there the links that
    failed in between, and the one that did not. A session that was closed on purpose waits for no return. Of a drop
    that two recordings tell, the one that saw the return counts.
    """
    frame = dated(named(frame))
    told: Rows = reconnections(frame).assign(seen_by="reconnection")
    telling = of(frame, Kind.RECONNECT_STARTED)["run"].unique()
    linked = _by_link(frame)
    linked = linked[~linked["run"].isin(telling)]
    found: Rows = pd.concat([part for part in (told, linked) if len(part)] or [told], ignore_index=True)
    found = once(found.sort_values("came_back", ascending=False, kind="stable"), frame, fill=["reason"])
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    return found[["time", "t_us", *BY_READER, "reason", "attempts", "duration_s", "came_back", "seen_by"]]


def _by_link(frame: Rows) -> Rows:
    """As `return_times()`, as if nobody had told of reconnecting."""
    held = steady_sessions(frame, told_once=False).sort_values("start_us", kind="stable")  # whatever the clock said
    following = held.groupby(BY_READER, dropna=False)
    next_us = following["t_us"].shift(-1).astype("Int64")
    last_us = held["run"].map(run_ends(frame)).astype("Int64")
    back_us = following["start_us"].shift(-1).astype("Int64").fillna(last_us)
    is_known = following["start_seen"].shift(-1).astype("boolean").fillna(value=True)
    watched_s = (back_us - held["end_us"]) / 1e6
    gone = held.assign(next_us=next_us, watched_s=watched_s)[held["was_dropped"] & is_known.astype(bool)]
    gone = gone[~_asked_for(gone, frame)]
    gone = gone.assign(
        t_us=gone["ended_us"].astype("int64"),
        came_back=gone["next_us"].notna().astype("boolean"),
        duration_s=gone["watched_s"].clip(lower=0).astype("Float64"),
        seen_by="link",
    )
    gone = gone.assign(time=time(gone["t_us"])).sort_values("t_us", kind="stable", ignore_index=True)
    gone["attempts"] = (_failures(gone, frame) + gone["came_back"].astype("int64")).astype("Int32")
    return gone


def _asked_for(gone: Rows, frame: Rows) -> Rows:
    """Whether another recording tells that an end was wished for: a capture does not know."""
    held = steady_sessions(frame)
    wished = held.loc[held["is_ended"] & ~held["was_dropped"], ["ended_us", "reader"]]
    wished = wished.rename(columns={"ended_us": "t_us"}).assign(wished=True)
    ends = gone[["ended_us", "reader"]].rename(columns={"ended_us": "t_us"}).assign(place=range(len(gone)))
    near = nearest(ends.sort_values("t_us"), wished, direction="nearest", tolerance=SAME_US)
    near = near["wished"].notna().set_axis(ends.sort_values("t_us")["place"]).sort_index()
    return near.set_axis(gone.index)


def _failures(gone: Rows, frame: Rows) -> Rows:
    """How many links to the same reader failed after each of these ends and before the next session."""
    unmade: Rows = connection_attempts(frame)
    unmade = unmade[~unmade["is_made"].astype(bool)]
    number = pd.Series(range(len(gone)), index=gone.index)
    if not len(unmade) or not len(gone):
        return number * 0
    ends = gone[["t_us", "run", "reader", "next_us"]].assign(number=number)
    latest: Rows = pd.merge_asof(unmade[["t_us", "run", "reader"]], ends, on="t_us", by=["run", "reader"])
    between = (latest["t_us"] <= latest["next_us"]).fillna(value=True) & latest["number"].notna()
    return number.map(latest["number"][between.astype(bool)].value_counts()).fillna(0).astype("int64")
