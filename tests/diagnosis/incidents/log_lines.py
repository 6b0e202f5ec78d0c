"""Steps as lines: Android's logcat, an iOS console, and React Native's own log, with the noise of a real one."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone

from .log_story import TELLS_GATT_SHARE, Step

NOISE = (
    ("art", "Background concurrent copying GC freed 21402(1204KB) AllocSpace objects, 12% free"),
    ("OkHttp", "--> GET /v1/menu"),
    ("Choreographer", "Skipped 34 frames!  The application may be doing too much work on its main thread."),
    ("WindowManager", "finishDrawingWindow: Window{4f2 u0 pos/.MainActivity}"),
)
"""Lines of others, which a logcat is full of."""


def android(steps: Sequence[Step], rng: random.Random, offset_h: int) -> str:
    """Logcat in threadtime form, in local time and without a year."""
    zone = timezone(timedelta(hours=offset_h))
    gatt = rng.random() < TELLS_GATT_SHARE
    pid, tid = rng.randrange(2000, 30000), rng.randrange(30000, 32000)
    lines: list[str] = []
    for step in steps:
        if rng.random() < 0.2:
            tag, text = rng.choice(NOISE)
            lines.append(_threadtime(step.t_us, zone, pid, tid, "I", tag, text))
        for level, tag, text in _android(step, gatt=gatt):
            lines.append(_threadtime(step.t_us, zone, pid, tid, level, tag, text))
    return "\n".join(lines) + "\n"


def _threadtime(t_us: int, zone: timezone, pid: int, tid: int, level: str, tag: str, text: str) -> str:
    at = datetime.fromtimestamp(t_us / 1e6, zone)
    return f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {pid:5d} {tid:5d} {level} {tag}: {text}"


def _android(step: Step, *, gatt: bool) -> Iterator[tuple[str, str, str]]:
    facts = step.facts

    def sdk(of: str, message: str, more: str = "", level: str = "D") -> tuple[str, str, str]:
        quoted = f'"{message}"' if " " in message else message
        return level, "StripeTerminal", f"class={of} message={quoted}{more}"

    status = _ANDROID_STATUS.get(step.what)
    if status:
        yield sdk("ProxyTerminalListener", f"onConnectionStatusChange({status})")
    match step.what:
        case "discover":
            yield sdk("Terminal", "discoverReaders")
        case "found":
            yield sdk("ProxyDiscoveryListener", f"onUpdateDiscoveredReaders([{', '.join(facts['serials'])}])")
        case "discovered":
            yield sdk("BbposProxyDiscoveryController", "stopDiscover")
        case "connect":
            yield sdk("Terminal", "connectReader", f" serial_number={facts['serial']}")
        case "link_up":
            yield sdk("BBPOSControllerListener", f"onBTConnected({facts['serial']})")
        case "info":
            yield sdk(
                "BBPOSControllerListener",
                f"onReturnDeviceInfo {{serialNumber={facts['serial']}, firmwareVersion={facts['firmware']}}}",
            )
        case "battery":
            level = f" reader_battery_level={facts['level']:.2f}"
            yield sdk("BbposAdapter", "reader info updated", level)
        case "low_battery":
            yield sdk("ProxyReaderListener", "onReportLowBatteryWarning")
        case "link_down":
            if gatt:
                text = f"onClientConnectionState() - status={facts['hci_code']} clientIf=7 device=00:11:22:33:44:55"
                yield "D", "BluetoothGatt", text
            if not facts["was_up"]:
                return  # the SDK never had it
            reason = facts["reason"].upper()
            noted = sdk("DisconnectReasonRepository", f"Disconnect reason set to {reason} at {step.t_us // 1000}")
            gone = sdk("BBPOSControllerListener", "onBTDisconnected")
            yield from (noted, gone) if facts["noted_first"] else (gone, noted)
        case "disconnected":
            reason = facts["reason"].upper()
            yield sdk("BbposBluetoothAdapter", f"disconnectReader. disconnectReason: {reason}")
        case "connect_failed" | "error" | "reconnect_failed":
            code = facts["error"] or "UNEXPECTED_SDK_ERROR"
            yield "E", "StripeTerminal", f"READER_ERROR.{code}: {facts['text'] or 'failed'}"
        case "radio" if not facts["on"]:
            yield "D", "BluetoothAdapter", "onBluetoothStateChange: up=false STATE_OFF"
        case "radio":
            yield "D", "BluetoothAdapter", "onBluetoothStateChange: up=true STATE_ON"
        case "background":
            yield sdk("TerminalLifecycleObserver", "applicationDidEnterBackground", " appId=com.example.pos")
        case "update_started":
            yield sdk("UpdateInstaller", "Starting installation job...")
        case "update_progress":
            progress = f" progress={facts['progress'] or 0:.4f}"
            yield sdk("TerminalStatusManager", "reportReaderSoftwareUpdateProgress.", progress)
        case "update_finished":
            yield sdk("BbposApplicatorImpl", f"Finished installing Firmware(remoteUpdate=Ota(version={facts['to']}))")
        case _:
            pass


_ANDROID_STATUS = {
    "connect": "CONNECTING",
    "connected": "CONNECTED",
    "reconnecting": "RECONNECTING",
    "reconnected": "CONNECTED",
    "disconnected": "NOT_CONNECTED",
    "connect_failed": "NOT_CONNECTED",
}


def ios(steps: Sequence[Step], rng: random.Random, offset_h: int) -> str:
    """Xcode's console: what is printed with the zone's offset, one line a step."""
    zone = timezone(timedelta(hours=offset_h))
    pid, tid = rng.randrange(200, 9000), rng.randrange(10000, 900000)
    lines: list[str] = []
    for step in steps:
        for scope, event, more in _ios(step):
            at = datetime.fromtimestamp(step.t_us / 1e6, zone)
            pairs = f"l scope={scope} event={event} logpoint_level=info app_id=com.example.pos {more}".rstrip()
            sdk = f"{pairs} sdk_version=3.4.0 time={step.t_us // 1000}"
            lines.append(f"{at:%Y-%m-%d %H:%M:%S.%f%z} pos[{pid}:{tid}] [StripeTerminal] {sdk}")
    return "\n".join(lines) + "\n"


def _ios(step: Step) -> Iterator[tuple[str, str, str]]:
    facts = step.facts
    status = _CAMEL_STATUS.get(step.what)
    scope = "SCPBbposBluetoothScanAdapter"
    match step.what:
        case "discover":
            yield scope, "startBTScan", "timeout=0"
        case "discovered":
            yield scope, "stopBTScan", ""
        case "connect":
            yield scope, "connectBTWithUUID", f"serial_number={facts['serial']}"
        case "link_up":
            yield scope, "connectReader_completion", f"serial_number={facts['serial']}"
        case "link_down" if not facts["was_up"]:
            pass
        case "link_down" if facts["reason"] == "disconnect_requested":
            yield scope, "disconnectReader_start", ""
        case "link_down":
            yield scope, "internal_disconnect_error", "error_code=3230 error_domain=com.stripe-terminal"
        case "connect_failed" | "error":
            number = _IOS_NUMBERS.get(facts["error"] or "", 5000)
            yield scope, "failCommandWithError_code", f"error_code={number} error_domain=com.stripe-terminal"
        case "radio" if not facts["on"]:
            message = "bb_error_message=Invalid_CBManagerState__CBManagerStatePoweredOff"
            yield scope, "unexpected_state", f"{message} bb_error_type=BBDeviceErrorType_BTFailToStart"
        case _:
            pass
    if status:
        yield "SCPTerminal", "state_change", f"connection_status={status}"


_IOS_NUMBERS = {
    "READER_COMMUNICATION_ERROR": 3060,
    "BLUETOOTH_ERROR": 3200,
    "REQUEST_TIMED_OUT": 3210,
    "BLUETOOTH_DISCONNECTED": 3230,
    "BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION": 3240,
    "READER_CONNECTED_TO_ANOTHER_DEVICE": 3241,
    "BLUETOOTH_DISABLED": 2320,
    "READER_BATTERY_CRITICALLY_LOW": 2680,
}


def react_native(steps: Sequence[Step], rng: random.Random, offset_h: int) -> str:
    """React Native over logcat: the layer's own names for what it hands on, with the clock of the system."""
    zone = timezone(timedelta(hours=offset_h))
    pid, tid = rng.randrange(2000, 30000), rng.randrange(30000, 32000)
    lines: list[str] = []
    for step in steps:
        for code, payload in _react_native(step):
            text = f"'[Stripe terminal]: {code}', {payload}"
            lines.append(_threadtime(step.t_us, zone, pid, tid, "I", "ReactNativeJS", text))
    return "\n".join(lines) + "\n"


