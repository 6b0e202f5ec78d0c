"""What is due when, by name: time for a model that has no clock."""

import math

SAME_S = 1e-9
"""Times so near are the same: the clock that wakes a model may not be able to tell them apart, and would never pass."""


class Deadlines:
    """Named deadlines. `now_s` is the owner's own time, in seconds, and the owner's to move."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: dict[str, float] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def set(self, name: str, in_s: float | None) -> None:
        """Makes `name` due in so many seconds, in place of before; None or infinity for never."""
        self._due.pop(name, None)
        if in_s is not None and math.isfinite(in_s):
            self._due[name] = self.now_s + in_s

    def keep(self, name: str, in_s: float) -> None:
        """Makes `name` due in so many seconds, unless it is due already."""
        if name not in self._due:
            self.set(name, in_s)

    def drop(self, *names: str) -> None:
        """Makes these never due."""
        for name in names:
            self._due.pop(name, None)

    def clear(self) -> None:
        """Makes nothing due."""
        self._due.clear()

    def next_s(self) -> float:
        """Seconds until the first is due; infinite if none is."""
        return max(0.0, min(self._due.values(), default=math.inf) - self.now_s)

    def first_until(self, end_s: float) -> tuple[str, float] | None:
        """The first that is due by `end_s`, and when; the one set first where two are due at once."""
        name, at_s = min(self._due.items(), key=lambda due: due[1], default=("", math.inf))
        return (name, at_s) if at_s <= end_s + SAME_S else None
