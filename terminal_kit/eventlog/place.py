"""Where a log lies: whether it can lie there, and what SQLite's complaints mean."""

import os
import sys
import tempfile
from pathlib import Path

import platformdirs

from terminal_kit.errors import EventLogError

_SERVERS = {"nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ncpfs", "davfs"}
_FOLDERS_OF_A_HOST = {"9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs"}
_CLUSTERS = {"ceph", "glusterfs", "lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "pvfs2", "orangefs", "moosefs"}
_NETWORK = _SERVERS | _FOLDERS_OF_A_HOST | _CLUSTERS
"""File systems on which SQLite's WAL is not safe: it needs memory that is shared between its users."""

_FUSE_SERVERS = {"sshfs", "davfs", "davfs2", "smbnetfs", "curlftpfs", "gvfsd-fuse", "vmhgfs-fuse", "grpcfuse", "osxfs"}
_FUSE_STORES = {"s3fs", "rclone", "goofys", "mountpoint-s3", "gcsfuse", "blobfuse", "blobfuse2", "onedriver"}
_FUSE_CLUSTERS = {"ceph", "ceph-fuse", "glusterfs", "juicefs", "seaweedfs", "moosefs", "mfs", "fuse_dfs", "dbfs"}
_FUSE_NETWORK = _FUSE_SERVERS | _FUSE_STORES | _FUSE_CLUSTERS
"""The same as programs behind FUSE; others of them (`fuse-overlayfs` of a container, encrypted folders) are local."""

_WHAT = {
    "NOTADB": ("is not an event log", None),
    "CORRUPT": ("is damaged", "Copy the file first; `sqlite3 FILE .recover` reads what is whole."),
    "READONLY": ("cannot be written", "Check the permissions of the file and its folder."),
    "CANTOPEN": ("cannot be opened", "Check the permissions of the file and its folder."),
    "PERM": ("cannot be opened", "Check the permissions of the file and its folder."),
    "FULL": ("cannot be written: the disk is full", "Free some disk space; recording resumes by itself."),
    "IOERR": ("cannot be read or written: the disk fails, or is full", "Check the disk; recording resumes by itself."),
    "BUSY": ("is held by another program", "End what holds it, or wait; recording resumes by itself."),
}
"""By SQLite's result code: what it says about a file, and what can be done."""


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
        raise EventLogError(f"{path} is a folder", path=str(path), hint="Name a file in it.")
    kind = _file_system(folder)
    if is_network(kind):
        raise EventLogError(
            f"{folder} is a network drive ({kind})",
            path=str(path),
            hint="Record on a local disk, and copy the archive (`to_parquet`) to the network.",
        )


def translated(error: Exception, path: Path) -> EventLogError:
    """SQLite's error (or what else the writer met) in the log's words."""
    if isinstance(error, EventLogError):
        return error
    code = getattr(error, "sqlite_errorname", "") or ""
    what, hint = _WHAT.get(code.split("_")[1] if "_" in code else "", (f"cannot be used: {error}", None))
    if "no such table" in str(error):
        what, hint = "is damaged: it has the mark of an event log, but not its tables", _WHAT["CORRUPT"][1]
    elif "decode to UTF-8" in str(error):
        what, hint = "is damaged: it holds text that is none", _WHAT["CORRUPT"][1]
    elif "closed database" in str(error):
        what, hint = "is closed", "Open it again with `EventLog(path)`."
    return EventLogError(f"{path} {what}", path=str(path), hint=hint)


def is_network(kind: str) -> bool:
    """Whether a kind of file system, as the mount table names it, lies on another machine."""
    kind, _, program = kind.lower().partition(".")
    return kind in _NETWORK or (kind in ("fuse", "fuseblk") and program in _FUSE_NETWORK)


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
