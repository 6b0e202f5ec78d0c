"""What joins one line of a log to another: whose link, update and facts they tell of."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_rows import Row, of_kind, read_log

A, B = "STRM26100000001", "STRM26100000002"
READER, OTHER = "CC:D3:1E:00:00:01", "11:22:33:44:55:66"
STATUS = "class=ProxyTerminalListener message=onConnectionStatusChange({})"
ATTEMPT = "class=Terminal message=connectReader serial_number={}"
LINKED = "class=BBPOSControllerListener message=onBTConnected({})"
UNLINKED = "class=BBPOSControllerListener message=onBTDisconnected"
LOST = "class=ProxyReaderListener message=onDisconnect({})"
ASKED = "class=Terminal message=disconnectReader"
LOW = "class=ProxyReaderListener message=onReportLowBatteryWarning"
INFO = (
    'class=BBPOSControllerListener message="onReturnDeviceInfo {{batteryPercentage={}, isCharging=false, '
    'firmwareVersion=2.01, serialNumber={}}}"'
)
Said = tuple[float, str] | tuple[float, str, str] | tuple[float, str, str, int]


def log(*said: Said) -> str:
    """A logcat: seconds, words, the tag and the process where they are not the SDK's."""
    return "".join(line(*each) for each in said)


def line(at_s: float, body: str, tag: str = "StripeTerminal", pid: int = 1372) -> str:
    minutes, seconds = divmod(at_s, 60)
    return f"05-07 09:{int(minutes):02d}:{seconds:06.3f}  {pid}  1983 D {tag}: {body}\n"


def gatt(at_s: float, address: str, status: int, connected: bool | None = None, pid: int = 1372) -> Said:
    told = "" if connected is None else f" connected={str(connected).lower()}"
    body = f"onClientConnectionState() - status={status} clientIf=8{told} device={address}"
    return (at_s, body, "BluetoothGatt", pid)


def connected(at_s: float, serial: str = A, address: str = "") -> tuple[Said, ...]:
    phone = [gatt(at_s + 0.2, address, 0, True)] if address else []
    return (
        (at_s, ATTEMPT.format(serial)),
        (at_s + 0.1, STATUS.format("CONNECTING")),
        *phone,
        (at_s + 0.3, LINKED.format(serial)),
        (at_s + 0.4, STATUS.format("CONNECTED")),
    )


def dropped(at_s: float, reason: str = "POWERED_OFF") -> tuple[Said, ...]:
    return ((at_s, UNLINKED), (at_s + 0.1, LOST.format(reason)), (at_s + 0.2, STATUS.format("NOT_CONNECTED")))


def rows_of(*said: Said) -> tuple[list[Row], Any]:
    rows, reading = read_log(log(*said), year=2026, time_zone="UTC")
    return rows, reading.reports[0]


def links(rows: list[Row]) -> list[tuple[object, ...]]:
    return [(row["kind"], row["reader"], row.get("hci_code")) for row in rows if row["kind"].startswith("link_")]


CHANGED = "onConnectionUpdated() - Device={} interval=6 latency=0 timeout=500 status=0"


@pytest.mark.parametrize("says_which_way", [True, False])
def test_another_device_of_the_app_has_no_part_in_the_readers_link(says_which_way: bool) -> None:
    up, down = (True, False) if says_which_way else (None, None)
    rows, report = rows_of(
        *connected(1, address=READER),
        gatt(5, OTHER, 0, up),
        (6, CHANGED.format(OTHER), "BluetoothGatt"),
        (6.5, f"discoverServices() - device: {OTHER}", "BluetoothGatt"),
        (7, CHANGED.format(READER), "BluetoothGatt"),
        gatt(8, OTHER, 8, down),
        gatt(20, READER, 19, down),
        gatt(21, OTHER, 8, down),
    )
    assert links(rows) == [("link_connected", A, None), ("link_updated", A, None), ("link_disconnected", A, 19)]
    assert of_kind(rows, "reason_learned") == []
    assert dict(report.foreign_reasons) == {"another device's Bluetooth": 5}


