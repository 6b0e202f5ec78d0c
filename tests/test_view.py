"""The view: what each event changes on screen, and that nothing else does."""

import dataclasses
import time
from dataclasses import replace
from typing import Any

import pytest
from stage import DESK, M2, WISEPAD, stage, virtual

from terminal_kit.errors import ReaderNotFoundError
from terminal_kit.events import ConnectionStatus, Event, Kind
from terminal_kit.reader import DeviceType, Reader
from terminal_kit.view import Point, Update, View
from terminal_kit.view.changes import DROPS, NOTICES, POINTS, SERIES

S = 1_000_000
DAY_US = 24 * 3600 * S


def ev(kind: str, at: float = 0.0, reader: str = M2, **columns: Any) -> Event:
    return Event(kind=kind, t_us=round(at * S), reader=reader, **columns)


def played(*events: Event, view: View | None = None) -> View:
    view = view or View()
    for event in events:
        view = view.apply(event)
    return view


def connected(at: float = 1.0) -> View:
    return played(
        ev("status_changed", at - 1, status="connecting"),
        ev("connect_started", at - 1, status="connecting", location=DESK),
        ev("link_connected", at, session=1),
        ev("reader_info", at, firmware="2.01", extra={"uptime_s": 3600.0}),
        ev("battery", at, battery=0.87, charging=False),
        ev("status_changed", at, status="connected"),
        ev("connect_succeeded", at, status="connected", session=1),
    )


def test_an_unknown_kind_only_moves_the_time() -> None:
    before = connected()
    after = before.apply(ev("moon_phase", 5))
    assert after == replace(before, now_us=5 * S)
    assert before.now_us == S


def test_applying_changes_nothing_in_place() -> None:
    view = connected()
    copy = dataclasses.asdict(replace(view, signals=None)), dict(view.signals)
    played(ev("signal", 2, rssi_dbm=-50.0), ev("link_disconnected", 3, session=1), view=view)
    assert (dataclasses.asdict(replace(view, signals=None)), dict(view.signals)) == copy


def test_a_connection_from_start_to_end() -> None:
    view = connected()
    assert view.status is ConnectionStatus.CONNECTED
    assert (view.since_us, view.location_id, view.started_us) == (S, DESK, 0)
    assert view.reader == Reader(
        serial=M2, device_type=DeviceType.STRIPE_M2, firmware="2.01", battery=0.87, charging=False, uptime_s=3600.0
    )
    over = played(
        ev("link_disconnected", 9, session=1, reason="disconnect_requested"),
        ev("status_changed", 9, status="not_connected"),
        ev("disconnected", 9, session=1, reason="disconnect_requested", status="not_connected"),
        view=view,
    )
    assert (over.status, over.reader, over.location_id, over.next_restart_us) == ("not_connected", None, None, None)
    assert [(drop.reason, drop.awaited, drop.over_us) for drop in over.drops] == [
        ("disconnect_requested", False, 9 * S)
    ]


@pytest.mark.parametrize(
    ("serial", "uptime_s", "due"),
    [
        (M2, 3600.0, S - 3600 * S + DAY_US),
        (WISEPAD, 0.0, S + DAY_US),
        ("CHB204909005931", 60.0, None),
        (M2, None, None),
    ],
)
def test_r2_the_next_restart(serial, uptime_s, due) -> None:
    start = ev("status_changed", 0, serial, status="connecting")
    info = ev("reader_info", 1, serial, extra={"uptime_s": uptime_s})
    assert played(start, info).next_restart_us == due


def test_a_reader_that_advertised_another_name_keeps_its_serial_number() -> None:
    view = played(
        ev("status_changed", 0, "a name", status="connecting"),
        ev("reader_info", 1, M2, firmware="2.01"),
        ev("status_changed", 1, M2, status="connected"),
    )
    assert view.reader is not None
    assert (view.reader.serial, view.reader.firmware) == (M2, "2.01")


