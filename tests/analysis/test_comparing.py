"""Groups side by side: who belongs where, what is claimed, and how often it would be claimed in vain."""

import json
import random
import re
from typing import Any

import pandas as pd
import pytest
from test_analysis import M2, OFFER, WISEPAD, drop, frame_of, heard, update

from terminal_kit.analysis import compare, drop_rates, lifetimes, return_times, sessions
from terminal_kit.errors import InvalidParameterError


def played(
    seed: int, *, per_100_h: float = 20.0, back_s: float = 5.0, hours: float = 100.0, **facts: Any
) -> list[dict[str, Any]]:
    """Links of one reader whose drops and returns come by chance alone."""
    chance, now, session = random.Random(seed), 0.0, 0
    rows: list[dict[str, Any]] = []
    while now < hours * 3600:
        session += 1
        rows.append({"at": now, "kind": "link_connected", "session": session, **facts})
        now += chance.expovariate(per_100_h / 360_000)
        rows += [heard(now - 2, chance.gauss(-60, 5), **facts), drop(now, session, hci_code=8, **facts)]
        now += chance.expovariate(1 / back_s)
    return rows


def figure(comparison: Any, measure: str, group: str) -> dict[str, Any]:
    rows = comparison.figures
    (row,) = rows[(rows["measure"] == measure) & (rows["group"] == group)].to_dict("records")
    return row


def contrast(comparison: Any, measure: str) -> dict[str, Any]:
    (row,) = comparison.contrasts[comparison.contrasts["measure"] == measure].to_dict("records")
    return row


def test_twice_the_drops_and_thrice_the_wait_are_seen() -> None:
    calm, rough = frame_of(*played(1)), frame_of(*played(2, per_100_h=80, back_s=30))
    told = compare(calm, rough, names=("calm", "rough"))
    drops = contrast(told, "drop_rate")
    assert drops["differs"]
    assert drops["low"] > 1
    assert drops["value"] == pytest.approx(
        figure(told, "drop_rate", "rough")["value"] / figure(told, "drop_rate", "calm")["value"]
    )
    assert contrast(told, "back_10_s")["high"] < 0
    assert contrast(told, "return_time")["low"] > 0
    assert not contrast(told, "signal_advertisement")["differs"]
    sentences = told.sentences()
    assert sentences[0].startswith("Drops: calm ")
    assert "differs" in sentences[0]
    assert len(sentences) == len(told.contrasts)
    assert all(("differs" in said) == row for said, row in zip(sentences, told.contrasts["differs"], strict=True))


def test_few_events_are_called_few_and_claim_nothing() -> None:
    once = frame_of({"at": 0, "kind": "link_connected", "session": 1}, drop(3600), heard(4000, -60))
    told = compare(once, frame_of({"at": 0, "kind": "link_connected", "session": 1}, heard(7200, -60)))
    assert not told.contrasts["differs"].any()
    said = told.sentences()[0]
    assert "no difference shown (too few to say which would be)" in said
    assert said.endswith(", from few events.")


def test_what_no_group_has_is_left_out_and_nothing_is_no_error() -> None:
    told = compare(frame_of(*played(1)), frame_of(*played(2)))
    assert "installed" not in set(told.figures["measure"])
    nothing = compare(frame_of(), frame_of())
    assert nothing.figures.empty
    assert nothing.sentences() == []


def test_the_same_twice_differs_in_nothing() -> None:
    rows = frame_of(*played(5))
    told = compare(rows, rows)
    assert not told.contrasts["differs"].any()
    assert all("no difference shown" in said for said in told.sentences())


def test_each_thing_belongs_to_what_was_known_of_its_reader_then() -> None:
    """An update comes between two drops: the first is the old software's, the update too, the second the new one's."""
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1}, {"at": 1, "kind": "reader_info", "firmware": "2.01"},
        drop(3600), update(3700, "started", **OFFER), update(3760, "finished"),
        {"at": 3800, "kind": "link_connected", "session": 2, "firmware": "2.02"}, drop(3800 + 7200, 2),
        {"at": 0, "kind": "link_connected", "session": 1, "reader": WISEPAD},
        drop(900, reader=WISEPAD), {"at": 950, "kind": "reader_info", "firmware": "7.0", "reader": WISEPAD},
        {"at": 20_000, "kind": "note", "reader": ""},
    )  # fmt: skip
    told = compare(frame, by="firmware")
    hours = {group: figure(told, "drop_rate", group)["of"] for group in ("2.01", "2.02", "7.0")}
    assert hours == pytest.approx({"2.01": 1.0, "2.02": 2.0, "7.0": 0.25})
    assert [figure(told, "drop_rate", group)["events"] for group in hours] == [1, 1, 1]
    assert figure(told, "installed", "2.01")["basis"] == "1 of 1 that ended"
    assert set(told.contrasts["base"]) == {"2.01"}


