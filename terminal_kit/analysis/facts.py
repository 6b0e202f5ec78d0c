"""What was known of a reader at a moment: its firmware, its place, the file that told of it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence

import pandas as pd

from terminal_kit.analysis.rows import Rows
from terminal_kit.errors import InvalidParameterError

OF_RUN = ("radio",)
OF_RECORDING = ("file", "source")
OF_READER = ("firmware", "location", "device_type")
FACTS = ("run", "terminal", "reader", *OF_RUN, *OF_RECORDING, *OF_READER)
"""Columns by which tables can be grouped."""

OTHER_NAMES = {"phone": "run", "place": "location"}
"""What people call them. An import is of one phone, and one run."""


def fact(name: str) -> str:
    """The column that is meant. Raises `InvalidParameterError` where there is none."""
    if (column := OTHER_NAMES.get(name, name)) not in FACTS:
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
    else what they said first after it; of an update that is the software before it. `file` and `source` likewise,
    within the run. A fact that no row tells is missing. Raises `InvalidParameterError` for a column by which nothing is
    grouped.
    """
    found: Rows = table
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
        found = found.assign(**{name: _at_the_time(found, frame, keys, column)})
    return found


def _at_the_time(found: Rows, frame: Rows, keys: list[str], column: str) -> Rows:
    known = frame[["t_us", *keys, column]].dropna().astype({"t_us": "int64"}).sort_values("t_us", kind="stable")
    asked = found[["t_us", *keys]].assign(place=range(len(found))).astype({"t_us": "int64"})
    asked = asked.sort_values("t_us", kind="stable")
    if known.empty or asked.empty:
        return pd.Series(pd.NA, index=found.index, dtype=known[column].dtype)
    known = known.astype({key: asked[key].dtype for key in keys})
    before = pd.merge_asof(asked, known, on="t_us", by=keys)
    after = pd.merge_asof(asked, known, on="t_us", by=keys, direction="forward")
    at_the_time = before[column].fillna(after[column]).set_axis(before["place"]).sort_index()
    return at_the_time.set_axis(found.index)
