"""Lines that tell of readers without being an SDK's own: of the phone's Bluetooth, of consoles, of apps' own files."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from terminal_kit.events import DisconnectReason
from terminal_kit.importers.sdk_logs.stories.calls import HEAD, TAIL
from terminal_kit.importers.sdk_logs.stories.facts import is_percentage, number
from terminal_kit.importers.sdk_logs.stories.link import ANOTHERS
from terminal_kit.importers.sdk_logs.vocabulary import address_in, code_in, reason_of, serials_in, status_of

if TYPE_CHECKING:
    from terminal_kit.importers.sdk_logs.stories.story import Story

_REASONS = f"(?:{'|'.join(reason.upper() for reason in DisconnectReason)})"
"""As apps write them: a word alone, like `onDisconnect`, may be anybody's."""

Tell = Callable[["Story", re.Match[str]], object]


def _rule(tags: str, pattern: str, tell: Tell) -> tuple[re.Pattern[str], re.Pattern[str], Tell]:
    return re.compile(tags), re.compile(pattern, re.DOTALL), tell


def _gatt_state(story: "Story", found: re.Match[str]) -> object:
    connected = re.search(r"connected=(true|false)|newState=(\d)", found.string)
    up = None if connected is None else connected[1] == "true" or connected[2] == "2"
    return story.link.gatt_state(int(found["status"]), up, address_in(found.string))


def _parameters(story: "Story", found: re.Match[str]) -> object:
    """Android tells the wire's units (Core Vol 4 Part E, 7.8.12)."""
    if found["status"] not in (None, "0"):
        return _other_gatt(story, found)
    return story.link.updated(
        address_in(found.string),
        interval_ms=int(found["interval"]) * 1.25,
        peripheral_latency=int(found["latency"]),
        supervision_timeout_s=int(found["timeout"]) / 100,
    )


def _other_gatt(story: "Story", found: re.Match[str]) -> object:
    return ANOTHERS if story.link.is_anothers(address_in(found.string)) else story.note()


def _mtu(story: "Story", found: re.Match[str]) -> object:
    return story.link.updated(address_in(found.string), mtu_bytes=int(found["mtu"]))


def _status(story: "Story", found: re.Match[str]) -> object:
    status = status_of(found["word"])
    return status is not None and story.relation.say(status)


def _unexpected(story: "Story", found: re.Match[str]) -> object:
    story.teller.know(next(iter(serials_in(found.string)), None))
    word = re.search(r"\(([A-Z_]+)\)", found.string)
    return story.relation.disconnect(reason_of(word[1]) if word else None, word[1] if word else "")


def _disconnected(story: "Story", found: re.Match[str]) -> object:
    return story.relation.disconnect(reason_of(found["word"]), found["word"])


def _reconnecting(story: "Story", found: re.Match[str]) -> object:
    story.teller.know(next(iter(serials_in(found.string)), None))
    word = re.search(_REASONS, found.string)
    return story.relation.reconnect(reason_of(word[0]) if word else None)


def _progress(story: "Story", found: re.Match[str]) -> object:
    told = found["number"]
    fraction = number(told)
    if fraction is None:
        return False
    return story.updating.progress(fraction / 100 if fraction > 1 and not is_percentage(told) else fraction)


def _library_progress(story: "Story", found: re.Match[str]) -> object:
    percent = number(found["number"])
    return percent is not None and story.updating.library_progress(percent / 100)


def _no_scan(story: "Story", found: re.Match[str]) -> object:
    return story.facts.error(None, {"operation": "scan", "scan_status": int(found["status"][:9])})


def _failed(story: "Story", found: re.Match[str]) -> object:
    return story.failed(found["verb"], code_in(found.string))


def _error(story: "Story", found: re.Match[str]) -> object:
    return story.failed("connectReader" if "connecting to reader" in found.string else "", code_in(found.string))