def test_a_device_that_was_there_before_the_call_is_not_the_reader() -> None:
    rows, _ = rows_of(gatt(1, OTHER, 0, True), *connected(5, address=READER), gatt(9, OTHER, 8, False))
    assert [row["kind"] for row in rows if row["record"] > 5 and row["kind"].startswith("link_")] == []
    rows, _ = rows_of(gatt(1, OTHER, 0, True), *connected(5, address=READER), gatt(9, READER, 8, False))
    assert links(rows)[-1] == ("link_disconnected", A, 8)


@pytest.mark.parametrize("at_s", [2, 300])
def test_a_device_that_comes_when_the_reader_is_connected_is_another_one(at_s: float) -> None:
    """Though no line tells the reader's own address."""
    rows, _ = rows_of(
        *connected(1),
        gatt(at_s, OTHER, 0, True),
        (at_s + 1, CHANGED.format(OTHER), "BluetoothGatt"),
        gatt(at_s + 2, OTHER, 8, False),
        gatt(at_s + 3, READER, 8, False),
    )
    assert links(rows) == [("link_connected", A, None), ("link_disconnected", A, 8)]


def test_a_reader_comes_back_under_its_own_address() -> None:
    """Whoever walks away with both loses both, and finds both again."""
    rows, _ = rows_of(
        *connected(1, address=READER),
        gatt(3, OTHER, 0, True),
        gatt(40, READER, 8, False),
        gatt(40.1, OTHER, 8, False),
        (40.2, "class=ProxyReaderListener message=onReaderReconnectStarted(BLUETOOTH_SIGNAL_LOST)"),
        gatt(50, OTHER, 0, True),
        gatt(51, READER, 0, True),
        (52, "class=ProxyReaderListener message=onReaderReconnectSucceeded"),
        gatt(90, OTHER, 8, False),
    )
    assert [kind for kind, *_ in links(rows)] == ["link_connected", "link_disconnected", "link_connected"]


def test_the_next_reader_has_another_address() -> None:
    rows, _ = rows_of(
        *connected(1, address=READER),
        gatt(40, READER, 8, False),
        *dropped(41),
        *connected(60, B, OTHER),
        gatt(90, OTHER, 19, False),
    )
    assert links(rows) == [
        ("link_connected", A, None),
        ("link_disconnected", A, 8),
        ("link_connected", B, None),
        ("link_disconnected", B, 19),
    ]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(3, 500), st.sampled_from((0, 8, 19, 133)), st.sampled_from((True, False, None))), max_size=6
    )
)
def test_whatever_another_device_does_the_readers_rows_are_the_same(
    others: list[tuple[float, int, bool | None]],
) -> None:
    told = [*connected(1, address=READER), gatt(200, READER, 8, False), *dropped(201)]
    quiet, _ = rows_of(*told)
    loud, _ = rows_of(*sorted([*told, *(gatt(at, OTHER, status, way) for at, status, way in others)], key=_at))
    assert [_facts(row) for row in loud] == [_facts(row) for row in quiet]


def _at(said: Said) -> float:
    return said[0]


def _facts(row: Row) -> Row:
    return {name: row.get(name) for name in ("kind", "reader", "session", "reason", "hci_code")}


START = "class=ProxyReaderListener message=onStartInstallingUpdate"
END = "class=ProxyReaderListener message=onFinishInstallingUpdate"
DONE = "class=TerminalStatusManager message=reportReaderSoftwareUpdateProgress. progress={}"


def updates(rows: list[Row]) -> list[tuple[object, ...]]:
    names = ("kind", "reader", "progress", "duration_s")
    return [tuple(row.get(name) for name in names) for row in rows if row["kind"].startswith("update_")]


