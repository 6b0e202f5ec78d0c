"""The timeline panel: spans brought down to what is drawn, marks that open to their records, notes and clocks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from easel import Watched
from story import ADDRESS, BEGIN_US, HOSTILE, READER, S, columns, row, story_log

from terminal_kit.eventlog import EventLog, Outcome, Source
from terminal_kit.events import Event
from terminal_kit.panels.advertisements import Advertisements
from terminal_kit.panels.timeline import CLOSE_US, POINTS, TimelinePanel


class Shown(Watched, TimelinePanel):
    """The panel, with what it shows."""

    def ready(self) -> dict[str, Any]:
        return self.until(lambda now: now["window"] and "findings" in now["window"]["marks"])


def write_advertisements(log: EventLog, t_us: Any, rssi_dbm: Any, device: str = ADDRESS, group: int = 1000) -> None:
    """As an import of the log's capture lays them beside it."""
    source = next(each for each in log.sources() if each.container == "btsnoop")
    path = log.advertisements_path(source)
    path.parent.mkdir(exist_ok=True)
    names = np.array([device, "addr:AA:AA:AA:AA:AA:AA"])[np.arange(len(t_us)) % 2]
    rows = {
        "t_us": pa.array(t_us, pa.int64()),
        "device": pa.array(names).dictionary_encode(),
        "rssi_dbm": pa.array(rssi_dbm, pa.float32()),
        "record": pa.array(np.arange(len(t_us)), pa.int64()),
    }
    pq.write_table(pa.table(rows), path, row_group_size=group)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with story_log(tmp_path / "field.db") as opened:
        yield opened


@pytest.fixture
def panel(log: EventLog) -> Iterator[Shown]:
    shown = Shown(log)
    yield shown
    shown.close()


def marks(picture: dict[str, Any], lane: str) -> list[dict[str, Any]]:
    return picture["window"]["marks"].get(lane, [])


def test_it_begins_with_the_whole_of_the_reader_that_dropped_most(log: EventLog) -> None:
    run = log.runs()[0].id
    for second in range(50):
        log.append(Event(kind="battery", t_us=BEGIN_US + second * S, reader="STRM26000000001", battery=0.5), run=run)
    log.flush()
    panel = Shown(log)
    picture = panel.ready()
    panel.close()
    assert picture["readers"] == [READER, "STRM26000000001"]
    assert picture["reader"] == 0
    assert [picture["window"]["since"], picture["window"]["until"]] == picture["whole"]
    titles = [lane["name"] for lane in picture["lanes"]]
    assert titles[:3] == ["signal", "rate", "findings"]
    assert {"sessions", "attempts", "interval_ms", "battery"} <= set(titles)


def test_a_span_is_answered_with_what_can_be_drawn_of_it(panel: Shown) -> None:
    panel.ready()
    since = BEGIN_US + 590 * S
    panel.do("zoom", since=since, until=since + 20 * S)
    window = panel.until(lambda now: now["window"]["since"] == since)["window"]
    (signal,) = window["signals"]
    assert len(signal["t"]) <= POINTS
    assert max(signal["t"]) <= 71 * S  # the span, and the reading after the silence, which ends the gap
    assert None in signal["v"]
    assert any("connection timeout" in mark["words"] for mark in window["marks"]["sessions"])
    panel.do("zoom", since=None)
    panel.until(lambda now: [now["window"]["since"], now["window"]["until"]] == now["whole"])


def test_a_mark_opens_to_all_that_the_log_knows_of_it(panel: Shown) -> None:
    drop = next(mark for mark in marks(panel.ready(), "sessions") if "connection timeout" in mark["words"])
    panel.do("choose", rows=[drop["seq"], drop["end_seq"]] if drop["end_seq"] else [drop["seq"]])
    chosen = panel.until(lambda now: now["chosen"])["chosen"]
    last = chosen[-1]
    assert last["title"] == "link ended"
    assert last["place"].endswith("frame 6021")
    assert last["t_us"] == BEGIN_US + 601 * S
    assert ["hci_code", "8"] in last["facts"]
    assert ["silence_s", "5"] in last["facts"]
    assert ["time", "2025-11-25 09:10:01.000000 UTC"] in last["facts"]


