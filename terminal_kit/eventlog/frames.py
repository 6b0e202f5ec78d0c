"""Rows as pandas frames: the columns of `events.COLUMNS`, typed the same way whether or not there are rows."""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog.schema import BOOL_COLUMNS, NAMES, TYPES

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
TIME = "time"

CHUNK = 100_000
"""Rows fetched at a time, so that a large log is not held twice as Python objects."""


def schema(names: Sequence[str] = NAMES) -> pa.Schema:
    """The Arrow schema of these columns; `radio` comes from the runs table."""
    return pa.schema([(name, pa.string() if name == RADIO else ARROW[TYPES[name]]) for name in names])


def table(log: "EventLog", where: str, values: Sequence[Any], names: Sequence[str]) -> pa.Table:
    """The rows as an Arrow table, in the log's order, with readers under their one name."""
    radios = {facts.id: facts.radio for facts in log.runs()}
    aliases = log.aliases()
    wanted = [name for name in names if name != RADIO]
    fetched = list(dict.fromkeys([*wanted, "run"]))
    arrow = schema(names)
    batches: list[pa.RecordBatch] = []
    cursor = log.cursor(f"SELECT {', '.join(fetched)} FROM events WHERE {where} ORDER BY seq", values)  # noqa: S608
    while rows := cursor.fetchmany(CHUNK):
        columns: dict[str, Sequence[Any]] = dict(zip(fetched, zip(*rows, strict=True), strict=True))
        for name in BOOL_COLUMNS:
            if name in columns:
                columns[name] = [None if value is None else bool(value) for value in columns[name]]
        if aliases and "reader" in columns:
            columns["reader"] = [aliases.get(reader, reader) for reader in columns["reader"]]
        if RADIO in names:
            columns[RADIO] = [radios.get(run) for run in columns["run"]]
        arrays = [pa.array(columns[name], arrow.field(name).type) for name in names]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=arrow))
    return pa.Table.from_batches(batches, schema=arrow)


def as_pandas(rows: pa.Table) -> pd.DataFrame:
    """A typed frame with `time`, where `t_us` is among its columns."""
    found = rows.to_pandas(types_mapper=PANDAS.get)
    if "t_us" in found:
        found[TIME] = pd.to_datetime(found["t_us"].astype("int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    return found


def frame(
    log: "EventLog", where: str, values: Sequence[Any], *, columns: Collection[str] | None = None
) -> pd.DataFrame:
    """See `EventLog.frame()`."""
    known = [*NAMES, RADIO]
    unknown = set(columns or ()) - {*known, TIME}
    if unknown:
        raise InvalidParameterError(
            f"there is no column {', '.join(sorted(unknown))}",
            parameter="columns",
            hint=f"Choose of {', '.join(known)}.",
        )
    asked = list(columns) if columns is not None else [*known, TIME]
    names = [name for name in asked if name != TIME]
    if TIME in asked and "t_us" not in names:
        names.append("t_us")
    return as_pandas(table(log, where, values, names)).loc[:, asked]
