"""The link types of pcap and pcapng that carry HCI packets, and those that do not.

Source: the registry of link-layer header types at tcpdump.org.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.captures.chain import gathered
from terminal_kit.importers.captures.monitor import MONITOR
from terminal_kit.importers.captures.packets import H4, Codes, Frames, Packets, split_h4
from terminal_kit.importers.captures.records import Records

HCI_H4, HCI_H4_WITH_DIRECTION, LINUX_MONITOR = 187, 201, 254
"""Packets as on a UART; the same behind 32 bits that tell the direction; records of the Linux monitor."""

PSEUDO_HEADER_BYTES = {HCI_H4: 0, HCI_H4_WITH_DIRECTION: 4, LINUX_MONITOR: 4}

AIR = {
    251: "Bluetooth LE link layer",
    255: "Bluetooth baseband",
    256: "Bluetooth LE link layer with radio facts",
    272: "nRF sniffer",
}
"""What sniffers write."""

_MONITORS = 256
"""The monitor's opcodes stand behind H4's types in the table: a pcapng file may hold both."""

CODES = Codes(
    {**H4.packets, **{_MONITORS + opcode: packet for opcode, packet in MONITOR.packets.items()}},
    foreign=lambda code: H4.foreign(code) if code < _MONITORS else MONITOR.foreign(code - _MONITORS),
    note=lambda code, payload: H4.note(code, payload) if code < _MONITORS else MONITOR.note(code - _MONITORS, payload),
)


def why_refused(link: int) -> str | None:
    """Why a link type is not read; None for one that is."""
    if link in PSEUDO_HEADER_BYTES:
        return None
    if link in AIR:
        return f"This is an over-the-air capture, not one of HCI (link type {link}, {AIR[link]})."
    return f"This capture holds no HCI packets (link type {link})."


def records(
    packets: Packets,
    data: NDArray[np.uint8],
    frames: Frames,
    links: int | NDArray[np.integer],
    interfaces: NDArray[np.integer] | None = None,
) -> Records:
    """Sorts frames of one link type, or of one each; frames of refused types are to be left out before.

    `interfaces` tell the adapters, where the packets do not.
    """
    each = np.full(len(frames.number), links) if isinstance(links, int) else links
    code = np.zeros(len(each), np.uint16)
    direction = np.zeros(len(each), np.uint8)
    adapter = np.zeros(len(each), np.uint16) if interfaces is None else interfaces.astype(np.uint16)
    columns: Sequence[NDArray[np.int64]] = [column.copy() for column in frames]
    for link in np.unique(each).tolist():
        of_link = each == link
        part, code[of_link], direction[of_link], told = _unwrapped(
            data, Frames(*(column[of_link] for column in frames)), link
        )
        if told is not None:
            adapter[of_link] = told
        for column, values in zip(columns, part, strict=True):
            column[of_link] = values
    return packets.records(Frames(*columns), CODES, code, direction=direction, adapter=adapter)


def _unwrapped(
    data: NDArray[np.uint8], frames: Frames, link: int
) -> tuple[Frames, NDArray[np.uint16], NDArray[np.uint8], NDArray[np.uint16] | None]:
    """Frames of one link type without what stands before their packets: with codes, directions and adapters."""
    width = PSEUDO_HEADER_BYTES[link]
    # A frame that is cut within its pseudo header counts as empty.
    cut = frames.included < width
    rest = Frames(
        frames.number,
        frames.t_us,
        frames.start + width,
        np.maximum(frames.included - width, 0),
        np.maximum(frames.original - width, 0),
    )
    if link == LINUX_MONITOR:
        head = gathered(data, frames.start, [("adapter", ">u2"), ("opcode", ">u2")])
        opcode = np.where(cut, 255, np.minimum(head["opcode"], 255)).astype(np.uint16)
        adapter = np.where(cut, 0, head["adapter"]).astype(np.uint16)
        return rest, opcode + _MONITORS, MONITOR.directions[opcode], adapter
    rest, kind = split_h4(data, rest)
    if link == HCI_H4:
        return rest, kind.astype(np.uint16), H4.directions[kind], None
    # Big-endian, whatever the order of the file's own numbers.
    direction = np.where(cut, 0, gathered(data, frames.start, ">u4") & 1).astype(np.uint8)
    return rest, kind.astype(np.uint16), direction, None