def test_the_reading_next_to_a_moment_is_shown_with_its_frames(panel: Shown) -> None:
    panel.ready()
    panel.do("near", t_us=BEGIN_US + 100 * S + 400_000, within_us=S)
    (chosen,) = panel.until(lambda now: now["chosen"])["chosen"]
    assert chosen["title"] == "signal strength"
    assert chosen["place"].endswith("frame 1001 to 1006")
    panel.do("near", t_us=BEGIN_US + 630 * S, within_us=S)  # a silence
    panel.until(lambda now: now["chosen"] == [])


def test_close_up_each_advertisement_is_drawn_and_leads_to_its_frame(log: EventLog) -> None:
    t_us = BEGIN_US + np.arange(36_000, dtype=np.int64) * 50_000
    rssi = np.where(np.arange(36_000) == 2_000, -99.0, -60.0)
    write_advertisements(log, t_us, rssi)
    panel = Shown(log)
    panel.ready()
    since = BEGIN_US + 99 * S
    panel.do("zoom", since=since, until=since + 2 * S)
    window = panel.until(lambda now: now["window"]["since"] == since)["window"]
    (signal,) = window["signals"]
    assert len(signal["t"]) == 23  # ten a second with both ends, the other device left out, and one on either side
    assert signal["v"].count(-99.0) == 1
    assert signal["t"][signal["v"].index(-99.0)] == S
    assert max(window["rate"]["v"]) == 10.0
    panel.do("near", t_us=BEGIN_US + 100 * S + 1000, within_us=S)
    (chosen,) = panel.until(lambda now: now["chosen"])["chosen"]
    panel.close()
    assert chosen["title"] == "advertisement"
    assert chosen["place"].endswith("frame 2001")
    assert ["rssi_dbm", "-99"] in chosen["facts"]


def test_a_long_span_is_drawn_from_seconds_and_reads_no_advertisement(log: EventLog, monkeypatch) -> None:
    write_advertisements(log, BEGIN_US + np.arange(100, dtype=np.int64) * S, np.full(100, -60.0))
    panel = Shown(log)
    panel.ready()
    monkeypatch.setattr(Advertisements, "between", None)
    panel.do("zoom", since=BEGIN_US, until=BEGIN_US + CLOSE_US + 1)
    panel.until(lambda now: now["window"]["since"] == BEGIN_US)
    assert panel.picture["trouble"] is None
    panel.close()


def test_only_the_groups_of_a_span_are_read_with_corrected_clocks(log: EventLog, monkeypatch) -> None:
    t_us = BEGIN_US + np.arange(10_000, dtype=np.int64) * S
    write_advertisements(log, t_us, np.full(10_000, -60.0), group=1000)
    log.set_clock_offset(1, 500_000)
    heard = Advertisements(log, [READER, ADDRESS])
    read: list[int] = []
    whole = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_group",
        lambda self, number, **more: read.append(number) or whole(self, number, **more),
    )
    found = heard.between(BEGIN_US + 2_500 * S, BEGIN_US + 3_500 * S)
    assert read == [2, 3]
    assert len(found) == 502
    assert (found.t_us[0], found.t_us[-1]) == (BEGIN_US + 2_500 * S - 1_500_000, BEGIN_US + 3_500 * S + 500_000)
    assert 3_000 in heard.between(BEGIN_US + 3_000 * S + 500_000, BEGIN_US + 3_001 * S).record
    assert read == [2, 3]
    assert heard.nearest(BEGIN_US - 100 * S, S) is None
    near = heard.nearest(BEGIN_US + 2_001 * S + 600_000, 2 * S)
    assert near is not None
    assert near.record == 2_002


