"""Single lines, topic by topic: what each says is in the events."""

import json
from typing import Any

import pytest
from reading_rows import Row, read_log

SERIAL = "STRM26100000001"
MASKED = "STRM2610****"
ADDRESS = "CC:D3:1E:00:00:01"
CONNECT = f"class=Terminal message=connectReader serial_number={SERIAL}\n"
GATT = "D/BluetoothGatt( 9): onClientConnectionState() -"
STATE = "class=TransactionStateMachine message="
CB = "scope=SCPBbposBluetoothScanAdapter event=unexpected_state logpoint_level=warning bb_error_message=Invalid__CBManagerState"
IOS = "2018-11-26 14:27:37.617691-0500 Till[2358:410212] [StripeTerminal]"


def trace(method: str, **facts: Any) -> str:
    return json.dumps(
        {
            "origin_role": "pos-rn",
            "origin_id": "pos-1",
            "trace": {
                "action_id": "a",
                "start_time_ms": 1_700_000_000_000,
                "total_time_ms": 0,
                "service": "JackRabbitService",
                "method": method,
                "request": json.dumps({"args": [{"serialNumber": SERIAL}]}),
                "version_info": {"client_type": "RN_SDK", "client_version": "0.0.1-beta.12"},
                **facts,
            },
        }
    )