def test_a_drop_and_the_return() -> None:
    lost = played(
        ev("link_disconnected", 10, session=1, reason="bluetooth_signal_lost", hci_code=8, rssi_dbm=-93.0),
        ev("status_changed", 10, status="reconnecting"),
        ev("reconnect_started", 10, status="reconnecting", reason="bluetooth_signal_lost"),
        ev("notice", 10, status="reconnecting", stage="connection_lost", reason="bluetooth_signal_lost"),
        ev("reconnect_attempted", 13, attempt=1, error_code="REQUEST_TIMED_OUT"),
        view=connected(),
    )
    assert lost.reconnecting is not None
    assert (lost.reconnecting.attempts, lost.reconnecting.error_code) == (1, "REQUEST_TIMED_OUT")
    assert lost.reader is not None
    assert lost.returns() == [(3.0, False)]
    back = played(
        ev("status_changed", 14.1, status="connected"),
        ev("reconnect_succeeded", 14.1, session=2, status="connected"),
        ev("notice", 14.1, stage="reconnected", status="connected"),
        ev("reason_learned", 15, session=1, reason="powered_off", reason_source="boot"),
        view=lost,
    )
    assert back.reconnecting is None
    assert back.returns() == [(4.1, True)]
    drop = back.drops[-1]
    assert (drop.back_after_s, drop.back_by, drop.rssi_dbm, drop.reason, drop.hci_code) == (
        4.1,
        "itself",
        -93.0,
        "powered_off",
        8,
    )
    assert [notice.stage for notice in back.notices] == ["connection_lost", "reconnected"]


def test_one_that_was_given_up_and_then_fetched_by_hand() -> None:
    view = played(
        ev("link_disconnected", 10, session=1, reason="powered_off"),
        ev("reconnect_started", 10, reason="powered_off"),
        ev("reconnect_failed", 310, error_code="BLUETOOTH_DISCONNECTED"),
        ev("disconnected", 310, session=1, reason="powered_off"),
        ev("connect_succeeded", 400, session=2),
        view=connected(),
    )
    drop = view.drops[-1]
    assert (drop.over_us, drop.back_after_s, drop.back_by) == (310 * S, 390.0, "hand")
    assert view.returns() == [(300.0, False)]


def test_a_disconnect_without_a_links_end_is_a_row_of_its_own() -> None:
    view = played(ev("disconnected", 5, reason="unknown"), ev("disconnected", 9, reason="powered_off"))
    assert [(drop.t_us, drop.over_us, drop.reason) for drop in view.drops] == [
        (5 * S, 5 * S, "unknown"),
        (9 * S, 9 * S, "powered_off"),
    ]


def test_b3_a_false_reading_is_marked_and_not_acted_on() -> None:
    view = connected().apply(ev("battery_false_reading", 5, battery=0.0))
    assert view.reader is not None
    assert (view.reader.battery, view.false_battery_us) == (0.87, 5 * S)


def test_facts_of_other_readers_do_not_touch_the_connected_one() -> None:
    view = connected()
    assert (
        played(ev("battery", 5, WISEPAD, battery=0.1), ev("standby_entered", 5, WISEPAD), view=view).reader
        == view.reader
    )
    assert played(ev("standby_entered", 5), view=view).reader == replace(view.reader, standby=True)


def test_readers_come_and_go_with_events_alone() -> None:
    found = {"extra": {"address": "C0:00", "is_ours": False}, "device_type": "wisepad_3"}
    view = played(
        ev("discovery_started", 0, ""),
        ev("reader_found", 1, rssi_dbm=-60.0, battery=0.5),
        ev("reader_found", 1, WISEPAD, rssi_dbm=-80.0, **found),
        ev("signal", 2, rssi_dbm=-55.0),
    )
    assert [(r.serial, r.rssi_dbm, r.last_heard_us, r.is_ours) for r in view.readers] == [
        (M2, -55.0, 2 * S, True),
        (WISEPAD, -80.0, S, False),
    ]
    assert [r.serial for r in played(ev("reader_lost", 9), view=view).readers] == [WISEPAD]
    assert played(ev("discovery_started", 10, ""), view=view).readers == ()