def test_files_that_overlap_or_are_gone_or_damaged_do_no_harm(log: EventLog) -> None:
    backwards = BEGIN_US + np.arange(2_000, dtype=np.int64)[::-1] * S
    write_advertisements(log, backwards, np.full(2_000, -60.0), group=500)
    path = log.advertisements_path(log.sources()[0])
    heard = Advertisements(log, [ADDRESS])
    found = heard.between(0, 2**62)
    assert len(found) == 1000
    assert (np.diff(found.t_us) > 0).all()
    again = Advertisements(log, [ADDRESS])
    path.write_bytes(b"PAR1 no such thing PAR1")
    assert len(again.between(0, 2**62)) == 0
    assert len(Advertisements(log, [ADDRESS]).between(0, 2**62)) == 0
    path.unlink()
    assert Advertisements(log, [ADDRESS]).sources == frozenset()


def test_close_up_the_readings_of_live_runs_stay_beside_the_captures(log: EventLog) -> None:
    write_advertisements(log, BEGIN_US + np.arange(2000, dtype=np.int64) * 500_000, np.full(2000, -60.0))
    run = log.start_run(radio="native")
    run.append(
        Event(
            kind="signal",
            t_us=BEGIN_US + 630 * S,
            reader=READER,
            rssi_dbm=-80.0,
            count=2,
            rssi_source="advertisement",
        )
    )
    log.flush()
    panel = Shown(log)
    panel.ready()
    panel.do("zoom", since=BEGIN_US + 625 * S, until=BEGIN_US + 635 * S)
    (signal,) = panel.until(lambda now: now["window"]["since"] == BEGIN_US + 625 * S)["window"]["signals"]
    panel.close()
    assert {-80.0, -60.0} <= set(signal["v"])


def test_a_note_stands_in_the_run_that_was_recorded_then(panel: Shown, log: EventLog) -> None:
    panel.ready()
    panel.do("note", t_us=BEGIN_US + 605 * S, text=f"  {HOSTILE}  ")
    panel.until(lambda now: any("note" in mark["words"] for mark in marks(now, "app")))
    (note,) = log.events(kind="note")
    assert (note.t_us, note.reader, note.text) == (BEGIN_US + 605 * S, READER, HOSTILE)
    assert note.run in {source.run for source in log.sources()}
    assert "\u202e" not in repr(panel.picture["window"])
    panel.do("note", t_us=BEGIN_US, text="   ")
    panel.until(lambda now: now["trouble"])
    assert len(list(log.events(kind="note"))) == 1


def test_a_corrected_clock_moves_the_marks_at_once(panel: Shown) -> None:
    picture = panel.ready()
    assert [source["offset_s"] for source in picture["sources"].values()] == [0.0, 0.0]
    whole = picture["whole"]
    panel.do("offset", source="2", seconds=7200)
    moved = panel.until(lambda now: now["whole"] != whole)
    assert moved["sources"]["2"]["offset_s"] == 7200.0
    update = next(mark for mark in marks(moved, "updates") if mark["end"] is not None)
    assert moved["window"]["since"] + update["t"] == BEGIN_US + 7240 * S
    panel.until(lambda now: not now["judging"] and "findings" in now["window"]["marks"])


def test_lanes_are_hidden_and_come_back(panel: Shown) -> None:
    panel.ready()
    panel.do("hide", lane="updates", hidden=True)
    panel.until(lambda now: now["hidden"] == ["updates"])
    panel.do("hide", lane="updates", hidden=False)
    panel.until(lambda now: now["hidden"] == [])


def test_another_reader_is_read_and_what_was_chosen_is_forgotten(log: EventLog) -> None:
    run = log.runs()[0].id
    log.append(Event(kind="battery", t_us=BEGIN_US + 9 * S, reader="WPC323000000001", battery=0.5), run=run)
    log.flush()
    panel = Shown(log)
    drop = marks(panel.ready(), "sessions")[0]
    panel.do("choose", rows=[drop["seq"]])
    panel.until(lambda now: now["chosen"])
    panel.do("read", reader=1)
    picture = panel.until(lambda now: now["reader"] == 1 and now["window"]["battery"]["v"] == [0.5])
    panel.close()
    assert picture["chosen"] == []
    assert "sessions" not in picture["window"]["marks"]


def test_it_is_asked_for_by_an_address_too_and_knows_the_reader(log: EventLog) -> None:
    panel = Shown(log, reader=ADDRESS)
    assert panel.ready()["reader"] == 0
    panel.close()


