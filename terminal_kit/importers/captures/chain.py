"""Finds the records of a file in which each tells only where the next one begins: many at a time.

Walking such a chain step by step is slow. But the high bytes of the times (or the type, in pcapng) stay the same from
record to record, so NumPy finds all places where they stand, and each place is proven by the one before it: a record
begins where the chain from the first record leads, and nowhere else. Where the bytes do change, a few steps are walked
one by one. Where a record cannot be one, the next place is sought from which the chain holds again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.report import Report

CHUNK = 2 << 20
"""Bytes of the file that are looked at together: large enough for NumPy, small enough to stay in the caches."""

SHORT_SPAN = 4 << 10
"""At the beginning and where the chain has just broken, so few bytes are looked at: it may break again."""

STEPS = 64
"""Records walked one by one where looking ahead finds few."""

MENDS_AT_MOST = 1000
"""A file that breaks more often is no capture any more, and hostile ones would take for ever."""

LARGEST = 262_144
"""Bytes of a packet: Wireshark takes no larger ones, and no HCI packet has more than 65,540."""

NEAR_US = 366 * 86_400_000_000
"""Behind a break, a record is only believed whose time is within a year of the last good one's."""

Heads = NDArray[Any]
"""The fixed parts of some records, as a structured array."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a record's fixed part is read. `stamp`: which of its bytes stay the same from record to record.

    `counts` tells which links of the chain are records and have numbers, where not all are.
    `size` gives the records' whole lengths, `t_us` their times (zeros where there are none), `plausible` whether they
    can be records at all; `holds` whether what lies around records that are there to their ends agrees; `ends` whether
    a head begins something that this layout cannot read.
    """

    head: np.dtype[Any]
    stamp: tuple[int, int]
    size: Callable[[Heads], NDArray[np.int64]]
    t_us: Callable[[Heads], NDArray[np.int64]]
    plausible: Callable[[Heads], NDArray[np.bool_]]
    holds: Callable[[NDArray[np.uint8], NDArray[np.int64], Heads], NDArray[np.bool_]] | None = None
    counts: Callable[[Heads], NDArray[np.bool_]] | None = None
    ends: Callable[[Heads], bool] = lambda _: False


class Links(NamedTuple):
    """Some records in the file's order: their numbers from 0, where each begins, and their heads.

    A link that is no record has the number of the one that follows.
    """

    number: NDArray[np.int64]
    start: NDArray[np.int64]
    head: Heads


def gathered(data: NDArray[np.uint8], places: NDArray[np.int64], form: Any) -> NDArray[Any]:
    """What stands at some places, read as `form`: copied in one go. Places too near to the end give other bytes."""
    form = np.dtype(form)
    count = len(data) - form.itemsize + 1
    if count < 1:
        return np.zeros(len(places), form)
    windows = np.ndarray((count,), np.dtype(f"V{form.itemsize}"), data, strides=(1,))
    return windows[np.minimum(places, count - 1)].view(form)


