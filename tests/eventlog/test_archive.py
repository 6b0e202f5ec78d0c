"""The archive: several logs in one folder, each day replaced whole, every file checked."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terminal_kit import frame_from_parquet
from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.parquet import VERSION_KEY
from terminal_kit.events import Event

DAY_US = 1_795_000_000_000_000


def recorded(path: Path, count: int, reader: str = "A") -> EventLog:
    log = EventLog(path)
    run = log.start_run(radio="native")
    for number in range(count):
        run.append(Event(kind="signal", t_us=DAY_US + number, reader=reader))
    log.flush()
    return log


def test_logs_share_a_folder(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.db", 15) as first, recorded(tmp_path / "b.db", 3) as second:
        first.to_parquet(tmp_path / "archive")
        second.to_parquet(tmp_path / "archive")
        assert len(frame_from_parquet(tmp_path / "archive")) == 16 + 4
        first.to_parquet(tmp_path / "archive")
        first.to_parquet(tmp_path / "archive", day="2026-11-18")
        assert len(frame_from_parquet(tmp_path / "archive")) == 16 + 4
        assert first.identity != second.identity
    with EventLog(tmp_path / "a.db") as again:
        assert again.identity == first_of(tmp_path / "archive", "signal", 15)


def first_of(folder: Path, kind: str, count: int) -> str:
    """The log whose file holds so many rows of a kind."""
    (found,) = (
        path.stem.partition("-")[2]
        for path in folder.glob("day=*/*.parquet")
        if pq.read_table(path)["kind"].to_pylist().count(kind) == count
    )
    return found


def test_an_alias_that_is_learned_later_doubles_nothing(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.db", 4, "addr:AA:BB") as log:
        log.to_parquet(tmp_path / "archive")
        log.add_alias("addr:AA:BB", "STRM26138003393")
        log.flush()
        log.to_parquet(tmp_path / "archive")
        archived, frame = frame_from_parquet(tmp_path / "archive"), log.frame()
        assert archived["reader"].value_counts().to_dict() == {"STRM26138003393": 4, "": 1}
        pd.testing.assert_frame_equal(archived[list(frame.columns)], frame.sort_values("seq"))
        # What one day's archive has learned holds for the days before.
        log.add_alias("addr:AA:BB", "STRM2OTHER")
        log.flush()
        log.to_parquet(tmp_path / "archive", day="1999-01-01")
        assert "STRM2OTHER" in set(frame_from_parquet(tmp_path / "archive")["reader"])


def test_an_alias_is_its_own_logs(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.db", 4, "till") as first, recorded(tmp_path / "b.db", 3, "till") as second:
        first.add_alias("till", "STRM1")
        second.add_alias("till", "STRM2")
        for log in (first, second):
            log.flush()
            log.to_parquet(tmp_path / "archive")
    found = frame_from_parquet(tmp_path / "archive", radio="native")["reader"].value_counts().to_dict()
    assert (found["STRM1"], found["STRM2"]) == (4, 3)


def test_times_before_1970_and_far_ones_have_their_day(tmp_path: Path) -> None:
    with EventLog(tmp_path / "a.db") as log:
        run = log.start_run(radio="native")
        for t_us in (-1, 2**62):
            run.append(Event(kind="a", t_us=t_us))
        log.flush()
        for _ in range(2):
            log.to_parquet(tmp_path / "archive")
            log.to_parquet(tmp_path / "archive", day="1969-12-31")
        assert sorted(frame_from_parquet(tmp_path / "archive")["t_us"])[:1] == [-1]
        assert len(frame_from_parquet(tmp_path / "archive")) == 3


@pytest.mark.parametrize("day", ["yesterday", "2026-11-24T00:00:00+02:00", "2026-13-01", "", 20261124])
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: Any) -> None:
    with EventLog(tmp_path / "a.db") as log, pytest.raises(InvalidParameterError, match="no day"):
        log.to_parquet(tmp_path / "archive", day=day)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with recorded(tmp_path / "a.db", 1) as log, pytest.raises(EventLogError, match="cannot be written"):
        log.to_parquet(tmp_path / "file" / "archive")


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"junk", "no Parquet file"), (b"PAR1" + b"\xa5" * 100 + b"PAR1", "no Parquet file"), (None, "no part")],
)
def test_a_file_that_is_no_part_of_an_archive_is_named(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "day=2026-11-24" / "bucket=00-x.parquet"
    path.parent.mkdir()
    if content is None:
        pq.write_table(pa.table({"recipe": ["soup"]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(EventLogError, match=what) as caught:
        frame_from_parquet(tmp_path)
    assert caught.value.path == str(path)


def test_parts_of_a_newer_and_of_an_older_kit(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.db", 2) as log:
        path, *_ = [path for path in log.to_parquet(tmp_path / "archive") if len(pq.read_table(path)) == 2]
        expected = log.frame()
    part = pq.read_table(path)
    pq.write_table(part.drop_columns(["record_end"]).append_column("mood", pa.array(["fine", "fine"])), path)
    found = frame_from_parquet(tmp_path / "archive")
    assert found.dtypes.to_dict() == {**expected.dtypes.to_dict()}
    assert len(found) == 3
    pq.write_table(part.replace_schema_metadata({VERSION_KEY: b"99"}), path)
    with pytest.raises(EventLogError, match="version 99") as caught:
        frame_from_parquet(tmp_path / "archive")
    assert "Update" in caught.value.hint


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(rows: object, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with recorded(tmp_path / "a.db", 2) as log:
        monkeypatch.setattr(pq, "write_table", full)
        with pytest.raises(EventLogError, match="No space left"):
            log.to_parquet(tmp_path / "archive")
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []
