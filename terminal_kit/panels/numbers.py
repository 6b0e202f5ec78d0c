"""Small numbers for the rows of a list that comes and goes: two bytes name a row, however many have passed by."""

import heapq
from collections.abc import Iterable


class Numbers:
    """A number for each key that is there; the lowest free one for a newcomer.

    A number that becomes free is given away at the next `keep()`, not at once: in between, the page drops the row that
    had it.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._free: list[int] = []  # a heap
        self._next = 0

    def __getitem__(self, key: str) -> int:
        return self._numbers[key]

    def keep(self, keys: Iterable[str]) -> None:
        """Gives each of these keys a number, and takes the numbers of all others back."""
        before, self._numbers = self._numbers, {}
        for key in dict.fromkeys(keys):
            self._numbers[key] = before.pop(key) if key in before else self._lowest()
        for number in before.values():
            heapq.heappush(self._free, number)

    def _lowest(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1