class Walk:
    """One way through a file. `place` is the byte that it has come to, `number` the record that would begin there.

    Damages are told to `report`, and counted among its records; the others are for the caller to count.
    """

    def __init__(self, data: NDArray[np.uint8], layout: Layout, begin: int, report: Report, number: int = 0) -> None:
        self.place: int = begin
        self.number: int = number
        self._data, self._layout, self._report = data, layout, report
        self._end = len(data)
        self._width = layout.head.itemsize
        self._parts: list[Links] = []
        self._mends = 0

    def links(self) -> Iterator[Links]:
        """The chain, a chunk at a time."""
        given, span = self.place, SHORT_SPAN
        while self.place < self._end:
            if not self._whole(self.place):
                if self.place + self._width <= self._end and self._layout.ends(self._head()):
                    break
                self._mend()
                span = SHORT_SPAN
                continue
            if self.place - given >= CHUNK:
                yield self._taken()
                given = self.place
            stop = min(self.place + span, self._end)
            found = self._run(stop)
            if self.place < stop:
                span = SHORT_SPAN
                if found < STEPS:
                    self._steps(stop)
            else:
                span = min(4 * span, CHUNK)
        if self._parts:
            yield self._taken()

    def _taken(self) -> Links:
        parts, self._parts = self._parts, []
        if len(parts) == 1:
            return parts[0]
        return Links(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _heads(self, places: NDArray[np.int64]) -> Heads:
        return gathered(self._data, places, self._layout.head)

    def _whole(self, place: int) -> bool:
        """Whether a record lies there, to its end."""
        if place + self._width > self._end:
            return False
        places = np.array([place])
        return bool(self._fit(places, self._heads(places))[0])

    def _head(self) -> Heads:
        return self._heads(np.array([self.place]))

    def _fit(self, places: NDArray[np.int64], head: Heads) -> NDArray[np.bool_]:
        """Where records lie, to their ends."""
        fit = self._layout.plausible(head) & (places + self._layout.size(head) <= self._end)
        if self._layout.holds is not None:
            fit[fit] = self._layout.holds(self._data, places[fit], head[fit])
        return fit

    def _take(self, start: NDArray[np.int64], head: Heads) -> None:
        if self._layout.counts is None:
            number = np.arange(self.number, self.number + len(start))
            self.number += len(start)
        else:
            counts = self._layout.counts(head)
            number = self.number + np.cumsum(counts) - counts
            self.number += int(counts.sum())
        self._parts.append(Links(number, start, head))

    def _run(self, stop: int) -> int:
        """Takes records from the place on, as far as those with its stamp follow each other; gives how many."""
        hits = self._candidates(stop)
        head = self._heads(hits)
        fit = self._fit(hits, head)
        if not fit.all():  # the stamp within a packet, as a rule
            hits = hits[np.flatnonzero(fit)]
            head = self._heads(hits)
        following = hits + self._layout.size(head)
        breaks = np.flatnonzero(following[:-1] != hits[1:])
        at, total = 0, 0
        while True:
            seen = int(np.searchsorted(breaks, at))
            last = int(breaks[seen]) if seen < len(breaks) else len(hits) - 1
            if last + 1 - at == len(hits):
                self._take(hits, head)
            else:
                self._take(hits[at : last + 1], head[at : last + 1])
            total += last + 1 - at
            self.place = int(following[last])
            at = int(np.searchsorted(hits, self.place))
            if at == len(hits) or hits[at] != self.place:
                return total

    def _candidates(self, stop: int) -> NDArray[np.int64]:
        """Every place from this one to `stop` where the stamp of the record at this place stands."""
        begin, end = self._layout.stamp
        stamp = self._data[self.place + begin : self.place + end]
        count = min(stop, self._end - self._width + 1) - self.place
        first = self.place + begin
        same = self._data[first : first + count] == stamp[0]
        for offset in range(1, end - begin):
            same &= self._data[first + offset : first + offset + count] == stamp[offset]
        return np.flatnonzero(same) + self.place

    def _steps(self, stop: int) -> None:
        """Takes a few records one by one."""
        places: list[int] = []
        while len(places) < STEPS and self.place < stop and self._whole(self.place):
            places.append(self.place)
            self.place += int(self._layout.size(self._head())[0])
        if places:
            starts = np.array(places, np.int64)
            self._take(starts, self._heads(starts))

    def _mend(self) -> None:
        """Goes on where the chain holds again, or to the end where it does not."""
        bad, last = self.place, self._parts[-1] if self._parts else None
        self._mends += 1
        begin = int(last.start[-1]) + self._width if last else bad + 1
        found = self._search(begin, last) if self._mends <= MENDS_AT_MOST else None
        self._report.records += 1
        if found is None:
            self._report.damage(self._why_stopped(bad), offset=bad, record=self.number)
            self.number += 1
            self.place = self._end
        elif last and found < bad:
            # The record before the break tells a wrong length: others begin within it.
            start, number = int(last.start[-1]), int(last.number[-1])
            self._report.damage("the length of this record is wrong", offset=start, record=number)
            self._parts[-1:] = [Links(*(column[:-1] for column in last))] if len(last.start) > 1 else []
            self.place = found
        else:
            text = f"{found - bad} bytes that are no record were skipped"
            self._report.damage(text, offset=bad, record=self.number)
            self.number += 1
            self.place = found

    def _why_stopped(self, bad: int) -> str:
        if self._mends > MENDS_AT_MOST:
            return f"the file broke {MENDS_AT_MOST} times; the rest was not read"
        cut = bad + self._width > self._end or self._layout.plausible(self._heads(np.array([bad])))[0]
        left = self._end - bad
        if cut:
            return f"the last record is cut: {left} bytes of it are there (the file was still being written, or copied)"
        return f"no record begins here, nor in the {left} bytes that follow"

    def _search(self, begin: int, last: Links | None) -> int | None:
        """The first place from `begin` on from which two records, or one and the end, follow each other."""
        near = int(self._layout.t_us(last.head[-1:])[0]) if last else None
        span = SHORT_SPAN
        end = self._end - self._width + 1
        while begin < end:
            places = np.arange(begin, min(begin + span, end))
            for ask in (self._could_be, self._is_followed):
                places = places[ask(places, near)] if len(places) else places
            if len(places):
                return int(places[0])
            begin, span = begin + span, min(4 * span, 64 * SHORT_SPAN)
        return None

    def _could_be(self, places: NDArray[np.int64], near: int | None) -> NDArray[np.bool_]:
        head = self._heads(places)
        fit = self._fit(places, head)
        return fit if near is None else fit & (np.abs(self._layout.t_us(head) - near) < NEAR_US)

    def _is_followed(self, places: NDArray[np.int64], near: int | None) -> NDArray[np.bool_]:
        following = places + self._layout.size(self._heads(places))
        within = following <= self._end - self._width
        followed = following == self._end
        followed[within] = self._could_be(following[within], near)
        return followed
