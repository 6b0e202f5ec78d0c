"""The incidents themselves: labelled, repeatable, varied, and in frames as the event log gives them."""

import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from diagnosis.incidents import STORIES, generate, play
from diagnosis.incidents.ends import End
from diagnosis.incidents.log_lines import SHAPES
from diagnosis.incidents.log_story import steps
from diagnosis.incidents.rows import of_events, of_reading
from diagnosis.incidents.traces import RULES
from pandas.testing import assert_frame_equal

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Cause, DisconnectReason, Event, Kind

SEEDS = range(len(STORIES))


def test_there_are_forty_kinds_and_every_cause() -> None:
    assert len({story.name for story in STORIES}) == len(STORIES) >= 40
    # A truth that nothing can tell is no kind of its own: any of them may leave no trace.
    assert {story.cause for story in STORIES} == set(Cause) - {Cause.CANNOT_TELL}
    assert set(RULES) == set(Cause)


@pytest.mark.parametrize("seed", SEEDS, ids=[story.name for story in STORIES])
def test_each_kind_happens_and_its_row_is_there(seed: int) -> None:
    story = STORIES[seed]
    found = play(seed, ("live",))
    assert len(found) == ("live" in story.views)
    for incident in found:
        assert incident.truth is story.cause
        rows = incident.frame
        ends = rows[(rows["reader"] == incident.reader) & (rows["t_us"] == incident.t_us)]
        kinds = {Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.CONNECT_FAILED, Kind.LINK_FAILED}
        assert kinds & set(ends["kind"])


def test_a_seed_gives_the_same_incident_again() -> None:
    first, second = (next(generate([10])) for _ in range(2))
    assert first.t_us == second.t_us
    assert_frame_equal(first.frame, second.frame)


def test_seeds_differ() -> None:
    times = {incident.t_us for incident in generate(range(1, 1 + 3 * len(STORIES), len(STORIES)))}
    assert len(times) == 3


def test_the_frame_is_the_event_logs(tmp_path: Path) -> None:
    events = [
        Event(kind=Kind.SIGNAL, t_us=2_000_000, reader="STRM2", rssi_dbm=-60.0, count=3, extra={"a": 1}),
        Event(kind=Kind.BATTERY, t_us=3_000_000, reader="STRM2", battery=0.5, charging=True),
    ]
    with EventLog(tmp_path / "a.tklog") as log:
        run = log.start_run(radio="simulated")
        for event in events:
            run.append(event)
        log.flush()
        stored = log.frame()
    stored = stored[stored["kind"] != Kind.RUN_STARTED].reset_index(drop=True)  # the log's own row
    made = of_events(events).assign(run=stored["run"], seq=stored["seq"])
    assert_frame_equal(made[stored.columns.tolist()], stored)


def test_columns_of_an_import_become_the_same_frame() -> None:
    batch = {
        "t_us": np.array([5, 6], "int64"),
        "kind": ["link_disconnected", "signal"],
        "reader": ["addr:C0:00:00:00:00:01", None],
        "hci_code": np.array([0x13, -1], "int16"),
        "rssi_dbm": np.array([np.nan, -70.0]),
        "source": [0, 0],
        "record": [17, 18],
        "extra": [{"silence_s": 1.5}, None],
    }
    reading = SimpleNamespace(
        batches=lambda: [batch],
        aliases=lambda: {"addr:C0:00:00:00:00:01": "STRM2"},
        reports=[SimpleNamespace(container="btsnoop 1002")],
    )
    frame = of_reading(reading, ["phone.btsnoop"])
    assert frame["reader"].tolist() == ["STRM2", ""]
    assert frame["file"].tolist() == ["phone.btsnoop"] * 2
    assert frame["container"].tolist() == ["btsnoop 1002"] * 2
    assert frame["rssi_dbm"].isna().tolist() == [True, False]
    assert frame["extra"].tolist()[0] == '{"silence_s": 1.5}'
    assert frame.dtypes.equals(of_events([]).dtypes)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_log_tells_the_story_without_its_truth(shape: str) -> None:
    at_us = 1_750_000_000_000_000
    serial = "STRM20000000001"
    told = [
        Event(kind=Kind.DISCOVERY_STARTED, t_us=at_us),
        Event(kind=Kind.READER_FOUND, t_us=at_us + 1, reader=serial),
        Event(kind=Kind.CONNECT_STARTED, t_us=at_us + 2, reader=serial),
        Event(kind=Kind.LINK_CONNECTED, t_us=at_us + 3, reader=serial),
        Event(kind=Kind.CONNECT_SUCCEEDED, t_us=at_us + 4, reader=serial),
        Event(kind=Kind.DISCONNECTED, t_us=at_us + 10, reader=serial),
    ]
    ends = [End(at_us + 10, serial, 0x13, DisconnectReason.IDLE_POWER_DOWN, is_link=True)]
    texts = [
        SHAPES[shape](steps(told, ends, serial, random.Random(seed)), random.Random(seed), 1) for seed in range(60)
    ]
    assert all("connected" in text.lower() for text in texts)
    said = sum("idle" in text.lower() for text in texts)
    if shape == "ios":  # it prints no reason
        assert said == 0
    else:
        assert 0.55 * 60 <= said <= 0.95 * 60  # a fifth is told as unknown, a twentieth is wrong
