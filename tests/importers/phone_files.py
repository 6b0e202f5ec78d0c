"""Files of one field trip: what a phone records of a reader that comes and goes, and what an app writes of the same."""

import zipfile
from pathlib import Path
from typing import Any

from capture_writers import EVENT, RECEIVED, Packet

from terminal_kit.eventlog import EventLog

T_US = 1_773_489_600_000_000
"""2026-03-14 12:00:00 UTC."""

SECOND = 1_000_000
SERIAL = "STRM26138000001"
READER = "00:11:22:33:44:55"
PHONE, OTHER_PHONE = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"
MOMENTS_S = (1, 31, 64, 200, 260, 701, 900, 1505)


def read_address(second: float, address: str) -> Packet:
    payload = bytes([0x0E, 10, 1, 0x09, 0x10, 0]) + bytes.fromhex(address.replace(":", ""))[::-1]
    return Packet(T_US + int(second * SECOND), EVENT, RECEIVED, payload)


def connected(second: float, handle: int = 64, address: str = READER) -> Packet:
    """LE Connection Complete: Core Vol 4 Part E, 7.7.65.1."""
    body = (
        bytes([1, 0, handle, 0, 0, 0]) + bytes.fromhex(address.replace(":", ""))[::-1] + bytes([24, 0, 0, 0, 72, 0, 0])
    )
    return Packet(T_US + int(second * SECOND), EVENT, RECEIVED, bytes([0x3E, len(body)]) + body)


def ended(second: float, handle: int = 64, reason: int = 0x08) -> Packet:
    """Disconnection Complete: 7.7.5."""
    return Packet(T_US + int(second * SECOND), EVENT, RECEIVED, bytes([0x05, 4, 0, handle, 0, reason]))


def advertised(second: float, rssi_dbm: int = -60, address: str = READER) -> Packet:
    """LE Advertising Report: 7.7.65.2."""
    name = b"\x10\x09" + SERIAL.encode()
    body = bytes([2, 1, 0, 0]) + bytes.fromhex(address.replace(":", ""))[::-1] + bytes([len(name)]) + name
    body += bytes([rssi_dbm & 0xFF])
    return Packet(T_US + int(second * SECOND), EVENT, RECEIVED, bytes([0x3E, len(body)]) + body)


def phone(
    *, begin_s: int = 0, phone: str | None = PHONE, moments_s: Any = MOMENTS_S, advertises: bool = True
) -> list[Packet]:
    """What a phone records of a reader that comes and goes."""
    packets = [read_address(begin_s, phone)] if phone else []
    if advertises:
        packets += [advertised(begin_s + 0.1 * number) for number in range(1, 9)]
    return packets + [(connected, ended)[place % 2](begin_s + second) for place, second in enumerate(moments_s)]


def app_log(*, hours: float = 0.0, moments_s: Any = MOMENTS_S, zone: str = "", year: str = "2026-") -> bytes:
    """What an app writes of the same, in its local time."""
    lines: list[str] = []
    for place, second in enumerate(moments_s):
        moment = int(T_US / SECOND + hours * 3600) + second
        clock = f"{year}{'03-14' if moment < T_US / SECOND + 43_200 else '03-15'} {moment // 3600 % 24:02d}:{moment // 60 % 60:02d}:{moment % 60:02d}.050"
        message = f"onBTConnected({SERIAL})" if place % 2 == 0 else "onBTDisconnected"
        lines.append(f"{clock}{zone}  1234  1240 D StripeTerminal: class=BBPOSControllerListener message={message}")
    return "\n".join(lines).encode() + b"\n"


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def zipped(folder: Path, name: str, **members: bytes) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member.replace("__", "/"), data)
    return folder / name


def links(log: EventLog) -> list[tuple[str, int]]:
    return [
        (event.kind, (event.t_us - T_US) // SECOND)
        for event in log.events()
        if event.kind in ("link_connected", "link_disconnected")
    ]
