"""btsnooz: the short memory of Android's Bluetooth stack, in the text of a bug report.

Between two marks stands base64 of: a version byte, the time of the last record, and zlib of records that each tell the
time since the one before. All numbers are little-endian.

Source: AOSP, `packages/modules/Bluetooth/system/tools/scripts/btsnooz.py`.
"""

import binascii
import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures.packets import Codes, Frames, Packets
from terminal_kit.importers.captures.records import ACL, COMMAND, EVENT, ISO, RECEIVED, SCO, SENT, Records
from terminal_kit.importers.content import Buffer, Content
from terminal_kit.importers.report import Report

BEGIN = b"--- BEGIN:BTSNOOP_LOG_SUMMARY"
END = b"--- END:BTSNOOP_LOG_SUMMARY"

HEADS = {1: struct.Struct("<HIB"), 2: struct.Struct("<HHIB")}
"""A record's head by version: length, original length (from 2 on), microseconds since the one before, type."""

INFLATED_AT_MOST = 64 << 20
"""Bytes. The stack keeps a quarter of a megabyte; whatever unfolds to more is a trap."""

PIECE = 1 << 12
"""Bytes unfolded at a time: where the rest is damaged, at most so much of the good is lost."""

TEXT_AT_MOST = 32 << 20
"""Bytes of the block's text that are read, as a bound."""

YEAR_2106_US = 2**32 * 1_000_000
"""Later times are none."""

LATE = (
    "The Bluetooth log in the bug report is not whole. Its times are counted back from its end, "
    "so they are too late by what is missing."
)

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")

SEARCHED = 1 << 24
"""Bytes searched at a time where the content is not a mapped file."""

CODES = Codes(
    {
        0x10: (EVENT, RECEIVED),
        0x11: (ACL, RECEIVED),
        0x12: (SCO, RECEIVED),
        0x17: (ISO, RECEIVED),
        0x20: (COMMAND, SENT),
        0x21: (ACL, SENT),
        0x22: (SCO, SENT),
        0x2D: (ISO, SENT),
    },
    foreign=lambda code: f"btsnooz records of type 0x{code:02X}",
)


class _Block(NamedTuple):
    """What stands between the marks. `inflated`: the records; `end`: where the block ends in the text.

    `damage`: why it is not all there.
    """

    version: int
    last_us: int
    inflated: bytes
    end: int
    damage: str | None


def find(data: Buffer, mark: bytes, begin: int = 0, end: int | None = None) -> int:
    """Where a mark stands in a text of any length, or -1."""
    end = len(data) if end is None else end
    if not isinstance(data, memoryview):
        return data.find(mark, begin, end)
    for place in range(begin, end, SEARCHED):
        at = bytes(data[place : min(end, place + SEARCHED + len(mark) - 1)]).find(mark)
        if at >= 0:
            return place + at
    return -1


def version(content: Content) -> int | None:
    """The version of the first block in a text, or None where there is none, or nothing in it.

    Raises `CaptureFormatError` for a version that is not known.
    """
    place = find(content.data, BEGIN)
    if place < 0:
        return None
    text = bytes(content.data[place : place + 1024]).partition(b"\n")[2]
    head = _decoded(text[:8])
    if not head:
        return None
    if head[0] not in HEADS:
        raise CaptureFormatError(f"The Bluetooth log in this bug report is of version {head[0]}.", offset=place)
    return head[0]


def read(content: Content, report: Report, source: int) -> Iterator[Records]:
    """The records of the blocks in a bug report."""
    place = find(content.data, BEGIN)
    while place >= 0:
        block = _block(content.data, place)
        why = block.damage
        if block.version in HEADS:
            data = np.frombuffer(block.inflated, np.uint8)
            frames, code, left = _frames(block, report.records)
            packets = Packets(data, report, source)
            yield packets.records(frames, CODES, code)
            packets.close()
            why = why or (f"its last {left} bytes are no record" if left else None)
        if why is not None:
            text = f"the Bluetooth log in this bug report is damaged: {why}"
            report.damage(text, offset=place, record=report.records)
            report.records += 1
            if LATE not in report.findings:
                report.findings.append(LATE)
        place = find(content.data, BEGIN, block.end)


def _decoded(text: bytes) -> bytes:
    """Base64, as far as it goes."""
    text = _NOT_BASE64.sub(b"", text)
    text = text[:-1] if len(text) % 4 == 1 else text
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _block(data: Buffer, place: int) -> _Block:
    again = find(data, BEGIN, place + len(BEGIN))
    last = again if again >= 0 else len(data)
    stop = find(data, END, place, last)
    cut, end = stop < 0, stop if stop >= 0 else last
    raw = _decoded(bytes(data[place : min(end, place + TEXT_AT_MOST)]).partition(b"\n")[2])
    inflated, damage = _inflated(raw[9:])
    if raw and raw[0] not in HEADS:
        damage = f"version {raw[0]} is not known"
    if cut and damage is None:
        damage = "its end mark is missing"
    # A time of which the sign bit is set is none.
    last_us = int.from_bytes(raw[1:9], "little") & (2**63 - 1)
    return _Block(raw[0] if raw else 0, min(last_us, YEAR_2106_US), inflated, end, damage)


def _inflated(packed: bytes) -> tuple[bytes, str | None]:
    """What unfolds of a stream, and why that is not all."""
    stream, parts, size = zlib.decompressobj(), list[bytes](), 0
    try:
        for place in range(0, len(packed), PIECE):
            piece = packed[place : place + PIECE]
            while piece:
                parts.append(stream.decompress(piece, INFLATED_AT_MOST - size + 1))
                size += len(parts[-1])
                if size > INFLATED_AT_MOST:
                    return b"".join(parts)[:INFLATED_AT_MOST], f"it unfolds to more than {INFLATED_AT_MOST} bytes"
                piece = stream.unconsumed_tail
            if stream.eof:
                return b"".join(parts), None
    except zlib.error as error:
        return b"".join(parts), str(error)
    return b"".join(parts), "it is cut"


def _frames(block: _Block, number: int) -> tuple[Frames, NDArray[np.uint8], int]:
    """The records of a block, their types, and how many bytes at its end are no whole record."""
    form, data, at = HEADS[block.version], block.inflated, 0
    rows: list[tuple[int, int, int, int, int]] = []
    while at + form.size <= len(data):
        length, *more, delta_us, kind = form.unpack_from(data, at)
        begin, included = at + form.size, max(0, length - 1)
        if begin + included > len(data):
            break
        original = max(0, more[0] - 1) if more else included
        rows.append((begin, included, original, delta_us, kind))
        at = begin + included
    table = np.array(rows, np.int64).reshape(-1, 5)
    begin, included, original, delta_us, kind = table.T
    # Only the last record's time is known: the first one's is what the steps between them leave.
    t_us = block.last_us - int(delta_us.sum()) + np.cumsum(delta_us)
    numbers = np.arange(number, number + len(table))
    return Frames(numbers, t_us, begin, included, original), kind.astype(np.uint8), len(data) - at