@pytest.mark.parametrize("end", [dropped(20), ()], ids=["told", "not told"])
def test_an_update_ends_with_the_connection_that_it_is_over(end: tuple[Said, ...]) -> None:
    rows, _ = rows_of(
        *connected(1),
        (10, START),
        (12, DONE.format(0.1)),
        (13, DONE.format(0.5)),
        (13.1, DONE.format(0.6)),
        *end,
        *connected(40, B),
        (50, START),
        (51, DONE.format(0.6)),
        (60, END),
    )
    assert updates(rows) == [
        ("update_started", A, None, None),
        ("update_progress", A, 0.1, None),
        ("update_progress", A, 0.5, None),
        ("update_progress", A, 0.6, None),
        ("update_started", B, None, None),
        ("update_progress", B, 0.6, None),
        ("update_finished", B, 0.6, 10.0),
    ]
    attempts = [row["attempt_id"] for row in rows if row["kind"].startswith("update_")]
    assert (len(set(attempts[:4])), len(set(attempts[4:])), len(set(attempts))) == (1, 1, 2)


def test_an_update_that_restarts_its_reader_goes_on() -> None:
    rows, _ = rows_of(
        *connected(1),
        (10, START),
        (12, DONE.format(0.5)),
        (13, UNLINKED),
        (13.1, "class=ProxyReaderListener message=onReaderReconnectStarted(UNKNOWN)"),
        (20, LINKED.format(A)),
        (20.1, "class=ProxyReaderListener message=onReaderReconnectSucceeded"),
        (25, END),
    )
    assert updates(rows)[-1] == ("update_finished", A, 0.5, 15.0)


def test_an_end_that_is_told_after_the_drop_is_the_updates() -> None:
    failed = f"{END} error_code=READER_SOFTWARE_UPDATE_FAILED"
    rows, _ = rows_of(*connected(1), (10, START), *dropped(20), (21, failed), *connected(40, B))
    assert [(row["error_code"], row["duration_s"]) for row in of_kind(rows, "update_finished")] == [
        ("READER_SOFTWARE_UPDATE_FAILED", 11.0)
    ]


def test_what_has_no_beginning_has_no_duration() -> None:
    rows, _ = rows_of((1, DONE.format(0.5)), (2, END))
    assert [row.get("duration_s") for row in of_kind(rows, "update_finished")] == [None]


def test_what_was_told_of_one_reader_is_not_known_of_the_next() -> None:
    rows, _ = rows_of(
        *connected(1), (2, INFO.format(83, A)), (2.5, INFO.format(83, A)), (3, LOW), *dropped(4),
        *connected(20, B), (21, LOW), (22, INFO.format(83, B)), *dropped(30),
        *connected(40), (41, INFO.format(83, A)), (42, LOW),
    )  # fmt: skip
    told = [(row["kind"], row["reader"], row.get("battery")) for row in of_kind(rows, "battery", "low_battery")]
    assert told == [
        ("battery", A, 0.83), ("low_battery", A, 0.83),
        ("low_battery", B, None), ("battery", B, 0.83),
        ("low_battery", A, 0.83),
    ]  # fmt: skip
    assert [(row["reader"], row["firmware"]) for row in of_kind(rows, "reader_info")] == [(A, "2.01"), (B, "2.01")]


def test_what_was_told_of_a_reader_without_a_name_is_of_its_connection() -> None:
    level = (
        "[Stripe terminal]: didUpdateBatteryLevel {'batteryLevel': 0.5}",
        "[Stripe terminal]: didReportLowBatteryWarning undefined",
    )
    status = "[Stripe terminal]: didChangeConnectionStatus {}"
    up, down = (status.format(word) for word in ("connecting", "not_connected"))
    rows, _ = read_log("\n".join([up, *level, level[0], down, up, level[1], *level]) + "\n")
    assert [(row["kind"], row.get("battery")) for row in of_kind(rows, "battery", "low_battery")] == [
        ("battery", 0.5),
        ("low_battery", 0.5),
        ("low_battery", None),
        ("battery", 0.5),
        ("low_battery", 0.5),
    ]


