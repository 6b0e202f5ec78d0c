"""The archive: closed days as Parquet, partitioned by day and by a hash of the reader, with the schema's version.

`day=2026-11-24/bucket=07-<log>.parquet`: several logs share a folder, and each replaces only its own files. Rows are
as the log has them, under the names that readers were first known by, so that a row always lies in the same file;
`aliases-<log>.parquet` says which names are one reader, as the log last knew it.
"""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import os
import zlib
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog.filters import EPOCH, Among, chosen_radios, refuse_mixture
from terminal_kit.eventlog.frames import JOINED, RADIO, as_pandas, schema, table
from terminal_kit.eventlog.schema import NAMES, VERSION

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

BUCKETS = 16
"""Parts a day: per-reader work on a hundred million rows fits in memory one part at a time."""

DAY_US = 86_400_000_000
VERSION_KEY = b"terminal_kit.schema_version"

_ALIASES = pa.schema([("alias", pa.string()), ("reader", pa.string())])


def archive(log: "EventLog", folder: Path, day: str | None) -> list[Path]:
    """See `EventLog.to_parquet()`."""
    where, values = "1", list[int]()
    if day is not None:
        start_us = _day_us(day)
        where, values = "t_us >= ? AND t_us < ?", [start_us, start_us + DAY_US]
    rows = table(log, where, values, [*NAMES, *JOINED], aliased=False)
    try:
        written = _write_days(rows, folder, log.identity)
        if aliases := log.aliases():
            known = [{"alias": alias, "reader": reader} for alias, reader in aliases.items()]
            _write(pa.Table.from_pylist(known, _ALIASES), folder / f"aliases-{log.identity}.parquet")
    except OSError as error:
        raise EventLogError(f"{folder} cannot be written: {error.strerror or error}", path=str(folder)) from error
    return sorted(written)


def _write_days(rows: pa.Table, folder: Path, identity: str) -> list[Path]:
    """A file for each day and bucket; the log's other files of these days go."""
    arrow = schema([*NAMES, *JOINED]).with_metadata({VERSION_KEY: str(VERSION).encode()})
    readers = rows["reader"].to_pylist()
    buckets = {reader: zlib.crc32((reader or "").encode()) % BUCKETS for reader in set(readers)}
    days = np.floor_divide(pc.fill_null(rows["t_us"], 0).to_numpy(), DAY_US)
    keyed = rows.append_column("_day", pa.array(days, pa.int32()))
    keyed = keyed.append_column("_bucket", pa.array([buckets[reader] for reader in readers], pa.int32()))
    keys = sorted(
        (key["_day"], key["_bucket"]) for key in keyed.group_by(["_day", "_bucket"]).aggregate([]).to_pylist()
    )
    written: list[Path] = []
    for number, parts in groupby(keys, itemgetter(0)):
        place = folder / f"day={np.datetime64(number, 'D')}"
        place.mkdir(parents=True, exist_ok=True)
        before = set(place.glob(f"bucket=*-{identity}.parquet"))
        for _, bucket in parts:
            mine = pc.and_(pc.equal(keyed["_day"], number), pc.equal(keyed["_bucket"], bucket))  # pyright: ignore
            path = place / f"bucket={bucket:02d}-{identity}.parquet"
            _write(keyed.filter(mine).select(arrow.names).cast(arrow), path)
            written.append(path)
        for path in before.difference(written):
            path.unlink(missing_ok=True)
    return written


def _write(rows: pa.Table, path: Path) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        pq.write_table(rows, part, compression="zstd")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def frame_from_parquet(folder: str | Path, *, radio: Among = None) -> pd.DataFrame:
    """The archive as the same typed frame as `EventLog.frame()`: log after log, each in its order.

    `radio` says which kinds of radio are meant, "all" mixes them. Raises `EventLogError` where simulated and real rows
    would be mixed unasked, for a newer schema and for a file that cannot be read, `InvalidParameterError` for a radio
    that there is not.
    """
    chosen = None if radio is None else chosen_radios(radio)
    folder = Path(folder)
    logs: dict[str, list[pa.Table]] = {}
    for path in sorted(folder.glob("day=*/bucket=*.parquet")):
        logs.setdefault(_log_of(path), []).append(_part(path))
    if not logs:
        raise EventLogError(f"{folder} holds no archive", path=str(folder))
    aliases = {_log_of(path): _read(path) for path in folder.glob("aliases-*.parquet")}
    rows = pa.concat_tables(
        _renamed(pa.concat_tables(parts).sort_by("seq"), aliases.get(log)) for log, parts in sorted(logs.items())
    )
    if radio is None:
        refuse_mixture(pc.unique(rows[RADIO]).to_pylist(), folder.name, str(folder))
    elif chosen is not None:
        rows = rows.filter(pc.is_in(rows[RADIO], pa.array(sorted(chosen), pa.string())))
    return as_pandas(rows)


def _log_of(path: Path) -> str:
    """The log that a file of the archive is from; nothing for a file from before they said."""
    return path.stem.partition("-")[2]


def _part(path: Path) -> pa.Table:
    part = _read(path)
    told = (part.schema.metadata or {}).get(VERSION_KEY, b"")
    lacking = {"seq", "t_us", "run", "reader", "kind"} - set(part.column_names)
    if not told.isdigit() or lacking:
        raise EventLogError(f"{path} is no part of an archive", path=str(path))
    if int(told) > VERSION:
        raise EventLogError(
            f"{path} has schema version {int(told)}; this kit knows {VERSION}",
            path=str(path),
            hint="Update terminal_kit to read it.",
        )
    arrow = schema([*NAMES, *JOINED])
    try:
        return pa.table(
            [
                part[field.name].cast(field.type)
                if field.name in part.column_names
                else pa.nulls(len(part), field.type)
                for field in arrow
            ],
            schema=arrow,
        )
    except pa.ArrowException as error:
        raise EventLogError(f"{path} is damaged: {error}", path=str(path)) from error


def _read(path: Path) -> pa.Table:
    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise EventLogError(f"{path} is no Parquet file, or is damaged", path=str(path)) from error


def _renamed(rows: pa.Table, aliases: pa.Table | None) -> pa.Table:
    """The rows with each reader under its one name."""
    if aliases is None:
        return rows
    names = dict(zip(aliases["alias"].to_pylist(), aliases["reader"].to_pylist(), strict=True))
    readers = rows["reader"].combine_chunks().dictionary_encode()
    one_name = pa.array([names.get(reader, reader) for reader in readers.dictionary.to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index("reader"), "reader", one_name.take(readers.indices))


def _day_us(day: str) -> int:
    """When a UTC day begins, microseconds. Raises `InvalidParameterError`."""
    try:
        begins = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"{day!r} is no day", parameter="day", value=day, hint="Write it as 2026-11-24, which is taken as UTC."
        ) from error
    return (begins - EPOCH) // timedelta(microseconds=1)
