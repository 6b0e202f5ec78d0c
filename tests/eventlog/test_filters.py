"""What is asked for is what one gets: no filter fails silently, and nothing simulated comes with real events unasked."""

import asyncio
import itertools
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terminal_kit import frame_from_parquet
from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import EventLog, Run, reading
from terminal_kit.events import Event


def five(log: EventLog, run: Run) -> None:
    for number in range(5):
        run.append(Event(kind="signal", t_us=number * 1_000_000, reader="AB"[number % 2], session=number % 2))
    log.flush()


@pytest.mark.parametrize(
    ("filters", "meant"),
    [
        ({"readers": "A"}, "reader"),
        ({"kinds": "signal"}, "kind"),
        ({"location": "tml_x"}, "Choose of"),
        ({"radio": "simulatd"}, "simulated"),
        ({"radio": ["native", "vitrual"]}, "virtual"),
    ],
)
def test_what_is_no_filter_is_refused(log: EventLog, run: Run, filters: dict[str, Any], meant: str) -> None:
    doors: list[Callable[..., object]] = [log.frame, log.events, lambda **f: log.read_after(0, **f)]
    for door in doors:
        with pytest.raises(InvalidParameterError) as caught:
            door(**filters)
        assert meant in caught.value.hint


@pytest.mark.parametrize(
    "filters",
    [
        {"session": "one"},
        {"session": 1.5},
        {"since": "yesterday"},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the point
        {"until": np.float64(1)},
        {"reader": 5},
        {"kind": [5]},
    ],
)
def test_values_that_are_none_are_refused(log: EventLog, run: Run, filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        log.frame(**filters)


def test_values_of_frames_are_values_of_filters(log: EventLog, run: Run) -> None:
    five(log, run)
    frame = log.frame(kind="signal")
    row = frame.iloc[2]
    assert len(log.frame(session=np.int64(1))) == len(log.frame(session=1)) == 2
    assert len(log.frame(kind="signal", since=np.int64(row["t_us"]))) == 3
    assert len(log.frame(kind="signal", since=row["time"])) == 3
    assert len(log.frame(kind="signal", until=np.int64(2**62), since=-(2**70))) == 5
    assert len(list(log.events(after_seq=np.int64(row["seq"])))) == 2
    assert len(log.frame(kind=pd.Series(["signal"]))) == 5
    assert log.frame(columns="reader", kind="signal").columns.tolist() == ["reader"]


def test_times_are_exact_to_the_microsecond(log: EventLog, run: Run) -> None:
    for t_us in range(1_700_000_000_000_001, 1_700_000_000_000_400):
        moment = datetime.fromtimestamp(t_us // 1_000_000, UTC).replace(microsecond=t_us % 1_000_000)
        assert log.frame(since=moment) is not None
        run.append(Event(kind="a", t_us=t_us))
        log.flush()
        assert log.frame(columns=["t_us"], kind="a", since=moment)["t_us"].tolist() == [t_us]
        if t_us % 50 == 0:
            break


@pytest.mark.parametrize(("real", "made_up"), [*itertools.product(["native", "import"], ["simulated", "virtual"])])
def test_one_rule_for_every_door(tmp_path: Path, real: Any, made_up: Any) -> None:
    with EventLog(tmp_path / "mixed.db") as log:
        log.start_run(radio=real)
        log.start_run(radio=made_up)
        log.flush()
        log.to_parquet(tmp_path / "archive")
        doors: list[Callable[..., Any]] = [
            log.frame,
            lambda **f: list(log.events(**f)),
            lambda **f: log.read_after(0, **f),
            lambda **f: frame_from_parquet(tmp_path / "archive", **f),
        ]
        for door in doors:
            with pytest.raises(EventLogError, match="simulated and real"):
                door()
            assert (len(door(radio=real)), len(door(radio="all")), len(door(radio=[real, made_up]))) == (1, 2, 2)
        with pytest.raises(EventLogError, match="simulated and real"):
            asyncio.run(first_followed(log))
        assert asyncio.run(first_followed(log, radio=made_up)).seq == 2


async def first_followed(log: EventLog, **filters: Any) -> Event:
    follower = log.follow(after_seq=0, **filters)
    try:
        return await asyncio.wait_for(anext(follower), 10)
    finally:
        await follower.aclose()


def test_what_is_of_one_sort_needs_no_asking(tmp_path: Path) -> None:
    for name, radios in {"real": ["native", "import"], "made_up": ["simulated", "virtual"]}.items():
        with EventLog(tmp_path / f"{name}.db") as log:
            for radio in radios:
                log.start_run(radio=radio)
            log.flush()
            assert len(log.frame()) == 2


def test_events_are_fetched_as_they_are_wanted(log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5000):
        run.append(Event(kind="a", t_us=number, reader="STRM26138003393", text=f"{number:0100}"))
    log.flush()
    monkeypatch.setattr(reading, "PAGE", 50)
    tracemalloc.start()
    events = log.events()
    first = next(events)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert first.seq == 1
    assert peak_bytes < 500_000
    run.append(Event(kind="later", t_us=1))
    log.flush()
    assert log.last_seq() == 5002  # a reader that has not ended hides nothing from others
    assert [event.seq for event in events] == list(range(2, 5002))  # and ends, while the log grows


def test_limits_and_pages(log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    five(log, run)
    monkeypatch.setattr(reading, "PAGE", 2)
    assert [event.seq for event in log.events()] == [1, 2, 3, 4, 5, 6]
    assert [event.seq for event in log.events(limit=3, after_seq=1)] == [2, 3, 4]
    assert [event.seq for event in log.events(limit=4, reader="A")] == [2, 4, 6]
    assert list(log.events(limit=0)) == []


def test_a_log_that_is_closed_while_it_is_read_says_so(
    log: EventLog, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(log, run)
    monkeypatch.setattr(reading, "PAGE", 2)
    events = log.events()
    next(events)
    log.close()
    with pytest.raises(EventLogError, match="is closed"):
        list(events)
