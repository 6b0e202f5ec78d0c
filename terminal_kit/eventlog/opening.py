"""Opening a log's file: looked at before it is touched, to write or only to read."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog.place import check_place, translated
from terminal_kit.eventlog.schema import check, prepare

BUSY_S = 10.0
"""How long to wait for another writer's commit, which takes milliseconds."""

AS_IT_LIES = "mode=ro&immutable=1"
"""Only the file itself: no locks, and no help files (`-shm`, `-wal`) beside it."""

_EFFECTIVE = os.access in os.supports_effective_ids

FileId = tuple[int, int]
"""A file's device and number: the same as long as it is the same file."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection to a log that may be written; makes the file where there is none. Raises `EventLogError`.

    A file that is refused keeps every byte.
    """
    check_place(path)
    if path.exists() and not _may_write(path):
        # SQLite would open it all the same, and fail at the first row.
        raise EventLogError(
            f"{path} cannot be written", path=str(path), hint="Check the permissions of the file and its folder."
        )
    try:
        if path.exists():
            # Choosing WAL writes to the file: first see whose it is.
            with closing(_connect(path, "mode=ro" if _in_use(path) else AS_IT_LIES)) as db:
                check(db, str(path))
        db = connect_writer(path, create=True)
        try:
            prepare(db, str(path))
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return db


def connect_writer(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection that writes, in WAL mode with FULL durability. Raises `sqlite3.Error`."""
    db = _connect(path, "mode=rwc" if create else "mode=rw")
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises `EventLogError`.

    A cleanly closed log that cannot be written (a read-only folder, another user's file) is read as it lies, without
    the help files that SQLite would make beside it; a recorder that starts later is not followed then.
    """
    if path.is_dir():
        raise EventLogError(f"{path} is a folder", path=str(path), hint="Name a file in it.")
    if not path.exists():
        raise EventLogError(f"there is no log {path}", path=str(path))
    quiet = not _in_use(path)
    try:
        try:
            db = _connect(path, AS_IT_LIES if quiet and not _may_write(path) else "mode=ro")
        except sqlite3.OperationalError as error:
            if not quiet or not _is_refused(error):
                raise
            db = _connect(path, AS_IT_LIES)
        try:
            check(db, str(path), empty=False)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        found = translated(error, path)
        if not quiet and _is_refused(error):
            found.hint = (
                "It was not closed, or is being recorded: read it where the file and its folder can be written."
            )
        raise found from error
    return db


def file_id(path: Path) -> FileId | None:
    """Which file lies at a path now, None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_refused(error: sqlite3.Error) -> bool:
    """Whether a right to write was missing: even reading needs one while the -wal is in use."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM"))


def _may_write(path: Path) -> bool:
    return all(os.access(place, os.W_OK, effective_ids=_EFFECTIVE) for place in (path, path.parent))


def _in_use(path: Path) -> bool:
    """Whether rows may lie in the -wal beside the file: somebody has it open, or did not end well."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except OSError:
        return False


def _connect(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db
