"""Files come in at one door: folders, archives, captures of one phone, logs of apps, and what is none of them."""

import gzip
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from capture_writers import btsnoop, pcap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phone_files import (
    MOMENTS_S,
    OTHER_PHONE,
    READER,
    SECOND,
    SERIAL,
    app_log,
    links,
    phone,
    put,
    zipped,
)

from terminal_kit.errors import CanceledError, CaptureFormatError, InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.sources import whole_files
from terminal_kit.importers import Clock, Content, ImportReport, Lack, Progress, import_files
from terminal_kit.importers.finding_files import hashed


def test_a_capture_comes_in_with_rows_that_lead_back_to_it(log, folder) -> None:
    path = put(folder, "holiday.jpg", btsnoop(phone(), 1002))
    (report,) = import_files([path], log)
    assert report.error is None
    assert (report.file, report.container, report.already_there) == (str(path), "btsnoop 1002", False)
    assert report.records == report.understood + report.foreign + report.damaged == len(phone())
    rows = log.frame()
    assert report.events == len(rows) > 8
    assert len(links(log)) == 8
    lost = rows[rows["kind"] == "link_disconnected"]
    assert lost["record"].tolist() == [len(phone()) - back for back in (7, 5, 3, 1)]
    assert set(lost["file"]) == {str(path)}
    assert set(lost["hci_code"]) == {8}
    (source,) = log.sources()
    assert (source.id, source.run, source.records) == (report.source, report.run, report.records)
    assert json.loads(json.dumps(report.as_json()))["events"] == report.events


def test_the_same_file_twice_adds_nothing_under_any_name(log, folder) -> None:
    data = btsnoop(phone(), 1002)
    first, again = put(folder, "a.log", data), put(folder, "b.log", data)
    told = import_files([first, again], log)
    assert [report.already_there for report in told] == [False, True]
    count = len(log.frame())
    (report,) = import_files([again], log)
    assert report.already_there
    assert (report.container, report.records, report.source) == ("btsnoop 1002", len(phone()), 1)
    archive = zipped(folder, "c.zip", **{"in__it.bin": data})
    assert all(report.already_there for report in import_files([archive], log))
    assert len(log.frame()) == count
    assert len(log.sources()) == 1


def test_a_file_that_has_grown_adds_what_is_new_to_its_run(log, folder) -> None:
    packets = phone()
    whole = btsnoop(packets, 1002)
    cut = btsnoop(packets[:-3], 1002)
    (first,) = import_files([put(folder, "a.log", cut + whole[len(cut) : len(cut) + 10])], log)
    assert first.damaged == 1 or first.records == len(packets) - 3
    before = links(log)
    (second,) = import_files([put(folder, "a.log", whole)], log)
    assert second.run == first.run
    assert [source.id for source in whole_files(log.sources())] == [second.source]
    assert any("only what is new" in finding for finding in second.findings)
    assert links(log) == [*before, ("link_disconnected", 701), ("link_connected", 900), ("link_disconnected", 1505)]
    sessions = [event.session for event in log.events() if event.kind in ("link_connected", "link_disconnected")]
    assert sessions == [session for first in sessions[::2] for session in (first, first)]
    assert len(set(sessions)) == 4


def test_the_files_of_one_phone_are_one_run_and_a_link_goes_on_across_them(log, folder) -> None:
    packets = phone()
    archive = zipped(
        folder,
        "bug.zip",
        FS__data__btsnoop_hci=btsnoop(packets[-3:], 1002),
        FS__data__last=btsnoop(packets[:-3], 1002),
    )
    told = import_files([archive], log)
    assert len({report.run for report in told}) == 1
    assert {report.file for report in told} == {f"{archive}!FS/data/btsnoop_hci", f"{archive}!FS/data/last"}
    assert links(log) == [
        (("link_connected", "link_disconnected")[place % 2], second) for place, second in enumerate(MOMENTS_S)
    ]
    sessions = [event.session for event in log.events() if event.kind in ("link_connected", "link_disconnected")]
    assert sessions[4] == sessions[5]


def test_captures_of_two_phones_at_the_same_time_are_two_runs(log, folder) -> None:
    mine, other = btsnoop(phone(), 1002), btsnoop(phone(phone=OTHER_PHONE), 1002)
    told = import_files([put(folder, "a", mine), put(folder, "b", other)], log)
    assert len({report.run for report in told}) == 2


def test_a_folder_stands_for_its_files_and_passes_over_what_is_none(log, folder) -> None:
    put(folder, "deep/er/a.btsnoop", btsnoop(phone(), 1002))
    put(folder, "notes.txt", b"remember the milk\n")
    put(folder, "empty", b"")
    put(folder, "more.gz", gzip.compress(btsnoop(phone(begin_s=7200, phone=OTHER_PHONE), 1002)))
    told = import_files([folder], log)
    assert [report.error for report in told] == [None, None]
    assert len(log.sources()) == 2


