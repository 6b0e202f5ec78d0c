"""What happened on the links of one chunk besides events: data, acknowledgements, and who advertised meanwhile."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.importers.captures.devices import Device
from terminal_kit.importers.captures.hci import HANDLE
from terminal_kit.importers.captures.records import RECEIVED, SENT, UNKNOWN, Records
from terminal_kit.importers.captures.windows import gather


def link_key(adapter: int, handle: int) -> int:
    """One number for a link's handle on its adapter."""
    return adapter << 12 | handle & HANDLE


class Heard(NamedTuple):
    """What one stretch of a chunk holds of one link. Places are those of the chunk's records, −1 where there is none.

    `last`: the last sign of life of the peer (data, or packets acknowledged). `undirected` counts data of which nothing
    tells who sent it. `advertised` counts the peer's advertisements after `last`, or in the whole stretch.
    """

    last: int
    sent: int
    completed: int
    undirected: int
    advertised: int
    advertised_last: int


class Traffic:
    """One chunk's data packets, Number Of Completed Packets events and advertisements, asked by link."""

    def __init__(  # noqa: PLR0917 - columns of one chunk
        self,
        chunk: Records,
        data_at: NDArray[np.int64],
        heads: NDArray[np.uint32],
        completed_at: NDArray[np.int64],
        report_at: NDArray[np.int64],
        report_device: NDArray[np.int32],
    ) -> None:
        self.chunk = chunk
        self._data_at = data_at
        self.data_key = chunk.adapter[data_at].astype(np.int64) << 12 | (heads & HANDLE).astype(np.int64)
        self._direction = chunk.direction[data_at]
        self._done_at, self._done_key, self._done_count = _completed(chunk, completed_at)
        self._report_at, self._report_device = report_at, report_device
        self._links: dict[int, tuple[NDArray[np.int64], ...]] = {}
        self._devices: dict[int, NDArray[np.int64]] = {}

    def heard(self, key: int, device: Device | None, begin: int, end: int) -> Heard:
        """What the records from `begin` to before `end` hold of a link and its peer."""
        received, sent, undirected, done, total = self._link(key)
        last = max(_last(received, begin, end), _last(done, begin, end))
        low, high = np.searchsorted(done, (begin, end))
        completed = int(total[high] - total[low])
        count, advertised_last = 0, -1
        for member in device.members if device else ():
            places = self._device(member)
            since = int(np.searchsorted(places, max(last, begin)))
            until = int(np.searchsorted(places, end))
            if until > since:
                count += until - since
                advertised_last = max(advertised_last, int(places[until - 1]))
        return Heard(last, _count(sent, begin, end), completed, _count(undirected, begin, end), count, advertised_last)

    def _link(self, key: int) -> tuple[NDArray[np.int64], ...]:
        found = self._links.get(key)
        if found is None:
            mine = self.data_key == key
            done = self._done_key == key
            total = np.concatenate((np.zeros(1, np.int64), np.cumsum(self._done_count[done])))
            found = self._links[key] = (
                self._data_at[mine & (self._direction == RECEIVED)],
                self._data_at[mine & (self._direction == SENT)],
                self._data_at[mine & (self._direction == UNKNOWN)],
                self._done_at[done],
                total,
            )
        return found

    def _device(self, number: int) -> NDArray[np.int64]:
        found = self._devices.get(number)
        if found is None:
            found = self._devices[number] = self._report_at[self._report_device == number]
        return found


def _count(places: NDArray[np.int64], begin: int, end: int) -> int:
    low, high = np.searchsorted(places, (begin, end))
    return int(high - low)


def _last(places: NDArray[np.int64], begin: int, end: int) -> int:
    until = int(np.searchsorted(places, end))
    return int(places[until - 1]) if until and places[until - 1] >= begin else -1


def _completed(chunk: Records, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """The handles of Number Of Completed Packets events (Vol 4 Part E, 7.7.19), each with its count."""
    places: list[NDArray[np.int64]] = []
    keys: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    begin = chunk.offset[at] + 3
    end = chunk.offset[at] + chunk.included[at]
    left = gather(chunk.data, begin - 1, "u1").astype(np.int64)
    while len(at):
        some = (left > 0) & (begin + 4 <= end)
        at, begin, end, left = at[some], begin[some], end[some], left[some] - 1
        pair = gather(chunk.data, begin, "<u4").astype(np.int64)
        places.append(at)
        keys.append(chunk.adapter[at].astype(np.int64) << 12 | pair & HANDLE)
        counts.append(pair >> 16)
        begin = begin + 4
    if not places:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    place = np.concatenate(places)
    order = np.argsort(place, kind="stable") if len(places) > 1 else slice(None)
    return place[order], np.concatenate(keys)[order], np.concatenate(counts)[order]