def test_what_a_reader_tells_once_it_is_connected_holds_from_its_start() -> None:
    """Nobody tells of an update between two sessions: the second's first rows are of the new software, all the same."""
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1, "location": "tml_a"},
        {"at": 1, "kind": "reader_info", "firmware": "2.01"},
        drop(3600, hci_code=8), {"at": 3800, "kind": "link_connected", "session": 2}, heard(3801, -60),
        {"at": 3805, "kind": "reader_info", "firmware": "2.02", "session": 2, "location": "tml_b"},
        drop(3800 + 7200, 2, hci_code=8), heard(20_000, -60),
    )  # fmt: skip
    for by, groups in (("firmware", ("2.01", "2.02")), ("place", ("tml_a", "tml_b"))):
        told = compare(frame, by=by)
        hours = {group: figure(told, "drop_rate", group)["of"] for group in groups}
        assert hours == pytest.approx(dict(zip(groups, (1.0, 2.0), strict=True)))
        assert [figure(told, "drop_rate", group)["events"] for group in groups] == [1, 1]
        assert figure(told, "signal_advertisement", groups[1])["of"] == 2
    for table in (lifetimes, drop_rates):
        assert table(frame, by=["firmware"])["connected_h"].tolist() == pytest.approx([1.0, 2.0])


def test_what_an_update_ends_with_is_told_of_the_software_after_it() -> None:
    frame = frame_of(
        {"at": 0, "kind": "link_connected", "session": 1},
        update(10, "started", **OFFER, session=1), update(60, "finished", firmware="2.02", session=1), drop(3600),
        {"at": 3700, "kind": "link_connected", "session": 2, "firmware": "2.02"}, drop(7300, 2),
    )  # fmt: skip
    assert lifetimes(frame, by=["firmware"])["sessions"].tolist() == [2]  # nobody told of what was before
    before = frame.assign(firmware=frame["firmware"].where(frame["kind"] != "link_connected", "2.01"))
    assert lifetimes(before, by=["firmware"])["firmware"].tolist() == ["2.01"]


def test_an_update_is_of_the_software_that_it_replaces() -> None:
    frame = frame_of(
        update(10, "started", **OFFER), update(60, "finished"), {"at": 70, "kind": "reader_info", "firmware": "2.02"},
        {"at": 80, "kind": "link_connected", "session": 1, "reader": WISEPAD, "firmware": "7.0"},
    )  # fmt: skip
    assert figure(compare(frame, by="firmware"), "installed", "2.01")["basis"] == "1 of 1 that ended"


def test_lifetimes_of_all_together() -> None:
    [row] = lifetimes(frame_of(*played(3)), by=()).to_dict("records")
    assert row["sessions"] == len(sessions(frame_of(*played(3))))


@pytest.mark.parametrize("by", ["file", "source", "phone"])
def test_two_recordings_of_one_phone_are_each_compared_whole(by: str) -> None:
    capture = [{"at": 0, "kind": "link_connected", "session": 1}, drop(3600, hci_code=8), heard(4000, -60)]
    log = [
        {"at": 1, "kind": "connect_succeeded", "run": "r2", "terminal": None},
        {"at": 3601, "kind": "disconnected", "reason": "bluetooth_signal_lost", "run": "r2", "terminal": None},
    ]
    frame = frame_of(*capture, *log, radio="import")
    frame["file"] = frame["run"].map({"r1": "a.btsnoop", "r2": "app.log"})
    frame["source"] = frame["file"]
    told = compare(frame, by=by)
    rows = told.figures[told.figures["measure"] == "drop_rate"]
    assert rows["events"].tolist() == [1, 1]
    assert rows["of"].tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(("by", "column", "values"), [
    ("file", "file", ("a.btsnoop", "b.btsnoop")), ("phone", "run", ("r1", "r2")), ("place", "location", ("tml_a", "tml_b")),
    ("device_type", "device_type", ("stripe_m2", "wisepad_3")), ("radio", "radio", ("import", "native")),
])  # fmt: skip
def test_groups_by_file_phone_place_and_type(by: str, column: str, values: tuple[str, str]) -> None:
    one, other = ({column: value} if column != "file" else {} for value in values)
    run = {} if column in ("run", "file") else {"run": "r1"}, {} if column == "run" else {"run": "r2"}
    first = frame_of(*played(1, **run[0] | one), radio="native")
    second = frame_of(*played(2, reader=WISEPAD, **run[1] | other), radio="native")
    both = pd.concat([first, second], ignore_index=True)
    both["file"] = both["reader"].map({M2: values[0], WISEPAD: values[1]}) if column == "file" else None
    told = compare(both, by=by)
    alone = compare(first, second)
    assert set(told.figures["group"]) == set(values)
    for group, name in zip(values, ("A", "B"), strict=True):
        for measure in ("drop_rate", "return_time", "signal_advertisement"):
            assert figure(told, measure, group)["value"] == pytest.approx(figure(alone, measure, name)["value"])