def test_what_is_none_of_ours_is_told_and_hinders_nothing(log, folder) -> None:
    good = put(folder, "good", btsnoop(phone(), 1002))
    bad = [
        put(folder, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(500)),
        put(folder, "empty.log", b""),
        put(folder, "air.pcap", pcap([], 251)),
        folder / "nowhere.log",
        put(folder, "broken.zip", b"PK\x03\x04" + bytes(100)),
        zipped(folder, "useless.zip", **{"readme.txt": b"nothing\n"}),
    ]
    (folder / "hollow").mkdir()
    told = import_files([*bad[:3], good, *bad[3:], folder / "hollow"], log)
    assert [report.file for report in told] == [str(path) for path in (*bad[:3], good, *bad[3:], folder / "hollow")]
    assert [report.error is None for report in told] == [False, False, False, True, False, False, False, False]
    assert all(isinstance(report.error, CaptureFormatError) for report in told if report.error)
    assert "air" in str(told[2].error)
    assert "at byte 104" in str(told[5].error)
    assert getattr(told[5].error, "offset", None) == 104
    assert len(log.sources()) == 1


def test_a_log_is_made_where_there_is_something_to_store(folder, tmp_path) -> None:
    path = tmp_path / "new" / "field.db"
    assert import_files([], path) == []
    (none,) = import_files([folder / "nowhere"], path)
    assert none.error is not None
    assert not path.parent.exists()
    capture = put(folder, "a", btsnoop(phone(), 1002))
    none, report = import_files([folder / "nowhere", capture], str(path))
    assert (none.error is None, report.error, report.already_there) == (False, None, False)
    assert import_files([capture], path)[0].already_there
    with EventLog(path, read_only=True) as made:
        assert len(made.sources()) == 1


