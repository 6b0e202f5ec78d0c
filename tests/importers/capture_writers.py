"""Writes captures in every container that the kit reads, from one list of packets."""

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

COMMAND, ACL, SCO, EVENT, ISO = 1, 2, 3, 4, 5
SENT, RECEIVED, UNKNOWN = 0, 1, 255

BTSNOOP_EPOCH_US = 62_168_256_000_000_000


class Packet(NamedTuple):
    """An HCI packet (`payload` without the byte of its kind); `original` is its length before it was cut, if it was."""

    t_us: int
    kind: int
    direction: int
    payload: bytes
    adapter: int = 0
    original: int | None = None

    @property
    def length(self) -> int:
        return len(self.payload) if self.original is None else self.original


MONITOR_OPCODES = {
    (COMMAND, SENT): 2,
    (EVENT, RECEIVED): 3,
    (ACL, SENT): 4,
    (ACL, RECEIVED): 5,
    (SCO, SENT): 6,
    (SCO, RECEIVED): 7,
    (ISO, SENT): 18,
    (ISO, RECEIVED): 19,
}
PACKETLOGGER_TYPES = dict(zip(MONITOR_OPCODES, (0, 1, 2, 3, 8, 9, 0x12, 0x13), strict=True))
BTSNOOZ_TYPES = dict(zip(MONITOR_OPCODES, (0x20, 0x10, 0x21, 0x11, 0x22, 0x12, 0x2D, 0x17), strict=True))


def btsnoop_header(link: int, version: int = 1) -> bytes:
    return b"btsnoop\0" + struct.pack(">II", version, link)


def btsnoop_record(t_us: int, flags: int, data: bytes, *, original: int | None = None, drops: int = 0) -> bytes:
    whole = len(data) if original is None else original
    return struct.pack(">IIIIq", whole, len(data), flags, drops, t_us + BTSNOOP_EPOCH_US) + data


def btsnoop(packets: Iterable[Packet], link: int) -> bytes:
    def record(packet: Packet) -> bytes:
        is_command_or_event = packet.kind in (COMMAND, EVENT)
        flags = packet.direction | is_command_or_event << 1
        match link:
            case 1001:
                return btsnoop_record(packet.t_us, flags, packet.payload, original=packet.length)
            case 1002:
                data = bytes([packet.kind]) + packet.payload
                return btsnoop_record(packet.t_us, flags, data, original=packet.length + 1)
            case _:
                flags = packet.adapter << 16 | MONITOR_OPCODES[packet.kind, packet.direction]
                return btsnoop_record(packet.t_us, flags, packet.payload, original=packet.length)

    return btsnoop_header(link) + b"".join(map(record, packets))


def packetlogger_record(t_us: int, kind: int, data: bytes, order: str = ">") -> bytes:
    return struct.pack(f"{order}IIIB", len(data) + 9, t_us // 1_000_000, t_us % 1_000_000, kind) + data


def packetlogger(packets: Iterable[Packet], order: str) -> bytes:
    return b"".join(
        packetlogger_record(packet.t_us, PACKETLOGGER_TYPES[packet.kind, packet.direction], packet.payload, order)
        for packet in packets
    )


def pseudo_header(packet: Packet, link: int) -> bytes:
    match link:
        case 187:
            return bytes([packet.kind])
        case 201:
            return struct.pack(">IB", packet.direction, packet.kind)
        case _:
            return struct.pack(">HH", packet.adapter, MONITOR_OPCODES[packet.kind, packet.direction])


def pcap_header(link: int, order: str = "<", *, nanoseconds: bool = False) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    return struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262_144, link)


