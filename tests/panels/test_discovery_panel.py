"""The list of readers: what a row says, how little is sent for it, and what each button hands over."""

import json
import struct
from dataclasses import replace
from typing import Any

import pytest
from easel import Hung
from stage import CHIPPER, DESK, M2, WISEPAD
from test_view import DAY_US, S, ev, played

from terminal_kit import panels
from terminal_kit.errors import CanceledError, ReaderNotFoundError
from terminal_kit.events import ConnectionStatus
from terminal_kit.memory import Memory, StoredReader
from terminal_kit.panels.numbers import Numbers
from terminal_kit.reader import DeviceType, Reader
from terminal_kit.view import View

DISCOVERING = replace(View(), status=ConnectionStatus.DISCOVERING)


def heard(serial: str, rssi_dbm: float = -50.0, at: float = 1.0, **facts: Any) -> Reader:
    return Reader(
        serial=serial,
        address=serial,
        rssi_dbm=rssi_dbm,
        last_heard_us=round(at * S),
        device_type=DeviceType.STRIPE_M2,
        **facts,
    )


def rows_of(*readers: Reader, view: View | None = None, labels: dict[str, str] | None = None) -> list[dict[str, Any]]:
    hung = Hung(panels.DiscoveryPanel)
    hung.session.labels = labels or {}
    return list(hung.panel.draw((view or View()).with_readers(readers))["rows"].values())


def test_signal_and_age_go_as_five_bytes_a_reader() -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(replace(View().with_readers([heard(M2, -54), heard(WISEPAD, -71)]), now_us=round(1.5 * S)))
    content, buffers = hung.sent[-1]
    assert list(struct.iter_unpack("<HbH", buffers[0])) == [(0, -54, 5), (1, -71, 5)]
    assert set(content["set"]["rows"]) == {"0", "1"}
    hung.paint(replace(View().with_readers([heard(WISEPAD, -70, at=2), heard(M2, -54)]), now_us=2 * S))
    content, buffers = hung.sent[-1]
    assert buffers == [struct.pack("<HbH", 1, -70, 0)]
    assert "set" not in content
    assert "rows" not in content


@pytest.mark.parametrize(("age_s", "tenths"), [(0.5, 5), (3600, 36_000), (6553.4, 65_534), (86_400, 65_535)])
def test_a_page_that_opens_late_is_told_the_true_age(age_s, tenths) -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(View().with_readers([heard(M2)]))
    hung.do("hello")
    hung.paint(replace(View().with_readers([heard(M2)]), now_us=S + round(age_s * S)))
    assert struct.unpack("<HbH", hung.sent[-1][1][0]) == (0, -50, tenths)


