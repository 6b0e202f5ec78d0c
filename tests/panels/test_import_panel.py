"""The import panel: choosing, uploading, importing, asking, stopping, correcting clocks."""

import threading
from pathlib import Path
from typing import Any

import pytest
from easel import Watched

from terminal_kit.errors import CaptureFormatError
from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.importers import Clock, Content, Damage, ImportReport, Lack, Progress
from terminal_kit.panels import importing
from terminal_kit.panels.importing import ImportPanel
from terminal_kit.panels.uploading import CHUNK_BYTES, UPLOAD_BYTES

NAUGHTY = "<img src=x onerror=alert(1)>\u202e.log"


class Shown(Watched, ImportPanel):
    """The panel, with what it shows."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "field"
    (made / "phones").mkdir(parents=True)
    (made / NAUGHTY).write_bytes(b"x" * 10)
    (made / "b.btsnoop").write_bytes(b"y" * 2000)
    (made / ".hidden").write_bytes(b"z")
    return made


@pytest.fixture
def log(tmp_path: Path):
    with EventLog(tmp_path / "field.db") as opened:
        yield opened


@pytest.fixture
def panel(folder: Path, log: EventLog):
    shown = Shown(log, folder=folder)
    yield shown
    shown.close()
    assert not shown._thread.is_alive()


@pytest.fixture
def door(monkeypatch):
    """What stands for the door: takes what it is given, and does what the test says."""
    calls: list[Any] = []

    def stand_in(paths: Any, log: Any, **kwargs: Any) -> list[ImportReport]:
        calls.append((list(paths), kwargs))
        return stand_in.does(kwargs)  # type: ignore[attr-defined]

    stand_in.does = lambda kwargs: [  # type: ignore[attr-defined]
        ImportReport(
            file=NAUGHTY,
            container="sdk log (ios)",
            records=5,
            understood=3,
            damaged=1,
            events=2,
            damages=[Damage("cut", record=4)],
            findings=["Its year is taken."],
        ),
        ImportReport(file="b", error=CaptureFormatError("b is nothing", path="b")),
    ]
    stand_in.calls = calls  # type: ignore[attr-defined]
    monkeypatch.setattr(importing, "import_files", stand_in)
    return stand_in


def trouble(picture: dict[str, Any]) -> str:
    return (picture.get("trouble") or {}).get("message", "")


def test_a_folder_is_browsed_and_files_are_chosen(panel, folder) -> None:
    panel.do("hello")
    picture = panel.until(lambda picture: picture.get("folder"))
    assert picture["folder"] == str(folder)
    assert [entry["folder"] for entry in picture["entries"]] == [True, False, False]
    assert [entry["size"] for entry in picture["entries"]] == [None, 10, 2000]
    assert all("\u202e" not in entry["name"] and entry["name"] != ".hidden" for entry in picture["entries"])
    place = next(place for place, entry in enumerate(picture["entries"]) if entry["name"].startswith("<img"))
    panel.do("open", listing=picture["listing"], place=place)
    picture = panel.until(lambda picture: picture["choices"])
    (choice,) = picture["choices"].values()
    assert choice["size"] == 10
    assert choice["name"].endswith("<img src=x onerror=alert(1)>⟨U+202E⟩.log")
    panel.do("open", listing=picture["listing"], place=place)  # twice is once
    panel.do("open", listing=picture["listing"], place=0)
    picture = panel.until(lambda picture: picture["folder"].endswith("phones"))
    assert len(picture["choices"]) == 1
    panel.do("open", listing=picture["listing"] - 1, place=1)  # of a listing that is gone
    panel.do("browse", up=True)
    picture = panel.until(lambda picture: picture["folder"] == str(folder))
    panel.do("drop", key=next(iter(picture["choices"])))
    assert panel.until(lambda picture: not picture["choices"])["choices"] == {}


def test_a_path_is_typed(panel, folder) -> None:
    panel.do("type", path=" b.btsnoop ")
    panel.until(lambda picture: len(picture["choices"]) == 1)
    panel.do("type", path=str(folder / "phones"))
    panel.until(lambda picture: picture["folder"].endswith("phones"))
    panel.do("type", path="nowhere.log")
    assert "nowhere.log" in trouble(panel.until(trouble))


def test_an_upload_comes_in_pieces_up_to_a_size(panel, door) -> None:
    data = bytes(range(256)) * 8
    panel.do("upload", name="C:\\phones\\app.log", size=len(data))
    picture = panel.until(lambda picture: picture["upload"])
    assert picture["upload"] == {"name": "app.log", "size": 2048, "received": 0, "chunk": CHUNK_BYTES}
    assert picture["upload_bytes"] == UPLOAD_BYTES
    panel.do("chunk", at=0, buffers=[memoryview(data[:1500])])
    panel.until(lambda picture: picture["upload"]["received"] == 1500)
    panel.do("chunk", at=0, buffers=[data[:1500]])  # an echo
    panel.do("chunk", at=1500, buffers=[data[1500:] + b"too much"])
    panel.do("chunk", at=1500, buffers=[])
    panel.do("chunk", at=1500, buffers=[data[1500:]])
    picture = panel.until(lambda picture: picture["choices"])
    assert picture["upload"] is None
    panel.do("import", redact=False)
    panel.until(lambda picture: picture["reports"])
    ((paths, _),) = door.calls
    assert paths == [Content("app.log", data)]


@pytest.mark.parametrize("size", [0, -5, UPLOAD_BYTES + 1])
def test_what_is_too_large_or_empty_is_refused_at_once(panel, size) -> None:
    panel.do("upload", name="huge.log", size=size)
    assert trouble(panel.until(trouble)).startswith("Huge.log")
    assert panel.picture["upload"] is None


def test_uploads_that_wait_count_together(panel) -> None:
    panel.do("upload", name="a", size=2)
    panel.do("chunk", at=0, buffers=[b"ab"])
    panel.until(lambda picture: picture["choices"])
    panel.do("upload", name="b", size=UPLOAD_BYTES - 1)
    panel.until(trouble)
    panel.do("upload", name="c", size=UPLOAD_BYTES - 2)
    panel.until(lambda picture: picture["upload"])
    panel.do("cancel_upload")
    panel.until(lambda picture: picture["upload"] is None)


def test_reports_are_shown_and_hostile_names_are_only_text(panel, door) -> None:
    heard: list[Any] = []
    panel._on_import = heard.append
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=False)
    picture = panel.until(lambda picture: picture["reports"] and not picture["working"])
    good, bad = picture["reports"]
    assert good["file"] == "<img src=x onerror=alert(1)>⟨U+202E⟩.log"
    assert (good["records"], good["lines"], good["error"]) == (5, True, None)
    assert good["damages"] == [{"text": "cut", "offset": None, "record": 4}]
    assert bad["error"].startswith("b is nothing. ")
    assert picture["choices"] == {}
    assert [report.file for report in heard[0]] == [NAUGHTY, "b"]


def test_names_are_replaced_where_that_is_asked_for(panel, door) -> None:
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=True)
    panel.until(lambda picture: picture["reports"])
    ((_, kwargs),) = door.calls
    assert kwargs["redactor"].text("STRM26138000001") != "STRM26138000001"


def test_nothing_chosen_is_said(panel, door) -> None:
    panel.do("import", redact=False)
    assert trouble(panel.until(trouble)) == "No file is chosen."
    assert not door.calls


def test_what_a_log_lacks_is_asked_for(panel, door) -> None:
    answers: list[Clock] = []

    def does(kwargs: Any) -> list[ImportReport]:
        answers.append(kwargs["on_lack"](NAUGHTY, Lack(year=True, zone=True)))
        return [ImportReport(file="a")]

    door.does = does
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=False)
    picture = panel.until(lambda picture: picture["asking"])
    assert picture["asking"] == {"file": "<img src=x onerror=alert(1)>⟨U+202E⟩.log", "year": True, "zone": True}
    panel.do("answer", year=None, zone="Mars/Crater")
    assert "Mars/Crater" in trouble(panel.until(trouble))
    panel.do("answer", year=20, zone=None)
    panel.until(lambda picture: "no year" in trouble(picture))
    panel.do("answer", year=2026, zone="+02:00")
    panel.until(lambda picture: picture["reports"] and picture["asking"] is None)
    assert answers == [Clock(2026, "+02:00")]


def test_an_import_that_asks_can_be_stopped(panel, door) -> None:
    door.does = lambda kwargs: kwargs["on_lack"]("a", Lack(year=True))
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=False)
    panel.until(lambda picture: picture["asking"])
    panel.do("stop")
    picture = panel.until(lambda picture: not picture["working"])
    assert (picture["reports"], picture["asking"], picture["trouble"]) == ([], None, None)
    assert len(picture["choices"]) == 1


def test_progress_is_shown_and_stop_stops_it(panel, door) -> None:
    goes_on = threading.Event()

    def does(kwargs: Any) -> list[ImportReport]:
        kwargs["on_progress"](Progress("b", 30, 120))
        while not goes_on.wait(0.01):
            kwargs["on_progress"](Progress("b", 30, 120))
        return []

    door.does = does
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=False)
    assert panel.until(lambda picture: picture["progress"])["progress"] == {"file": "b", "share": 0.25}
    panel.do("import", redact=False)
    assert "at work" in trouble(panel.until(trouble))
    panel.do("stop")
    picture = panel.until(lambda picture: not picture["working"])
    assert picture["progress"] is None
    assert picture["trouble"] is None


def test_closing_stops_an_import_and_waits_for_it(folder, log, door) -> None:
    panel = Shown(log, folder=folder)
    door.does = lambda kwargs: kwargs["on_lack"]("a", Lack(year=True))
    panel.do("type", path="b.btsnoop")
    panel.do("import", redact=False)
    panel.until(lambda picture: picture["asking"])
    worker = panel._worker
    panel.close()
    assert not worker.is_alive()
    panel.close()


def test_clocks_of_sources_are_corrected(panel, log) -> None:
    source = Source(sha256="aa", name=NAUGHTY, container="sdk log (ios)", time_rule="zone_assumed", size_bytes=1)
    rows = {"t_us": [1], "kind": ["note"], "reader": [""], "source": [0]}
    log.store_import(["aa"], [rows], lambda: Outcome([source]))
    panel.redraw()
    picture = panel.until(lambda picture: picture["sources"])
    assert picture["sources"]["1"]["rule"] == "time zone assumed"
    assert "\u202e" not in picture["sources"]["1"]["name"]
    panel.do("offset", source="1", seconds=-1.5)
    panel.until(lambda picture: picture["sources"]["1"]["offset_s"] == -1.5)
    assert log.sources()[0].clock_offset_us == -1_500_000
    for wrong in (
        {"source": "7", "seconds": 1},
        {"source": "1", "seconds": 1e12},
        {"source": "1", "seconds": 1e300},
        {"source": "x", "seconds": 1},
        {"source": "9" * 30, "seconds": 1},
    ):
        panel.do("dismiss")
        panel.until(lambda picture: not trouble(picture))
        panel.do("offset", **wrong)
        panel.until(trouble)


def test_a_log_that_is_read_only_says_so(folder, log, door) -> None:
    log.close()
    with EventLog(log.path, read_only=True) as reading:
        panel = Shown(reading, folder=folder)
        panel.do("type", path="b.btsnoop")
        panel.do("import", redact=False)
        assert "reading only" in trouble(panel.until(trouble))
        panel.close()


def test_a_cell_that_runs_again_leaves_one_panel(folder, log) -> None:
    first, second = Shown(log, folder=folder), Shown(log, folder=folder)
    assert not first._thread.is_alive()
    second.close()


@pytest.mark.parametrize(
    "content",
    [
        {"do": "open", "listing": "x", "place": 0},
        {"do": "open", "listing": 1, "place": -1},
        {"do": "open", "listing": 1, "place": 10**9},
        {"do": "type", "path": "\0"},
        {"do": "type", "path": "x" * 5000},
        {"do": "upload", "name": 3, "size": 3},
        {"do": "chunk"},
        {"do": "chunk", "at": 0},
        {"do": "answer", "year": 1, "zone": 1},
        {"do": "offset", "source": "1"},
        {"do": "nonsense"},
        {"do": 5},
        "text",
        None,
    ],
)
def test_nonsense_from_the_page_hurts_nobody(panel, content) -> None:
    panel._on_command(None, content, [])
    panel.do("type", path="b.btsnoop")
    panel.until(lambda picture: picture["choices"])