def test_a_reader_that_there_is_not_is_told(log: EventLog) -> None:
    panel = Shown(log, reader="STRM29999999999")
    picture = panel.until(lambda now: now["trouble"])
    assert "STRM29999999999" in picture["trouble"]["message"]
    assert f"There is {READER}" in picture["trouble"]["hint"]
    panel.do("dismiss")
    panel.do("read", reader=0)
    assert panel.until(lambda now: now["window"])["reader"] == 0
    panel.close()


def test_an_empty_log_has_no_reader_and_no_trouble(tmp_path: Path) -> None:
    with EventLog(tmp_path / "empty.db") as log:
        panel = Shown(log)
        picture = panel.until(lambda now: not now["looking"] and not now["judging"])
        panel.close()
    assert picture["readers"] == []
    assert picture["trouble"] is None


def test_simulated_and_real_rows_are_not_mixed_unasked(log: EventLog) -> None:
    run = log.start_run(radio="simulated")
    run.append(Event(kind="battery", t_us=BEGIN_US, reader="STRM26000000009", battery=0.5))
    log.flush()
    panel = Shown(log)
    assert "simulated" in panel.until(lambda now: now["trouble"])["trouble"]["message"]
    panel.close()
    panel = Shown(log, radio="simulated")
    assert panel.until(lambda now: now["window"])["readers"] == ["STRM26000000009"]
    panel.close()


def test_what_was_imported_meanwhile_is_there_after_a_look(panel: Shown, log: EventLog) -> None:
    before = len(marks(panel.ready(), "errors"))
    batch = columns([row(710, "error", error_code="READER_ERROR", record=1)]) | {"source": [0]}
    source = Source("b2" * 32, "later.txt", "sdk log", "exact", 10, records=1, understood=1)
    log.store_import([source.sha256], [batch], lambda: Outcome([source], {}, None, None))
    panel.do("look")
    picture = panel.until(lambda now: len(marks(now, "errors")) > before)
    assert any(mark["where"] == "later.txt, line 1" for mark in marks(picture, "errors"))


def test_a_log_that_is_only_read_takes_no_note(tmp_path: Path) -> None:
    story_log(tmp_path / "field.db").close()
    with EventLog(tmp_path / "field.db", read_only=True) as log:
        panel = Shown(log)
        assert panel.ready()["writable"] is False
        panel.do("note", t_us=BEGIN_US, text="x")
        panel.until(lambda now: now["trouble"] and "reading only" in now["trouble"]["message"])
        panel.close()


@pytest.mark.parametrize(
    "command",
    [
        {"do": "zoom"},
        {"do": "zoom", "since": 5, "until": 4},
        {"do": "zoom", "since": 0, "until": 2**80},
        {"do": "zoom", "since": "0", "until": "1"},
        {"do": "read", "reader": 99},
        {"do": "read", "reader": -1},
        {"do": "choose", "rows": ["1"]},
        {"do": "choose", "rows": [2**70]},
        {"do": "choose", "rows": 3},
        {"do": "near", "t_us": 2**62, "within_us": 1},
        {"do": "hide", "lane": "updates"},
        {"do": "note", "t_us": 2**64, "text": "x"},
        {"do": "offset", "source": "99", "seconds": 1},
        {"do": "offset", "source": "1", "seconds": float("inf")},
        {"do": "offset", "source": "1", "seconds": float("nan")},
        {"do": HOSTILE},
    ],
    ids=str,
)
def test_a_command_that_is_none_is_told_and_changes_nothing(panel: Shown, command: dict[str, Any]) -> None:
    whole = panel.ready()["whole"]
    panel._on_command(None, command, [])
    picture = panel.until(lambda now: now["trouble"])
    assert picture["whole"] == whole
    assert "\u202e" not in picture["trouble"]["message"]


def test_a_row_that_there_is_not_is_no_record(panel: Shown) -> None:
    panel.ready()
    panel.do("choose", rows=[1])
    panel.until(lambda now: now["chosen"])
    panel.do("choose", rows=[10**9])
    assert panel.until(lambda now: now["chosen"] == [])["trouble"] is None
