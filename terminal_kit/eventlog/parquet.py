"""The archive: closed days as Parquet, partitioned by day and by a hash of the reader, with the schema's version."""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog.frames import RADIO, as_pandas, schema, table
from terminal_kit.eventlog.schema import NAMES, VERSION

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog

BUCKETS = 16
"""Parts a day: per-reader work on a hundred million rows fits in memory one part at a time."""

DAY_US = 86_400_000_000
VERSION_KEY = b"terminal_kit.schema_version"


def archive(log: "EventLog", folder: Path, day: str | None) -> list[Path]:
    """See `EventLog.to_parquet()`."""
    where, values = "1", list[int]()
    if day is not None:
        start_us = int(pd.Timestamp(day, tz="UTC").value // 1000)
        where, values = "t_us >= ? AND t_us < ?", [start_us, start_us + DAY_US]
    rows = table(log, where, values, [*NAMES, RADIO])
    arrow = schema([*NAMES, RADIO]).with_metadata({VERSION_KEY: str(VERSION).encode()})
    buckets = pa.array([zlib.crc32(reader.encode()) % BUCKETS for reader in rows["reader"].to_pylist()], pa.int32())
    days = pc.cast(pc.divide(rows["t_us"], DAY_US), pa.int32())  # pyright: ignore
    keyed = rows.append_column("_day", days).append_column("_bucket", buckets)
    written: list[Path] = []
    for key in keyed.group_by(["_day", "_bucket"]).aggregate([]).to_pylist():
        date = pd.Timestamp(key["_day"] * DAY_US * 1000, tz="UTC").strftime("%Y-%m-%d")
        mine = pc.and_(pc.equal(keyed["_day"], key["_day"]), pc.equal(keyed["_bucket"], key["_bucket"]))  # pyright: ignore
        path = folder / f"day={date}" / f"bucket={key['_bucket']:02d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        pq.write_table(keyed.filter(mine).select(arrow.names).cast(arrow), part, compression="zstd")
        part.replace(path)
        written.append(path)
    return sorted(written)


def frame_from_parquet(folder: str | Path) -> pd.DataFrame:
    """The archive as the same typed frame as `EventLog.frame()`. Raises `EventLogError` for a newer schema."""
    parts: list[pa.Table] = []
    for path in sorted(Path(folder).glob("day=*/bucket=*.parquet")):
        part = pq.ParquetFile(path).read()
        version = int((part.schema.metadata or {}).get(VERSION_KEY, b"0"))
        if version > VERSION:
            raise EventLogError(f"{path} has schema version {version}; this kit knows {VERSION}", path=str(path))
        parts.append(part.replace_schema_metadata())
    if not parts:
        raise EventLogError(f"{folder} holds no archive", path=str(folder))
    return as_pandas(pa.concat_tables(parts).sort_by("seq"))
