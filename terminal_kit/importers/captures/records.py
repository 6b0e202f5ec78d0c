"""What every container of a capture ends in: chunks of HCI packets, as columns."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

COMMAND, ACL, SCO, EVENT, ISO = 1, 2, 3, 4, 5
"""The kinds of packets, as H4 (UART) numbers them: Core Vol 4 Part A, 2."""

SENT, RECEIVED, UNKNOWN = 0, 1, 255
"""Directions, as the host sees them. A pcap of link type 187 does not tell that of data."""

NoteKind = Literal["note", "gap", "host_changed", "clock_jumped"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a capture besides packets: becomes an event of that kind. `count`: how many records a gap lacks."""

    kind: NoteKind
    t_us: int
    record: int
    text: str
    adapter: int = 0
    count: int | None = None
    extra: dict[str, Any] | None = None


@dataclass(slots=True)
class Records:
    """A chunk of a capture's records, in the file's order. Arrays are of one length.

    `number` counts the file's records from 0 (Wireshark's frame number is one more); records that are no HCI packets
    are left out, and told in `notes` or counted as foreign. `t_us`: UTC, microseconds. `kind` and `direction` as above.
    `offset` is where the packet begins in `data`, behind the byte that tells its kind; `included` bytes of it are
    there, of `original`. Nothing may be read beyond `included`, whatever lengths a packet claims. `source`: which file.
    """

    source: int
    data: NDArray[np.uint8]
    number: NDArray[np.int64]
    t_us: NDArray[np.int64]
    adapter: NDArray[np.uint16]
    direction: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    offset: NDArray[np.int64]
    included: NDArray[np.int32]
    original: NDArray[np.int32]
    notes: list[Note] = field(default_factory=list[Note])

    def __len__(self) -> int:
        return len(self.number)
