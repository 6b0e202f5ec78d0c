"""btsnoop: what Android, `btmon -w` and many others write. All numbers are big-endian.

The format is the snoop format of RFC 1761 with other data links. A file begins with 16 bytes: `btsnoop`, a zero, the
version 1, the data link. A record has 24 bytes before its packet: original and included length, flags, the count of
records dropped until then, and the time.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures.chain import LARGEST, Heads, Layout, Links, Walk
from terminal_kit.importers.captures.monitor import MONITOR
from terminal_kit.importers.captures.packets import H4, Codes, Frames, Packets, split_h4
from terminal_kit.importers.captures.records import ACL, COMMAND, EVENT, RECEIVED, SENT, Records
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

MAGIC = b"btsnoop\0"

HEADER_BYTES = 16

EPOCH_US = 0x00DC_DDB3_0F2F_8000
"""1970-01-01 in the times of a file. They claim to count from the year 0, which would be twelve days less: this is the
constant that every writer and reader uses."""

YEAR_2106_US = 2**32 * 1_000_000
"""No capture is younger. With the year 1970 (a phone that does not know the time yet) it bounds what is a time."""

UNENCAPSULATED, UART, LINUX_MONITOR = 1001, 1002, 2001

REFUSED = {1003: "BCSP", 1004: "H5 (three-wire UART)", 2002: "the PHY of a simulator"}
"""Data links that carry no plain HCI packets."""

HEAD = np.dtype([("original", ">u4"), ("included", ">u4"), ("flags", ">u4"), ("drops", ">u4"), ("time", ">i8")])


def _size(head: Heads) -> NDArray[np.int64]:
    return head["included"].astype(np.int64) + HEAD.itemsize


def _t_us(head: Heads) -> NDArray[np.int64]:
    return head["time"].astype(np.int64) - EPOCH_US


def _plausible(head: Heads) -> NDArray[np.bool_]:
    # As an unsigned number, a time before 1970 is larger than all others.
    times = _t_us(head).view(np.uint64)
    return (head["included"] <= LARGEST) & (times < YEAR_2106_US)


LAYOUT = Layout(HEAD, (17, 19), _size, _t_us, _plausible)
"""Two bytes of the time that change once in twelve days; the one before them is zero, as many others are."""

UNENCAPSULATED_CODES = Codes(
    {0: (ACL, SENT), 1: (ACL, RECEIVED), 2: (COMMAND, SENT), 3: (EVENT, RECEIVED)},
    foreign=lambda code: f"records with flags {code}",
)
"""By the flags' lowest bits: 1 = received, 2 = command or event."""


def data_link(head: bytes) -> int:
    """The data link of a file that begins so. Raises `CaptureFormatError` for one that is not read."""
    version, link = (int.from_bytes(head[place : place + 4], "big") for place in (8, 12))
    if len(head) < HEADER_BYTES:
        raise CaptureFormatError("This btsnoop file is cut within its header.", offset=len(head))
    if version != 1:
        raise CaptureFormatError(f"This btsnoop file is of version {version}; only version 1 is known.", offset=8)
    if link not in (UNENCAPSULATED, UART, LINUX_MONITOR):
        what = f": {REFUSED[link]}" if link in REFUSED else ""
        raise CaptureFormatError(f"This btsnoop file holds no plain HCI packets (data link {link}{what}).", offset=12)
    return link


def read(content: Content, report: Report, source: int) -> Iterator[Records]:
    """The records of a btsnoop file, a chunk at a time. Raises `CaptureFormatError` as `data_link()` does."""
    link = data_link(content.head(HEADER_BYTES))
    data = np.frombuffer(content.data, np.uint8)
    packets = Packets(data, report, source)
    for links in Walk(data, LAYOUT, HEADER_BYTES, report).links():
        yield _records(data, packets, links, link)
    packets.close()


def _records(data: NDArray[np.uint8], packets: Packets, links: Links, link: int) -> Records:
    head = links.head
    flags, drops = head["flags"].astype(np.uint32), head["drops"]
    included = head["included"].astype(np.int64)
    original = head["original"].astype(np.int64)
    frames = Frames(links.number, _t_us(head), links.start + HEAD.itemsize, included, original)
    if link == UART:
        frames, code = split_h4(data, frames)
        # Only the lowest bit: bumble sets another one instead of the second.
        return packets.records(frames, H4, code, direction=(flags & 1).astype(np.uint8), drops=drops)
    if link == UNENCAPSULATED:
        return packets.records(frames, UNENCAPSULATED_CODES, flags & 3, drops=drops)
    return packets.records(frames, MONITOR, flags & 0xFFFF, adapter=flags >> 16, drops=drops)
