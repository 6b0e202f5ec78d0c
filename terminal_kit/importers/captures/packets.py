"""From what a container tells of its records to HCI packets: their kinds, directions, and what is no packet."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.captures.records import (
    ACL,
    COMMAND,
    EVENT,
    ISO,
    RECEIVED,
    SCO,
    SENT,
    UNKNOWN,
    Note,
    NoteKind,
    Records,
)
from terminal_kit.importers.report import Report

BACK_US = 1_000_000
"""A clock that goes back by less was no step: the host's threads write their records a little out of order."""

FORWARD_US = 30 * 86_400_000_000
"""Records lie hours apart where a phone sleeps. Ahead by more than a month is a clock that was set."""

CODES = 512
"""The tables' length: codes beyond are none that anyone uses, and count as the last one."""

JUMPS_TOLD = 100
"""Clock steps that become notes; a file with more has no clock to speak of. All are counted."""

TEXT_CHARACTERS = 500
"""Of a note's text, so much is kept."""


class Frames(NamedTuple):
    """Records as their container tells them, whatever they carry. `start`: where a record's bytes begin in the data."""

    number: NDArray[np.int64]
    t_us: NDArray[np.int64]
    start: NDArray[np.int64]
    included: NDArray[np.int64]
    original: NDArray[np.int64]


class Told(NamedTuple):
    """What a record says that is no packet."""

    kind: NoteKind
    text: str
    extra: dict[str, str | int] | None = None


def _no_note(code: int, payload: bytes) -> Told | None:
    return None


@dataclass(frozen=True, slots=True)
class Codes:
    """What a container's codes stand for: for each that is a packet its kind and direction.

    `foreign` names the other codes; `note` reads those that say something.
    """

    packets: Mapping[int, tuple[int, int]]
    foreign: Callable[[int], str]
    note: Callable[[int, bytes], Told | None] = _no_note
    kinds: NDArray[np.uint8] = field(init=False)
    directions: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        for name, place in (("kinds", 0), ("directions", 1)):
            table = np.zeros(CODES, np.uint8)
            for code, packet in self.packets.items():
                table[code] = packet[place]
            object.__setattr__(self, name, table)


H4 = Codes(
    {COMMAND: (COMMAND, SENT), EVENT: (EVENT, RECEIVED)} | {kind: (kind, UNKNOWN) for kind in (ACL, SCO, ISO)},
    foreign=lambda code: f"packets of H4 type 0x{code:02X}" if code else "empty packets",
)
"""By the byte before a packet: Core Vol 4 Part A, 2. It tells no direction of data."""


def split_h4(data: NDArray[np.uint8], frames: Frames) -> tuple[Frames, NDArray[np.uint8]]:
    """Parts the byte that tells the kind from the packet behind it; of an empty frame it is 0."""
    if not len(frames.number):
        return frames, np.zeros(0, np.uint8)
    code = data[np.minimum(frames.start, len(data) - 1)]
    if int(frames.included.min()) < 1:
        code = np.where(frames.included > 0, code, np.uint8(0))
    included, original = (np.maximum(column - 1, 0) for column in (frames.included, frames.original))
    return Frames(frames.number, frames.t_us, frames.start + 1, included, original), code


