"""Sessions, drops and rates against a plain loop over each reader's rows."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal_kit.analysis import (
    compare,
    drop_rates,
    drops,
    exposure,
    lifetimes,
    return_times,
    sessions,
    signal_before_drops,
)
from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event, Kind

BEGAN_US = 1_790_000_000_000_000
S = 1_000_000


def frame(folder: Any, events: list[Event]) -> pd.DataFrame:
    with EventLog(folder / "log.db") as log:
        run = log.start_run(radio="native")
        for event in events:
            run.append(event)
        log.flush()
        found = log.frame()
    return found[found["kind"] != Kind.RUN_STARTED].reset_index(drop=True)


SPANS = st.lists(
    st.tuples(
        st.sampled_from("AB"), st.integers(1, 900), st.integers(1, 900), st.sampled_from((0x08, 0x13, 0x16, None))
    ),
    max_size=12,
)
"""Reader, pause before, length, and how it ended; None: its end was not seen."""


def played(
    spans: list[tuple[str, int, int, int | None]],
) -> tuple[list[Event], dict[str, list[tuple[int, int, int | None]]]]:
    """Rows of links one after the other, and the same as plain spans of seconds."""
    events: list[Event] = []
    told: dict[str, list[tuple[int, int, int | None]]] = {"A": [], "B": []}
    now = dict.fromkeys("AB", 0)
    ended = set[str]()
    for number, (reader, pause, length, code) in enumerate(spans):
        if reader in ended:
            continue
        begin = now[reader] + pause
        common = {"reader": reader, "session": number}
        events.append(Event(kind=Kind.LINK_CONNECTED, t_us=BEGAN_US + begin * S, **common))
        if code is None:
            ended.add(reader)
            told[reader].append((begin, -1, None))
            continue
        reason = "disconnect_requested" if code == 0x16 else None
        end = begin + length
        events.append(
            Event(
                kind=Kind.LINK_DISCONNECTED,
                t_us=BEGAN_US + end * S,
                hci_code=code,
                reason=reason,
                duration_s=length,
                **common,
            )
        )
        told[reader].append((begin, end, code))
        now[reader] = end
    return events, told


@given(SPANS)
@settings(deadline=None, max_examples=25)
def test_rates_are_those_of_a_plain_loop(tmp_path_factory: pytest.TempPathFactory, spans: Any) -> None:
    events, told = played(spans)
    if not events:
        return
    rows = frame(tmp_path_factory.mktemp("exposure"), events)
    last_s = max((event.t_us - BEGAN_US) // S for event in events)
    hours = {
        name: sum(((last_s if end < 0 else end) - begin) / 3600 for begin, end, _ in of) for name, of in told.items()
    }
    lost = {name: sum(code in (0x08, 0x13) for _, _, code in of) for name, of in told.items()}
    assert len(sessions(rows)) == sum(map(len, told.values()))
    assert len(drops(rows)) == sum(lost.values())
    assert exposure(rows)["connected_h"].sum() == pytest.approx(sum(hours.values()), abs=1e-6)
    rates = drop_rates(rows, by=("reader",)).set_index("reader")
    for name in told:
        if hours[name] > 0:
            assert rates.loc[name, "drops"] == lost[name]
            assert rates.loc[name, "connected_h"] == pytest.approx(hours[name], abs=1e-6)


def test_times_away_are_censored_where_nobody_came_back(tmp_path: Any) -> None:
    events, _ = played([("A", 10, 100, 0x08), ("A", 30, 100, 0x13)])
    events.append(Event(kind=Kind.NOTE, t_us=BEGAN_US + 400 * S))
    away = return_times(frame(tmp_path, events))
    assert away["came_back"].tolist() == [True, False]
    assert away["duration_s"].tolist() == [30.0, 160.0]


def test_lifetimes_censor_what_was_closed_on_purpose(tmp_path: Any) -> None:
    events, _ = played([("A", 1, 50, 0x08), ("A", 1, 60, 0x16), ("A", 1, 70, 0x08)])
    (row,) = lifetimes(frame(tmp_path, events)).to_dict("records")
    assert (row["sessions"], row["dropped"]) == (3, 2)
    assert row["median_s"] == 70.0


def test_signal_before_a_drop(tmp_path: Any) -> None:
    events, _ = played([("A", 1, 100, 0x08)])
    events += [
        Event(
            kind=Kind.SIGNAL,
            t_us=BEGAN_US + second * S,
            reader="A",
            rssi_dbm=-50.0 if second < 80 else -50.0 - 2 * (second - 80),
            rssi_source="hci",
            count=1,
        )
        for second in range(2, 101)
    ]
    (row,) = signal_before_drops(frame(tmp_path, events)).to_dict("records")
    assert row["usual_dbm"] == pytest.approx(-50.0, abs=1.0)
    assert row["reader"] == "A"


def test_a_comparison_claims_no_difference_without_one(tmp_path: Any) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    calm, _ = played([("A", 10, 880, 0x08)] * 3)
    stormy, _ = played([("A", 1, 20, 0x08)] * 40)
    quiet, loud = frame(tmp_path / "a", calm), frame(tmp_path / "b", stormy)
    same = compare(quiet, quiet)
    assert not same.contrasts["differs"].any()
    assert all("no difference shown" in sentence for sentence in same.sentences())
    other = compare(quiet, loud, names=("calm", "stormy"))
    row = other.contrasts.set_index("measure").loc["drop_rate"]
    assert row["differs"]
    assert row["low"] > 1


def test_a_session_of_a_century_gives_no_exposure(tmp_path: Any) -> None:
    """The clock was set while the link was up: nobody knows how long it was, and its days would fill the memory."""
    events, _ = played([("A", 10, 100, 0x08), ("B", 10, 100, None)])
    events.append(Event(kind=Kind.NOTE, t_us=BEGAN_US + 100 * 366 * 86_400 * S))
    rows = frame(tmp_path, events)
    assert exposure(rows)["connected_h"].sum() == pytest.approx(100 / 3600)
    assert drop_rates(rows, by=("reader",))["drops"].tolist() == [1]