def test_a_file_that_cannot_be_read_is_told_with_what_can_be_done(log, folder, monkeypatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    put(folder, "a", b"x")
    (missing,) = import_files([folder / "nowhere"], log)
    (zero,) = import_files(["a\0b"], log)
    monkeypatch.setattr(Path, "open", refused)
    (locked,) = import_files([folder / "a"], log)
    for report, said, hint in (
        (missing, f"there is no file {folder / 'nowhere'}", "path"),
        (zero, "cannot be a path", "path"),
        (locked, "a cannot be read: Permission denied", "permissions"),
    ):
        assert report.error is not None
        assert said in str(report.error)
        assert hint in report.error.hint
        assert report.error.code == "INVALID_REQUIRED_PARAMETER"


def test_a_capture_of_another_age_corrects_no_clock(log, folder) -> None:
    """Between the two are more years than a clock can be wrong."""
    import_files([put(folder, "app.log", app_log(year=""))], log, year=2200, time_zone="UTC")
    (report,) = import_files([put(folder, "a", btsnoop(phone(), 1002))], log)
    assert report.events
    assert report.error is None
    assert {source.clock_offset_us for source in log.sources()} == {0}


def test_an_uploaded_content_comes_in_under_its_name(log) -> None:
    (report,) = import_files([Content("from a phone.log", btsnoop(phone(), 1002))], log)
    assert (report.error, report.file) == (None, "from a phone.log")
    assert log.sources()[0].name == "from a phone.log"


def test_advertisements_lie_beside_the_log(log, folder) -> None:
    import pandas as pd

    import_files([put(folder, "a", btsnoop(phone(), 1002))], log)
    (source,) = log.sources()
    found = pd.read_parquet(log.advertisements_path(source))
    assert len(found) == 8
    assert set(found["rssi_dbm"]) == {-60}


def test_a_device_has_one_name(log, folder) -> None:
    """It advertises its serial number, and connects with its address."""
    import_files([put(folder, "a", btsnoop(phone(), 1002))], log)
    readers = set(log.frame().query("kind == 'link_connected'")["reader"])
    assert readers == {SERIAL}


# ---- logs of apps


def test_a_log_that_lacks_its_zone_takes_it_from_the_capture_that_overlaps(log, folder) -> None:
    capture, app = put(folder, "a", btsnoop(phone(), 1002)), put(folder, "app.log", app_log(hours=2))
    told = import_files([app, capture], log)
    assert [report.error for report in told] == [None, None]
    assert told[0].time_zone == "+02:00"
    assert any("+02:00 is taken" in finding for finding in told[0].findings)
    found = sorted(links(log), key=lambda link: link[1])
    assert len(found) == 16
    assert found[::2] == found[1::2]
    assert len({report.run for report in told}) == 2


def test_a_log_that_lacks_its_year_takes_that_too(log, folder) -> None:
    capture, app = put(folder, "a", btsnoop(phone(), 1002)), put(folder, "app.log", app_log(hours=-5, year=""))
    _, told = import_files([capture, app], log)
    assert told.time_zone == "-05:00"
    found = sorted(links(log), key=lambda link: link[1])
    assert found[::2] == found[1::2]


def test_a_log_alone_is_asked_about_or_assumed(log, folder) -> None:
    asked: list[tuple[str, Lack]] = []

    def ask(name: str, lack: Lack) -> Clock:
        asked.append((name, lack))
        return Clock(2026, "+02:00")

    app = put(folder, "app.log", app_log(hours=2, year=""))
    (report,) = import_files([app], log, on_lack=ask)
    assert asked == [(str(app), Lack(year=True, zone=True))]
    assert links(log)[0] == ("link_connected", 1)
    assert report.time_rule == "year_assumed"
    with EventLog(log.path.with_name("other.db")) as other:
        (report,) = import_files([app], other, year=2026, time_zone="+02:00", on_lack=ask)
        assert len(asked) == 1
        assert links(other)[0] == ("link_connected", 1)
    with EventLog(log.path.with_name("third.db")) as other:
        (report,) = import_files([app], other)
        assert report.findings
        assert report.time_rule == "year_assumed"


def test_a_log_that_has_grown_goes_on_with_the_clock_of_its_beginning(log, folder) -> None:
    lines = app_log(hours=2, year="").splitlines(keepends=True)
    import_files([put(folder, "app.log", b"".join(lines[:5]))], log, year=2026, time_zone="+02:00")
    log.set_clock_offset(1, 5 * SECOND)
    (report,) = import_files([put(folder, "app.log", b"".join(lines))], log)
    assert report.error is None
    assert [second for _, second in links(log)] == [second + 5 for second in MOMENTS_S]
    assert len({event.run for event in log.events()}) == 1
    log.set_clock_offset(2, 0)
    assert [second for _, second in links(log)] == list(MOMENTS_S)


def test_a_capture_that_comes_later_corrects_the_log(log, folder) -> None:
    import_files([put(folder, "app.log", app_log(hours=2))], log)
    assert links(log)[0] == ("link_connected", 7201)
    (report,) = import_files([put(folder, "a", btsnoop(phone(), 1002))], log)
    assert any("imported earlier" in finding for finding in report.findings)
    found = sorted(links(log), key=lambda link: link[1])
    assert found[::2] == found[1::2]
    assert [source.clock_offset_us for source in log.sources()] == [-7200 * SECOND, 0]


def test_a_serial_of_the_log_is_joined_with_an_address_of_the_capture(log, folder) -> None:
    """The reader never advertised where the phone listened."""
    capture, app = put(folder, "a", btsnoop(phone(advertises=False), 1002)), put(folder, "app.log", app_log())
    _, told = import_files([capture, app], log)
    assert any("is STRM26138000001" in finding for finding in told.findings)
    assert set(log.frame().query("kind == 'link_connected'")["reader"]) == {SERIAL}


def test_names_are_replaced_before_anything_is_stored(log, folder) -> None:
    from terminal_kit.redaction import Redactor

    capture, app = put(folder, f"{SERIAL}.btsnoop", btsnoop(phone(), 1002)), put(folder, "app.log", app_log())
    told = import_files([capture, app], log, redactor=Redactor(b"k" * 32))
    assert [report.error for report in told] == [None, None]
    log.close()
    stored = b"".join(path.read_bytes() for path in log.path.parent.rglob("*") if path.is_file())
    for name in (SERIAL, READER, READER.replace(":", "")):
        assert name.encode() not in stored
        assert name.lower().encode() not in stored.lower()


def test_a_name_that_a_later_file_gives_away_is_replaced_in_earlier_ones(log, folder) -> None:
    from terminal_kit.redaction import Redactor

    number = SERIAL.removeprefix("STRM")
    first = put(folder, "first.log", app_log().replace(f"onBTConnected({SERIAL})".encode(), number.encode()))
    second = put(folder, "second.log", app_log(hours=1))
    import_files([first], log, redactor=Redactor())
    assert any(number in (event.text or "") for event in log.events())  # nothing told what it is
    with EventLog(log.path.with_name("both.db")) as both:
        import_files([first, second], both, redactor=Redactor())
        assert not [event for event in both.events() if number in f"{event.text} {event.extra}"]


# ---- progress, stopping, faults


def test_progress_tells_bytes_of_all_files_up_to_the_end(log, folder) -> None:
    first, second = put(folder, "a", btsnoop(phone(), 1002)), put(folder, "app.log", app_log())
    told: list[Progress] = []
    import_files([first, second], log, on_progress=told.append)
    total = first.stat().st_size + second.stat().st_size
    assert {progress.total_bytes for progress in told} == {total}
    assert [progress.done_bytes for progress in told] == sorted(progress.done_bytes for progress in told)
    assert told[-1].done_bytes == total
    assert {progress.file for progress in told} == {str(first), str(second)}


@pytest.mark.parametrize("how", [CanceledError("stopped"), KeyboardInterrupt()])
def test_an_import_that_is_stopped_leaves_the_log_as_it_was(log, folder, how) -> None:
    def stop(progress: Progress) -> None:
        raise how

    with pytest.raises(type(how)):
        import_files([put(folder, "a", btsnoop(phone(), 1002))], log, on_progress=stop)
    assert log.frame().empty
    assert not log.sources()
    assert not list(log.path.parent.rglob("*.parquet"))
    (report,) = import_files([folder / "a"], log)
    assert report.events


def test_a_fault_of_a_reader_is_told_for_its_file_only(log, folder, monkeypatch) -> None:
    from terminal_kit.importers import app_logs

    def faulty(*_: Any) -> None:
        raise IndexError("oops")

    monkeypatch.setattr(app_logs, "store", faulty)
    capture, app = put(folder, "a", btsnoop(phone(), 1002)), put(folder, "app.log", app_log())
    bad, good = import_files([app, capture], log)
    assert good.error is None
    assert "IndexError: oops" in str(bad.error)
    assert "report it" in bad.error.line()
    assert isinstance(bad.error.__cause__, IndexError)


def test_a_log_that_is_read_only_is_refused(log, folder) -> None:
    log.close()
    with EventLog(log.path, read_only=True) as reading, pytest.raises(InvalidParameterError, match="reading only"):
        import_files([], reading)


def test_two_imports_at_once_keep_each_other_whole(log, folder) -> None:
    paths = [
        put(folder, f"{number}", btsnoop(phone(begin_s=number * 100_000, phone=None), 1002)) for number in range(6)
    ]
    errors: list[BaseException] = []

    def work(mine: list[Path]) -> None:
        try:
            with EventLog(log.path) as own:
                import_files(mine, own)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in (paths, paths[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not errors
    assert len(log.sources()) == 6
    assert len(links(log)) == 48


def test_ctrl_c_in_the_middle_leaves_the_log_as_it_was(log, folder, tmp_path) -> None:
    """In a process of its own, interrupted by itself while it reads."""
    path = put(folder, "a", btsnoop(phone(), 1002))
    program = (
        "import os, signal, sys\n"
        "from terminal_kit.eventlog import EventLog\n"
        "from terminal_kit.importers import import_files\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored below a shell's `&`
        "with EventLog(sys.argv[1]) as log:\n"
        "    import_files([sys.argv[2]], log, on_progress=lambda _: os.kill(os.getpid(), signal.SIGINT))\n"
    )
    log.close()
    done = subprocess.run(
        [sys.executable, "-c", program, str(log.path), str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode != 0
    assert "KeyboardInterrupt" in done.stderr
    with EventLog(log.path, read_only=True) as left:
        assert left.frame().empty
        assert not left.sources()


@given(st.binary(max_size=5000), st.lists(st.integers(0, 6000), max_size=5))
def test_hashes_of_beginnings_are_those_of_the_beginnings(data, sizes) -> None:
    import hashlib

    told = hashed(data, sizes)
    assert told.whole == hashlib.sha256(data).hexdigest()
    for size in sizes:
        if 0 < size < len(data):
            assert told.beginnings[size] == hashlib.sha256(data[:size]).hexdigest()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=600),
        st.text(max_size=300).map(str.encode),
        st.tuples(st.integers(0, 900), st.integers(0, 255)).map(
            lambda where: bytearray(btsnoop(phone(), 1002))[: where[0]] + bytes([where[1]])
        ),
        st.tuples(st.integers(0, 900), st.integers(0, 255)).map(
            lambda where: app_log()[: where[0]] + bytes([where[1]]) + app_log()[where[0] :]
        ),
    )
)
def test_no_content_is_too_strange(log, data) -> None:
    for report in import_files([Content("strange", bytes(data))], log):
        assert isinstance(report, ImportReport)
        if report.error is None and not report.already_there:
            assert report.records == report.understood + report.foreign + report.damaged
        elif report.error is not None:
            assert isinstance(report.error, CaptureFormatError)
            assert "fault of the kit" not in report.error.line()