LEVELS = (
    (INFO.format("55, batteryLevel=4.123", A), 0.55),
    (INFO.format(55, A).replace("{", "{batteryLevel=4.123, "), 0.55),
    (INFO.format("100%", A), 1.0),
    (INFO.format("1", A), 0.01),
    (INFO.format("4, reader_battery_level=0.9", A), 0.04),
    ("class=BbposAdapter reader_battery_level=83", 0.83),
    ("class=BbposAdapter reader_battery_level=4", 0.04),
    ("class=BbposAdapter reader_battery_level=4.0", None),
    ("class=BbposAdapter reader_battery_level=4123", None),
    ("class=BbposAdapter reader_battery_level=-1", None),
    ("class=BbposAdapter reader_battery_level=1.0", 1.0),
    ('[Stripe terminal]: didUpdateBatteryLevel {"batteryLevel": "1%"}', 0.01),
    ('[Stripe terminal]: didUpdateBatteryLevel {"batteryLevel": "0.5 %"}', 0.005),
    ('[Stripe terminal]: didUpdateBatteryLevel {"batteryLevel": 1}', 1.0),
    ('class=ProxyReaderListener message="onBatteryLevelUpdate(0.11, CRITICAL, false)"', 0.11),
    ('class=ProxyReaderListener message="onBatteryLevelUpdate batteryLevel=0.55 isCharging=false"', 0.55),
    ('class=ProxyReaderListener message="onBatteryLevelUpdate(batteryLevel=0.55, isCharging=false)"', 0.55),
)


@pytest.mark.parametrize(("said", "level"), LEVELS)
def test_a_battery_level_is_a_share_or_a_percentage(said: str, level: float | None) -> None:
    rows, _ = rows_of((1, said))
    assert [row["battery"] for row in of_kind(rows, "battery")] == ([] if level is None else [level])


@pytest.mark.parametrize(("level", "charging"), [("0.11, CRITICAL, false", False), ("0.9, NOMINAL, true", True)])
def test_androids_battery_level_says_whether_the_reader_charges(level: str, charging: bool) -> None:
    rows, _ = rows_of((1, f'class=ProxyReaderListener message="onBatteryLevelUpdate({level})"'))
    assert [row["charging"] for row in of_kind(rows, "battery")] == [charging]


def test_a_level_that_is_none_is_kept_as_a_message() -> None:
    rows, _ = rows_of((1, 'class=ProxyReaderListener message="onBatteryLevelUpdate(null, UNKNOWN, false)"'))
    assert [row["kind"] for row in rows[1:-1]] == ["app_message"]


PROGRESS = (
    ("1%", 0.01),
    ("0.5%", 0.005),
    ("100 %", 1.0),
    ("50%", 0.5),
    ("1", 1.0),
    ("0.5", 0.5),
    ("35", 0.35),
    ("150%", None),
    ("1 of 3", None),
    ("12/30", None),
)


@pytest.mark.parametrize(("said", "progress"), PROGRESS)
def test_an_apps_progress_is_a_share_or_a_percentage(said: str, progress: float | None) -> None:
    rows, _ = rows_of((1, START), (2, f"Install progress: {said}", "flutter"))
    assert [row["progress"] for row in of_kind(rows, "update_progress")] == ([] if progress is None else [progress])


def test_a_percentage_of_react_native_is_no_share() -> None:
    rows, _ = rows_of((1, START), (2, '[Stripe terminal]: didReportReaderSoftwareUpdateProgress {"progress": "1%"}'))
    assert [row["progress"] for row in of_kind(rows, "update_progress")] == [0.01]


WORDS = (
    ("onUnexpectedReaderDisconnect", "disconnected"),
    ("onReaderReconnectStarted", "reconnect_started"),
    ("onReportLowBatteryWarning", "low_battery"),
    ("onDisconnect", "disconnected"),
    ("onBTDisconnected", "link_disconnected"),
    ("disconnectReader", "disconnected"),
    ("onFinishInstallingUpdate", "update_finished"),
)
SENTENCES = (
    "registering {} callback",
    "subscribe {} listener",
    "removing listener for {}",
    "{} handler set",
    "{} listener registered",
    "{} not set",
    "{} is deprecated",
    "{}=false",
    "{}: not set",
    "{} = null",
    "the docs say that {}(POWERED_OFF) is called then",
    'user said: "{}" is in the docs',
    "status cardInserted=false after {}",
    "waiting for CARD_REMOVED or {}",
    "waiting for CARD_REMOVED",
    "previous status was onConnectionStatusChange: NOT_CONNECTED",
    "last reader connection status: NOT_CONNECTED",
)


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("name", [name for name, _ in WORDS])
@pytest.mark.parametrize("is_sdks", [True, False], ids=["SDK", "app"])
def test_a_sentence_about_a_callback_is_no_event(name: str, sentence: str, is_sdks: bool) -> None:
    said = sentence.format(name)
    told: Said = (5, f'class=ProxyReaderListener message="{said}"') if is_sdks else (5, said, "MyApp")
    plain = [row["kind"] for row in rows_of(*connected(1))[0]]
    rows, _ = rows_of(*connected(1), told)
    assert [row["kind"] for row in rows if row["kind"] != "app_message"] == plain


