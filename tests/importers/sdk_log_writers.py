"""One story of a reader, as the SDKs of every platform write it, in every envelope that a log may have.

A `Story` is drawn from a seed. A dialect (`ANDROID`, `IOS`, `REACT_NATIVE`, …) puts its steps in words, an envelope of
`ENVELOPES` puts time, level and tag before them. `expected()` is what a reader of logs must find, kind by kind; it is
computed from the story alone. How reconnections and the end of an update are worded is known from the SDKs' sources for
React Native, and by analogy for Android: no log of the field at hand holds them.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 5, 7, 9, 30, 0, 250_000, tzinfo=UTC)


@dataclass(frozen=True)
class Story:
    """What happens to one reader in one log."""

    serial: str
    other: str
    battery: float
    charging: bool
    firmware: str
    to_version: str
    progress: tuple[float, ...]
    reason: str
    comes_back: bool
    error: str


def story(seed: int) -> Story:
    """The story of a seed."""
    dice = random.Random(seed)
    prefix = dice.choice(("STRM2", "WPC32", "CHB2"))
    steps = sorted({dice.randint(1, 99) / 100 for _ in range(5)})
    return Story(
        serial=prefix + "".join(dice.choices("0123456789", k=9)),
        other=prefix + "".join(dice.choices("0123456789", k=9)),
        battery=dice.randint(21, 99) / 100,
        charging=dice.random() < 0.5,
        firmware=f"2.01.00.{dice.randint(1, 20):02d}-SZZZ_Prod_US_v{dice.randint(5, 12)}-480001",
        to_version=f"2.02.00.{dice.randint(21, 40)}",
        progress=(0.0, *steps, 1.0),
        reason=dice.choice(("BLUETOOTH_SIGNAL_LOST", "POWERED_OFF", "SECURITY_REBOOT", "IDLE_POWER_DOWN")),
        comes_back=dice.random() < 0.5,
        error=dice.choice(("READER_BUSY", "BLUETOOTH_ERROR", "REQUEST_TIMED_OUT")),
    )


@dataclass(frozen=True)
class Said:
    """One line without its envelope. `level` as logcat has it; `after_s` since the line before."""

    body: str
    level: str = "D"
    after_s: float = 0.6
    tag: str = "StripeTerminal"


Dialect = Callable[[Story], Iterator[Said]]


def android(tale: Story) -> Iterator[Said]:
    """`class=… message=…`, with what the layers repeat."""

    def said(name: str, message: str, level: str = "D", **pairs: str) -> Said:
        message = f'"{message}"' if " " in message else message
        rest = "".join(f" {key}={value}" for key, value in pairs.items())
        return Said(f"class={name} message={message}{rest}", level)

    yield said("Terminal", "discoverReaders")
    yield said("BbposBluetoothAdapter", "discoverReaders")
    yield said("TransactionStateMachine", "onStateChanged: EMPTY -> DISCOVER: Discovery requested", "I")
    yield said("ProxyDiscoveryListener", f"onUpdateDiscoveredReaders([{tale.serial}])", "I")
    yield said("ProxyDiscoveryListener", f"onUpdateDiscoveredReaders([{tale.serial}, {tale.other}])", "I")
    url = "url=https://api.example.test/v1/terminal/readers/discover"
    yield said("RestClient", f'{url} request={{"readers":["{tale.serial}","{tale.other}"]}}', "I")
    yield said("RestClient", f"{url} status=OK headers={{a=b, c=d e}}", "I")
    yield said("Terminal", "connectReader", serial_number=tale.serial)
    yield said("TerminalSession", "enqueueOperation", "I", operation="ConnectReaderOperation")
    yield said("ProxyTerminalListener", "onConnectionStatusChange(CONNECTING)")
    yield said("BBPOSControllerListener", f"onBTConnected({tale.serial})", "I")
    level = round(tale.battery * 100)
    info = f"batteryPercentage={level}, isCharging={str(tale.charging).lower()}, firmwareVersion={tale.firmware}"
    yield said("BBPOSControllerListener", f"onReturnDeviceInfo {{{info}, serialNumber={tale.serial}, sdkVersion=1, 2}}")
    yield said("ProxyTerminalListener", "onConnectionStatusChange(CONNECTED)")
    yield said("ProxyReaderListener", "onStartInstallingUpdate")
    yield said("UpdateInstaller", "install")
    for done in tale.progress:
        yield said("TerminalStatusManager", "reportReaderSoftwareUpdateProgress.", progress=f"{done}")
        yield said("ProxyReaderListener", f"onReportReaderSoftwareUpdateProgress({done})", "I")
    yield said("ProxyReaderListener", "onFinishInstallingUpdate")
    yield Said(f"READER_ERROR.{tale.error}: it went wrong.", "E")
    yield said("ProxyReaderListener", "onReportLowBatteryWarning")
    yield said("DisconnectReasonRepository", f"Disconnect reason set to {tale.reason} at 917170")
    yield said("BBPOSControllerListener", "onBTDisconnected", "I")
    yield said("ProxyReaderListener", f"onReaderReconnectStarted({tale.reason})")
    if tale.comes_back:
        yield said("BBPOSControllerListener", f"onBTConnected({tale.serial})", "I")
        yield said("ProxyReaderListener", "onReaderReconnectSucceeded")
        yield said("Terminal", "disconnectReader")
        yield said("DisconnectReasonRepository", "Disconnect reason set to DISCONNECT_REQUESTED at 997170")
        yield said("BbposBluetoothAdapter", "disconnectReader. disconnectReason: DISCONNECT_REQUESTED")
        yield said("BBPOSControllerListener", "onBTDisconnected", "I")
        yield said("ProxyReaderListener", "onDisconnect(DISCONNECT_REQUESTED)")
    else:
        yield said("ProxyReaderListener", "onReaderReconnectFailed")
        yield said("ProxyReaderListener", f"onDisconnect({tale.reason})")
    yield said("TerminalLifecycleObserver", "applicationDidEnterBackground", appId="com.example.till")


def ios(tale: Story) -> Iterator[Said]:
    """`l scope=… event=…`: no lists of readers, no reasons."""

    def said(scope: str, event: str, **pairs: str) -> Said:
        rest = "".join(f" {key}={value}" for key, value in sorted(pairs.items()))
        return Said(
            f"l scope={scope} event={event} logpoint_level=info app_id=com.example.till{rest} sdk_version=2.12.0"
        )

    yield said("SCPTerminal", "discoverReaders")
    yield said("SCPBbposBluetoothScanAdapter", "startBTScan")
    yield said("SCPBbposBluetoothScanAdapter", "stopBTScan")
    yield said("SCPBbposBluetoothScanAdapter", "onBTScanStopped")
    yield said("SCPTerminal", "state_change", connection_status="connecting", serial_number=tale.serial)
    yield said("BBDeviceController", "connectBTWithUUID")
    yield said("SCPTerminal", "state_change", connection_status="connected")
    yield said("SCPTerminal", "failCommandWithError_code", error_code=IOS_NUMBERS[tale.error], error_domain="com.x")
    yield said("SCPTerminal", "disconnectReader_start")
    yield said("SCPTerminal", "state_change", connection_status="not_connected")


IOS_NUMBERS = {"READER_BUSY": "3010", "BLUETOOTH_ERROR": "3200", "REQUEST_TIMED_OUT": "3210"}

React = tuple[str, object]
_NO_PAYLOAD = object()


def _react(tale: Story) -> Iterator[React]:
    reader = {"serialNumber": tale.serial, "batteryLevel": None, "deviceType": "stripeM2", "locationId": None}
    yield "didUpdateDiscoveredReaders", [reader, {**reader, "serialNumber": tale.other}]
    yield "didChangeConnectionStatus", "connecting"
    yield "didChangeConnectionStatus", "connected"
    yield (
        "didUpdateBatteryLevel",
        {"batteryLevel": tale.battery, "batteryStatus": "NOMINAL", "isCharging": tale.charging},
    )
    yield "didStartInstallingUpdate", {"deviceSoftwareVersion": tale.to_version, "components": ["FIRMWARE"]}
    for done in tale.progress:
        yield "didReportReaderSoftwareUpdateProgress", {"progress": f"{done}"}
    yield "didFinishInstallingUpdate", {"deviceSoftwareVersion": tale.to_version}
    yield "didReportLowBatteryWarning", _NO_PAYLOAD
    yield "didStartReaderReconnect", tale.reason
    if tale.comes_back:
        yield "didSucceedReaderReconnect", _NO_PAYLOAD
        yield "didDisconnect", "DISCONNECT_REQUESTED"
    else:
        yield "didFailReaderReconnect", _NO_PAYLOAD
        yield "didDisconnect", tale.reason


def metro(tale: Story) -> Iterator[Said]:
    """React Native's console: a code and JSON, or `undefined`."""
    for code, payload in _react(tale):
        told = "undefined" if payload is _NO_PAYLOAD else payload if isinstance(payload, str) else json.dumps(payload)
        yield Said(f"[Stripe terminal]: {code} {told}")


