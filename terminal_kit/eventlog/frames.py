"""Rows as pandas frames: the columns of `events.COLUMNS`, typed the same way whether or not there are rows."""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from collections.abc import Collection, Sequence
from contextlib import suppress
from types import NoneType
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from terminal_kit.eventlog.cells import READ, Fit
from terminal_kit.eventlog.filters import one_of
from terminal_kit.eventlog.reading import pages
from terminal_kit.eventlog.schema import NAMES, TYPES
from terminal_kit.events import ColumnType

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

ARROW: dict[str, pa.DataType] = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "int16": pa.int16(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "bool": pa.bool_(),
    "str": pa.string(),
    "json": pa.string(),
}

PANDAS: dict[pa.DataType, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}

RADIO = "radio"
FILE = "file"
CONTAINER = "container"
JOINED = (RADIO, FILE, CONTAINER)
"""What is not in a row but in the tables of its run and its source."""

TIME = "time"

_PLAIN: dict[ColumnType, set[type]] = {
    "int64": {int, NoneType},
    "int32": {int, NoneType},
    "int16": {int, NoneType},
    "float64": {float, NoneType},
    "float32": {float, NoneType},
    "bool": {NoneType},
    "str": {str, NoneType},
    "json": {str, NoneType},
}
"""The types of a column's cells as SQLite gives them, where nothing has to be looked at one by one."""

NO_TIME = -(2**63)
"""What numpy takes for no time."""

CHUNK = 100_000
"""Rows fetched at a time, so that a large log is not held twice as Python objects."""


def schema(names: Sequence[str] = NAMES) -> pa.Schema:
    """The Arrow schema of these columns; `JOINED` ones come from the tables of runs and sources."""
    return pa.schema([(name, ARROW[TYPES.get(name, "str")]) for name in names])


def table(
    log: "EventLog", where: str, values: Sequence[Any], names: Sequence[str], *, aliased: bool = True
) -> pa.Table:
    """The rows as an Arrow table, in the log's order; `aliased` gives readers their one name."""
    radios = {facts.id: facts.radio for facts in log.runs()}
    sources = log.sources() if {FILE, CONTAINER} & {*names} else []
    of_source = {
        FILE: {source.id: source.name for source in sources},
        CONTAINER: {source.id: source.container for source in sources},
    }
    aliases = log.aliases() if aliased else {}
    fetched = list(dict.fromkeys(["seq", *(name for name in names if name in TYPES), "run", "source"]))
    arrow = schema(names)
    tables: list[pa.Table] = []
    for rows in pages(log, fetched, where, values, size=CHUNK):
        columns: dict[str, Sequence[Any]] = dict(zip(fetched, zip(*rows, strict=True), strict=True))
        if aliases and "reader" in columns:
            columns["reader"] = [aliases.get(reader, reader) for reader in columns["reader"]]
        if RADIO in names:
            columns[RADIO] = [radios.get(run) for run in columns["run"]]
        for name in of_source.keys() & {*names}:
            columns[name] = [of_source[name].get(source) for source in columns["source"]]
        tables.append(pa.table({name: _array(name, columns[name], arrow.field(name).type) for name in names}, arrow))
    return pa.concat_tables(tables) if tables else arrow.empty_table()


def _array(name: str, cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column; cells that do not hold what it should (a damaged row, or another program's) are null."""
    column = TYPES.get(name, "str")
    if set(map(type, cells)) <= _PLAIN[column]:
        with suppress(pa.ArrowException, OverflowError):
            return pa.array(cells, kind)
    fit = READ["str" if column == "json" else column]
    return pa.array([_fitting(cell, fit) for cell in cells], kind)


def _fitting(cell: Any, fit: Fit) -> Any:
    try:
        return None if cell is None else fit(cell)
    except Exception:
        return None


def as_pandas(rows: pa.Table) -> pd.DataFrame:
    """A typed frame with `time`, where `t_us` is among its columns."""
    found = rows.to_pandas(types_mapper=PANDAS.get)
    if "t_us" in found:
        # A view, since a time may lie further off than what pandas would parse.
        times = found["t_us"].to_numpy("int64", na_value=NO_TIME).view("M8[us]")
        found[TIME] = pd.Series(times, index=found.index).dt.tz_localize("UTC")
    return found


def frame(
    log: "EventLog", where: str, values: Sequence[Any], *, columns: str | Collection[str] | None = None
) -> pd.DataFrame:
    """See `EventLog.frame()`."""
    known = (*NAMES, *JOINED, TIME)
    asked = list(known) if columns is None else [columns] if isinstance(columns, str) else list(columns)
    for name in asked:
        one_of(name, known, "column")
    names = [name for name in dict.fromkeys(asked) if name != TIME]
    if TIME in asked and "t_us" not in names:
        names.append("t_us")
    return as_pandas(table(log, where, values, names)).loc[:, asked]