def _react_native(step: Step) -> Iterator[tuple[str, str]]:
    facts = step.facts
    match step.what:
        case "found":
            readers = [{"serialNumber": serial} for serial in facts["serials"]]
            yield "didUpdateDiscoveredReaders", json.dumps(readers)
        case "discovered":
            yield "didFinishDiscoveringReaders", "undefined"
        case "connect" | "connected" | "disconnected" | "connect_failed" | "reconnecting" | "reconnected":
            yield "didChangeConnectionStatus", f"'{_CAMEL_STATUS[step.what]}'"
            if step.what == "disconnected":
                yield "didDisconnect", f"'{_camel(facts['reason'])}'"
            if step.what == "reconnecting":
                yield "didStartReaderReconnect", f"'{_camel(facts['reason'])}'"
            if step.what == "reconnected":
                yield "didSucceedReaderReconnect", "undefined"
            if step.what == "connect_failed":
                yield "connectReader error", json.dumps({"code": facts["error"], "message": facts["text"]})
        case "reconnect_failed":
            yield "didFailReaderReconnect", "undefined"
        case "battery":
            told = {"batteryLevel": round(facts["level"], 2), "isCharging": facts["charging"]}
            yield "didUpdateBatteryLevel", json.dumps(told)
        case "low_battery":
            yield "didReportLowBatteryWarning", "undefined"
        case "update_started":
            yield "didStartInstallingUpdate", json.dumps({"deviceSoftwareVersion": facts["to"]})
        case "update_progress":
            yield "didReportReaderSoftwareUpdateProgress", json.dumps({"progress": f"{facts['progress'] or 0:.2f}"})
        case "update_finished":
            yield "didFinishInstallingUpdate", "undefined"
        case "error":
            yield "error", json.dumps({"code": facts["error"], "message": facts["text"]})
        case _:
            pass


_CAMEL_STATUS = {
    "connect": "connecting",
    "connected": "connected",
    "reconnected": "connected",
    "reconnecting": "reconnecting",
    "disconnected": "notConnected",
    "connect_failed": "notConnected",
}


def _camel(reason: str) -> str:
    first, *rest = reason.split("_")
    return first + "".join(word.capitalize() for word in rest)


SHAPES: dict[str, Callable[[Sequence[Step], random.Random, int], str]] = {
    "android": android,
    "ios": ios,
    "react_native": react_native,
}
"""The envelopes and their share: Android is what is sent most."""