def test_what_a_reader_says_of_itself_is_kept_from_events_too() -> None:
    said = {"name": "a name", "address": "C0:00", "is_taken": True}
    view = played(ev("reader_found", 1, rssi_dbm=-60.0, charging=True, extra=said))
    (reader,) = view.readers
    assert (reader.name, reader.charging, reader.is_taken) == ("a name", True, True)
    chosen = played(ev("status_changed", 2, "a name", status="connecting"), view=view).reader
    assert chosen == reader
    told = played(
        ev("status_changed", 0, "a name", status="connecting"), ev("reader_info", 1, M2, extra={"name": "a name"})
    )
    assert told.reader is not None
    assert (told.reader.serial, told.reader.name) == (M2, "a name")


def test_d1_a_whole_list_rules_over_single_events() -> None:
    listed = [Reader(serial=WISEPAD), Reader(serial=M2)]
    view = View().with_readers(listed)
    assert played(ev("reader_found", 1, "x"), ev("reader_lost", 1), view=view).readers == tuple(listed)


def test_signals_are_bounded_in_length_rate_and_number() -> None:
    view = played(*(ev("signal", second, rssi_dbm=-50.0) for second in range(POINTS + 50)))
    assert len(view.signals[M2]) == POINTS
    assert view.signals[M2][0].t_us == 50 * S
    quick = played(*(ev("signal", tenth / 10, rssi_dbm=float(-tenth)) for tenth in range(3)))
    assert quick.signals[M2] == (Point(round(0.2 * S), -2.0, None),)
    many = played(*(ev("signal", number, f"addr:{number}", rssi_dbm=-50.0) for number in range(SERIES + 3)))
    assert len(many.signals) == SERIES
    assert "addr:0" not in many.signals
    assert f"addr:{SERIES + 2}" in many.signals


def test_rows_and_notices_are_bounded() -> None:
    view = played(*(ev("link_disconnected", number, session=number) for number in range(DROPS + 5)))
    assert len(view.drops) == DROPS
    assert view.drops[-1].session == DROPS + 4
    assert len(played(*(ev("notice", number, stage="x") for number in range(9))).notices) == NOTICES


def test_u4_progress_never_goes_back() -> None:
    view = played(
        ev("update_available", 1, firmware_from="1", firmware_to="2", components=2, required_at_us=9, extra={"estimated_time": "1_to_2_minutes"}),
        ev("update_started", 2, firmware_to="2"),
        ev("update_progress", 3, progress=0.4, stage="upload", sent_bytes=4, total_bytes=10),
        ev("update_progress", 4, progress=0.3),
        view=connected(),
    )  # fmt: skip
    assert view.update is not None
    assert (view.update.progress, view.update.version, view.update.started_us, view.update.components) == (
        0.4,
        "2",
        2 * S,
        2,
    )
    done = view.apply(ev("update_finished", 5, firmware_to="2"))
    assert done.update is not None
    assert done.reader is not None
    assert (done.update.progress, done.update.finished_us, done.reader.firmware) == (1.0, 5 * S, "2")
    failed = view.apply(ev("update_finished", 5, error_code="READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"))
    assert failed.update is not None
    assert (failed.update.progress, failed.update.error_code) == (0.4, "READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED")


