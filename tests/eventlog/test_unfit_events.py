"""Whatever is in an event, the others are stored, and the log can be read ever after."""

import sqlite3
from typing import Any

import numpy as np
import pytest

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog, Run
from terminal_kit.eventlog.cells import TOLD_CHARACTERS
from terminal_kit.events import Event, Kind


class Sphinx:
    """Tells nothing of itself."""

    def __repr__(self) -> str:
        raise RuntimeError


CIRCLE: dict[str, Any] = {}
CIRCLE["self"] = CIRCLE


def among_others(log: EventLog, run: Run, event: Event) -> Event:
    """Appends it between two others; what became of it."""
    run.append(Event(kind="before", t_us=7))
    run.append(event)
    run.append(Event(kind="after", t_us=9))
    log.flush()
    assert log.is_recording
    _, before, found, after = log.events()
    assert (before.kind, after.kind) == ("before", "after")
    assert log.frame()["seq"].tolist() == [1, 2, 3, 4]
    return found


@pytest.mark.parametrize(
    ("column", "sent", "stored"),
    [
        ("text", "half \ud800 a pair", "half \\ud800 a pair"),
        ("reader", "STRM2\udcff", "STRM2\\udcff"),
        ("text", b"caf\xe9", "caf\\xe9"),
        ("text", 5, "5"),
        ("reader", None, ""),
        ("t_us", np.int64(5), 5),
        ("hci_code", np.int16(8), 8),
        ("rssi_dbm", np.float32(-50.5), -50.5),
        ("rssi_dbm", float("nan"), None),
        ("charging", np.True_, True),
        ("duration_s", 2**70, float(2**70)),
        ("extra", {"name": "half \ud800"}, {"name": "half \\ud800"}),
    ],
)
def test_what_can_be_stored_is_stored(log: EventLog, run: Run, column: str, sent: object, stored: object) -> None:
    found = among_others(log, run, Event(**{"kind": "a", "t_us": 8, column: sent}))
    assert found.kind == "a"
    value = getattr(found, column)
    assert (value, type(value)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        ("hci_code", 70_000),
        ("count", 2**31),
        ("session", 2**63),
        ("progress", "abc"),
        ("mtu_bytes", 1.5),
        ("charging", "yes"),
        ("rssi_dbm", object()),
        ("extra", [1, 2]),
        ("extra", {(1, 2): 3}),
        ("extra", CIRCLE),
        ("extra", {"a": Sphinx()}),
    ],
)
def test_a_value_that_fits_no_cell_is_kept_in_extra(log: EventLog, run: Run, column: str, sent: object) -> None:
    found = among_others(log, run, Event(**{"kind": "a", "t_us": 8, column: sent}))
    assert (found.kind, found.t_us) == ("a", 8)
    assert found.extra is not None
    assert list(found.extra["unfit"]) == [column]
    if column != "extra":
        assert getattr(found, column) is None
        assert found.extra["unfit"][column] == repr(sent)


def test_the_rest_of_extra_stays(log: EventLog, run: Run) -> None:
    found = among_others(log, run, Event(kind="a", t_us=8, att_code=2**20, extra={"name": "Till"}))
    assert found.extra == {"name": "Till", "unfit": {"att_code": "1048576"}}


@pytest.mark.parametrize(
    ("facts", "t_us"),
    [({"t_us": None}, 7), ({"t_us": 1.5}, 7), ({"t_us": 2**63}, 7), ({"kind": None}, 8), ({"reader": Sphinx()}, 8)],
)
def test_an_event_that_cannot_be_stored_becomes_an_error_row(
    log: EventLog, run: Run, facts: dict[str, Any], t_us: int
) -> None:
    found = among_others(log, run, Event(**{"kind": "lost", "t_us": 8, "text": "telling", **facts}))
    if "reader" in facts:  # nobody knows whose it was, but it was
        assert (found.kind, found.reader, found.t_us) == ("lost", "", t_us)
        return
    assert (found.kind, found.t_us) == (Kind.ERROR, t_us)
    assert "could not be stored" in (found.text or "")
    assert "telling" in (found.extra or {})["event"]


def test_kinds_that_are_no_text_end_nothing(log: EventLog, run: Run) -> None:
    assert among_others(log, run, Event(kind=["a"], t_us=8)).kind == "['a']"  # pyright: ignore


