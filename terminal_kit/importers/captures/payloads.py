"""What an advertisement's payload says: its AD structures (Core Specification Supplement, Part A)."""

import re
from dataclasses import dataclass

from terminal_kit.profile import COMPANY_ID, AdvertisedState
from terminal_kit.reader import SERIAL_PREFIXES

_SERIAL = re.compile(f"(?:{'|'.join(SERIAL_PREFIXES)})[0-9A-Z]{{3,}}")

_BASE = bytes.fromhex("fb349b5f80000080001000000000")
"""The Bluetooth base UUID without its number, as it lies on the air (Vol 3 Part B, 2.5.1)."""

NAMES = (0x08, 0x09)
SERVICES = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
MANUFACTURER = 0xFF


@dataclass(slots=True)
class Payload:
    """What one payload says. `name_is_whole`: not shortened. `state`: of the kit's own readers."""

    name: str | None = None
    name_is_whole: bool = False
    manufacturer: int | None = None
    services: tuple[str, ...] = ()
    state: AdvertisedState | None = None


def read_payload(data: bytes) -> Payload:
    """Reads as far as whole structures go; a cut one or a hostile length ends it, nothing raises."""
    payload = Payload()
    services: list[str] = []
    at = 0
    while at + 1 < len(data) and data[at] and at + 1 + data[at] <= len(data):
        kind, body = data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]
        if kind in NAMES and not payload.name_is_whole:
            payload.name = body.rstrip(b"\0").decode("utf-8", "replace") or None
            payload.name_is_whole = kind == NAMES[1]
        elif kind == MANUFACTURER and len(body) >= 2:
            payload.manufacturer = int.from_bytes(body[:2], "little")
            if payload.manufacturer == COMPANY_ID:
                payload.state = AdvertisedState.decode(body[2:])
        elif width := SERVICES.get(kind):
            services += [uuid_text(body[i : i + width]) for i in range(0, len(body) - width + 1, width)]
    payload.services = tuple(services)
    return payload


def uuid_text(data: bytes) -> str:
    """A UUID of 2, 4 or 16 bytes as they lie on the air, in full."""
    raw = (_BASE[:12] + data + bytes(4 - len(data)) if len(data) <= 4 else data)[::-1]
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def serial_in(name: str | None) -> str | None:
    """The serial that a name is or contains, None where there is none with a known prefix."""
    found = _SERIAL.search(name) if name else None
    return found[0] if found else None
