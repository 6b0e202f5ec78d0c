"""pcap: what tcpdump and older tools write. In either byte order, with micro- or nanoseconds."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures import link_types
from terminal_kit.importers.captures.chain import LARGEST, Layout, Walk
from terminal_kit.importers.captures.packets import Frames, Packets
from terminal_kit.importers.captures.records import Records
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

HEADER_BYTES = 24


class Form(NamedTuple):
    """The byte order of a file's numbers, and how many of the times' fractions are a second."""

    order: Literal["<", ">"]
    fractions: int


MAGICS: dict[bytes, Form] = {
    bytes.fromhex("d4c3b2a1"): Form("<", 1_000_000),
    bytes.fromhex("a1b2c3d4"): Form(">", 1_000_000),
    bytes.fromhex("4d3cb2a1"): Form("<", 1_000_000_000),
    bytes.fromhex("a1b23c4d"): Form(">", 1_000_000_000),
}


def layout(form: Form) -> Layout:
    """A record's head: seconds, fraction, included and original length."""
    u4 = f"{form.order}u4"
    per_us = form.fractions // 1_000_000
    # The high half of the seconds changes once in 18 hours.
    stamp = (0, 2) if form.order == ">" else (2, 4)
    return Layout(
        np.dtype([("seconds", u4), ("fraction", u4), ("included", u4), ("original", u4)]),
        stamp,
        size=lambda head: head["included"].astype(np.int64) + 16,
        t_us=lambda head: head["seconds"].astype(np.int64) * 1_000_000 + head["fraction"] // per_us,
        # No packet is empty: else the zeros at the end of a file that was not closed would be records without end.
        plausible=lambda head: (
            (head["fraction"] < form.fractions)
            & (head["included"] - np.uint32(1) < LARGEST)
            & (head["original"] - np.uint32(1) < 4 * LARGEST)
        ),
    )


def link_type(head: bytes) -> int:
    """The link type of a file that begins so. Raises `CaptureFormatError` for one that is not read."""
    if len(head) < HEADER_BYTES:
        raise CaptureFormatError("This pcap file is cut within its header.", offset=len(head))
    # The highest bits tell of checksums, which HCI has not.
    link = int(np.frombuffer(head, f"{MAGICS[head[:4]].order}u4", 1, 20)[0]) & 0x0FFF_FFFF
    if why := link_types.why_refused(link):
        raise CaptureFormatError(why, offset=20)
    return link


def read(content: Content, report: Report, source: int) -> Iterator[Records]:
    """The records of a pcap file, a chunk at a time. Raises `CaptureFormatError` as `link_type()` does."""
    head = content.head(HEADER_BYTES)
    link, form = link_type(head), layout(MAGICS[head[:4]])
    data = np.frombuffer(content.data, np.uint8)
    packets = Packets(data, report, source)
    for links in Walk(data, form, HEADER_BYTES, report).links():
        included, original = (links.head[name].astype(np.int64) for name in ("included", "original"))
        frames = Frames(links.number, form.t_us(links.head), links.start + form.head.itemsize, included, original)
        yield link_types.records(packets, data, frames, link)
    packets.close()