Facts = dict[str, Any]
LINES: tuple[tuple[str, str, Facts], ...] = (
    # Links
    (f"{GATT} status=133 clientIf=7 device={ADDRESS}", "link_failed", {"extra.gatt_status": 133, "hci_code": None}),
    (f"{GATT} status=62 clientIf=7 device={ADDRESS}", "link_failed", {"hci_code": 62, "reader": f"addr:{ADDRESS}"}),
    (f"{GATT} status=8 clientIf=7 connected=false device={ADDRESS}", "link_disconnected", {"hci_code": 8}),
    (f"{GATT} status=19 clientIf=7 device={ADDRESS}", "link_disconnected", {"hci_code": 19, "reason": "unknown"}),
    (f"{GATT} status=5 clientIf=7 device={ADDRESS}", "link_disconnected", {"att_code": 5, "hci_code": None}),
    (f"{GATT} status=0 clientIf=7 device={ADDRESS}", "link_connected", {"session": 1}),
    (
        f"D/BluetoothGatt( 9): onConnectionUpdated() - Device={ADDRESS} interval=24 latency=2 timeout=500 status=0",
        "link_updated",
        {"interval_ms": 30.0, "peripheral_latency": 2, "supervision_timeout_s": 5.0},
    ),
    (f"D/BluetoothGatt: onConfigureMTU() - Device={ADDRESS} mtu=247 status=0", "link_updated", {"mtu_bytes": 247}),
    ("class=BBPOSControllerListener message=onUsbConnected", "link_connected", {"extra.transport": "usb"}),
    (
        (
            'class=BBPOSControllerListener message="onError FAIL_TO_START_BT, Bluetooth (error code - 3020)'
            '(BLE status : 22, newState : 0)"'
        ),
        "link_failed",
        {"hci_code": 22},
    ),
    (
        (
            "2023-04-12 11:06:08.233  1962-2600  bt_stack                com.android.bluetooth                I  "
            f"[INFO:gatt_api.cc(1122)] GATT_Connect gatt_if=5, address={ADDRESS.lower()} is_direct 1"
        ),
        "link_connecting",
        {"reader": f"addr:{ADDRESS}"},
    ),
    # Connections
    (CONNECT, "connect_started", {"reader": SERIAL, "device_type": "stripe_m2"}),
    (CONNECT.replace(SERIAL, MASKED), "connect_started", {"reader": MASKED, "device_type": "stripe_m2"}),
    (CONNECT + f'{STATE}"onStateChanged: CONNECT -> CANCELLED: null"', "connect_failed", {"error_code": "CANCELED"}),
    (
        CONNECT + "E/StripeTerminal: READER_ERROR.BLUETOOTH_ERROR: no.",
        "connect_failed",
        {"error_code": "BLUETOOTH_ERROR"},
    ),
    (
        CONNECT + "class=ProxyTerminalListener message=onConnectionStatusChange(NOT_CONNECTED)",
        "connect_failed",
        {"extra.told_by": "status"},
    ),
    (
        (
            f'class=TerminalStatusManager message=reportReaderConnecting. reader="Reader{{serialNumber={SERIAL}, x=A(b=c)}}" '
            'connectionConfiguration="BluetoothConnectionConfiguration{locationId=tml_abc}"'
        ),
        "connect_started",
        {"reader": SERIAL},
    ),
    (f"{IOS} s command=connectReader scope=SCPTerminal serial_number={SERIAL}", "connect_started", {"reader": SERIAL}),
    (
        f"{IOS} l connectionStatus=connecting event=state_change scope=SCPTerminal",
        "status_changed",
        {"status": "connecting"},
    ),
    (
        '"l scope=SCPTerminal event=failCommandWithError_code command=connectReader error_code=3200 time=1649065225849"',
        "connect_failed",
        {"error_code": "BLUETOOTH_ERROR", "t_us": 1649065225849000},
    ),
    (
        'connectBluetoothReader error: {"code": "BluetoothDisconnected", "message": "x"}',
        "connect_failed",
        {"error_code": "BLUETOOTH_DISCONNECTED"},
    ),
    (
        'Error connecting to reader: Error Domain=com.stripe-terminal Code=3230 "x" UserInfo={a=b}',
        "connect_failed",
        {"error_code": "BLUETOOTH_DISCONNECTED"},
    ),
    (
        "V/Capacitor: To native (Capacitor plugin): callbackId: 5, pluginId: StripeTerminal, methodName: connectReader",
        "connect_started",
        {"extra.sdk": "capacitor"},
    ),
    # Ends
    ("I/flutter ( 99): onUnexpectedReaderDisconnect", "disconnected", {"reason": "unknown"}),
    (
        ' LOG  [Stripe terminal]: didDisconnect {"reason": "securityReboot"}',
        "disconnected",
        {"reason": "security_reboot"},
    ),
    (
        f' LOG  [Stripe terminal]: didStartReaderReconnect {{"reader": {{"serialNumber": "{SERIAL}"}}, "reason": "powered_off"}}',
        "reconnect_started",
        {"reason": "powered_off", "reader": SERIAL},
    ),
    (
        " LOG  [Stripe terminal]: didStartReaderReconnect bluetoothSignalLost",
        "reconnect_started",
        {"reason": "bluetooth_signal_lost"},
    ),
    ("class=X message=onReaderReconnectStarted reason=POWERED_OFF", "reconnect_started", {"reason": "powered_off"}),
    (f"{IOS} s command=rebootReader scope=SCPTerminal", "reboot_requested", {}),
    # Readers
    (
        (
            f'class=L message="onReturnDeviceInfo {{batteryPercentage=83, isCharging=true, firmwareVersion=2.01, serialNumber={SERIAL}, '
            'sdkVersion=3.1, 4, hardwareVersion=x}"'
        ),
        "reader_info",
        {"firmware": "2.01", "reader": SERIAL},
    ),
    ("class=BbposAdapter reader_software_version=2.01.00.18 reader_battery_level=0.83", "battery", {"battery": 0.83}),
    (' LOG  [Stripe terminal]: didReportReaderEvent {"event": "cardInserted"}', "card_inserted", {}),
    (" LOG  [Stripe terminal]: didReportReaderEvent cardRemoved", "card_removed", {}),
    (
        f' LOG  [Stripe terminal]: didUpdateDiscoveredReaders [{{"serialNumber": "{MASKED}", "batteryLevel": 0.5}}]',
        "reader_found",
        {"reader": MASKED, "battery": 0.5},
    ),
    # Updates
    (
        ' LOG  [Stripe terminal]: didReportAvailableUpdate {"deviceSoftwareVersion": "2.02", "requiredAt": "1700000000000"}',
        "update_available",
        {"firmware_to": "2.02", "required_at_us": 1_700_000_000_000_000},
    ),
    (
        'class=L message="onReportAvailableUpdate(ReaderSoftwareUpdate{version=2.02, components=[FIRMWARE, KEYS]})"',
        "update_available",
        {"firmware_to": "2.02", "components": 10},
    ),
    (
        ' LOG  [Stripe terminal]: didFinishInstallingUpdate {"error": {"code": "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"}}',
        "update_finished",
        {"error_code": "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"},
    ),
    ("I  onReturnOTAProgress(35.0)", "update_progress", {"progress": 0.35}),
    # The host
    ("I/BluetoothAdapter: STATE_OFF", "host_changed", {"extra.fault": "radio_off"}),
    (f"{CB}__CBManagerStatePoweredOff", "host_changed", {"extra.fault": "radio_off"}),
    (f"{CB}__CBManagerStateUnauthorized", "host_changed", {"extra.fault": "permission_denied"}),
    (f"{CB}__CBManagerStateUnsupported", "host_changed", {"extra.fault": "le_unsupported"}),
    (f"{IOS} h name=internet status=✖ detail=none", "host_changed", {"extra.internet": False}),
    ("D/BluetoothLeScanner: onScannerRegistered() - status=2 scannerId=8", "error", {"extra.scan_status": 2}),
    ("D/BluetoothLeScanner: onScannerRegistered() - status=0 scannerId=8", "scan_started", {}),
    # Traces of React Native
    (
        trace("connectReader", exception="BLUETOOTH_ERROR: x"),
        "connect_failed",
        {"error_code": "BLUETOOTH_ERROR", "reader": SERIAL},
    ),
    (trace("connectReader", response="{}"), "connect_succeeded", {"reader": SERIAL, "t_us": 1_700_000_000_000_000}),
    (trace("discoverReaders"), "discovery_started", {}),
    (f"prefix [{trace('getReaderSettings')}]", "app_message", {"extra.sdk_version": "0.0.1-beta.12"}),
    (
        "yarn add @stripe/stripe-terminal-react-native@0.0.1-beta.13",
        "app_message",
        {"extra.sdk_version": "0.0.1-beta.13", "extra.sdk": "react_native"},
    ),
)