class Packets:
    """Makes `Records` of one file's frames, watches its clock, and counts what is no packet."""

    def __init__(self, data: NDArray[np.uint8], report: Report, source: int) -> None:
        self._data, self._report, self._source = data, report, source
        self._last_us: int | None = None
        self._dropped = 0
        self._jumps = 0

    def records(
        self,
        frames: Frames,
        codes: Codes,
        code: NDArray[np.integer],
        *,
        direction: NDArray[np.uint8] | None = None,
        adapter: NDArray[np.integer] | None = None,
        drops: NDArray[np.integer] | None = None,
    ) -> Records:
        """Sorts some frames by their codes. `direction`: where the container knows better than the codes.

        `drops` is how many records the writer had lost until then.
        """
        count = len(frames.number)
        self._report.records += count
        if code.dtype != np.uint8:
            code = np.minimum(code, CODES - 1)
        kind = codes.kinds[code]
        told = codes.directions[code] if direction is None else direction
        adapters = np.zeros(count, np.uint16) if adapter is None else adapter.astype(np.uint16)
        notes = self._clock(frames) if count else []
        if drops is not None and count:
            notes += self._gaps(frames, drops)
        number, t_us, start, included, original = frames
        if not kind.all():
            notes += self._others(frames, codes, code, adapters, np.flatnonzero(kind == 0))
            keep = np.flatnonzero(kind)
            number, t_us, start, included, original = (column[keep] for column in frames)
            adapters, told, kind = adapters[keep], told[keep], kind[keep]
        notes.sort(key=lambda note: note.record)
        return Records(
            source=self._source,
            data=self._data,
            number=number,
            t_us=t_us,
            adapter=adapters,
            direction=told,
            kind=kind,
            offset=start,
            included=included.astype(np.int32),
            original=np.minimum(original, 2**31 - 1).astype(np.int32),
            notes=notes,
        )

    def close(self) -> None:
        """The file is through: says what became of its clock."""
        if self._jumps:
            self._report.findings.append(f"The clock of the device was set {self._jumps} times during the capture.")

    def _clock(self, frames: Frames) -> list[Note]:
        """Steps of the wall clock; the order of records stays the file's."""
        t_us, report = frames.t_us, self._report
        low, high = int(t_us.min()), int(t_us.max())
        report.first_us = low if report.first_us is None else min(low, report.first_us)
        report.last_us = high if report.last_us is None else max(high, report.last_us)
        before = int(t_us[0]) if self._last_us is None else self._last_us
        step = np.diff(t_us, prepend=before)
        self._last_us = int(t_us[-1])
        notes: list[Note] = []
        for place in np.flatnonzero((step < -BACK_US) | (step > FORWARD_US)).tolist():
            self._jumps += 1
            if self._jumps <= JUMPS_TOLD:
                by = int(step[place])
                text = f"the clock was set {'back' if by < 0 else 'ahead'} by {abs(by) / 1e6:.3f} s"
                notes.append(
                    Note("clock_jumped", int(t_us[place]), int(frames.number[place]), text, extra={"step_us": by})
                )
        return notes

    def _gaps(self, frames: Frames, drops: NDArray[np.integer]) -> list[Note]:
        """Where the count of dropped records rises."""
        step = np.diff(drops.astype(np.int64), prepend=self._dropped)
        self._dropped = int(drops[-1])
        notes: list[Note] = []
        for place in np.flatnonzero(step > 0).tolist():
            lost = int(step[place])
            text = f"the writer of the capture lost {lost} records before this one"
            notes.append(Note("gap", int(frames.t_us[place]), int(frames.number[place]), text, count=lost))
        return notes

    def _others(
        self,
        frames: Frames,
        codes: Codes,
        code: NDArray[np.integer],
        adapter: NDArray[np.integer],
        places: NDArray[np.int64],
    ) -> list[Note]:
        """What is no packet: told as notes, or counted as foreign."""
        notes: list[Note] = []
        foreign = Counter[int]()
        for place in places.tolist():
            what = int(code[place])
            begin, length = int(frames.start[place]), int(frames.included[place])
            told = codes.note(what, self._data[begin : begin + length].tobytes())
            if told is None:
                foreign[what] += 1
                continue
            self._report.understood += 1
            where = int(frames.t_us[place]), int(frames.number[place])
            text = told.text[:TEXT_CHARACTERS]
            notes.append(Note(told.kind, *where, text, adapter=int(adapter[place]), extra=told.extra))
        for what, count in foreign.items():
            self._report.foreign_reasons[codes.foreign(what)] += count
        return notes


def plain(payload: bytes) -> str:
    """Text in a capture, up to its end mark."""
    return payload.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