def expo(tale: Story) -> Iterator[Said]:
    """Expo's printer: `Object {` over many lines, with trailing commas."""
    for code, payload in _react(tale):
        told = "" if payload is _NO_PAYLOAD else payload if isinstance(payload, str) else _printed(payload)
        yield Said(f"[Stripe terminal]: {code} {told}".rstrip())


def node(tale: Story) -> Iterator[Said]:
    """Logcat's `ReactNativeJS`: arguments in single quotes."""
    for code, payload in _react(tale):
        told = (
            "undefined" if payload is _NO_PAYLOAD else f"'{payload}'" if isinstance(payload, str) else _quoted(payload)
        )
        yield Said(f"'[Stripe terminal]: {code}', {told}", "I", tag="ReactNativeJS")


def _printed(value: object, indent: str = "") -> str:
    inner = indent + "  "
    if isinstance(value, dict):
        return "Object {\n" + "".join(f'{inner}"{k}": {_printed(v, inner)},\n' for k, v in value.items()) + indent + "}"
    if isinstance(value, list):
        return "Array [\n" + "".join(f"{inner}{_printed(v, inner)},\n" for v in value) + indent + "]"
    return json.dumps(value)


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k}: {_quoted(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[ " + ", ".join(map(_quoted, value)) + " ]"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


Expected = dict[str, list[tuple[object, ...]]]


def _common(tale: Story) -> Expected:
    return {
        "connect_started": [(tale.serial,)],
        "connect_succeeded": [(tale.serial,)],
        "update_progress": [(done,) for done in tale.progress],
        "update_finished": [(None,)],
        "low_battery": [(tale.serial,)],
        "reconnect_started": [(tale.reason.lower(),)],
        "reconnect_succeeded": [(tale.serial,)] if tale.comes_back else [],
        "reconnect_failed": [] if tale.comes_back else [(tale.serial,)],
        "disconnected": [("disconnect_requested" if tale.comes_back else tale.reason.lower(),)],
        "reader_found": [(tale.serial,), (tale.other,)],
        "battery": [(tale.battery, tale.charging)],
        "update_started": [(None,)],
    }


def _of_android(tale: Story) -> Expected:
    lost = (tale.reason.lower(), tale.serial)
    return _common(tale) | {
        "discovery_started": [("",)],
        "discovery_finished": [(2,)],
        "link_connected": [(tale.serial,)] * (2 if tale.comes_back else 1),
        "link_disconnected": [lost, ("disconnect_requested", tale.serial)] if tale.comes_back else [lost],
        "reader_info": [(tale.firmware,)],
        "error": [(tale.error,)],
        "reader_lost": [],
        "connect_failed": [],
    }


def _of_ios(tale: Story) -> Expected:
    return {
        "discovery_started": [("",)],
        "scan_started": [("",)],
        "scan_stopped": [("",)],
        "connect_started": [(tale.serial,)],
        "link_connecting": [(tale.serial,)],
        "connect_succeeded": [(tale.serial,)],
        "error": [(tale.error,)],
        "disconnected": [("disconnect_requested",)],
        "connect_failed": [],
    }


def _of_react(tale: Story) -> Expected:
    # The list has two readers, and no line says which of them is connected: the reader stays unnamed.
    unnamed = ("connect_started", "connect_succeeded", "low_battery", "reconnect_succeeded", "reconnect_failed")
    told = {kind: [("",)] * len(rows) if kind in unnamed else rows for kind, rows in _common(tale).items()}
    return told | {"update_started": [(tale.to_version,)], "error": [], "connect_failed": []}


COLUMNS = {
    "update_progress": ("progress",),
    "update_finished": ("error_code",),
    "update_started": ("firmware_to",),
    "reconnect_started": ("reason",),
    "disconnected": ("reason",),
    "link_disconnected": ("reason", "reader"),
    "battery": ("battery", "charging"),
    "reader_info": ("firmware",),
    "error": ("error_code",),
    "discovery_finished": ("count",),
}
"""What is compared of a row of each kind; of the others it is the reader."""


@dataclass(frozen=True)
class Envelope:
    """How lines of a shape look. `wrap` is given the number of the line, its time and what is said."""

    dialect: Dialect
    expected: Callable[[Story], Expected]
    wrap: Callable[[int, datetime, Said], str]
    rule: str = "order_only"

    def write(self, tale: Story, *, utc_offset_h: float = 0) -> str:
        """The log, whose clock is so many hours east of Greenwich."""
        when, lines = BEGIN + timedelta(hours=utc_offset_h), list[str]()
        for number, said in enumerate(self.dialect(tale)):
            when += timedelta(seconds=said.after_s)
            lines.append(self.wrap(number, when, said))
        return "\n".join(lines) + "\n"


def _ms(when: datetime, form: str = "%m-%d %H:%M:%S") -> str:
    return f"{when:{form}}.{when.microsecond // 1000:03d}"


def _full(when: datetime) -> str:
    return _ms(when, "%Y-%m-%d %H:%M:%S")


def _epoch_ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _folded(when: datetime, said: Said) -> str:
    head = f"{when:%Y-%m-%d %H:%M:%S.%f}+0000 till[1890:939009] [StripeTerminal] "
    before, after = said.body.split(" app_id=com.example.till", 1)
    return f"{head}{before} app_id=com.example.till\n{after} time={_epoch_ms(when)}"


def _sorted_keys(when: datetime, said: Said) -> str:
    return " ".join(sorted([*said.body.removeprefix("l ").split(), f"time={_epoch_ms(when)}"]))


_A, _I, _R = _of_android, _of_ios, _of_react
_PKG = "com.example.till"

ENVELOPES: dict[str, Envelope] = {
    "A1 brief with pid": Envelope(android, _A, lambda n, t, s: f"{s.level}/{s.tag}( 1372): {s.body}"),
    "A1 flutter's": Envelope(android, _A, lambda n, t, s: f"{s.level}/{s.tag}(10056): {s.body}"),
    "A2 brief": Envelope(android, _A, lambda n, t, s: f"{s.level}/{s.tag}: {s.body}"),
    "A3 old Studio": Envelope(
        android, _A, lambda n, t, s: f"{_full(t)} 18302-20903/{_PKG} {s.level}/{s.tag}: {s.body}", "zone_assumed"
    ),
    "A3 without year": Envelope(
        android, _A, lambda n, t, s: f"{_ms(t)} 18302-20903/? {s.level}/{s.tag}: {s.body}", "year_assumed"
    ),
    "A4 threadtime": Envelope(
        android, _A, lambda n, t, s: f"{_ms(t)}  1372  1983 {s.level} {s.tag}: {s.body}", "year_assumed"
    ),
    "A4 with user, year and zone": Envelope(
        android, _A, lambda n, t, s: f"{_full(t)} +0000 u0_a12  1372  1983 {s.level} {s.tag}: {s.body}", "exact"
    ),
    "logcat -v time": Envelope(
        android, _A, lambda n, t, s: f"{_ms(t)} {s.level}/{s.tag}( 1372): {s.body}", "year_assumed"
    ),
    "A5 Studio's columns": Envelope(
        android,
        _A,
        lambda n, t, s: f"{_full(t)}  1980-2964  {s.tag:<23} {_PKG:<32} {s.level}  {s.body}",
        "zone_assumed",
    ),
    "A6 compact": Envelope(android, _A, lambda n, t, s: f"... Strip...minal com...rder_helper  {s.level}  {s.body}"),
    "A7 level only": Envelope(android, _A, lambda n, t, s: f"{s.level}  {s.body}"),
    "A8 bracket tag": Envelope(android, _A, lambda n, t, s: f"[{s.tag}] {s.body}"),
    "A9 bare": Envelope(android, _A, lambda n, t, s: s.body),
    "A10 an app's own file": Envelope(
        android, _A, lambda n, t, s: f"{_full(t)} Log.{s.level.lower()} {s.body}", "zone_assumed"
    ),
    "A10 a date's text": Envelope(
        android, _A, lambda n, t, s: f"{t:%a %b %d %H:%M:%S} GMT+00:00 {t:%Y} Till-2901 {s.body}", "exact"
    ),
    "I1 console": Envelope(
        ios,
        _I,
        lambda n, t, s: f"{t:%Y-%m-%d %H:%M:%S.%f}+0000 till[1890:939009] [StripeTerminal] {s.body}",
        "exact",
    ),
    "I1 folded": Envelope(ios, _I, lambda n, t, s: _folded(t, s), "exact"),
    "I2 listener": Envelope(ios, _I, lambda n, t, s: f'"{s.body} time={_epoch_ms(t)}"', "exact"),
    "I3 bare, keys sorted": Envelope(ios, _I, lambda n, t, s: _sorted_keys(t, s), "exact"),
    "R1 Metro": Envelope(metro, _R, lambda n, t, s: f" LOG  {s.body}"),
    "R2 Expo": Envelope(expo, _R, lambda n, t, s: s.body),
    "R3 logcat": Envelope(
        node, _R, lambda n, t, s: f"{_ms(t)}  1372  1983 {s.level} {s.tag}: {s.body}", "year_assumed"
    ),
    "R3 brief": Envelope(node, _R, lambda n, t, s: f"{s.level}/{s.tag}( 1372): {s.body}"),
    "R1 in Xcode's console": Envelope(
        metro, _R, lambda n, t, s: f"{t:%Y-%m-%d %H:%M:%S.%f}+0000 till[1890:9] [javascript] {s.body}", "exact"
    ),
}
"""Every shape of `sdk_logs.md` that can carry a story; those of single lines have tests of their own."""


TAGS = ("ActivityThread", "art", "LeakCanary", "System.err", "bt_stack", "BluetoothDevice", "BluetoothGatt", "WifiHAL")
"""Whose lines a phone's log is full of."""


def phones_log(megabytes: int) -> str:
    """A logcat in which one line of a hundred is an SDK's."""
    dice, found, size, ms = random.Random(1), list[str](), 0, 0
    while size < megabytes * 1_000_000:
        ms += dice.randint(0, 20)
        clock = f"05-07 {ms // 3600000 % 24:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
        said = f"{dice.choice(TAGS[:6])}: " + "words of another part of the phone " * dice.randint(1, 5) + str(size)
        if dice.random() < 0.01:
            said = 'StripeTerminal: class=TransactionManager message="handleCardStatus NO_CARD"'
        found.append(f"{clock}  {dice.randint(100, 9999)}  1983 {dice.choice('VDIWE')} {said}\n")
        size += len(found[-1])
    return "".join(found)
