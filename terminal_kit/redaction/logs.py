"""`redact_log()`: a whole log to give away, with its imported files' names and the advertisements beside it."""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.place import translated
from terminal_kit.eventlog.reading import pages
from terminal_kit.eventlog.schema import NAMES
from terminal_kit.eventlog.sources import NAMES as SOURCE_NAMES
from terminal_kit.redaction.redactor import Redactor

PAGE = 10_000
"""Rows redacted at a time: some ten megabytes of them as Python objects."""

Progress = Callable[[int, int], None]
"""Told how many rows of how many are through."""


def redact_log(
    log: EventLog,
    path: str | Path,
    *,
    key: bytes | str | None = None,
    redactor: Redactor | None = None,
    on_progress: Progress | None = None,
) -> Redactor:
    """Writes a redacted copy of a log to `path`; gives the redactor, whose `key` extends the case.

    Runs, times, order, imported files with their clocks and hashes, aliases and notes are in it, under pseudonyms; what
    simulations did (`truth`) is not. All advertisements of captures are copied, too. The names are learned from the
    whole log before the first row is redacted. Raises `EventLogError` where there is a file at `path` already, or it
    cannot be written; then there is nothing of it.
    """
    target = Path(path).expanduser()
    if target.exists():
        raise EventLogError(f"{target} is there already", path=str(target), hint="Name a file that is not there yet.")
    door = redactor or Redactor(key)
    learn_log(log, door)
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    try:
        with closing(EventLog(part)) as made:
            _copy(log, made.connection, door, on_progress)
        for source in log.sources():
            _copy_advertisements(log.advertisements_path(source), _beside(target, source), door)
        part.replace(target)
    except sqlite3.Error as error:
        raise translated(error, target) from error
    except OSError as error:
        raise EventLogError(f"{target} cannot be written: {error.strerror or error}", path=str(target)) from error
    finally:
        _remove(part)
        if not target.exists():
            shutil.rmtree(_folder(target), ignore_errors=True)
    return door


def learn_log(log: EventLog, door: Redactor) -> None:
    """Takes the names of the whole log."""
    door.learn((row[0] for row in log.query("SELECT DISTINCT host FROM runs")), sort="host")
    for identity, name, address in log.query("SELECT id, name, address FROM locations"):
        door.learn([identity, name, address], sort="location")
    door.aliases(log.aliases())
    naming = ["reader", "location", "terminal", "text", "extra"]
    for rows in pages(log, ["seq", *naming], "1", [], size=PAGE):
        _, *columns = zip(*rows, strict=True)
        door.learn_columns({name: set(cells) for name, cells in zip(naming, columns, strict=True)})


def _copy(log: EventLog, db: sqlite3.Connection, door: Redactor, on_progress: Progress | None) -> None:
    db.execute("BEGIN IMMEDIATE")
    for run in log.runs():
        host = None if run.host is None else door.name(run.host, sort="host")
        app = None if run.app is None else door.text(run.app, is_version=True)
        row = (run.id, run.radio, host, app, run.time_zone, run.seed)
        _insert(db, "runs", ("id", "radio", "host", "app", "time_zone", "seed"), [row])
    sources = [door.source(source) for source in log.sources()]
    _insert(db, "sources", SOURCE_NAMES, [tuple(getattr(source, name) for name in SOURCE_NAMES) for source in sources])
    _insert(db, "aliases", ("alias", "reader"), list(door.aliases(log.aliases()).items()))
    locations = log.query("SELECT id, name, region, time_zone FROM locations")
    kept = [(door.name(identity), door.name(name or ""), region, zone) for identity, name, region, zone in locations]
    _insert(db, "locations", ("id", "name", "region", "time_zone"), kept)
    total, done = log.last_seq(), 0
    for rows in _rows(log, {source.id: source.clock_offset_us for source in sources}, door):
        _insert(db, "events", NAMES, rows)
        done = rows[-1][0]
        if on_progress is not None:
            on_progress(done, total)
    db.execute("COMMIT")


def _rows(log: EventLog, offsets: dict[int, int], door: Redactor) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as they are stored, redacted; their clocks are corrected when they are read, as before."""
    t_us, source = NAMES.index("t_us"), NAMES.index("source")
    for page in pages(log, NAMES, "1", [], size=PAGE):
        columns: list[Sequence[Any]] = list(zip(*page, strict=True))
        columns[t_us] = [
            when - offsets.get(of, 0) if isinstance(when, int) else when
            for when, of in zip(columns[t_us], columns[source], strict=True)
        ]
        yield list(zip(*(door.column(name, cells) for name, cells in zip(NAMES, columns, strict=True)), strict=True))


def _insert(db: sqlite3.Connection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - our names


def _copy_advertisements(source: Path, target: Path, door: Redactor) -> None:
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetFile(source) as file:
        schema = pa.schema([file.schema_arrow.field(name).remove_metadata() for name in file.schema_arrow.names])
        with pq.ParquetWriter(target, schema) as writer:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                for name in group.column_names:
                    if (redacted := _redacted(group.column(name), door)) is not None:
                        group = group.set_column(group.column_names.index(name), name, redacted)
                writer.write_table(group.replace_schema_metadata(None).cast(schema))


def _redacted(column: Any, door: Redactor) -> Any:
    """A column of names, each replaced; None for a column of numbers."""
    kind = column.type
    words = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(words) or pa.types.is_large_string(words)):
        return None
    encoded = column.combine_chunks() if pa.types.is_dictionary(kind) else column.combine_chunks().dictionary_encode()
    names = [None if name is None else door.name(name, sort="reader") for name in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(names, words)).cast(
        kind if kind == words else words
    )


def _folder(log: Path) -> Path:
    return log.with_name(f"{log.name}.advertisements")


def _beside(log: Path, source: Source) -> Path:
    """As `EventLog.advertisements_path` has it, for a log that is not open."""
    return _folder(log) / f"{source.sha256[:16]}.parquet"


def _remove(part: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            part.with_name(part.name + suffix).unlink(missing_ok=True)