def value(row: Row, name: str) -> object:
    column, _, key = name.partition(".")
    found = row.get(column)
    return found.get(key) if key and isinstance(found, dict) else found


@pytest.mark.parametrize(("text", "kind", "facts"), LINES, ids=[f"{n}-{kind}" for n, (_, kind, _) in enumerate(LINES)])
def test_what_a_line_says(text: str, kind: str, facts: Facts) -> None:
    rows, reading = read_log(text.rstrip("\n") + "\n")
    (row,) = (row for row in rows if row["kind"] == kind)
    assert {name: value(row, name) for name in facts} == facts
    assert reading.reports[0].understood == reading.reports[0].records


FOREIGN = (
    ("$ adb logcat -d | grep x", "shell prompt"),
    ("", "blank"),
    ("*snip*", "left out by whoever pasted it"),
    ("<HIDDEN>", "left out by whoever pasted it"),
    ("    at com.example.Thing.run(Thing.kt:3)", "stack frame"),
    ("Caused by: java.lang.IllegalStateException", "stack frame"),
    ("W/System.err: java.lang.InterruptedException", "stack frame"),
    ("D/LeakCanary(10056): Watching instance of x", "leak detector"),
    ("I/art: Explicit concurrent mark sweep GC freed 1058(40KB)", "the phone's runtime"),
    ("--------- beginning of main", "beginning of a buffer"),
    ("读卡器已断开连接，请重试", "another language"),
    ("Der Leser antwortet nicht mehr", "text of people or of another program"),
    ("D/WifiHAL: getStats error 5", "another part of the phone or the app"),
)


@pytest.mark.parametrize(("text", "why"), FOREIGN, ids=[why for _, why in FOREIGN])
def test_a_foreign_line_has_a_reason(text: str, why: str) -> None:
    rows, reading = read_log(text.rstrip("\n") + "\n")
    assert dict(reading.reports[0].foreign_reasons) == {why: 1}
    assert rows == []


