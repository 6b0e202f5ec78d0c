"""Which line of an SDK belongs to which topic: one table, asked from top to bottom with a line's subject and words."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from terminal_kit.events import DisconnectReason
from terminal_kit.importers.sdk_logs.bodies import Saying, pairs_of
from terminal_kit.importers.sdk_logs.payloads import is_open, payload_of
from terminal_kit.importers.sdk_logs.stories.calls import TAIL
from terminal_kit.importers.sdk_logs.stories.facts import charging_of, level_of, number, reader_of
from terminal_kit.importers.sdk_logs.stories.updating import components_of
from terminal_kit.importers.sdk_logs.vocabulary import (
    address_in,
    code_in,
    code_of,
    reason_of,
    serials_in,
    snake,
    status_of,
)

if TYPE_CHECKING:
    from terminal_kit.importers.sdk_logs.stories.story import Story

Tell = Callable[["Story", Saying, re.Match[str]], object]


def _rule(pattern: str, tell: Tell) -> tuple[re.Pattern[str], Tell]:
    return re.compile(pattern, re.DOTALL), tell


def _serial(saying: Saying) -> str | None:
    told = saying.pairs.get("serial_number") or saying.pairs.get("serialNumber")
    return told or next(iter(serials_in(" ".join((saying.words, *saying.pairs.values())))), None)


def _readers(saying: Saying) -> list[dict[str, Any]]:
    """The readers of a list: records of React Native, or serials between brackets."""
    listed = _mapping(saying.payload).get("readers", saying.payload)
    if isinstance(listed, list):
        return [reader_of(_mapping(item)) for item in cast("list[Any]", listed)]
    words = saying.words.rpartition(",")[0] if is_open(saying.words) else saying.words
    return [{"serial": serial} for serial in serials_in(words)]


def _record(saying: Saying) -> dict[str, Any]:
    """What a line says in pairs, wherever they stand."""
    payload = _mapping(saying.payload)
    for item in payload.get("items") or ():  # a callback's arguments
        payload = {**_mapping(item), **payload}
    return {**saying.pairs, **payload, **_mapping(payload.get("reader"))}


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _code(saying: Saying) -> str | None:
    record = _record(saying)
    for name in ("code", "error_code", "errorCode"):
        if record.get(name) not in (None, ""):
            return code_of(str(record[name]))
    return code_in(" ".join((saying.words, *map(str, saying.pairs.values()))))


def _update(saying: Saying) -> dict[str, Any]:
    record = _record(saying)
    update = _mapping(record.get("update")) or record
    version = next((update[key] for key in ("version", "deviceSoftwareVersion") if update.get(key)), None)
    required_ms = number(next((update[key] for key in ("requiredAtMs", "requiredAt") if update.get(key)), None))
    estimate = update.get("estimatedUpdateTime") or update.get("durationEstimate")
    return {
        "firmware_to": version and str(version),
        "components": components_of(update.get("components")),
        # A number is an epoch; a date in words has no form that can be relied on.
        "required_at_us": int(required_ms * 1000) if required_ms and 1e11 < required_ms < 1e13 else None,
        "extra": {"estimated_time": snake(str(estimate))} if estimate else None,
    }


def _connect(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    return story.relation.start(_serial(saying), primary=True, location=_location(saying))


def _location(saying: Saying) -> str | None:
    found = re.search(r"\btml_\w+", " ".join((saying.words, *saying.pairs.values())))
    return found[0] if found else None


def _connected_result(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    """The scan's part of a connection ends where it has found the reader: the status still goes on to connecting."""
    if code := _code(saying):
        return story.relation.fail(code, surely=True)
    return story.note() if "Scan" in saying.subject else story.relation.succeed(surely=True)


