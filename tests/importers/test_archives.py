"""Archives give what in them could be of interest, whatever state they are in, and never fill the machine."""

import gzip
import io
import mmap
import struct
import tarfile
import zipfile
import zlib

import pytest
from capture_writers import COMPRESS, btsnoop_header, btsnoop_record, tarred, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal_kit.importers.archives import budget, holding, members
from terminal_kit.importers.archives.members import UNPACKED
from terminal_kit.importers.content import Content, opened
from terminal_kit.importers.report import Damage

CAPTURE = btsnoop_header(1002) + btsnoop_record(1_700_000_000_000_000, 1, b"\x04\x0e\x04\x01\x03\x0c\x00") * 50
LOG = b"".join(b"2026-01-02 10:00:%02d.000 D line %d of an app's log\n" % (n % 60, n * 7919) for n in range(3000))
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40
FILES = {"FS/data/misc/bluetooth/logs/btsnoop_hci.log": CAPTURE, "main.txt": LOG, "screenshot.png": PICTURE}


def found(data: bytes, name: str = "bug.zip") -> tuple[dict[str, bytes], list[str]]:
    """What an archive gives, and what it tells."""
    files, told = found_at(data, name)
    return files, [damage.text for damage in told]


def found_at(data: bytes, name: str = "bug.zip") -> tuple[dict[str, bytes], list[Damage]]:
    """The same, with the places of what it tells."""
    told: list[Damage] = []
    return {each.name: bytes(each.data[:]) for each in members(Content(name, data), told.append)}, told


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_files_have_the_archives_name_and_their_own(pack) -> None:
    files, told = found(pack(FILES))
    assert files == {
        "bug.zip!FS/data/misc/bluetooth/logs/btsnoop_hci.log": CAPTURE,
        "bug.zip!main.txt": LOG,
    }
    assert not told


@pytest.mark.parametrize("form", COMPRESS)
def test_a_compressed_file_is_an_archive_of_one(form: str) -> None:
    assert found(COMPRESS[form](CAPTURE), f"/a/btsnoop_hci.log.{form}") == (
        {f"/a/btsnoop_hci.log.{form}!btsnoop_hci.log": CAPTURE},
        [],
    )


@pytest.mark.parametrize("form", COMPRESS)
def test_a_compressed_tar_is_read_as_it_unfolds(form: str) -> None:
    files, told = found(COMPRESS[form](tarred(FILES)), f"sysdiagnose.tar.{form}")
    assert (list(files.values()), told) == ([CAPTURE, LOG], [])


def test_what_is_compressed_in_an_archive_is_called_by_its_own_name() -> None:
    inner = gzip.compress(zipped({"p": CAPTURE}))
    assert found(zipped({"deep/p.gz": inner}), "dup.zip") == ({"dup.zip!deep/p.gz!p!p": CAPTURE}, [])
    assert found(zipped({"hci.log.gz": gzip.compress(CAPTURE)}), "dup.zip")[0] == {
        "dup.zip!hci.log.gz!hci.log": CAPTURE
    }


def test_archives_in_archives_are_opened_but_not_for_ever() -> None:
    inner = zipped({"phone.tar.gz": gzip.compress(tarred({"hci.log": CAPTURE}))})
    assert found(inner) == ({"bug.zip!phone.tar.gz!hci.log": CAPTURE}, [])
    for _ in range(budget.DEPTH_AT_MOST):
        inner = zipped({"in.zip": inner})
    files, told = found(inner)
    assert not files
    assert "deep" in told[0]


@pytest.mark.parametrize("data", [b"", b"PK", CAPTURE, LOG, PICTURE])
def test_what_is_no_archive_gives_nothing(data: bytes) -> None:
    assert found(data) == ({}, [])


def test_several_streams_of_gzip_and_zeros_behind_them_are_one_file() -> None:
    data = gzip.compress(CAPTURE[:100]) + gzip.compress(CAPTURE[100:]) + bytes(512)
    assert found(data, "x.gz") == ({"x.gz!x": CAPTURE}, [])


