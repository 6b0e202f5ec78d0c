"""The log's tables, their version, and the way from an older version to this one."""

import sqlite3
import uuid
from collections.abc import Callable, Sequence

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog import sources
from terminal_kit.events import COLUMNS, ColumnType

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

META = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
"""What is said of the log as a whole; its `identity` tells its files in an archive from another log's."""


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
        "CREATE TABLE sources (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL)",
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

    What a log of this version lacks, since it is older than a column or than the log's identity, is added.
    Raises `EventLogError`: not a log, or of a newer version.
    """
    application, version = check(db, path, len(migrations))
    if application == APPLICATION_ID and version == len(migrations) and _is_complete(db, path):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        # Somebody else may have been quicker.
        _, version = check(db, path, len(migrations))
        for step in migrations[version:]:
            step(db)
        _complete(db, path)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def check(db: sqlite3.Connection, path: str, newest: int = VERSION, *, empty: bool = True) -> tuple[int, int]:
    """The file's application id and version; `empty` says whether it may be empty, to become a log.

    Raises `EventLogError` where it is no log, or a newer one.
    """
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (application or version or tables):
        raise EventLogError(f"{path} is a database, but not an event log", path=path)
    if application != APPLICATION_ID and not empty:
        raise EventLogError(f"{path} is empty: it is no event log yet", path=path)
    if version > newest:
        raise EventLogError(
            f"{path} has schema version {version}; this kit knows {newest}",
            path=path,
            hint="Update terminal_kit to read it.",
        )
    return application, version


def absent(db: sqlite3.Connection, path: str) -> list[str]:
    """The columns that a log, written before they were known, lacks. Raises `EventLogError` for one it must have."""
    there = {str(row[1]) for row in db.execute("PRAGMA table_info(events)")}
    lacking = [column for column in COLUMNS if column.name not in there]
    if needed := [column.name for column in lacking if column.required]:
        raise EventLogError(f"{path} is damaged: its events have no {', '.join(needed)}", path=path)
    return [column.name for column in lacking]


def identity(db: sqlite3.Connection, path: str) -> str:
    """What tells this log from every other: 32 hexadecimal digits, drawn when the log was made.

    For a log from before there was one, which is open for reading only, it follows from its first run, as it will when
    it is drawn.
    """
    if _has_identity(db):
        return str(db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()[0])
    return _first_identity(db) or uuid.uuid5(uuid.NAMESPACE_URL, path).hex


def _is_complete(db: sqlite3.Connection, path: str) -> bool:
    return not absent(db, path) and not sources.lacking(db) and _has_identity(db)


def _complete(db: sqlite3.Connection, path: str) -> None:
    for name in absent(db, path):
        db.execute(f"ALTER TABLE events ADD COLUMN {name} {_AFFINITY[TYPES[name]]}")
    sources.complete(db)
    db.execute(META)
    if not _has_identity(db):
        drawn = _first_identity(db) or uuid.uuid4().hex
        db.execute("INSERT INTO meta (key, value) VALUES ('identity', ?)", (drawn,))


def _has_identity(db: sqlite3.Connection) -> bool:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return False
    return db.execute("SELECT 1 FROM meta WHERE key = 'identity'").fetchone() is not None


def _first_identity(db: sqlite3.Connection) -> str | None:
    first = db.execute("SELECT id FROM runs ORDER BY rowid LIMIT 1").fetchone()
    return uuid.uuid5(uuid.NAMESPACE_OID, str(first[0])).hex if first else None