def _status(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    status = status_of(found["word"])
    return status is not None and story.relation.say(status)


def _reason(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    return story.relation.reason(reason_of(found["word"]), found["word"])


def _did_disconnect(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    record = _record(saying)
    word = str(record.get("reason") or record.get("argument") or "")
    return story.relation.disconnect(reason_of(word), word, _code(saying))


def _device_info(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    return story.facts.info(_record(saying))


def _battery(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    """As pairs, or as Android's `onBatteryLevelUpdate(batteryLevel, batteryStatus, isCharging)`, which has no names."""
    record = {**pairs_of(saying.words)[0], **_mapping(payload_of(saying.words)), **_record(saying)}
    if found["level"]:
        record |= {"batteryLevel": found["level"], "isCharging": found["charging"]}
    level = level_of(record)
    return story.note() if level is None else story.facts.battery(level, charging_of(record))


def _installing(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    component, version = found["component"].lower(), found["version"]
    extra = {"part": found["part"], "parts": found["parts"]}
    return story.updating.stage(component, extra, components=components_of(component), firmware_to=version)


def _progress(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    told = found["number"] or _record(saying).get("progress")
    fraction = number(told) if told is not None else None
    return fraction is not None and story.updating.progress(fraction)


def _percent(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    percent = number(found["number"])
    # The library's own count of one file; the SDK's counts over all of them, where it is logged.
    return percent is not None and story.updating.library_progress(percent / 100)


def _finish_update(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    return story.updating.finish(_code(saying))


def _bb_error(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    status = re.search(r"BLE status : (\d+), newState : (\d+)", saying.words)
    if status:
        story.link.down(int(status[1]), None, starting="FAIL_TO_START" in saying.words)
    fault = re.match(r"onError (\w+)", saying.words)
    told = {"reader_fault": fault and fault[1], "gatt_status": status and int(status[1])}
    return story.facts.error(_code(saying), told)


def _rn_error(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    return story.failed(found["verb"], _code(saying))


def _ios_state(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    word = next(
        (saying.pairs[key] for key in _IOS_STATES if saying.pairs.get(key)),
        "",
    )
    status = status_of(word)
    return status is not None and story.relation.say(status)


_IOS_STATES = ("connectionStatus", "connection_status", "readerStatus", "reader_status")


def _ios_fault(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    state = re.search(r"CBManagerState(PoweredOff|PoweredOn|Unauthorized|Unsupported)", " ".join(saying.pairs.values()))
    if state:
        story.facts.radio(on=state[1] == "PoweredOn", fault=_CB_FAULTS.get(state[1], ""))
    command = saying.pairs.get("command") or saying.pairs.get("command_in_progress") or ""
    told = {name: saying.pairs[name] for name in ("bb_error_type", "bb_error_message") if name in saying.pairs}
    return story.failed(command, _code(saying), told)


_CB_FAULTS = {"PoweredOff": "radio_off", "Unauthorized": "permission_denied", "Unsupported": "le_unsupported"}


def _reconnecting(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    record = _record(saying)
    story.teller.know(_serial(saying) or reader_of(_mapping(record.get("reader"))).get("serial"))
    words = (str(record.get("reason") or ""), str(record.get("argument") or ""), *re.findall(r"\w+", saying.words))
    return story.relation.reconnect(next(filter(None, map(reason_of, words)), None))


def _command(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    """iOS: a command of the app begins."""
    match saying.pairs.get("command", "").partition("!")[0]:
        case "discoverReaders":
            return story.discovery.start(primary=True)
        case "disconnectReader":
            return story.asks(DisconnectReason.DISCONNECT_REQUESTED)
        case "rebootReader":
            return story.asks(DisconnectReason.REBOOT_REQUESTED)
        case "installUpdate" | "installAvailableUpdate":
            return story.updating.start()
        case command if command.startswith("connect"):
            return story.relation.start(_serial(saying), primary=True, location=_location(saying))
        case _:
            return story.note()


def _state_machine(story: "Story", saying: Saying, found: re.Match[str]) -> object:
    match found["to"]:
        case "DISCOVER":
            return story.discovery.start(primary=False)
        case "CONNECT":
            return story.relation.start(None, primary=False)
        case "CANCELLED" if found["from"] == "DISCOVER":
            return story.discovery.finish(code="CANCELED")
        case "CANCELLED" if found["from"] in ("CONNECT", "READER_INFO"):
            return story.relation.fail("CANCELED")
        case "INSTALL_UPDATES":
            return story.updating.start()
        case _:
            return False


def _card(event: str) -> str:
    """The callback that tells what happens to a card, or its event alone, as iOS logs it."""
    callback = rf"^(?:rn didReportReaderEvent\b|\S* onReportReaderEvent{TAIL}).*\b(?:{event})\b"
    return rf"{callback}(?!\W{{0,4}}(?i:false))|^\S* (?:{event})$"


SDK_TABLE: tuple[tuple[re.Pattern[str], Tell], ...] = (
    # Discovery
    _rule(r"^Terminal discoverReaders\b", lambda s, w, f: s.discovery.start(primary=True)),
    _rule(r"^(?:Bbpos\w*Adapter|SCP\w+) discoverReaders$", lambda s, w, f: s.discovery.start(primary=False)),
    _rule(r"^rn discoverReaders\b(?!.*[Ee]rror)", lambda s, w, f: s.discovery.start(primary=True)),
    _rule(r"^capacitor discoverReaders", lambda s, w, f: s.discovery.start(primary=True)),
    _rule(
        r"^(?:ProxyDiscoveryListener|rn) (?:did|on)UpdateDiscoveredReaders",
        lambda s, w, f: s.discovery.list(_readers(w), whole=not is_open(w.words)),
    ),
    _rule(
        r"^rn (?:didFinishDiscoveringReaders|onFinishDiscoveringReaders)", lambda s, w, f: s.discovery.finish(_code(w))
    ),
    _rule(
        r"^(?:\w+ cancelDiscoverReaders|\w*DiscoveryController stopDiscover|(?:rn|capacitor) cancelDiscover\w*)",
        lambda s, w, f: s.discovery.finish(extra={"ended_by": "app"}),
    ),
    _rule(r" (?:startBTScan)$", lambda s, w, f: s.discovery.scan(True)),
    _rule(r" (?:stopBTScan|onBTScanStopped)$", lambda s, w, f: s.discovery.scan(False)),
    _rule(r" startBTScan_scanTimeout$", lambda s, w, f: s.note()),
    # Connection
    _rule(r"^(?:Terminal|rn|capacitor) connect(?:Bluetooth|Usb|Internet|Local\w*)?Reader\b(?!.*[Ee]rror)", _connect),
    _rule(r"^\S* enqueueOperation\b.*$", lambda s, w, f: s.queued(w.pairs.get("operation", ""), _serial(w))),
    _rule(r"^\S* connectReader_completion", _connected_result),
    _rule(r"^\S* connectBTWithUUID", lambda s, w, f: s.link.connecting(None)),
    _rule(r"^\S* (?:onConnectionStatusChange|onConnectionStatusChanged)\((?P<word>\w+)\)", _status),
    _rule(
        r"^rn (?:didChangeConnectionStatus|onDidChangeConnectionStatus|onConnectionStatusChange)\s+['\"]?(?P<word>\w+)",
        _status,
    ),
    _rule(r"^TerminalStatusManager (?P<word>connecting|connected|notConnected|discovering|reconnecting)\.?$", _status),
    _rule(
        r"^TerminalStatusManager reportReaderConnecting", lambda s, w, f: s.relation.start(_serial(w), primary=False)
    ),
    _rule(r"^\S* (?:state_change)$", _ios_state),
    _rule(r"^\S* command$", _command),
    _rule(
        rf"^\S* on(?:BT|Usb|Serial)Connected{TAIL}(?:\((?P<serial>[^)]*)\))?",
        lambda s, w, f: s.link.up(
            next(iter(serials_in(f["serial"] or "")), None),
            address_in(f["serial"] or ""),
            "usb" if "onUsb" in w.words else None,
        ),
    ),
    _rule(rf"^\S* on(?:BT|Usb|Serial)Disconnected{TAIL}", lambda s, w, f: s.link.down(None, None)),
    _rule(r"^\S* (?:onReturnDeviceInfo)\b", _device_info),
    _rule(r"^\S* (?:reader_software_version|reader_battery_level)$", _device_info),
    _rule(r"^\S* setDiscoveryStatus$", lambda s, w, f: s.note()),
    # Its end
    _rule(r"^\S* Disconnect reason set to (?P<word>\w+)", _reason),
    _rule(r"^\S* (?:skipping disconnectReader)", lambda s, w, f: s.skips()),
    _rule(r"^\S* disconnectReader\. disconnectReason: (?P<word>\w+)", _reason),
    _rule(
        rf"^Terminal disconnectReader{TAIL}|^(?:rn|capacitor) disconnectReader\b|^\S* disconnectReader_start",
        lambda s, w, f: s.asks(DisconnectReason.DISCONNECT_REQUESTED),
    ),
    _rule(r"^(?:Terminal|rn|capacitor) rebootReader\b", lambda s, w, f: s.asks(DisconnectReason.REBOOT_REQUESTED)),
    _rule(
        r"^rn (?:didReportUnexpectedReaderDisconnect|didDisconnect|onReportUnexpectedReaderDisconnect)", _did_disconnect
    ),
    _rule(
        rf"^\S* (?:onUnexpectedReaderDisconnect|onDisconnect){TAIL}(?:\((?P<word>\w+)\))?",
        lambda s, w, f: s.relation.disconnect(reason_of(f["word"]), f["word"] or "", _code(w)),
    ),
    _rule(r"^\S* internal_disconnect_error", lambda s, w, f: s.relation.disconnect(None, "", _code(w))),
    _rule(rf"^(?:rn didStartReaderReconnect\b|\S* onReaderReconnectStarted{TAIL})", _reconnecting),
    _rule(
        rf"^(?:rn didSucceedReaderReconnect|\S* onReaderReconnectSucceeded){TAIL}",
        lambda s, w, f: s.relation.succeed(),
    ),
    _rule(
        rf"^(?:rn didFailReaderReconnect\b|\S* onReaderReconnectFailed{TAIL})",
        lambda s, w, f: s.relation.reconnect_failed(_code(w)),
    ),
    # Updates
    _rule(
        rf"^(?:rn (?:didReportAvailableUpdate|didFinishRequestingUpdate)|\S* onReportAvailableUpdate{TAIL})",
        lambda s, w, f: s.updating.available(**_update(w)),
    ),
    _rule(
        rf"^(?:rn didStartInstallingUpdate|\S* onStartInstallingUpdate{TAIL}|\S* install(?:Update|AvailableUpdate)?$"
        r"|(?:rn|capacitor) installAvailableUpdate)",
        lambda s, w, f: s.updating.start(**_update(w)),
    ),
    _rule(rf"^(?:rn didFinishInstallingUpdate|\S* onFinishInstallingUpdate{TAIL})", _finish_update),
    _rule(
        r"^\S* (?:Installing) (?P<component>\w+)\(.*?version=(?P<version>[\w.]+).*?\[(?P<part>\d+) of (?P<parts>\d+)\]",
        _installing,
    ),
    _rule(r"^\S* (?:Downloading updates|download(?:Updates|Settings))", lambda s, w, f: s.updating.stage("download")),
    _rule(r"^\S* reportReaderSoftwareUpdateProgress\W*(?P<number>\d*\.?\d+(?:[eE]-?\d+)?)?", _progress),
    _rule(r"^\S* onReportReaderSoftwareUpdateProgress\((?P<number>[\d.eE-]+)\)", _progress),
    _rule(r"^rn (?:didReportReaderSoftwareUpdateProgress|onReportReaderSoftwareUpdateProgress)(?P<number>)", _progress),
    _rule(r"^\S* onReturnOTAProgress\((?P<number>[\d.]+)", _percent),
    # Battery, cards, events of the reader
    _rule(
        r"^(?:rn didUpdateBatteryLevel|\S* onBatteryLevelUpdate)"
        r"(?:\((?P<level>[\d.]+%?)\s*(?:,\s*\w+\s*(?:,\s*(?P<charging>\w+)\s*)?)?\))?",
        _battery,
    ),
    _rule(
        rf"^(?:rn didReportLowBatteryWarning|\S* onReportLowBatteryWarning){TAIL}",
        lambda s, w, f: s.facts.low_battery(),
    ),
    _rule(_card("cardInserted|CARD_INSERTED"), lambda s, w, f: s.facts.card(inserted=True)),
    _rule(_card("cardRemoved|CARD_REMOVED"), lambda s, w, f: s.facts.card(inserted=False)),
    _rule(r"^health pos_battery", lambda s, w, f: s.note()),
    _rule(
        r"^health internet",
        lambda s, w, f: s.facts.internet(on=True) if "✔" in w.pairs.get("status", "") else s.facts.internet(on=False),
    ),
    # The app and its host
    _rule(r"^\S* applicationDidEnterBackground", lambda s, w, f: s.facts.app(foreground=False)),
    _rule(r"^\S* applicationDidEnterForeground", lambda s, w, f: s.facts.app(foreground=True)),
    # Errors
    _rule(r"^\S* onError\b", _bb_error),
    _rule(r"^\S* (?:unexpected_state|failCommandWithError_code\w*|\w*error\w*)$", _ios_fault),
    _rule(r"^rn (?P<verb>\w+) .*(?:[Ee]rror|\"code\"|code:)", _rn_error),
    _rule(r"^\S* onStateChanged: (?P<from>\w+) -> (?P<to>\w+)", _state_machine),
)
"""Pattern of a line's headline → what it tells. The first that fits is asked; what it does not tell is a message."""