def test_an_update_is_told_with_all_that_is_known_of_it() -> None:
    offer = {"firmware_from": "1", "firmware_to": "2", "components": 2, "required_at_us": 9, "total_bytes": 10}
    known = {"estimated_time": "1_to_2_minutes", "minimum_battery": 0.6}
    step = {"component": "firmware", "part": 1, "parts": 2, "bytes_per_s": 7.5, "left_s": 3.0}
    view = played(
        ev("update_available", 1, **offer, extra=known),
        ev("update_started", 2, firmware_to="2", extra={"required": True}),
        ev("update_progress", 3, progress=0.4, stage="uploading", sent_bytes=4, extra=step),
        view=connected(),
    )
    assert view.update == Update(
        reader=M2, version_from="1", version="2", components=2, estimated_time="1_to_2_minutes", required_at_us=9,
        required=True, minimum_battery=0.6, total_bytes=10, started_us=2 * S, stage="uploading", component="firmware",
        part=1, parts=2, progress=0.4, sent_bytes=4, bytes_per_s=7.5, left_s=3.0,
    )  # fmt: skip
    assert view.update.is_running
    over = view.apply(ev("update_finished", 5, error_code="CANCELED", text="canceled", stage="uploading")).update
    assert over == replace(view.update, finished_us=5 * S, error_code="CANCELED", text="canceled", left_s=None)
    # Another release is offered meanwhile: what runs stays on screen. A start of another release knows nothing of this.
    assert view.apply(ev("update_available", 4, firmware_to="3")).update == view.update
    begun = view.apply(ev("update_started", 6, firmware_to="3")).update
    assert begun == Update(reader=M2, version="3", started_us=6 * S, progress=0.0)


def test_u5_what_became_of_an_update_outlives_the_connection_that_it_made_fail() -> None:
    failed = played(
        ev("update_started", 2, firmware_to="2", extra={"required": True}),
        ev("update_finished", 3, error_code="CANCELED", text="canceled"),
        ev("status_changed", 3, status="not_connected"),
        ev("connect_failed", 3, status="not_connected", error_code="UNSUPPORTED_READER_VERSION", text="needs it"),
        ev("status_changed", 4, status="discovering"),
        view=played(ev("status_changed", 1, status="connecting")),
    )
    assert failed.update is not None
    assert (failed.update.error_code, failed.update.text, failed.update.required) == ("CANCELED", "canceled", True)
    assert played(ev("status_changed", 5, status="connecting"), view=failed).update is None
    # What only waited, or what another failure of a connection left, is gone with it.
    waiting = played(ev("update_available", 2, firmware_to="2"), view=connected())
    assert played(ev("status_changed", 5, status="not_connected"), view=waiting).update is None
    assert played(ev("connect_failed", 5, error_code="REQUEST_TIMED_OUT")).update is None


@pytest.mark.parametrize(
    "refusal", [("connect_failed", {}), ("reconnect_failed", {}), ("notice", {"stage": "update_failed"})]
)
def test_u2_an_update_that_was_refused_has_an_end_and_no_start(refusal) -> None:
    kind, facts = refusal
    code = "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"
    view = played(ev(kind, 2, error_code=code, text="too low", **facts), view=connected())
    assert view.update == Update(reader=M2, required=True, finished_us=2 * S, error_code=code, text="too low")
    # Offered again, it is the same one, and its failure stays on screen.
    again = view.apply(ev("update_available", 3, firmware_to="2", components=2)).update
    assert again == replace(view.update, version="2", components=2)
    assert view.apply(ev("update_available", 3, WISEPAD, firmware_to="2")).update == Update(reader=WISEPAD, version="2")


FEED_GONE = {"error_code": "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR", "text": "the feed does not answer"}