def test_five_hundred_readers_stay_under_the_budget() -> None:
    # Issue 2: under 50 kB/s with 500 readers that all change; four frames a second.
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(View().with_readers([heard(f"STRM2{number:09d}", at=0) for number in range(500)]))
    hung.sent.clear()
    for frame in range(1, 5):
        readers = [heard(f"STRM2{number:09d}", -50 - frame, at=frame / 4) for number in range(500)]
        hung.paint(replace(View().with_readers(readers), now_us=frame * S // 4))
    size = sum(len(json.dumps(content)) + sum(map(len, buffers or [])) for content, buffers in hung.sent)
    assert len(hung.sent) == 4
    assert size < 12_000


def test_rows_are_numbered_anew_when_they_left_and_not_while_the_page_has_them() -> None:
    numbers = Numbers()
    for hour in range(1000):
        numbers.keep(f"address {hour * 50 + number}" for number in range(100))  # half of them change
        assert len({numbers[f"address {hour * 50 + number}"] for number in range(100)}) == 100
        assert all(numbers[f"address {hour * 50 + number}"] < 150 for number in range(100))
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(View().with_readers([heard(M2)]))
    rows = hung.paint(View().with_readers([heard(WISEPAD)]))["rows"]["rows"]
    assert (set(rows["set"]), rows["drop"]) == ({"1"}, ["0"])
    assert set(hung.paint(View().with_readers([heard(WISEPAD), heard(CHIPPER)]))["rows"]["rows"]["set"]) == {"0"}
    assert struct.unpack("<HbH", hung.sent[-1][1][0])[0] == 0


def test_d8_rows_that_cannot_be_connected_say_why() -> None:
    rows = rows_of(
        heard(M2),
        heard("WPC32x", is_ours=False),
        Reader(serial="a lamp", is_ours=False),
        heard(CHIPPER, paired_in_host=True),
        heard(WISEPAD, is_taken=True),
    )
    assert [row["able"] for row in rows] == [True, False, False, False, False]
    assert [row["why"].split(":")[0] for row in rows] == [
        "", "a vendor's own reader", "not a reader", "paired in the system's settings", "another host has it",
    ]  # fmt: skip


def test_d3_labels_stand_in_lists_that_came_by_events_alone() -> None:
    view = played(ev("discovery_started", 0, ""), ev("reader_found", 1, rssi_dbm=-60.0))
    hung = Hung(panels.DiscoveryPanel)
    hung.session.labels = {M2: "till \u202e1"}
    (row,) = hung.panel.draw(view)["rows"].values()
    assert row["name"] == "till ⟨U+202E⟩1"
    assert row["about"].startswith(f"{M2} · Stripe")
    assert "till" in row["search"]
    assert M2.lower() in row["search"]


def test_the_connected_reader_is_marked_under_whatever_name_it_advertised() -> None:
    view = replace(View(), status=ConnectionStatus.CONNECTED, reader=Reader(serial=M2, address="C0:01"))
    (row,) = rows_of(Reader(serial="a name", address="C0:01"), view=view)
    assert row["about"].startswith("connected")


def test_a_click_only_hands_over() -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(View().with_readers([heard(M2)]))
    hung.do("scan", timeout_s=0, show_others=True)
    hung.do("stop")
    hung.do("connect", id="0", location_id=DESK)
    hung.do("connect_nearest", location_id=DESK)
    hung.do("reconnect_last")
    hung.do("cancel")
    hung.do("forget", id="0")
    assert hung.session.calls == [
        ("scan", (None,), {"show_others": True}),
        ("cancel_discovering", (), {}),
        ("connect_reader", (heard(M2), DESK, True), {}),
        ("easy_connect", (DESK,), {"auto_reconnect_on_unexpected_disconnect": True}),
        ("reconnect_last_reader", (), {}),
        ("cancel_connecting", (), {}),
        ("forget_reader", (heard(M2),), {}),
    ]


def test_connecting_leaves_the_switch_for_reconnecting_as_it_is() -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.session.terminal.auto_reconnect = False
    hung.paint(View().with_readers([heard(M2)]))
    hung.do("connect", id="0", location_id=DESK)
    hung.do("connect_nearest", location_id=DESK)
    assert hung.session.calls == [
        ("connect_reader", (heard(M2), DESK, False), {}),
        ("easy_connect", (DESK,), {"auto_reconnect_on_unexpected_disconnect": False}),
    ]


def remembering(*serials: str) -> Memory:
    memory = Memory()
    for serial in serials:
        memory.remember(StoredReader(serial=serial, location_id=DESK, device_type="stripe_m2"))
    return memory


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ([], "looking for a reader that was connected before"),
        ([M2], f"looking for {M2}, connected last"),
        ([CHIPPER, WISEPAD, M2], f"looking for {M2}, connected last, or 2 connected before it"),
    ],
)
def test_c7_it_says_which_reader_it_looks_for_and_only_while_it_does(stored, words) -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.session.terminal.memory = remembering(*stored)
    hung.do("reconnect_last")
    assert hung.paint(DISCOVERING)["set"]["doing"] == words
    assert hung.panel.draw(replace(View(), status=ConnectionStatus.CONNECTING))["doing"] == ""
    hung.session.futures[-1].set_exception(ReaderNotFoundError("not heard", serial=M2, timeout_s=15.0, seen=[]))
    assert hung.paint(DISCOVERING)["set"]["doing"] == ""
    hung.do("reconnect_last")
    hung.do("scan", timeout_s=5)
    assert hung.panel.draw(DISCOVERING)["doing"] == ""


def test_forgetting_a_reader_is_told() -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.paint(View().with_readers([heard(M2)]))
    hung.do("forget", id="0")
    assert hung.panel.draw(View())["doing"] == f"forgetting {M2}"
    hung.session.futures[-1].set_result(None)
    assert hung.panel.draw(View())["doing"] == f"forgot {M2}: connecting pairs it anew"
    hung.do("forget", id="7")
    assert hung.panel.draw(View())["doing"] == ""
    assert "no longer in the list" in hung.paint(View())["set"]["trouble"]["message"]


def test_what_was_canceled_leaves_no_words_behind() -> None:
    hung = Hung(panels.DiscoveryPanel)
    hung.do("connect_nearest", location_id=DESK)
    assert hung.panel.draw(DISCOVERING)["doing"] == "looking for the nearest reader"
    hung.session.futures[-1].set_exception(CanceledError("by hand"))
    assert hung.panel.draw(DISCOVERING)["doing"] == ""


def test_a_day_that_passes_at_once_reaches_the_page() -> None:
    hung = Hung(panels.DiscoveryPanel)
    view = View().with_readers([heard(M2)])
    hung.paint(replace(view, now_us=S))
    assert hung.paint(replace(view, now_us=S + DAY_US))["now_us"] == S + DAY_US