def test_a_large_member_lies_in_a_file_and_stays_readable(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(holding, "IN_MEMORY", 1000)
    path = tmp_path / "bug.zip"
    path.write_bytes(zipped(FILES))
    with opened(path) as content:
        kept = list(members(content))
    assert all(isinstance(each.data, mmap.mmap) for each in kept)
    assert [each.data[:] for each in kept] == [CAPTURE, LOG]


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(holding, "SpooledTemporaryFile", lambda max_size: Full())
    files, told = found(zipped(FILES))
    assert not files
    assert [text.partition(": ")[2] for text in told] == [
        "there is no room to unpack it: [Errno 28] No space left on device"
    ] * 2


def test_reading_may_stop_at_any_member(tmp_path) -> None:
    for data in (zipped(FILES), gzip.compress(tarred(FILES))):
        path = tmp_path / "archive"
        path.write_bytes(data)
        with opened(path) as content:
            some = members(content)
            assert next(some).data == CAPTURE
            some.close()


class TestBombs:
    def test_a_small_file_may_not_unfold_to_a_huge_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 1 << 20)
        bomb = zipped({"a.log": LOG, "bomb.log": b" " * (32 << 20), "b.log": LOG})
        files, told = found(bomb)
        assert list(files) == ["bug.zip!a.log"]
        assert len(told) == 1
        assert told[0].startswith("bug.zip: it unfolds to more than")

    def test_one_that_is_many_in_a_row_is_no_way_around(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 1 << 20)
        inner = gzip.compress(b" " * (1 << 18))
        _, told = found(zipped({f"{n}.gz": inner for n in range(40)}))
        assert any("unfolds to more" in text for text in told)

    def test_a_tar_that_is_skipped_counts_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "ALWAYS_ALLOWED", 1 << 20)
        files, told = found(gzip.compress(tarred({"zeros.bin": bytes(16 << 20), "a.log": LOG})), "x.tgz")
        assert not files
        assert "unfolds to more" in told[0]

    def test_too_many_files_are_not_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budget, "MEMBERS_AT_MOST", 10)
        files, told = found(zipped({f"{n}.log": LOG[:100] for n in range(20)}))
        assert (len(files), len(told)) == (10, 1)