def test_two_frames_by_a_column_are_taken_together() -> None:
    one, other = (
        frame_of(*played(1, location="tml_a")),
        frame_of(*played(2, location="tml_b", run="r2", reader=WISEPAD)),
    )
    told = compare(one, other, by="place")
    assert set(told.figures["group"]) == {"tml_a", "tml_b"}


def test_attempts_for_each_return_count_those_in_vain() -> None:
    started = {"kind": "reconnect_started"}
    frame = frame_of(
        {"at": 0, **started, "attempt_id": "a1"}, {"at": 4, "kind": "reconnect_succeeded", "attempt_id": "a1", "attempt": 2},
        {"at": 20, **started, "attempt_id": "a2"}, {"at": 80, "kind": "reconnect_failed", "attempt_id": "a2", "attempt": 6},
        {"at": 90, **started, "attempt_id": "a3"}, {"at": 91, "kind": "reconnect_succeeded", "attempt_id": "a3", "attempt": 1},
    )  # fmt: skip
    assert return_times(frame)["attempts"].tolist() == [2, 6, 1]
    told = figure(compare(frame, frame), "attempts", "A")
    assert told["value"] == 4.5
    assert told["low"] < 4.5 < told["high"]


def test_json_holds_no_number_that_is_none() -> None:
    told = compare(frame_of(*played(1)), frame_of({"at": 0, "kind": "link_connected", "session": 1}, heard(9, -60)))
    text = json.dumps(told.as_json(), allow_nan=False)
    assert json.loads(text)["contrasts"][0]["measure"] == "drop_rate"
    assert json.loads(text)["radios"] == ["simulated"]


def test_numbers_too_small_to_tell_anything_are_said_to_be() -> None:
    """What would have to be more than all, or a hundred times as much, is no difference that anyone could see."""
    one = frame_of({"at": 0, "kind": "link_connected", "session": 1}, drop(3600, hci_code=8), heard(3602, -60),
                   {"at": 3604, "kind": "link_connected", "session": 2}, heard(3700, -60))  # fmt: skip
    told = compare(one, one).sentences()
    assert told[0].startswith("Drops: A 97.4 /100 h (2.47 to 543; 1 drop in 1.027 connected hours); ")
    assert "no difference shown (too few to say which would be)" in told[0]
    said = "\n".join(told)
    assert "1 of 2 sessions dropped" in said
    assert "1 hour of a reader" in said
    assert all(int(points) < 100 for points in re.findall(r"(\d+) points", said))
    assert "1 drops" not in said


def test_who_was_not_watched_for_so_long_is_said() -> None:
    rows = [{"at": 0, "kind": "link_connected", "session": 1}, drop(100, hci_code=8), heard(104, -60)]
    assert figure(compare(frame_of(*rows), frame_of(*rows)), "back_10_s", "A")["basis"] == (
        "0 of 1 drop, 1 not watched for so long"
    )


def test_there_must_be_two_groups() -> None:
    rows = frame_of(*played(1))
    for wrong in ({}, {"by": "moon"}, {"by": ["file"]}, {"by": "run"}, {"other": rows, "confidence": 1.0}):
        with pytest.raises(InvalidParameterError):
            compare(rows, **wrong)
    with pytest.raises(InvalidParameterError, match="two names"):
        compare(rows, rows, names=("a", "b", "c"))
    with pytest.raises(InvalidParameterError, match="no column file"):
        compare(rows, by="file")
