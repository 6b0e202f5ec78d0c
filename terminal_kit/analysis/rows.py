"""Rows of a frame by kind, their times, and the nearest of the same reader: what every question starts from."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import UNDATED_US, Kind

Rows = Any
"""A frame on its way: pandas' own annotations are too wide to check such code against."""

BY_LINK = ["run", "terminal", "reader", "session"]
BY_ATTEMPT = ["run", "terminal", "attempt_id"]
BY_READER = ["run", "terminal", "reader"]


def of(frame: Rows, *kinds: Kind) -> Rows:
    """The rows of these kinds."""
    return frame[frame["kind"].isin([kind.value for kind in kinds])]


def dated(frame: Rows) -> Rows:
    """The rows without those of files that tell no times, of which only the order is known."""
    if "source" not in frame:
        return frame
    return frame[frame["source"].isna() | ~is_undated(frame["t_us"])]


def is_undated(t_us: Rows) -> Rows:
    """Whether a time of an imported row is none, as a mask."""
    return t_us.between(0, UNDATED_US - 1)


def time(t_us: Rows) -> Rows:
    """Microseconds since 1970 as UTC times."""
    return pd.to_datetime(t_us.astype("int64"), unit="us", utc=True).astype("datetime64[us, UTC]")


def local(t_us: Rows, time_zone: str) -> Rows:
    """Microseconds since 1970 as times of the clock on the wall there, without a zone.

    Raises `InvalidParameterError` for a zone that there is not.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidParameterError(
            f"{time_zone} is no time zone",
            parameter="time_zone",
            value=time_zone,
            hint="Take an IANA name such as Europe/Berlin.",
        ) from error
    return time(t_us).dt.tz_convert(zone).dt.tz_localize(None)


def steady(frame: Rows) -> Rows:
    """`t_us` as a clock that nobody sets would have shown it: durations and the order within a run are taken from it.

    Where a row carries the recorder's monotonic clock, it is the time that the run's first such row was told at, and
    the monotonic time since; imported rows have no such clock, and keep their `t_us`.
    """
    t_us = frame["t_us"].astype("int64")
    known = frame[["run", "mono_us"]].assign(offset_us=t_us - frame["mono_us"]).dropna()
    if known.empty:
        return t_us
    offset_us = known.drop_duplicates("run").set_index("run")["offset_us"]
    return (frame["mono_us"] + frame["run"].map(offset_us)).fillna(t_us).astype("int64")


def run_ends(frame: Rows) -> Rows:
    """Run → its last row on the steady clock, µs: so long was everything in it watched."""
    return steady(frame).groupby(frame["run"]).max()


def joined(left: Rows, right: Rows, on: list[str]) -> Rows:
    """Every row on the left with what the right has for it; an empty side is one of no rows (pandas 3.1 may raise)."""
    if len(left) and len(right):
        return left.merge(right, how="left", on=on)
    rest = right[[name for name in right if name not in on]].iloc[:0].reset_index(drop=True)
    return pd.concat([left.reset_index(drop=True), rest.reindex(range(len(left)))], axis=1)


def nearest(drops: Rows, others: Rows, **how: Any) -> Rows:
    """For each drop the nearest other row of the same reader, in the drops' order."""
    left = drops[["t_us", "reader"]].astype({"t_us": "int64"})
    right = others.astype({"t_us": "int64"}).sort_values("t_us", kind="stable")
    if left.empty or right.empty:
        # merge_asof cannot take an empty side of Arrow strings (pandas 3.1).
        return left.merge(right.drop(columns="t_us"), how="left", on="reader")
    return pd.merge_asof(left, right, on="t_us", by="reader", **how)
