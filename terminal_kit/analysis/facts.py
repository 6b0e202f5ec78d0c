"""What was known of a reader at a moment: its firmware, its place, the file that told of it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Sequence

import pandas as pd

from terminal_kit.analysis.links import sessions
from terminal_kit.analysis.readers import named
from terminal_kit.analysis.rows import Rows
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import Kind

OF_RUN = ("radio",)
OF_RECORDING = ("file", "source")
OF_READER = ("firmware", "location", "device_type")
FACTS = ("run", "terminal", "reader", *OF_RUN, *OF_RECORDING, *OF_READER)
"""Columns by which tables can be grouped."""

OTHER_NAMES = {"phone": "run", "place": "location"}
"""What people call them. An import is of one phone, and one run."""


def fact(name: str) -> str:
    """The column that is meant. Raises `InvalidParameterError` where there is none."""
    column = OTHER_NAMES.get(str(name), name)
    if column not in FACTS:
        raise InvalidParameterError(
            f"nothing is grouped by {name}",
            parameter="by",
            value=name,
            hint=f"Choose from {', '.join((*FACTS, *OTHER_NAMES))}.",
        )
    return column


def with_facts(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The table (with `t_us`, `run` and `reader`) and those columns of `by` that it has not got.

    `radio` is its run's. `firmware`, `location` and `device_type` are what the reader's rows said last at that moment,
    else what they said first after it; what a session's rows say first holds from its start, since a reader tells of
    itself only once it is connected. Of an update it is the software before it. `file` and `source` likewise, within
    the run. A fact that no row tells is missing. Raises `InvalidParameterError` for a column by which nothing is
    grouped.
    """
    found: Rows = table
    frame = named(frame)
    for name in by:
        if name in found:
            continue
        column = fact(name)
        if column in found:
            found = found.assign(**{name: found[column]})
            continue
        if column not in frame:
            raise InvalidParameterError(f"the frame has no column {column}", parameter="frame", value=column)
        keys = ["run"] if column in OF_RUN else ["run", "reader"] if column in OF_RECORDING else ["reader"]
        known = frame.loc[frame[column].notna(), ["t_us", *keys, "kind", column]].dropna()
        known = known.astype({"t_us": "int64"}).sort_values("t_us", kind="stable")
        if column in OF_READER:
            known = _from_the_start(known, frame)
        at_the_time = _at_the_time(found, known.drop(columns="kind"), keys, column)
        if column == "firmware" and "firmware_from" in found:
            at_the_time = found["firmware_from"].fillna(at_the_time)
        found = found.assign(**{name: at_the_time})
    return found


def _from_the_start(known: Rows, frame: Rows) -> Rows:
    """What each session's rows say first, as if it were said at its start."""
    held: Rows = sessions(frame)[["t_us", "reader", "duration_s"]]
    if known.empty or held.empty:
        return known
    held = held.assign(start_us=held["t_us"], until_us=held["t_us"] + (held["duration_s"] * 1e6).round())
    held = held[["t_us", "reader", "start_us", "until_us"]].astype({"reader": known["reader"].dtype})
    spans: Rows = pd.merge_asof(known, held, on="t_us", by="reader")
    within: Rows = spans[(spans["t_us"] <= spans["until_us"]).fillna(value=False).astype(bool)]
    first = within.drop_duplicates(["reader", "start_us"])
    first = first[first["kind"] != Kind.UPDATE_FINISHED]  # which tells of the software after it
    at_us = spans["t_us"].where(~spans.index.isin(first.index), spans["start_us"]).astype("int64").to_numpy()
    return known.assign(t_us=at_us).sort_values("t_us", kind="stable")


def _at_the_time(found: Rows, known: Rows, keys: list[str], column: str) -> Rows:
    asked = found[["t_us", *keys]].assign(place=range(len(found))).astype({"t_us": "int64"})
    asked = asked.sort_values("t_us", kind="stable")
    if known.empty or asked.empty:
        return pd.Series(pd.NA, index=found.index, dtype=known[column].dtype)
    known = known.astype({key: asked[key].dtype for key in keys})
    before = pd.merge_asof(asked, known, on="t_us", by=keys)
    after = pd.merge_asof(asked, known, on="t_us", by=keys, direction="forward")
    at_the_time = before[column].fillna(after[column]).set_axis(before["place"]).sort_index()
    return at_the_time.set_axis(found.index)