class TestDamage:
    def test_a_zip_without_its_end_gives_what_is_there(self) -> None:
        data = zipped(FILES)
        files, told = found(data[: data.index(b"screenshot.png")])
        assert list(files.values()) == [CAPTURE, LOG]
        assert "directory" in told[0]

    def test_so_does_one_that_was_written_as_a_stream(self) -> None:
        """Then sizes stand behind the files."""
        stream = io.BytesIO()
        stream.seekable = lambda: False  # type: ignore[method-assign]
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in FILES.items():
                archive.writestr(name, data)
        data = stream.getvalue()
        files, _ = found(data[: data.index(b"screenshot.png")])
        assert list(files.values()) == [CAPTURE, LOG]

    def test_a_file_cut_in_the_middle_is_given_to_there(self) -> None:
        data = zipped({"main.txt": LOG})
        files, told = found(data[: len(data) // 2])
        (part,) = files.values()
        assert len(part) > 1000
        assert LOG.startswith(part)
        assert told[-1] == "bug.zip!main.txt: it is damaged: it is cut (counted in what it unpacks to)"

    @pytest.mark.parametrize("form", COMPRESS)
    def test_so_is_a_compressed_one(self, form: str) -> None:
        random_log = b"".join(b"%d\n" % zlib.crc32(b"%d" % n) for n in range(200_000))
        data = COMPRESS[form](random_log)
        files, told = found(data[: len(data) * 9 // 10], "x.log")
        (part,) = files.values()
        assert random_log.startswith(part)
        assert len(part) > len(random_log) // 4
        assert "damaged" in told[0]

    def test_a_cut_tar_gives_the_files_before(self) -> None:
        data = gzip.compress(tarred({"a.log": LOG, "b.log": LOG[::-1]}))
        files, told = found(data[: len(data) - 2000], "x.tgz")
        assert files["x.tgz!a.log"] == LOG
        assert told

    def test_a_wrong_byte_in_one_file_leaves_the_others(self) -> None:
        data = bytearray(zipped({"a.log": LOG, "b.log": LOG, "c.log": LOG}))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data[archive.getinfo("b.log").header_offset + 200] ^= 0xFF
        files, told = found(bytes(data))
        assert files["bug.zip!a.log"] == files["bug.zip!c.log"] == LOG
        assert told[0].startswith("bug.zip!b.log: it is damaged")

    def test_a_file_may_have_no_name(self) -> None:
        data = zipped({"a.log": LOG, "b.log": LOG}).replace(b"a.log", b"\0.log")
        assert list(found(data)[0]) == ["bug.zip!", "bug.zip!b.log"]

    def test_an_encrypted_file_is_told(self) -> None:
        data = bytearray(zipped({"a.log": LOG}))
        for mark, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            place = data.index(mark) + at
            data[place : place + 2] = struct.pack("<H", struct.unpack_from("<H", data, place)[0] | 1)
        files, told = found(bytes(data))
        assert not files
        assert "encrypted" in told[0]

    def test_the_byte_is_told_up_to_which_it_is_whole(self) -> None:
        data = zipped({"main.txt": LOG})
        files, told = found_at(data[: len(data) // 2])
        (part,) = files.values()
        assert [damage.offset for damage in told] == [len(data) // 2, len(part)]
        _, told = found_at(gzip.compress(LOG)[:-4], "x.gz")
        assert [damage.offset for damage in told] == [len(LOG)]
        tar = tarred({"a.log": LOG, "b.log": LOG})
        for cut, name in ((tar[: len(LOG) + 2000], "x.tar"), (gzip.compress(tar)[:-5000], "x.tgz")):
            files, told = found_at(cut, name)
            assert told[-1].text.startswith(f"{name}: it cannot be read further")
            assert len(LOG) < (told[-1].offset or 0) <= len(tar)
            assert (UNPACKED in told[-1].text) == (name == "x.tgz")
        assert found_at(tar[: len(LOG) + 2000], "x.tar")[1][-1].offset == len(LOG) + 2000

    def test_a_directory_that_is_damaged_is_told_where_its_end_stands(self) -> None:
        data = bytearray(zipped({"a.log": LOG}))
        data[data.index(b"PK\1\2")] ^= 0xFF
        files, (damage,) = found_at(bytes(data))
        assert list(files.values()) == [LOG]
        assert damage.offset == data.index(b"PK\5\6")

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def test_nothing_is_raised_whatever_is_broken(self, draw: st.DataObject) -> None:
        whole = draw.draw(
            st.sampled_from(
                [
                    zipped({"a.log": LOG[:500], "b.log": CAPTURE[:500]}),
                    tarred({"a.log": LOG[:500], "b.log": CAPTURE[:500]}),
                    *(pack(LOG[:500]) for pack in COMPRESS.values()),
                    gzip.compress(tarred({"a.log": LOG[:500], "b.log": CAPTURE[:500]})),
                ]
            )
        )
        data = bytearray(whole[: draw.draw(st.integers(0, len(whole)))])
        for place, value in draw.draw(st.lists(st.tuples(st.integers(0, len(whole)), st.integers(0, 255)), max_size=4)):
            if place < len(data):
                data[place] = value
        files, told = found_at(bytes(data))
        assert all(len(damage.text) < 500 for damage in told)
        assert all(damage.offset >= 0 for damage in told if damage.offset is not None)
        assert all(isinstance(part, bytes) for part in files.values())


def test_links_and_folders_are_no_files() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (("folder", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("device", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    assert found(stream.getvalue()) == ({}, [])