@pytest.mark.parametrize(
    "text",
    [
        "D/StripeTerminal: clas",
        "07-14 17:51:26.274 10425 10702 D StripeTerm",
        "2023-09-25 10:44:23.292  1980-2964  StripeTerminal          com.exam",
        "I/StripeT",
    ],
)
def test_a_line_that_is_cut_before_it_speaks_is_damaged(text: str) -> None:
    _, reading = read_log(CONNECT + text)
    (report,) = reading.reports
    assert (report.understood, report.damaged, report.damages[0].record) == (1, 1, 2)
    assert any("cut" in finding for finding in report.findings)


def test_bluetooth_of_other_apps_is_foreign() -> None:
    text = (
        "05-07 08:24:02.000  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders\n"
        f"05-07 08:24:03.000  1372  1983 D BluetoothGatt: onClientConnectionState() - status=0 clientIf=7 device={ADDRESS}\n"
        "05-07 08:24:04.000   999   999 D BluetoothGatt: onClientConnectionState() - status=8 clientIf=7 device=00:11:22:33:44:55\n"
    )
    rows, reading = read_log(text, year=2024)
    assert [row["kind"] for row in rows if row["kind"].startswith("link_")] == ["link_connected"]
    assert dict(reading.reports[0].foreign_reasons) == {"another app's Bluetooth": 1}


def test_the_readers_library_has_a_version_of_its_own() -> None:
    _, reading = read_log('class=L message="onReturnDeviceInfo {sdkVersion=3.1, 4, serialNumber=STRM26100000001}"\n')
    assert reading.app == "android"


def test_an_end_that_two_voices_tell_is_one() -> None:
    """The app's layer, the SDK and the status."""
    text = (
        CONNECT
        + "class=ProxyTerminalListener message=onConnectionStatusChange(CONNECTED)\n"
        + "class=ProxyTerminalListener message=onConnectionStatusChange(NOT_CONNECTED)\n"
        + ' LOG  [Stripe terminal]: didReportUnexpectedReaderDisconnect {"error": {"code": "BLUETOOTH_DISCONNECTED"}}\n'
        + " LOG  [Stripe terminal]: didDisconnect POWERED_OFF\n"
    )
    rows, _ = read_log(text)
    assert [(row["kind"], row["reason"]) for row in rows if "reason" in row] == [
        ("disconnected", "unknown"),
        ("reason_learned", "powered_off"),
    ]


UP = CONNECT + "class=ProxyTerminalListener message=onConnectionStatusChange(CONNECTED)\n"
DOWN = "class=ProxyTerminalListener message=onConnectionStatusChange(NOT_CONNECTED)\n"
WHY = "class=ProxyReaderListener message=onDisconnect(POWERED_OFF)\n"
SET = 'class=DisconnectReasonRepository message="Disconnect reason set to POWERED_OFF at 917170"\n'
PAUSE = "class=TransactionManager message=handleCardStatus\n" * 70


@pytest.mark.parametrize(
    "tellings",
    [
        (WHY, DOWN),
        (DOWN, WHY),
        (SET, DOWN),
        (DOWN, SET),
        (SET, WHY, DOWN),
        (SET, DOWN, WHY),
        (DOWN, SET, WHY),
        (SET, PAUSE, DOWN),
        (SET, PAUSE, WHY),
        (WHY, PAUSE, DOWN),
        (SET, DOWN, PAUSE, WHY),
        ("onDisconnect：POWERED_OFF\n", "onConnectionStatusChange：NOT_CONNECTED\n"),
        ("onConnectionStatusChange：NOT_CONNECTED\n", "onDisconnect: reason=POWERED_OFF\n"),
    ],
)
def test_a_drop_that_several_lines_tell_is_one_with_its_reason(tellings: tuple[str, ...]) -> None:
    rows, _ = read_log(UP + "".join(tellings) + UP)
    ends = [(row["kind"], row["reason"], row["session"]) for row in rows if row["kind"] == "disconnected"]
    assert ends == [("disconnected", "powered_off", 1)]


def test_a_reason_that_comes_late_is_learned() -> None:
    rows, _ = read_log(UP + DOWN + PAUSE + WHY + SET)
    assert [(row["kind"], row["reason"]) for row in rows if "reason" in row] == [
        ("disconnected", "unknown"),
        ("reason_learned", "powered_off"),
    ]