CALLED = (
    "{}", "{}()", "{}: ", "{}：Device STRM26100000001", "{}(POWERED_OFF)", "{} POWERED_OFF", "{}: reason=POWERED_OFF",
    "{} reason=POWERED_OFF", "{}!", "{} -> POWERED_OFF", '"{}"', "{} ✅",
)  # fmt: skip
BEFORE = ("", "⚡️ ", "--> ", "[Terminal] ", "MyApp: ", "ReaderListener.", "ReaderListener#", "[12:30] (main) Till: ")


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("before", BEFORE)
def test_a_call_of_a_callback_is_an_event(before: str, called: str) -> None:
    name, kind = WORDS[0]
    rows, _ = rows_of(*connected(1), (5, before + called.format(name), "MyApp"))
    assert len(of_kind(rows, kind)) == 1


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize(("name", "kind"), [each for each in WORDS if each[0] != "disconnectReader"])
def test_a_callback_of_the_sdks_is_an_event(name: str, kind: str, called: str) -> None:
    if '"' in called:
        return
    rows, _ = rows_of(*connected(1), (5, START), (6, f'class=ProxyReaderListener message="{called.format(name)}"'))
    assert len(of_kind(rows, kind)) == 1


CARDS = (
    (' LOG  [Stripe terminal]: didReportReaderEvent {"event": "cardInserted"}', "card_inserted"),
    (" LOG  [Stripe terminal]: didReportReaderEvent cardRemoved", "card_removed"),
    ("class=ProxyReaderListener message=onReportReaderEvent(CARD_INSERTED)", "card_inserted"),
    ("l scope=SCPTerminal event=cardRemoved logpoint_level=info", "card_removed"),
    (' LOG  [Stripe terminal]: didReportReaderEvent {"cardInserted": false}', None),
    ('class=Foo message="status cardInserted=false"', None),
    ('class=Foo message="waiting for CARD_REMOVED"', None),
    ('class=Foo message="CARD_REMOVED is what we wait for"', None),
)  # fmt: skip


@pytest.mark.parametrize(("said", "kind"), CARDS)
def test_a_card_goes_in_or_out_where_the_reader_reports_it(said: str, kind: str | None) -> None:
    rows, _ = read_log(said + "\n")
    assert [row["kind"] for row in of_kind(rows, "card_inserted", "card_removed")] == ([kind] if kind else [])


SKIPPED = 'class=BbposBluetoothAdapter message="skipping disconnectReader"'


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (((10, ASKED), (10.5, UNLINKED)), "disconnect_requested"),
        (((10, ASKED), (10.1, SKIPPED), (11, UNLINKED)), "unknown"),
        (((10, ASKED), (1800, UNLINKED)), "unknown"),
        (((10, "class=Terminal message=rebootReader"), (1800, UNLINKED)), "unknown"),
    ],
    ids=["done", "skipped", "long ago", "a restart long ago"],
)
def test_a_request_is_the_reason_of_the_end_that_follows_it(said: tuple[Said, ...], reason: str) -> None:
    rows, _ = rows_of(*connected(1), *said)
    assert [row["reason"] for row in of_kind(rows, "link_disconnected")] == [reason]


def test_the_reason_of_a_drop_is_that_of_the_end_however_long_a_reconnection_lasts() -> None:
    rows, _ = rows_of(
        *connected(1),
        (10, UNLINKED),
        (10.1, "class=ProxyReaderListener message=onReaderReconnectStarted(BLUETOOTH_SIGNAL_LOST)"),
        (400, "class=ProxyReaderListener message=onReaderReconnectFailed"),
        (400.1, "class=ProxyReaderListener message=onDisconnect"),
    )
    assert [row["reason"] for row in of_kind(rows, "disconnected")] == ["bluetooth_signal_lost"]


