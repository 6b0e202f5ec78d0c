"""Files that are not as they should be, or lie where they should not: looked at before they are touched."""

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.place import is_network
from terminal_kit.eventlog.schema import APPLICATION_ID
from terminal_kit.events import COLUMNS, Event


def change(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_foreign_database_keeps_every_byte(tmp_path: Path, mode: str) -> None:
    change(tmp_path / "recipes.db", f"PRAGMA journal_mode = {mode}", "CREATE TABLE recipes (name)")
    before = everything(tmp_path)
    with pytest.raises(EventLogError, match="but not an event log"):
        EventLog(tmp_path / "recipes.db")
    assert everything(tmp_path) == before


def test_a_log_of_a_newer_schema_keeps_every_byte(tmp_path: Path) -> None:
    EventLog(tmp_path / "newer.db").close()
    change(tmp_path / "newer.db", "PRAGMA user_version = 99", "PRAGMA journal_mode = DELETE")
    before = everything(tmp_path)
    with pytest.raises(EventLogError, match="version 99"):
        EventLog(tmp_path / "newer.db")
    assert everything(tmp_path) == before


def older(path: Path) -> None:
    """A log from before `record_end` and `text` were columns, and before a log had an identity."""
    with EventLog(path) as log:
        log.start_run(radio="native")
    change(path, "DROP TABLE meta", "ALTER TABLE events DROP COLUMN record_end", "ALTER TABLE events DROP COLUMN text")


def test_a_log_that_lacks_a_column_gets_it(tmp_path: Path) -> None:
    older(tmp_path / "old.db")
    with EventLog(tmp_path / "old.db") as log:
        log.start_run(radio="native").append(Event(kind="a", t_us=1, text="new", record_end=4))
        log.flush()
        assert log.frame()["text"].fillna("").tolist() == ["", "", "new"]
        assert [event.record_end for event in log.events()] == [None, None, 4]


def test_a_log_that_lacks_a_column_is_read_as_it_is(tmp_path: Path) -> None:
    older(tmp_path / "old.db")
    before = (tmp_path / "old.db").read_bytes()
    with EventLog(tmp_path / "old.db", read_only=True) as log:
        frame = log.frame()
        (event,) = log.events()
        said = log.identity
        assert list(frame.columns[:-4]) == [column.name for column in COLUMNS]
        assert frame["text"].isna().all()
        assert event.kind == "run_started"
    assert (tmp_path / "old.db").read_bytes() == before
    with EventLog(tmp_path / "old.db") as log:
        assert log.identity == said


def test_columns_of_a_newer_kit_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    EventLog(path).close()
    change(path, "ALTER TABLE events ADD COLUMN mood TEXT")
    with EventLog(path) as log:
        log.start_run(radio="native")
        log.flush()
        assert len(log.frame()) == 1
        assert "mood" not in log.frame()


def test_an_empty_file_and_a_folder_are_named_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "empty.db").write_bytes(b"")
    with pytest.raises(EventLogError, match=r"is empty: it is no event log yet"):
        EventLog(tmp_path / "empty.db", read_only=True)
    assert (tmp_path / "empty.db").read_bytes() == b""
    with pytest.raises(EventLogError, match="is a folder"):
        EventLog(tmp_path, read_only=True)
    EventLog(tmp_path / "empty.db").close()  # to write, it becomes one


def test_the_mark_of_a_log_without_its_tables(tmp_path: Path) -> None:
    change(tmp_path / "hollow.db", f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1")
    for read_only in (False, True):
        with (
            pytest.raises(EventLogError, match="is damaged"),
            EventLog(tmp_path / "hollow.db", read_only=read_only) as log,
        ):
            log.frame()


def test_a_damaged_page_is_told_at_every_door(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    with EventLog(path) as log:
        run = log.start_run(radio="simulated")
        for number in range(2000):
            run.append(Event(kind="a", t_us=number, reader="A", text="x" * 50))
    content = bytearray(path.read_bytes())
    content[20 * 4096 : 24 * 4096] = b"\xa5" * 4 * 4096
    path.write_bytes(content)
    with EventLog(path, read_only=True) as log:
        for read in (log.frame, lambda: log.to_parquet(tmp_path / "archive"), lambda: list(log.events())):
            with pytest.raises(EventLogError, match="is damaged") as caught:
                read()
            assert "recover" in caught.value.hint
    assert path.read_bytes() == bytes(content)  # nothing is deleted


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("rights", [0o555, 0o777])
def test_a_closed_log_is_read_where_nothing_can_be_written(rights: int) -> None:
    """In a read-only folder, or another user's file; nothing appears beside it, which would keep its owner out."""
    import terminal_kit.eventlog.parquet  # noqa: F401 - not readable for everybody

    folder = Path(tempfile.mkdtemp())
    try:
        with EventLog(folder / "bench.db") as log:
            log.start_run(radio="native")
        (folder / "bench.db").chmod(0o444)
        folder.chmod(rights)
        with as_nobody(), EventLog(folder / "bench.db", read_only=True) as log:
            assert (log.last_seq(), len(log.frame()), len(list(log.events()))) == (1, 1, 1)
        with as_nobody(), pytest.raises(EventLogError, match=r"cannot be (opened|written)") as caught:
            EventLog(folder / "bench.db")
        assert "permissions" in caught.value.hint
        assert [path.name for path in folder.iterdir()] == ["bench.db"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere: then as one who may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "kind",
    ["nfs4", "NFS", "cifs", "9p", "drvfs", "vboxsf", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs"],
)
def test_network_drives_are_known(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "apfs", "overlay", "tmpfs", "fuseblk", "fuse.fuse-overlayfs", "fuse.gocryptfs"]
)
def test_local_drives_are_not_network_drives(kind: str) -> None:
    assert not is_network(kind)
