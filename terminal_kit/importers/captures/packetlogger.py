"""Apple's PacketLogger (`.pklg`): what iPhones and Macs write, and sysdiagnose holds.

There is no file header. A record is: the length of what follows, seconds, microseconds (32 bits each), one byte for the
type, the payload. The classic tool writes big-endian numbers, newer systems little-endian ones.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from terminal_kit.importers.captures.chain import LARGEST, Heads, Layout, Walk
from terminal_kit.importers.captures.packets import Codes, Frames, Packets, Told, plain
from terminal_kit.importers.captures.records import ACL, COMMAND, EVENT, ISO, RECEIVED, SCO, SENT, Records
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

ByteOrder = Literal[">", "<"]

HEAD_BYTES = 13

NAMES: dict[ByteOrder, str] = {">": "PacketLogger", "<": "PacketLogger (little-endian)"}

YEAR_2001_S = 978_307_200
"""macOS is no older. A file whose first record is from before, is none of PacketLogger's."""

_NAMES = {
    0x0A: "LMP packets sent",
    0x0B: "LMP packets received",
    0xF7: "lines of the system log",
    0xF8: "messages of the kernel",
    0xF9: "debug messages of the kernel",
    0xFD: "configuration",
}

_TOLD = {0xFA: "error: ", 0xFB: "power: ", 0xFC: "", 0xFE: "new controller: "}
"""Types that hold text for people, and what is put before it."""


def _note(code: int, payload: bytes) -> Told | None:
    if code not in _TOLD:
        return None
    return Told("host_changed" if code == 0xFE else "note", _TOLD[code] + plain(payload))


CODES = Codes(
    {
        0x00: (COMMAND, SENT),
        0x01: (EVENT, RECEIVED),
        0x02: (ACL, SENT),
        0x03: (ACL, RECEIVED),
        0x08: (SCO, SENT),
        0x09: (SCO, RECEIVED),
        0x12: (ISO, SENT),
        0x13: (ISO, RECEIVED),
    },
    foreign=lambda code: _NAMES.get(code, f"PacketLogger records of type 0x{code:02X}"),
    note=_note,
)


def layout(order: ByteOrder) -> Layout:
    """A record's head in one byte order."""
    u4 = f"{order}u4"
    # The high half of the seconds changes once in 18 hours.
    stamp = (4, 6) if order == ">" else (6, 8)
    return Layout(
        np.dtype([("length", u4), ("seconds", u4), ("microseconds", u4), ("type", "u1")]),
        stamp,
        size=lambda head: head["length"].astype(np.int64) + 4,
        t_us=lambda head: head["seconds"].astype(np.int64) * 1_000_000 + head["microseconds"],
        plausible=lambda head: (
            (head["length"] >= 9) & (head["length"] <= LARGEST + 9) & (head["microseconds"] < 1_000_000)
        ),
    )


LAYOUTS: dict[ByteOrder, Layout] = {">": layout(">"), "<": layout("<")}


def byte_order(head: bytes) -> ByteOrder | None:
    """The byte order of a file that begins so, or None where it does not begin with a record of PacketLogger's."""
    for order, form in LAYOUTS.items():
        if len(head) < HEAD_BYTES:
            return None
        first: Heads = np.frombuffer(head, form.head, 1)
        known = int(first["type"][0]) in CODES.packets.keys() | _NAMES.keys() | _TOLD.keys()
        if known and form.plausible(first)[0] and first["seconds"][0] >= YEAR_2001_S:
            return order
    return None


def read(content: Content, report: Report, source: int) -> Iterator[Records]:
    """The records of a PacketLogger file, a chunk at a time."""
    form = LAYOUTS[byte_order(content.head(HEAD_BYTES)) or ">"]
    data = np.frombuffer(content.data, np.uint8)
    packets = Packets(data, report, source)
    for links in Walk(data, form, 0, report).links():
        length = links.head["length"].astype(np.int64) - 9
        frames = Frames(links.number, form.t_us(links.head), links.start + HEAD_BYTES, length, length)
        yield packets.records(frames, CODES, links.head["type"])
    packets.close()
