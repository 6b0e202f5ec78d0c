"""pcapng: what Wireshark writes. Sections in either byte order, each with interfaces of their own link types.

Source: draft-ietf-opsawg-pcapng, sections 3 and 4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures import link_types
from terminal_kit.importers.captures.chain import Heads, Layout, Links, Walk, gathered
from terminal_kit.importers.captures.packets import Frames, Packets
from terminal_kit.importers.captures.records import Records
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

ByteOrder = Literal["<", ">"]

SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 2, 3, 6
"""Blocks that are read. The type of a section reads the same in both byte orders."""

MAGIC = SECTION.to_bytes(4, "big")
ORDER_MAGIC = 0x1A2B3C4D
ORDERS: dict[bytes, ByteOrder] = {ORDER_MAGIC.to_bytes(4, "big"): ">", ORDER_MAGIC.to_bytes(4, "little"): "<"}

SNIFFED_BYTES = 1 << 16
"""Interfaces stand at the beginning, within less."""

LARGEST_BLOCK = 16 << 20
"""Bytes. Blocks besides packets may be large (keys, names); none known to us comes near."""

TIME_RESOLUTION, TIME_OFFSET = 9, 14
"""Options of an interface that change what its times mean."""

FACTS = ("interface", "high", "low", "included", "original")
"""What a packet's block tells behind its length; the time is in two halves."""

TURNS_AT_MOST = 1000
"""Changes of the byte order that are followed. Files of several machines may be put together; not of so many."""

NO_LINK = 0xFFFF
"""Stands for the link type of an interface that could not be read."""

DESCRIBED_AT_MOST = 4096
"""Sections and interfaces of a file. More are none of a capture's; packets of further ones are counted as damaged."""

YEAR_2106_US = 2**32 * 1_000_000
"""Later times are none."""


def _is_packet(kind: NDArray[np.integer]) -> NDArray[np.bool_]:
    return (kind == PACKET) | (kind == SIMPLE_PACKET) | (kind == OLD_PACKET)


