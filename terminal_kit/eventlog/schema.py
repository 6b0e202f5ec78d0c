"""The log's tables, their version, and the way from an older version to this one."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, cast

from terminal_kit.errors import EventLogError
from terminal_kit.events import COLUMNS, ColumnType, Event

APPLICATION_ID = 0x54_4B_45_4C
"""SQLite's `application_id`: "TKEL". A file with another one is not ours."""

VERSION = 1
"""SQLite's `user_version`: the major schema version. Additional columns do not change it."""

_AFFINITY: dict[ColumnType, str] = {
    "int64": "INTEGER",
    "int32": "INTEGER",
    "int16": "INTEGER",
    "bool": "INTEGER",
    "float64": "REAL",
    "float32": "REAL",
    "str": "TEXT",
    "json": "TEXT",
}

NAMES = tuple(column.name for column in COLUMNS)
TYPES: dict[str, ColumnType] = {column.name: column.type for column in COLUMNS}
JSON_COLUMNS = tuple(column.name for column in COLUMNS if column.type == "json")
BOOL_COLUMNS = tuple(column.name for column in COLUMNS if column.type == "bool")


def _events_table() -> str:
    columns = [
        f"{c.name} {_AFFINITY[c.type]}" + (" PRIMARY KEY" if c.name == "seq" else " NOT NULL" if c.required else "")
        for c in COLUMNS
    ]
    return f"CREATE TABLE events ({', '.join(columns)})"


def _create(db: sqlite3.Connection) -> None:
    for statement in (
        _events_table(),
        "CREATE TABLE runs (id TEXT PRIMARY KEY, radio TEXT NOT NULL, host TEXT, app TEXT, time_zone TEXT, seed INT)",
        """CREATE TABLE sources (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, name TEXT, container TEXT,
           time_rule TEXT, clock_offset_us INTEGER)""",
        "CREATE TABLE aliases (alias TEXT PRIMARY KEY, reader TEXT NOT NULL)",
        "CREATE TABLE locations (id TEXT PRIMARY KEY, name TEXT, address TEXT, region TEXT, time_zone TEXT)",
        "CREATE TABLE truth (t_us INTEGER NOT NULL, run TEXT NOT NULL, reader TEXT, what TEXT NOT NULL, facts TEXT)",
    ):
        db.execute(statement)


Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Migration, ...] = (_create,)
"""Step n brings a log from version n to n + 1; the first one makes an empty file a log."""


def prepare(db: sqlite3.Connection, path: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Checks that a file is a log and brings it to this version, in one transaction; else it stays as it is.

    Raises `EventLogError`: not a log, or of a newer version.
    """
    application, version = check(db, path, len(migrations))
    if application == APPLICATION_ID and version == len(migrations):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        # Somebody else may have been quicker.
        _, version = check(db, path, len(migrations))
        for step in migrations[version:]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def check(db: sqlite3.Connection, path: str, newest: int = VERSION) -> tuple[int, int]:
    """The file's application id and version. Raises `EventLogError` where it is no log, or a newer one."""
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (application or version or tables):
        raise EventLogError(f"{path} is a database, but not an event log", path=path)
    if version > newest:
        raise EventLogError(
            f"{path} has schema version {version}; this kit knows {newest}",
            path=path,
            hint="Update terminal_kit to read it.",
        )
    return application, version


_VALUES = attrgetter(*NAMES)
_SEQ, _RUN, _EXTRA = (NAMES.index(name) for name in ("seq", "run", "extra"))


def as_row(event: Event, seq: int, run: str) -> tuple[Any, ...]:
    """An event of a run as a row, in the order of `NAMES`."""
    values = list(_VALUES(event))
    values[_SEQ], values[_RUN] = seq, run
    if event.extra is not None:
        values[_EXTRA] = json.dumps(dict(event.extra), ensure_ascii=False, default=str)
    return tuple(values)


def as_event(row: Sequence[Any], names: Sequence[str] = NAMES) -> Event:
    """A row as an event."""
    values: dict[str, Any] = dict(zip(names, row, strict=True))
    for name in BOOL_COLUMNS:
        if values.get(name) is not None:
            values[name] = bool(values[name])
    extra = values.get("extra")
    values["extra"] = as_json(extra) if isinstance(extra, str) else None
    return Event(**values)


def as_json(text: str) -> Mapping[str, Any]:
    """A JSON object; text that is none (a damaged row) is kept under `unreadable`."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"value": value}