def pcap(packets: Iterable[Packet], link: int, order: str = "<", *, nanoseconds: bool = False) -> bytes:
    parts = [pcap_header(link, order, nanoseconds=nanoseconds)]
    for packet in packets:
        before = pseudo_header(packet, link)
        data = before + packet.payload
        fraction = packet.t_us % 1_000_000 * (1000 if nanoseconds else 1)
        head = (packet.t_us // 1_000_000, fraction, len(data), packet.length + len(before))
        parts.append(struct.pack(f"{order}IIII", *head) + data)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of pcapng, padded."""
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, order: str = "<", resolution: int | None = None, offset_s: int | None = None) -> bytes:
    options = b""
    if resolution is not None:
        options += struct.pack(f"{order}HHB3x", 9, 1, resolution)
    if offset_s is not None:
        options += struct.pack(f"{order}HHq", 14, 8, offset_s)
    if options:
        options += bytes(4)
    return block(1, struct.pack(f"{order}HHI", link, 0, 0) + options, order)


def enhanced_packet(ticks: int, data: bytes, order: str = "<", *, which: int = 0, original: int | None = None) -> bytes:
    whole = len(data) if original is None else original
    return block(
        6, struct.pack(f"{order}IIIII", which, ticks >> 32, ticks & 0xFFFFFFFF, len(data), whole) + data, order
    )


def simple_packet(data: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(f"{order}I", len(data)) + data, order)


def pcapng(packets: Iterable[Packet], link: int, order: str = "<", resolution: int | None = None) -> bytes:
    """One section with one interface; `resolution` as the option says it: 9 is nanoseconds, 0x94 is 2 to the -20."""
    parts = [section(order), interface(link, order, resolution)]
    for packet in packets:
        before = pseudo_header(packet, link)
        original = packet.length + len(before)
        parts.append(enhanced_packet(ticks(packet.t_us, resolution), before + packet.payload, order, original=original))
    return b"".join(parts)


def ticks(t_us: int, resolution: int | None) -> int:
    """A time in an interface's units, not before it."""
    if resolution is None:
        return t_us
    a_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    return -(-t_us * a_second // 1_000_000)


def btsnooz_block(packets: Sequence[Packet], version: int) -> bytes:
    """What lies behind the base64: times are steps, so they may not go back."""
    inflated, before = b"", packets[0].t_us if packets else 0
    for packet in packets:
        lengths = [len(packet.payload) + 1, packet.length + 1][:version]
        inflated += struct.pack(
            f"<{'H' * version}IB", *lengths, packet.t_us - before, BTSNOOZ_TYPES[packet.kind, packet.direction]
        )
        inflated += packet.payload
        before = packet.t_us
    return struct.pack("<bQ", version, before) + zlib.compress(inflated)


def bug_report(blocks: Iterable[bytes], *, lines_before: int = 5, end_mark: bool = True) -> bytes:
    """The text of a bug report around some blocks."""
    text = b"".join(b"0%d: dumpsys of a service, line %d\n" % (line % 9, line) for line in range(lines_before))
    for packed in blocks:
        body = base64.b64encode(packed)
        text += b"--- BEGIN:BTSNOOP_LOG_SUMMARY (%d bytes in) ---\n" % len(packed)
        text += b"".join(body[place : place + 76] + b"\n" for place in range(0, len(body), 76))
        if end_mark:
            text += b"--- END:BTSNOOP_LOG_SUMMARY ---\n"
    return text + b"and more lines\n"


@dataclass(frozen=True)
class Form:
    """A container and what it keeps of a packet. `write` makes the file; `name` is what the kit calls it."""

    name: str
    write: Callable[[Sequence[Packet]], bytes]
    adapters: bool = False
    lengths: bool = True
    data_directions: bool = True
    kinds: tuple[int, ...] = (COMMAND, ACL, SCO, EVENT, ISO)
    clock_may_go_back: bool = True

    def kept(self, packet: Packet) -> Packet:
        """What comes back of a packet."""
        has_direction = self.data_directions or packet.kind in (COMMAND, EVENT)
        return packet._replace(
            direction=packet.direction if has_direction else UNKNOWN,
            adapter=packet.adapter if self.adapters else 0,
            original=packet.length if self.lengths else len(packet.payload),
        )


FORMS: dict[str, Form] = {
    "btsnoop-1001": Form("btsnoop 1001", lambda p: btsnoop(p, 1001), kinds=(COMMAND, ACL, EVENT)),
    "btsnoop-1002": Form("btsnoop 1002", lambda p: btsnoop(p, 1002)),
    "btsnoop-2001": Form("btsnoop 2001", lambda p: btsnoop(p, 2001), adapters=True),
    "packetlogger": Form("PacketLogger", lambda p: packetlogger(p, ">"), lengths=False),
    "packetlogger-little": Form("PacketLogger (little-endian)", lambda p: packetlogger(p, "<"), lengths=False),
    "pcap-187": Form("pcap 187", lambda p: pcap(p, 187), data_directions=False),
    "pcap-201": Form("pcap 201", lambda p: pcap(p, 201)),
    "pcap-201-big": Form("pcap 201", lambda p: pcap(p, 201, ">")),
    "pcap-201-ns": Form("pcap 201", lambda p: pcap(p, 201, nanoseconds=True)),
    "pcap-187-big-ns": Form("pcap 187", lambda p: pcap(p, 187, ">", nanoseconds=True), data_directions=False),
    "pcap-254": Form("pcap 254", lambda p: pcap(p, 254), adapters=True),
    "pcapng-187": Form("pcapng", lambda p: pcapng(p, 187), data_directions=False),
    "pcapng-201": Form("pcapng", lambda p: pcapng(p, 201)),
    "pcapng-201-big": Form("pcapng", lambda p: pcapng(p, 201, ">")),
    "pcapng-201-ns": Form("pcapng", lambda p: pcapng(p, 201, resolution=9)),
    "pcapng-201-binary": Form("pcapng", lambda p: pcapng(p, 201, resolution=0x80 | 20)),
    "pcapng-254": Form("pcapng", lambda p: pcapng(p, 254), adapters=True),
    "btsnooz-1": Form("btsnooz 1", lambda p: bug_report([btsnooz_block(p, 1)]), lengths=False, clock_may_go_back=False),
    "btsnooz-2": Form("btsnooz 2", lambda p: bug_report([btsnooz_block(p, 2)]), clock_may_go_back=False),
}
"""Every container that the kit reads, by a short name."""


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