PHONE_TABLE: tuple[tuple[re.Pattern[str], re.Pattern[str], Tell], ...] = (
    _rule(r"BluetoothGatt$|^$", r"onClientConnectionState\(\).*?status=(?P<status>\d+)", _gatt_state),
    _rule(
        r"BluetoothGatt$|^$",
        r"onConnectionUpdated\(\).*?interval=(?P<interval>\d+) latency=(?P<latency>\d+) timeout=(?P<timeout>\d+)"
        r"(?:.*?status=(?P<status>\d+))?",
        _parameters,
    ),
    _rule(r"BluetoothGatt$|^$", r"onConfigureMTU\(\).*?mtu=(?P<mtu>\d+)", _mtu),
    _rule(r"BluetoothGatt$|^$", r"^connect\(\)(?! -> canceled)", lambda s, f: s.link.connecting(address_in(f.string))),
    _rule(r"BluetoothGatt$", r"", _other_gatt),
    _rule(r"BluetoothLeScanner$|^$", r"onScannerRegistered\(\).*?status=0", lambda s, f: s.discovery.scan(True)),
    _rule(r"BluetoothLeScanner$|^$", r"onScannerRegistered\(\).*?status=(?P<status>[1-9]\d*)", _no_scan),
    _rule(r"BluetoothLeScanner$", r"[Ss]top [Ss]can", lambda s, f: s.discovery.scan(False)),
    _rule(r"BluetoothLeScanner$", r"", lambda s, f: s.note()),
    _rule(r"BluetoothAdapter$", r"\bSTATE_OFF\b|isLeEnabled\(\): OFF", lambda s, f: s.facts.radio(on=False)),
    _rule(r"BluetoothAdapter$", r"\bSTATE_ON\b|isLeEnabled\(\): ON", lambda s, f: s.facts.radio(on=True)),
    _rule(r"BluetoothAdapter$", r"", lambda s, f: s.note()),
    _rule(
        r"bt_stack",
        r"GATT_Connect gatt_if=\d+, address=(?P<address>[\da-f:]+)",
        lambda s, f: s.link.connecting(f["address"].upper()),
    ),
    # What apps write of the SDK's callbacks into files of their own.
    _rule(r"", rf"{HEAD}on(?:Connection|reader connection )StatusChanged?[：:(\s]+(?P<word>[A-Z_]+)", _status),
    _rule(r"", rf"{HEAD}reader connection status[：:]\s*(?P<word>\w+)", _status),
    _rule(r"", rf"{HEAD}onUnexpectedReaderDisconnect{TAIL}", _unexpected),
    _rule(r"", rf"{HEAD}onDisconnect[：:(\s]+(?:reason\W+)?(?P<word>{_REASONS})\b", _disconnected),
    _rule(r"", rf"{HEAD}onReaderReconnectStarted{TAIL}", _reconnecting),
    _rule(r"", rf"{HEAD}onReaderReconnectSucceeded{TAIL}", lambda s, f: s.relation.succeed()),
    _rule(r"", rf"{HEAD}onReaderReconnectFailed{TAIL}", lambda s, f: s.relation.reconnect_failed(code_in(f.string))),
    _rule(
        r"",
        r"\bInstall(?:ation)? progress[：:\s]+(?P<number>\d{1,3}(?:\.\d+)?(?:\s*%)?)"
        r"(?![\d.%]|\s*(?:%|/|of\b))",  # a number of parts is no progress
        _progress,
    ),
    _rule(r"", r"\bonReturnOTAProgress\((?P<number>[\d.]+)\)", _library_progress),
    _rule(r"", r"\bonReturnOTADebugLog\b", lambda s, f: s.note()),
    _rule(
        r"",
        r"\b(?P<verb>(?:connect|easyConnect|discover|disconnect|reboot|cancel|collect|process|confirm|retrieve|install)"
        r"\w*(?:Readers?|Connect\w*|Discover\w*|Payment\w*|Update\w*|Intent\w*))\b[ :]+(?:onFailure|[Ee]rror)\b",
        _failed,
    ),
    _rule(r"", r"\bError Domain=com\.stripe", _error),
    _rule(r"", r"\b(?:errorCode|TerminalErrorCode)\b.*\"[A-Z_]+\(\d+\)\"", _error),
    _rule(r"", r"\b(?:READER|INTEGRATION|UNEXPECTED)_ERROR\.[A-Z]", _error),
    _rule(r"", r"\bTerminalException\b.*?:\s", _error),
    _rule(
        r"",
        r"\bon(?:PaymentStatusChange|RequestReaderInput|RequestReaderDisplayMessage)\b|"
        r"\b(?:collect|retrieve|cancel|confirm|process)Payment\w*\b.*\b(?:start|onSuccess)\b",
        lambda s, f: s.note(),
    ),
)
"""Tag and text of a line → what it tells; the first that fits is asked. A text that it gives is why it is foreign."""
