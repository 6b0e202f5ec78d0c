"""The incidents themselves: labelled, repeatable, varied, and in frames as the event log gives them."""

from pathlib import Path

import pytest
from diagnosis.incidents import STORIES, generate, play
from diagnosis.incidents.rows import of_events
from diagnosis.incidents.traces import RULES
from pandas.testing import assert_frame_equal

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Cause, Event, Kind

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