def layout(order: ByteOrder) -> Layout:
    """A block's head in one byte order: type, whole length, and what follows.

    Only packets have numbers, as Wireshark counts them.
    """
    u4 = f"{order}u4"

    def plausible(head: Heads) -> NDArray[np.bool_]:
        length = head["length"]
        fit = (length % 4 == 0) & (length >= 12) & (length <= LARGEST_BLOCK)
        return fit & ((head["type"] != SECTION) | (head["first"] == ORDER_MAGIC))

    def holds(data: NDArray[np.uint8], start: NDArray[np.int64], head: Heads) -> NDArray[np.bool_]:
        # A block's length stands at its end, too.
        end = start + head["length"].astype(np.int64) - 4
        return gathered(data, end, u4) == head["length"]

    return Layout(
        np.dtype([("type", u4), ("length", u4), ("first", u4)]),
        (0, 4),
        size=lambda head: head["length"].astype(np.int64),
        t_us=lambda head: np.zeros(len(head), np.int64),
        plausible=plausible,
        holds=holds,
        counts=lambda head: _is_packet(head["type"]),
        # A section in the other byte order.
        ends=lambda head: head.tobytes()[:4] == MAGIC and ORDERS.get(head.tobytes()[8:12], order) != order,
    )


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    snap_bytes: int
    resolution: int = 6
    offset_s: int = 0

    def t_us(self, ticks: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Times in its units as microseconds since 1970."""
        power = self.resolution & 0x7F
        if self.resolution & 0x80:
            # Whole seconds and the rest apart, and of the rest 40 bits: nothing grows beyond 64.
            whole = ticks >> np.uint64(min(power, 63))
            rest = ticks & np.uint64((1 << min(power, 63)) - 1)
            rest >>= np.uint64(max(0, min(power, 63) - 40))
            us = np.minimum(whole, 2**32) * np.uint64(1_000_000) + (
                rest * np.uint64(1_000_000) >> np.uint64(min(power, 40))
            )
        elif power > 6:
            us = ticks // np.uint64(10 ** min(power - 6, 19))
        else:
            factor = 10 ** (6 - power)
            us = np.minimum(ticks, YEAR_2106_US // factor) * np.uint64(factor)
        return np.clip(np.minimum(us, YEAR_2106_US).astype(np.int64) + self.offset_s * 1_000_000, 0, YEAR_2106_US)


def interface(block: bytes, order: ByteOrder) -> _Interface | None:
    """What an interface description block says; None where it is too short to say it."""
    if len(block) < 20:
        return None
    link, _, snap_bytes = struct.unpack_from(f"{order}HHI", block, 8)
    place, resolution, offset_s = 16, 6, 0
    while place + 4 <= len(block) - 4:
        code, length = struct.unpack_from(f"{order}HH", block, place)
        value = block[place + 4 : place + 4 + length]
        if code == TIME_RESOLUTION and len(value) == 1:
            resolution = value[0]
        elif code == TIME_OFFSET and len(value) == 8:
            # A correction of more than a century is none.
            offset_s = max(-(2**32), min(2**32, struct.unpack(f"{order}q", value)[0]))
        place += 4 + length + -length % 4
    return _Interface(link, snap_bytes, resolution, offset_s)


def check(head: bytes) -> None:
    """Raises `CaptureFormatError` where a file begins with interfaces of which none carries HCI."""
    if len(head) < 12:
        raise CaptureFormatError("This pcapng file is cut within its header.", offset=len(head))
    order = ORDERS.get(head[8:12])
    if order is None:
        raise CaptureFormatError("This pcapng file does not tell its byte order.", offset=8)
    place, links = 0, list[int]()
    while place + 12 <= len(head):
        kind, length = struct.unpack_from(f"{order}II", head, place)
        if kind in (PACKET, SIMPLE_PACKET, OLD_PACKET) or length < 12:
            break
        if kind == INTERFACE and (found := interface(head[place : place + length], order)):
            links.append(found.link)
        place += length
    if links and all(link_types.why_refused(link) for link in links):
        raise CaptureFormatError(link_types.why_refused(links[0]) or "", offset=0)


def read(content: Content, report: Report, source: int) -> Iterator[Records]:
    """The packets of a pcapng file, a chunk at a time. Raises `CaptureFormatError` as `check()` does."""
    check(content.head(SNIFFED_BYTES))
    data = np.frombuffer(content.data, np.uint8)
    reader = _Blocks(data, report, source)
    place = number = turns = 0
    while place < len(data):
        if turns == TURNS_AT_MOST:
            report.records += 1
            report.damage("the byte order changes again and again; the rest was not read", offset=place, record=number)
            break
        turns += 1
        order = ORDERS.get(data[place + 8 : place + 12].tobytes(), "<")
        walk = Walk(data, layout(order), place, report, number)
        for links in walk.links():
            yield from reader.records(links, order)
        number, place = walk.number, walk.place
    reader.close()


class _Blocks:
    """Makes records of blocks."""

    def __init__(self, data: NDArray[np.uint8], report: Report, source: int) -> None:
        self._data, self._report = data, report
        self._packets = Packets(data, report, source)
        self._interfaces: list[_Interface] = []
        self._described = 0
        self._last_us = 0
        self._timeless = 0

    def close(self) -> None:
        """The file is through."""
        if self._timeless:
            self._report.findings.append(f"{self._timeless} packets carry no time; they have that of the one before.")
            if self._report.first_us == self._report.last_us:
                self._report.time_rule = "order_only"
        self._packets.close()

    def records(self, links: Links, order: ByteOrder) -> Iterator[Records]:
        """The packets among some blocks; interfaces are learned on the way."""
        kind = links.head["type"]
        is_packet = _is_packet(kind)
        begin = 0
        described = np.flatnonzero((kind == SECTION) | (kind == INTERFACE))[: DESCRIBED_AT_MOST - self._described]
        self._described += len(described)
        for place in [*described.tolist(), len(kind)]:
            run = np.flatnonzero(is_packet[begin:place]) + begin
            if len(run):
                yield self._run(Links(*(column[run] for column in links)), order)
            if place < len(kind):
                self._learn(links, place, order)
            begin = place + 1

    def _learn(self, links: Links, place: int, order: ByteOrder) -> None:
        if int(links.head["type"][place]) == SECTION:
            self._interfaces = []
            return
        start, length = int(links.start[place]), int(links.head["length"][place])
        found = interface(self._data[start : start + min(length, 1 << 16)].tobytes(), order)
        self._interfaces.append(found or _Interface(NO_LINK, 0))

    def _run(self, links: Links, order: ByteOrder) -> Records:
        """Packets between which no interface is described."""
        kind, length = links.head["type"], links.head["length"].astype(np.int64)
        simple = kind == SIMPLE_PACKET
        room = length - np.where(simple, 12, 28) - 4
        body = links.start + np.where(simple, 12, 28)
        facts = gathered(self._data, links.start + 8, [(name, f"{order}u4") for name in FACTS])
        which = facts["interface"].astype(np.int64)
        which = np.where(kind == OLD_PACKET, which >> 16 if order == ">" else which & 0xFFFF, which)
        which = np.where(simple, 0, which)
        # A simple packet tells its original length alone.
        original = np.where(simple, links.head["first"], facts["original"]).astype(np.int64)
        snap_bytes = self._interfaces[0].snap_bytes if self._interfaces else 0
        whole = np.minimum(original, snap_bytes or LARGEST_BLOCK)
        included = np.where(simple, np.minimum(whole, room), facts["included"])
        wrong = (room < 0) | (included > room) | (which >= len(self._interfaces))
        ticks = facts["high"].astype(np.uint64) << np.uint64(32) | facts["low"].astype(np.uint64)
        t_us, link = np.zeros(len(kind), np.int64), np.full(len(kind), NO_LINK)
        seen: list[int] = np.unique(which[~wrong]).tolist()
        for known in seen:
            of_interface = which == known
            t_us[of_interface] = self._interfaces[known].t_us(ticks[of_interface])
            link[of_interface] = self._interfaces[known].link
        self._give_times(t_us, simple)
        foreign = np.isin(link, list(link_types.PSEUDO_HEADER_BYTES), invert=True) & ~wrong
        self._tell(links, wrong, link[foreign])
        keep = ~wrong & ~foreign
        frames = Frames(links.number, t_us, body, included, original)
        return link_types.records(
            self._packets, self._data, Frames(*(column[keep] for column in frames)), link[keep], which[keep]
        )

    def _give_times(self, t_us: NDArray[np.int64], simple: NDArray[np.bool_]) -> None:
        """Simple packets get the time of the packet before."""
        self._timeless += int(simple.sum())
        before = np.maximum.accumulate(np.where(simple, -1, np.arange(len(t_us))))
        t_us[simple] = np.where(before < 0, self._last_us, t_us[before])[simple]
        self._last_us = int(t_us[-1])

    def _tell(self, links: Links, wrong: NDArray[np.bool_], foreign: NDArray[np.integer]) -> None:
        self._report.records += int(wrong.sum()) + len(foreign)
        for place in np.flatnonzero(wrong).tolist():
            text = "this packet's lengths or its interface do not hold together"
            self._report.damage(text, offset=int(links.start[place]), record=int(links.number[place]))
        for link, count in zip(*np.unique(foreign, return_counts=True), strict=True):
            self._report.foreign_reasons[f"packets of link type {link}"] += int(count)
