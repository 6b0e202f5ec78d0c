"""Captures of one phone are one run, whether they come in one import or in several."""

import gzip
from pathlib import Path

import pytest
from capture_writers import btsnoop
from phone_files import OTHER_PHONE, PHONE, links, phone, put, read_address, zipped

from terminal_kit.eventlog import EventLog
from terminal_kit.importers import ImportReport, Progress, import_files
from terminal_kit.redaction import Redactor

CUT = -3
"""Where the rotation comes: within a link, which the second file ends without having seen its beginning."""


def rotated(folder: Path) -> tuple[Path, Path]:
    """What Android leaves behind: the file before, and the current one."""
    packets = phone(moments_s=range(1, 80, 10))
    before = put(folder, "btsnoop_hci.log.last", btsnoop(packets[:CUT], 1002))
    return before, put(folder, "btsnoop_hci.log", btsnoop(packets[CUT:], 1002))


def rows(log: EventLog) -> list[tuple[object, ...]]:
    """What is told of the reader, whichever import it came with."""
    return sorted(
        (event.t_us, event.kind, event.reader, event.session, event.source, event.record)
        for event in log.events()
        if not event.kind.startswith("run_")
    )


def said(report: ImportReport) -> str:
    return " ".join(report.findings)


def test_a_file_that_goes_on_where_a_stored_one_ends_is_read_as_if_both_had_come_at_once(log, folder) -> None:
    before, current = rotated(folder)
    (first,) = import_files([before], log)
    told: list[Progress] = []
    (second,) = import_files([current], log, on_progress=told.append)
    assert (second.error, second.run, second.already_there) == (None, first.run, False)
    assert f"goes on where {before} ends" in said(second)
    assert [source.name for source in log.sources()] == [str(before), str(current)]
    assert told[-1].done_bytes == told[-1].total_bytes == before.stat().st_size + current.stat().st_size
    with EventLog(log.path.with_name("at_once.db")) as at_once:
        import_files([before, current], at_once)
        assert links(at_once) == links(log)
        assert rows(at_once) == rows(log)
        assert len(at_once.runs()) == len(log.runs()) == 1
    assert len(links(log)) == 8
    again = import_files([current, before], log)
    assert [report.already_there for report in again] == [True, True]


def test_three_in_a_row_are_one_run_too(log, folder) -> None:
    packets = phone(begin_s=0) + phone(begin_s=3000)
    thirds = [packets[:10], packets[10:20], packets[20:]]
    paths = [put(folder, f"{number}.log", btsnoop(third, 1002)) for number, third in enumerate(thirds)]
    assert len({import_files([path], log)[0].run for path in paths}) == 1
    with EventLog(log.path.with_name("at_once.db")) as at_once:
        import_files(paths, at_once)
        assert rows(at_once) == rows(log)


def test_in_an_archive_it_is_found_again(log, folder) -> None:
    before, current = rotated(folder)
    archive = zipped(folder, "bug.zip", last=before.read_bytes(), unrelated__notes=b"milk\n")
    packed = folder / "btsnoop_hci.log.gz"
    packed.write_bytes(gzip.compress(current.read_bytes()))
    (first,) = import_files([archive], log)
    before.unlink()
    current.unlink()
    (second,) = import_files([packed], log)
    assert second.run == first.run


def test_another_phone_and_another_day_are_other_runs(log, folder) -> None:
    import_files([put(folder, "mine", btsnoop(phone(), 1002))], log)
    for name, begin_s, whose in (("other", 1510, OTHER_PHONE), ("later", 200_000, PHONE)):
        (report,) = import_files([put(folder, name, btsnoop(phone(begin_s=begin_s, phone=whose), 1002))], log)
        assert report.findings == []
    assert len(log.runs()) == 3


def test_the_same_phone_within_a_day_is_one_run(log, folder) -> None:
    (first,) = import_files([put(folder, "mine", btsnoop(phone(), 1002))], log)
    (second,) = import_files([put(folder, "later", btsnoop(phone(begin_s=40_000), 1002))], log)
    assert second.run == first.run


@pytest.mark.parametrize("how", ["gone", "changed", "a folder", "under a pseudonym"])
def test_where_the_stored_file_is_not_at_hand_it_is_told_how_both_become_one(log, folder, how) -> None:
    before, current = rotated(folder)
    import_files([before], log, redactor=Redactor() if how == "under a pseudonym" else None)
    if how == "changed":
        before.write_bytes(b"btsnoop\0" + before.read_bytes()[8:100])
    elif how != "under a pseudonym":
        before.unlink()
    if how == "a folder":
        before.mkdir()
    (report,) = import_files([current], log)
    assert (report.error, len(log.runs())) == (None, 2)
    assert f"It may be one timeline with {log.sources()[0].name}" in said(report)
    assert "import both together into a new log" in said(report)


def test_what_stands_under_its_names_gets_no_run_with_pseudonyms(log, folder) -> None:
    before, current = rotated(folder)
    import_files([before], log)
    (report,) = import_files([current], log, redactor=Redactor())
    assert len(log.runs()) == 2
    assert "import both together into a new log" in said(report)


def test_a_file_that_has_grown_goes_on_where_its_neighbour_ends(log, folder) -> None:
    before, current = rotated(folder)
    whole = current.read_bytes()
    current.write_bytes(whole[:60])
    import_files([before], log)
    (begun,) = import_files([current], log)
    current.write_bytes(whole)
    (grown,) = import_files([current], log)
    assert (grown.error, grown.run, len(log.runs())) == (None, begun.run, 1)
    assert len(links(log)) == 8
    sessions = [event.session for event in log.events() if event.kind.startswith(("link_con", "link_dis"))]
    assert sorted(sessions) == [session for session in (1, 2, 3, 4) for _ in (0, 1)]


def test_the_earlier_file_that_comes_later_tells_so(log, folder) -> None:
    """What was stored of the link that it begins does not change any more."""
    before, current = rotated(folder)
    import_files([current], log)
    (report,) = import_files([before], log)
    assert (report.error, len(log.runs())) == (None, 2)
    assert f"It may be one timeline with {current}" in said(report)


def test_a_capture_that_cannot_be_read_hinders_no_other(log, folder, monkeypatch) -> None:
    from terminal_kit.importers import phones

    import_files([put(folder, "mine", btsnoop(phone(), 1002))], log)

    def broken(*_: object) -> None:
        raise IndexError("oops")

    monkeypatch.setattr(phones, "span_of", broken)
    (report,) = import_files([put(folder, "b", btsnoop([read_address(2000, PHONE)], 1002))], log)
    assert report.error is None