def test_text_beyond_what_sqlite_takes(log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log.flush()
    log._writer._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
    found = among_others(log, run, Event(kind="a", t_us=8, reader="R", text="x" * 200_000))
    assert (found.kind, found.reader) == (Kind.ERROR, "R")
    assert len(found.extra["event"]) == TOLD_CHARACTERS


def test_a_batch_is_mended_whole(log: EventLog, run: Run) -> None:
    """Many bad rows among many good ones, in the order in which they came."""
    for number in range(500):
        run.append(Event(kind="a", t_us=None if number % 7 == 0 else number, text="\ud800" * (number % 3)))
    log.flush()
    _, *found = log.events()
    assert [event.seq for event in found] == list(range(2, 502))
    assert [event.kind == Kind.ERROR for event in found] == [number % 7 == 0 for number in range(500)]


@pytest.mark.parametrize("event", [None, "note", {"kind": "a", "t_us": 1}])
def test_what_is_no_event_is_refused_at_the_door(log: EventLog, run: Run, event: Any) -> None:
    with pytest.raises(InvalidParameterError, match="takes an Event"):
        run.append(event)
    log.flush()
    assert log.last_seq() == 1


def test_statements_take_hostile_names_too(log: EventLog, run: Run) -> None:
    log.add_alias("M2 \ud800", "STRM\udcff")
    log.write_truth(t_us=np.int64(4), run=run.id, reader="A\ud800", what="switch_off", facts="{}")
    log.flush()
    assert log.aliases() == {"M2 \\ud800": "STRM\\udcff"}
    assert log.truth() == [(4, run.id, "A\\ud800", "switch_off", "{}")]
    with pytest.raises(InvalidParameterError, match="seed"):
        log.start_run(radio="simulated", seed=2**63)
    with pytest.raises(InvalidParameterError, match="radio 'simulatd'") as caught:
        log.start_run(radio="simulatd")  # pyright: ignore
    assert "simulated" in caught.value.hint


def test_a_statement_that_is_refused_takes_no_event_with_it(log: EventLog, run: Run) -> None:
    run.append(Event(kind="a", t_us=1))
    log.add_alias("A", None)  # pyright: ignore
    run.append(Event(kind="b", t_us=2))
    log.flush()
    assert sorted(event.kind for event in log.events()) == ["a", "b", "error", "run_started"]


# ---- cells that another program, an older kit or a failing disk left behind

FOREIGN: list[tuple[str, object]] = [
    ("t_us", b"\x05\0\0\0\0\0\0\0"),
    ("hci_code", 70_000),
    ("text", b"\xff"),
    ("progress", "abc"),
    ("session", 1.5),
    ("charging", 7),
    ("extra", b"\xff"),
]


@pytest.mark.parametrize(("column", "cell"), FOREIGN)
def test_unfit_cells_are_null_when_read(log: EventLog, run: Run, column: str, cell: object) -> None:
    run.append(Event(kind="a", t_us=3, battery=0.5))
    log.flush()
    with sqlite3.connect(log.path) as db:
        db.execute(f"UPDATE events SET {column} = ? WHERE kind = 'a'", (cell,))
    db.close()
    row = log.frame(kind="a").iloc[0]
    (event,) = log.events(kind="a")
    assert (row["battery"], event.battery) == (0.5, 0.5)
    if column == "text":
        assert (row["text"], event.text) == ("\\xff", "\\xff")
    elif column == "t_us":
        assert (row.isna()["t_us"], row.isna()["time"], event.t_us) == (True, True, 0)
    elif column == "extra":
        assert row["extra"] is not None
    else:
        assert (row.isna()[column], getattr(event, column)) == (True, None)


def test_times_far_from_ours_are_read(log: EventLog, run: Run) -> None:
    for t_us in (-(2**63) + 1, -1, 2**63 - 1):
        run.append(Event(kind="a", t_us=t_us))
    log.flush()
    frame = log.frame(kind="a")
    assert frame["t_us"].tolist() == [-(2**63) + 1, -1, 2**63 - 1]
    assert str(frame["time"].iloc[1]) == "1969-12-31 23:59:59.999999+00:00"
