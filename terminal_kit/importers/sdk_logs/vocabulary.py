"""The SDKs' words as ours: statuses, reasons, codes of errors, serial numbers, in any spelling that apps log."""

import re

from terminal_kit.errors import ERRORS, error_class
from terminal_kit.events import ConnectionStatus, DisconnectReason
from terminal_kit.reader import SERIAL_PREFIXES

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")
_STATUSES = frozenset(ConnectionStatus)
_REASONS = frozenset(DisconnectReason)
_BY_NUMBER = {number: cls.code for cls in reversed(ERRORS) for number in cls.numbers}
_KNOWN_CODES = {cls.code for cls in ERRORS}

SERIAL = re.compile(rf"\b(?:{'|'.join(SERIAL_PREFIXES)})[0-9A-Z]*\*{{0,20}}(?![0-9A-Za-z])")
"""Serial numbers of the vendor's Bluetooth readers; masked ones end in asterisks."""

ADDRESS = re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b")
"""A Bluetooth device address."""

CODE = re.compile(
    r"\b(?:(?:READER|INTEGRATION|UNEXPECTED|NETWORK|STRIPE_API|SESSION|SDK|DECLINED|TERMINAL)\w*_ERROR|"
    r"(?:TerminalErrorCode|ErrorCode|SCPError))"
    r"\.([A-Za-z][A-Za-z_0-9]+)"
)
"""An error's code after its class: `READER_ERROR.BLUETOOTH_DISCONNECTED`."""

NUMBERED = re.compile(r"\bError Domain=(?:com\.stripe-terminal|com\.stripe\.terminal)\S* Code=(\d{1,6})")
"""An error of iOS."""

_QUOTED_CODE = re.compile(
    r"[\"']?\b(?:code|errorCode)[\"']?\s*[:=]\s*(?:\{[^}]*\}\s*)?[\"']?(?:\w+\.)*([A-Za-z][A-Za-z_0-9]{3,})"
)

GATT_FAULTS = frozenset({0x08, 0x13, 0x14, 0x15, 0x16, 0x22, 0x28, 0x3B, 0x3D, 0x3E})
"""Statuses of Android's GATT client that are link-layer codes (Core Vol 1 Part F, 1.3), handed on by its stack."""

ATT_FAULTS = frozenset({0x05, 0x0F})
"""Statuses that are codes of the attribute protocol: no authentication, no encryption (Core Vol 3 Part F, 3.4.1.1)."""


def snake(word: str) -> str:
    """`bluetoothSignalLost`, `BLUETOOTH_SIGNAL_LOST` and `bluetooth signal lost` alike as `bluetooth_signal_lost`."""
    return _NO_LETTER.sub("_", _HUMP.sub("_", word) if not word.isupper() else word).strip("_").lower()


def status_of(word: str | None) -> str | None:
    """A `ConnectionStatus`, or None where the word is none."""
    found = snake(word or "").removeprefix("scp_connection_status_").removeprefix("connection_status_")
    return found if found in _STATUSES else None


def reason_of(word: str | None) -> str | None:
    """A `DisconnectReason`, or None where the word is none."""
    found = snake(word or "").removeprefix("scp_disconnect_reason_").removeprefix("disconnect_reason_")
    return found if found in _REASONS else None


def code_of(word: str) -> str:
    """An error's code in the kit's spelling; one that the kit does not know as it is, in upper case."""
    if word.isdigit():
        return _BY_NUMBER.get(int(word), word)
    bare = word.rsplit(".", 1)[-1].strip()
    known = error_class(bare)
    if known is not None:
        return known.code
    folded = snake(bare.removeprefix("SCPError")).upper()
    known = error_class(folded)
    return known.code if known else folded


def code_in(text: str) -> str | None:
    """The code of the error that a text tells of, or None."""
    if found := CODE.search(text):
        return code_of(found[1])
    if found := NUMBERED.search(text):
        return code_of(found[1])
    if found := re.search(r"\berror_code=(\d{1,6}|[A-Za-z]\w+)", text):
        return code_of(found[1])
    if found := re.search(r"\"([A-Z][A-Z_]+)\((\d+)\)\"", text):  # a debugger's view of an enumeration
        return code_of(found[1])
    if (found := _QUOTED_CODE.search(text)) and (found[1].isupper() or code_of(found[1]) in _KNOWN_CODES):
        return code_of(found[1])
    return None


def is_closed_word(word: str) -> bool:
    """Whether a word is a status or a reason, and no other one begins with it."""
    return [known for known in (*_STATUSES, *_REASONS) if known.startswith(snake(word))] == [snake(word)]


def is_closed_code(word: str) -> bool:
    """Whether a word is the code of an error, and no other one begins with it."""
    return [known for known in _KNOWN_CODES if known.startswith(word.upper())] == [word.upper()]


def serials_in(text: str) -> list[str]:
    """The serial numbers that a text names, each once, in order."""
    return list(dict.fromkeys(found[0] for found in SERIAL.finditer(text)))


def address_in(text: str) -> str | None:
    """The first Bluetooth address that a text names, in upper case."""
    found = ADDRESS.search(text)
    return found[0].upper() if found else None