def test_u13_a_feed_that_cannot_be_used_is_known_until_an_update_comes_or_the_next_connection() -> None:
    blind = connected().apply(ev("error", 2, **FEED_GONE))
    assert blind.update_fault == "the feed does not answer"
    assert blind.apply(ev("status_changed", 3, status="reconnecting")).update_fault == blind.update_fault
    for over in (
        ev("update_available", 3, firmware_to="2"),
        ev("update_started", 3, firmware_to="2"),
        ev("status_changed", 3, status="not_connected"),
        ev("status_changed", 3, status="connecting"),
    ):
        assert blind.apply(over).update_fault is None
    while_connecting = played(ev("status_changed", 1, status="connecting"), ev("error", 2, **FEED_GONE))
    assert while_connecting.apply(ev("status_changed", 3, status="connected")).update_fault == blind.update_fault
    assert connected().apply(ev("error", 2, error_code="READER_COMMUNICATION_ERROR", text="t")).update_fault is None
    assert View().apply(ev("error", 2, **FEED_GONE)).update_fault is None


def test_a_battery_that_a_connection_read_is_known_when_it_has_failed() -> None:
    readers = (Reader(serial=M2, battery=0.9), Reader(serial=WISEPAD, battery=0.8))
    view = played(
        ev("status_changed", 1, status="connecting"),
        ev("battery", 2, battery=0.3),
        ev("status_changed", 3, status="not_connected"),
        view=View().with_readers(readers),
    )
    assert [(reader.serial, reader.battery) for reader in view.readers] == [(M2, 0.3), (WISEPAD, 0.8)]


def test_an_update_of_no_components_is_a_confirmation_and_one_that_nobody_described_is_not() -> None:
    for components, confirms in ((0, True), (2, False), (None, False)):
        update = connected().apply(ev("update_started", 2, firmware_to="2", components=components)).update
        assert update is not None
        assert update.is_confirmation is confirms


def test_host_facts() -> None:
    view = View().apply(ev("host_changed", 1, "", extra={"fault": "radio_off", "internet": False}))
    assert (view.host_fault, view.internet) == ("radio_off", False)


def test_every_kind_can_come_first() -> None:
    # A log may begin anywhere: no event may need another one before it.
    for kind in Kind:
        for status in (None, *ConnectionStatus, "of_a_newer_version"):
            view = played(ev(kind, 1, status=status), ev(kind, 2, status=status))
            assert view.now_us == 2 * S


def test_it_is_cheap_with_five_hundred_readers_on_screen() -> None:
    view = View()
    for number in range(500):
        view = view.apply(ev("signal", 0, f"STRM2{number}", rssi_dbm=-50.0))
    signals = [ev("signal", 1 + turn, f"STRM2{turn}", rssi_dbm=-51.0) for turn in range(500)]
    best_s = float("inf")
    for _ in range(3):
        started_s = time.perf_counter()
        played(*signals, view=view)
        best_s = min(best_s, time.perf_counter() - started_s)
    # One signal a second each: a tenth of the session's time would already be far too much.
    assert best_s < 0.1


@virtual
async def test_complaint_6_the_view_agrees_with_the_terminal() -> None:
    async with stage(readers=(M2, WISEPAD)) as on:
        views = [View()]

        def follow(event: Event) -> None:
            view = views[-1].apply(event)
            views.append(view)
            assert view.status is on.terminal.status or event.status is None

        on.terminal.subscribe(follow)
        await on.connect()
        on.air.faults.start("switch_off", M2)
        await on.until(ConnectionStatus.RECONNECTING)
        assert views[-1].status is ConnectionStatus.RECONNECTING
        on.air.faults.active[0].undo()
        await on.until(ConnectionStatus.CONNECTED)
        assert views[-1].reader is not None
        assert on.terminal.connected_reader is not None
        assert views[-1].reader.serial == on.terminal.connected_reader.serial
        assert views[-1].reader.battery == on.terminal.connected_reader.battery
        assert views[-1].drops[-1].back_by == "itself"
        await on.terminal.disconnect_reader()
        assert views[-1].reader is on.terminal.connected_reader is None
        with pytest.raises(ReaderNotFoundError):
            await on.terminal.easy_connect(DESK, serial="STRM2nobody", timeout_s=3)
        assert {reader.serial for reader in views[-1].readers} == {M2, WISEPAD}
