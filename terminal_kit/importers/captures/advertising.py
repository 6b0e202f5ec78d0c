"""Advertising reports of many records at a time: legacy, extended and directed ones (Vol 4 Part E, 7.7.65)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.captures.hci import ADVERTISING_REPORT, DIRECTED_REPORT, EXTENDED_REPORT
from terminal_kit.importers.captures.records import Records
from terminal_kit.importers.captures.windows import gather

ANONYMOUS = 0xFF
"""The address type of an advertisement that carries no address."""

MORE_TO_COME = 1
"""The data status (bits 5 and 6 of an extended report's type) of a fragment that others follow."""

BLOCK = 32
"""Bytes of a payload that are hashed at a time: all of a legacy one."""

_MASKS = np.array([[0xFF] * n + [0] * (BLOCK - n) for n in range(BLOCK + 1)], np.uint8).view(np.uint64)
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_MIX = np.uint64(0xFF51AFD7ED558CCD)


class Reports(NamedTuple):
    """Some reports. `at`: which record of the chunk. `key`: address and its type (see `devices.py`).

    `rssi_dbm` 127 is "not available". The payload is `length` bytes from `begin` on. A `fragment` is followed by the
    rest of the same advertisement, which is counted once: with its last fragment.
    """

    at: NDArray[np.int64]
    key: NDArray[np.uint64]
    rssi_dbm: NDArray[np.int8]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    fragment: NDArray[np.bool_]

    def take(self, places: NDArray[Any]) -> "Reports":
        """Some of them."""
        columns: list[Any] = [column[places] for column in self]
        return Reports(*columns)


class _Form(NamedTuple):
    """How reports of one kind lie. `word`: where 8 bytes begin whose second is the address type, then the address.

    `size`: of a report without its payload. `length_at` None: it has none. `rssi_at` None: it follows the payload.
    """

    word: int
    size: int
    length_at: int | None
    data_at: int
    rssi_at: int | None


FORMS = {
    ADVERTISING_REPORT: _Form(word=0, size=10, length_at=8, data_at=9, rssi_at=None),
    EXTENDED_REPORT: _Form(word=1, size=24, length_at=23, data_at=24, rssi_at=13),
    DIRECTED_REPORT: _Form(word=0, size=16, length_at=None, data_at=16, rssi_at=15),
}
"""LE Meta events that carry reports. The specification writes their fields as arrays; controllers send them in turn."""


def read_reports(chunk: Records, at: NDArray[np.int64], subevent: NDArray[np.uint8]) -> tuple[Reports, NDArray[Any]]:
    """The reports of the records `at`, in the order of the records, and which of those are damaged.

    A record is damaged where it ends before the first report that it announces does; a later one that is cut is left
    out.
    """
    parts: list[Reports] = []
    damaged: list[NDArray[np.int64]] = []
    for number, form in FORMS.items():
        chosen = at[subevent == number]
        if len(chosen):
            _read(chunk, chosen, form, parts, damaged)
    if not parts:
        nothing = np.zeros(0, np.int64)
        parts.append(Reports(nothing, nothing.view(np.uint64), np.zeros(0, np.int8), nothing, nothing, nothing > 0))
    columns: list[Any] = [np.concatenate(column) for column in zip(*parts, strict=True)] if len(parts) > 1 else []
    joined = Reports(*columns) if columns else parts[0]
    if len(parts) > 1:
        order = np.argsort(joined.at, kind="stable")
        joined = joined.take(order)
    return joined, np.concatenate(damaged) if damaged else np.zeros(0, np.int64)


def _read(
    chunk: Records, at: NDArray[np.int64], form: _Form, parts: list[Reports], damaged: list[NDArray[np.int64]]
) -> None:
    data = chunk.data
    begin = chunk.offset[at] + 4
    end = chunk.offset[at] + chunk.included[at]
    left = gather(data, begin - 1, "u1").astype(np.int64)
    some = left > 0
    if not some.all():
        at, begin, end, left = at[some], begin[some], end[some], left[some]
    first = True
    while len(at):
        whole = begin + form.size <= end
        length = np.zeros(len(at), np.int64)
        if form.length_at is not None:
            length = gather(data, begin + form.length_at, "u1").astype(np.int64)
            whole &= begin + form.size + length <= end
        if not whole.all():
            if first:
                damaged.append(at[~whole])
            at, begin, end, left, length = at[whole], begin[whole], end[whole], left[whole], length[whole]
        word = gather(data, begin + form.word, "<u8")
        rssi_at = begin + form.data_at + length if form.rssi_at is None else begin + form.rssi_at
        fragment = np.zeros(len(at), bool)
        if form.word:  # the type is the u16 before: its low byte holds the data status
            fragment = gather(data, begin, "u1") >> 5 & 3 == MORE_TO_COME
        rssi = gather(data, rssi_at, "i1")
        parts.append(Reports(at, key_of_word(word), rssi, begin + form.data_at, length, fragment))
        begin = begin + form.size + length
        left = left - 1
        more = left > 0
        at, begin, end, left = at[more], begin[more], end[more], left[more]
        first = False


def key_of_word(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Address × 256 + type: 0 public, 1 random. 2 and 3 say that the controller resolved it to its identity."""
    key = word >> np.uint64(8)
    kind = key & np.uint64(0xFF)
    return np.where(kind == ANONYMOUS, key, key & ~np.uint64(0xFE))


def hashes(data: NDArray[np.uint8], reports: Reports) -> NDArray[np.uint64]:
    """A number for each report that is the same where device and payload are the same (and, as good as, only there)."""
    total = (reports.key * _ODD[0] + reports.length.astype(np.uint64)) * _MIX
    which: NDArray[np.int64] | None = None
    begin, left = reports.begin, reports.length
    while len(begin):
        words = gather(data, begin, f"V{BLOCK}").view(np.uint64).reshape(-1, 4)
        words &= _MASKS[np.minimum(left, BLOCK)]
        mixed = words[:, 0] * _ODD[0] + words[:, 1] * _ODD[1]
        mixed ^= words[:, 2] * _ODD[2] + words[:, 3] * _ODD[3] + (mixed >> np.uint64(29))
        mixed *= _MIX
        if which is None:
            total = total * _ODD[3] + (mixed ^ mixed >> np.uint64(32))
        else:
            total[which] = total[which] * _ODD[3] + (mixed ^ mixed >> np.uint64(32))
        long = np.flatnonzero(left > BLOCK)
        which = long if which is None else which[long]
        begin, left = begin[long] + BLOCK, left[long] - BLOCK
    return total