@pytest.mark.parametrize("address", [READER, ""], ids=["links are told", "links are not told"])
def test_a_session_lasts_from_connected_to_disconnected(address: str) -> None:
    rows, _ = rows_of(
        *connected(1, address=address),
        (5, INFO.format(80, A)),
        *dropped(10),
        (30, ATTEMPT.format(B)),
        (31, STATUS.format("CONNECTING")),
        (32, "READER_ERROR.BLUETOOTH_ERROR: no"),
        *connected(60, B),
    )
    sessions = {
        (row["kind"], row["record"]): row.get("session") for row in rows if "attempt_id" in row or "reason" in row
    }
    assert [session for (kind, _), session in sessions.items() if kind.startswith("connect_")] == [
        None, 1, None, None, None, 2
    ]  # fmt: skip
    assert {session for (kind, _), session in sessions.items() if "disconnected" in kind} == {1}


def test_nothing_between_two_links_is_in_a_session() -> None:
    skipped = [(12.0, SKIPPED), (13.0, STATUS.format("CONNECTING"))]
    for end in (dropped(10), (*dropped(10)[1:], (11.0, UNLINKED)), dropped(10)[1:]):
        rows, _ = rows_of(*connected(1), *end, *skipped, (14, LINKED.format(A)))
        first = next(row["record"] for row in rows if "skipping" in row.get("text", ""))
        told = [(row["kind"], row.get("session")) for row in rows if row["record"] >= first and "text" in row]
        assert told == [
            ("app_message", None),
            ("status_changed", None),
            ("connect_started", None),
            ("link_connected", 2),
        ]
        ends = [row.get("session") for row in of_kind(rows, "disconnected", "link_disconnected")]
        assert set(ends) == {1}


def test_a_reason_that_is_learned_after_the_end_is_of_the_session_that_ended() -> None:
    rows, _ = rows_of(*connected(1), (10, LOST.format("UNKNOWN")), (11, UNLINKED), (12, LOST.format("POWERED_OFF")))
    assert [(row["reason"], row["session"]) for row in of_kind(rows, "reason_learned")] == [("powered_off", 1)]


def test_another_apps_bluetooth_before_the_sdk_speaks_is_no_readers() -> None:
    own = (*connected(10, address=READER), *dropped(20))
    before = (gatt(1, OTHER, 0, True, 777), (2, "STATE_OFF", "BluetoothAdapter", 777), gatt(5, OTHER, 8, False, 777))
    rows, _ = rows_of(*before, *own)
    quiet, _ = rows_of(*own)
    names = ("kind", "reader", "session", "attempt_id", "reason", "duration_s")
    assert [[row.get(name) for name in names] for row in rows] == [[row.get(name) for name in names] for row in quiet]
    assert [row["record"] for row in rows][1:] == [row["record"] + len(before) for row in quiet][1:]


def test_the_apps_own_bluetooth_before_the_sdk_speaks_is_the_readers() -> None:
    rows, _ = rows_of(
        gatt(1, OTHER, 0, True, 777),
        gatt(2, READER, 0, True),
        (3, "onConnectionStatusChange: CONNECTED", "MyApp"),
        (4, LINKED.format(A)),
        gatt(5, OTHER, 8, False, 777),
        gatt(9, READER, 8, False),
    )
    assert links(rows) == [("link_connected", f"addr:{READER}", None), ("link_disconnected", A, 8)]
    assert [row["record"] for row in rows] == sorted(row["record"] for row in rows)
    assert {row["session"] for row in of_kind(rows, "link_connected", "status_changed", "link_disconnected")} == {1}


def test_bluetooth_of_which_no_sdk_speaks_is_told() -> None:
    rows, report = rows_of(gatt(1, OTHER, 0, True, 777), gatt(5, OTHER, 8, False, 777))
    assert [kind for kind, *_ in links(rows)] == ["link_connected", "link_disconnected"]
    assert (report.understood, report.foreign) == (2, 0)
