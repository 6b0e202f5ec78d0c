"""Where a log lies: whether it can lie there, and what SQLite's complaints mean."""

import os
import sqlite3
import sys
import tempfile
from pathlib import Path

import platformdirs

from terminal_kit.errors import EventLogError

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "sshfs", "fuse.sshfs"})
"""File systems on which SQLite's WAL is not safe: it needs memory that is shared between its users."""


def default_log_path() -> Path:
    """The user's own log; on Binder, where nothing stays, a temporary one."""
    if "BINDER_SERVICE_HOST" in os.environ or "BINDER_REPO_URL" in os.environ:
        return Path(tempfile.gettempdir()) / "bench.db"
    return platformdirs.user_data_path("terminal_kit") / "bench.db"


def check_place(path: Path) -> None:
    """Makes the folder. Raises `EventLogError` where a log cannot lie there."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EventLogError(f"{folder} cannot be made: {error.strerror}", path=str(path)) from error
    if path.is_dir():
        raise EventLogError(f"{path} is a folder", path=str(path))
    if (kind := _file_system(folder)) in _NETWORK:
        raise EventLogError(
            f"{folder} is a network drive ({kind})",
            path=str(path),
            hint="Record on a local disk, and copy the archive (`to_parquet`) to the network.",
        )


def translated(error: sqlite3.Error, path: Path) -> EventLogError:
    """SQLite's error in the log's words."""
    code = getattr(error, "sqlite_errorname", "") or ""
    what = {
        "SQLITE_NOTADB": "is not an event log",
        "SQLITE_CORRUPT": "is damaged",
        "SQLITE_READONLY": "cannot be written",
        "SQLITE_CANTOPEN": "cannot be opened",
        "SQLITE_FULL": "cannot be written: the disk is full",
    }.get("_".join(code.split("_")[:2]), f"cannot be used: {error}")
    hint = None
    if "CORRUPT" in code:
        hint = "Copy the file first; `sqlite3 FILE .recover` reads what is whole."
    return EventLogError(f"{path} {what}", path=str(path), hint=hint)


def _file_system(folder: Path) -> str:
    """The kind of file system, on Linux; elsewhere it is not told, and a network drive is the user's to avoid."""
    if not sys.platform.startswith("linux"):
        return ""
    best, kind = "", ""
    try:
        for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines():
            _, point, found, *_ = line.split()
            point = point.replace("\\040", " ")
            inside = str(folder.resolve()).startswith(point.rstrip("/") + "/") or str(folder.resolve()) == point
            if inside and len(point) >= len(best):
                best, kind = point, found
    except OSError:
        return ""
    return kind
