"""A frame's rows, indexed once by reader, kind and time, so that each incident looks only at its own few."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terminal_kit.events import is_capture

Places = NDArray[np.int64]
"""Places of rows, in time order."""

_NONE: Places = np.empty(0, "int64")
_EARLIEST, _LATEST = -(2**62), 2**62


class Rows:
    """The rows in time order. A place is a row's number in that order; cells are None where they are missing."""

    def __init__(self, frame: Any) -> None:
        times: NDArray[np.int64] = frame["t_us"].to_numpy("int64", na_value=_EARLIEST)
        order = np.argsort(times, kind="stable")
        self._frame = frame if bool((order[1:] > order[:-1]).all()) else frame.iloc[order]
        self.t_us = times[order]
        self._cells: dict[str, NDArray[Any]] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._places: dict[float, int] | None = None
        kinds, readers = self.cells("kind"), self.cells("reader")
        self._index = _grouped(list(zip(readers, kinds, strict=True)))
        by_kind: dict[str, list[Places]] = {}
        for (_, kind), places in self._index.items():
            by_kind.setdefault(kind, []).append(places)
        self._by_kind = {kind: np.sort(np.concatenate(parts)) for kind, parts in by_kind.items()}

    def __len__(self) -> int:
        return len(self.t_us)

    @cached_property
    def run_spans(self) -> dict[str | None, tuple[int, int]]:
        """When each run's rows begin and end: one may be years after another."""
        spans: dict[str | None, tuple[int, int]] = {}
        for run, t_us in zip(self.cells("run"), self.t_us.tolist(), strict=True):
            first, last = spans.get(run, (t_us, t_us))
            spans[run] = min(first, t_us), max(last, t_us)
        return spans

    # ---- cells

    def cells(self, column: str) -> NDArray[Any]:
        """A column as Python objects; all None where the frame does not have it."""
        if column not in self._cells:
            there = column in self._frame
            empty = np.full(len(self.t_us), None, dtype=object)
            self._cells[column] = self._frame[column].to_numpy(dtype=object, na_value=None) if there else empty
        return self._cells[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A column as floats; NaN where a cell is missing."""
        if column not in self._numbers:
            there = column in self._frame
            empty = np.full(len(self.t_us), np.nan)
            self._numbers[column] = self._frame[column].to_numpy("float64", na_value=np.nan) if there else empty
        return self._numbers[column]

    def text(self, column: str, place: int) -> str | None:
        """A cell as text."""
        cell = self.cells(column)[place]
        return None if cell is None else str(cell)

    def number(self, column: str, place: int) -> float | None:
        """A cell as a number."""
        cell = float(self.numbers(column)[place])
        return None if cell != cell else cell  # noqa: PLR0124 - NaN alone differs from itself

    def whole(self, column: str, place: int) -> int | None:
        """A cell as a whole number."""
        cell = self.number(column, place)
        return None if cell is None else int(cell)

    def extra(self, place: int) -> Mapping[str, Any]:
        """What a row holds beside its columns; nothing where that is damaged."""
        text = self.cells("extra")[place]
        if not isinstance(text, str):
            return text if isinstance(text, Mapping) else {}
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def is_capture(self, place: int) -> bool:
        """Whether the row comes from a capture (its record is a frame) and not from a log (where it is a line)."""
        container = self.cells("container")[place]
        return container is not None and is_capture(container)

    def place_of(self, seq: int | None) -> int:
        """The place of the row with this number in its log; 0 where there is none."""
        if self._places is None:
            self._places = {number: place for place, number in enumerate(self.numbers("seq").tolist())}
        return self._places.get(-1.0 if seq is None else float(seq), 0)

    # ---- finding

    def of(
        self, kind: str, readers: tuple[str, ...] | None = None, from_us: int = _EARLIEST, to_us: int = _LATEST
    ) -> Places:
        """The rows of a kind of these readers (None: of all), from a time to another, both included."""
        if readers is None:
            return self._cut(self._by_kind.get(kind, _NONE), from_us, to_us)
        parts = [self._cut(self._index.get((reader, kind), _NONE), from_us, to_us) for reader in dict.fromkeys(readers)]
        return parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts)) if parts else _NONE

    def all_of(
        self, kinds: tuple[str, ...], readers: tuple[str, ...] | None, from_us: int = _EARLIEST, to_us: int = _LATEST
    ) -> Places:
        """The rows of several kinds."""
        return np.sort(np.concatenate([self.of(kind, readers, from_us, to_us) for kind in kinds]))

    def first(self, kind: str, readers: tuple[str, ...] | None, from_us: int, to_us: int = _LATEST) -> int | None:
        """The first row of a kind in a span of time."""
        found = self.of(kind, readers, from_us, to_us)
        return int(found[0]) if len(found) else None

    def last(self, kind: str, readers: tuple[str, ...] | None, to_us: int, from_us: int = _EARLIEST) -> int | None:
        """The last row of a kind in a span of time."""
        found = self.of(kind, readers, from_us, to_us)
        return int(found[-1]) if len(found) else None

    def _cut(self, places: Places, from_us: int, to_us: int) -> Places:
        # The places are in time order, and so are all times: the bounds can be sought among the places themselves.
        low = np.searchsorted(self.t_us, from_us, "left") if from_us > _EARLIEST else 0
        high = np.searchsorted(self.t_us, to_us, "right") if to_us < _LATEST else len(self.t_us)
        return places[np.searchsorted(places, low) : np.searchsorted(places, high)]


def _grouped(keys: list[tuple[str, str]]) -> dict[tuple[str, str], Places]:
    codes: dict[tuple[str, str], int] = {}
    numbered = np.fromiter((codes.setdefault(key, len(codes)) for key in keys), "int64", len(keys))
    order = np.argsort(numbered, kind="stable")
    bounds = np.searchsorted(numbered[order], np.arange(len(codes) + 1))
    return {key: order[bounds[code] : bounds[code + 1]] for key, code in codes.items()}