def test_two_drops_stay_two() -> None:
    rows, _ = read_log(UP + DOWN + UP + WHY + UP + SET + DOWN)
    assert [row["reason"] for row in rows if row["kind"] == "disconnected"] == ["unknown", "powered_off", "powered_off"]


def test_a_connection_after_an_end_without_a_status_succeeds_too() -> None:
    rows, _ = read_log(UP + WHY + UP + WHY + UP)
    kinds = [row["kind"] for row in rows]
    assert kinds.count("connect_started") == kinds.count("connect_succeeded") == 3
    assert kinds.count("disconnected") == 2


def test_an_apps_own_lines_of_a_reconnection() -> None:
    rows, _ = read_log(
        "onConnectionStatusChange: CONNECTED\nonReaderReconnectStarted(BLUETOOTH_SIGNAL_LOST)\n"
        "onReaderReconnectSucceeded\nonReaderReconnectStarted\nonReaderReconnectFailed\n"
    )
    assert [row["kind"] for row in rows if row["kind"].startswith("reconnect")] == [
        "reconnect_started",
        "reconnect_succeeded",
        "reconnect_started",
        "reconnect_failed",
    ]


SCAN = '"l scope=SCPBbposBluetoothScanAdapter event=connectReader_completion logpoint_level=info serial_number={}{}"\n'
STATUS = '"l scope=SCPTerminal event=state_change logpoint_level=info reader_status={} time=1649065225850"\n'


def test_what_a_scan_completes_is_no_connection() -> None:
    rows, _ = read_log(SCAN.format(SERIAL, "") + STATUS.format("connecting") + STATUS.format("connected"))
    assert [row["kind"] for row in rows if row["record"] == 1] == ["run_started", "app_message"]
    told = [(row["kind"], row["reader"]) for row in rows if row["record"] > 1 and row["kind"] != "run_finished"]
    assert told == [
        ("status_changed", SERIAL),
        ("connect_started", SERIAL),
        ("status_changed", SERIAL),
        ("connect_succeeded", SERIAL),
    ]


def test_a_completion_tells_of_the_connection_whose_beginning_is_not_there() -> None:
    completed = SCAN.replace("SCPBbposBluetoothScanAdapter", "SCPTerminal")
    rows, _ = read_log(completed.format(SERIAL, "") + completed.format(SERIAL, ""))
    assert [(row["kind"], row["reader"]) for row in rows if row["kind"] == "connect_succeeded"] == [
        ("connect_succeeded", SERIAL)
    ]
    rows, _ = read_log(SCAN.format(SERIAL, " error_code=3200"))
    assert [row["error_code"] for row in rows if row["kind"] == "connect_failed"] == ["BLUETOOTH_ERROR"]


THREADTIME = "05-07 08:24:02.064  {}  1983 D StripeTerminal: "


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (UP, f"{IOS} l connectionStatus=connected event=state_change scope=SCPTerminal\n"),
        (STATUS.format(f"connected serial_number={SERIAL}"), DOWN.replace("NOT_CONNECTED", "CONNECTING")),
        (
            "".join(THREADTIME.format(1372) + line for line in UP.splitlines(keepends=True)),
            THREADTIME.format(1400) + DOWN.replace("NOT_CONNECTED", "CONNECTED"),
        ),
        (UP + DOWN, "class=Terminal message=discoverReaders\n" + DOWN.replace("NOT_CONNECTED", "CONNECTING")),
    ],
    ids=["an iPhone after a phone", "a phone after an iPhone", "another process", "another discovery"],
)
def test_a_status_is_not_given_to_a_reader_of_before(first: str, then: str) -> None:
    rows, _ = read_log(first + then)
    last = first.count("\n")
    status = [(row["record"] > last, row["reader"]) for row in rows if row["kind"] == "status_changed"]
    assert {reader for is_later, reader in status if not is_later} == {SERIAL}
    assert {reader for is_later, reader in status if is_later} == {""}


def test_a_reader_that_stays_connected_stays_known_in_a_discovery() -> None:
    rows, _ = read_log(UP + "class=Terminal message=discoverReaders\n" + DOWN)
    assert [row["reader"] for row in rows if row["kind"] == "status_changed"] == [SERIAL, SERIAL]
