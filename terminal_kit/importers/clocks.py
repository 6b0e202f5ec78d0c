"""How far two clocks are apart, from what both recorded: links that came up and links that ended.

A log of an app whose time zone or year is not known is off by a multiple of a quarter of an hour, or by whole years,
besides what the two clocks differ. All functions here are pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE_US = 2_000_000
"""Marks that are the same event differ by less than this, µs, once the clocks are aligned: an app learns of a link
after the phone's stack has, and writes it down later still."""

SLACK_US = 60_000_000
"""How far a clock whose zone or year is sought may be off besides, µs: phones set theirs by the network."""

RESIDUAL_US = 600_000_000
"""How far a clock whose zone and year are known may be off, µs. Further off, a match is more likely to be chance."""

SIGNIFICANT_US = 1_000_000
"""An offset below this, µs, cannot be told from the time that an app takes to write a line."""

STEADY_US = 500_000
"""Matches that spread by less than this, µs, are of two clocks that run alike."""

ENOUGH = 3
"""Matches from which on a clock is corrected; fewer may be chance, and are only told."""

QUARTER_US = 900_000_000
"""A quarter of an hour, µs: time zones are multiples of it."""

ZONES_US = tuple(quarter * QUARTER_US for quarter in range(-48, 57))
"""The offsets of all time zones from UTC, µs: from -12:00 to +14:00."""

MARKS_KEPT = 1000
"""Marks of a source that are compared, the latest: all pairs of two sources are a million then."""

WINDOWS = 20
"""Shifts around one centre that are looked at, those of most pairs first: links that come and go every second (a
reader that reboots for ever) have thousands that are all alike."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Marks:
    """What a source saw of links, in the order of time: when (UTC, µs), whether it was a beginning, and whose.

    A reader may be unknown (empty), and one that is known by its address may be the one with a serial number.
    """

    t_us: NDArray[np.int64]
    begins: NDArray[np.bool_]
    readers: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.t_us)


class Fit(NamedTuple):
    """The best shift that was found. `centre_us`: which of those that were tried; `offset_us`: what is to be added.

    `spread_us` is the scatter of a single match (robust standard deviation), `matches` how many there are, `rivals`
    how many the best other shift has, and `inside` how many of the source's marks lie, shifted, in the reference's
    time. `pairs`: readers as the reference and the source have them, with their matches.
    """

    centre_us: int
    offset_us: int
    spread_us: int
    matches: int
    rivals: int
    inside: int
    pairs: dict[tuple[str, str], int]

    @property
    def residual_us(self) -> int:
        """What the clocks differ, besides the centre."""
        return self.offset_us - self.centre_us

    @property
    def uncertainty_us(self) -> int:
        """The standard error of the offset: of a median, 1.25 times that of a mean."""
        return int(1.2533 * self.spread_us / max(self.matches, 1) ** 0.5)

    @property
    def is_unambiguous(self) -> bool:
        """Whether it explains half of what it should, and no other shift nearly as much: a third less, at least one."""
        return 2 * self.matches >= self.inside and self.matches - self.rivals >= max(1, self.matches / 3)

    @property
    def is_sure(self) -> bool:
        """Whether a clock may be corrected by it."""
        return self.matches >= ENOUGH and self.is_unambiguous and self.spread_us <= STEADY_US

    @property
    def is_significant(self) -> bool:
        """Whether the clocks differ by more than an app's own delay and by more than is uncertain."""
        return abs(self.residual_us) > max(SIGNIFICANT_US, 3 * self.uncertainty_us)


def marks(rows: Iterable[tuple[int, bool, str]]) -> Marks:
    """Marks from rows of time, whether a link began, and reader, in any order; the latest `MARKS_KEPT` of them."""
    kept = sorted(rows)[-MARKS_KEPT:]
    return Marks(
        np.array([row[0] for row in kept], np.int64),
        np.array([row[1] for row in kept], np.bool_),
        tuple(row[2] for row in kept),
    )


def fit(reference: Marks, source: Marks, centres_us: Sequence[int] = (0,), slack_us: int = RESIDUAL_US) -> Fit | None:
    """The shift that brings most marks of a source onto the reference's; None where nothing matches.

    Only shifts within `slack_us` of one of `centres_us` are tried. Each mark counts once.
    """
    differences, places = _differences(reference, source)
    best: Fit | None = None
    rivals = [0]
    for centre in centres_us:
        low, high = np.searchsorted(differences, (centre - slack_us, centre + slack_us + 1))
        if low == high:
            continue
        chosen, rival = _densest(differences[low:high], places[low:high])
        rivals.append(rival)
        if best is None or len(chosen) > best.matches:
            rivals.append(best.matches if best else 0)
            matched: list[list[int]] = places[low + chosen].tolist()
            pairs = [(reference.readers[mine], source.readers[theirs]) for mine, theirs in matched]
            best = _as_fit(centre, differences[low + chosen], pairs, reference, source)
        else:
            rivals.append(len(chosen))
    return best and best._replace(rivals=max(rivals))


def year_shift_us(t_us: int, year: int) -> int:
    """How far a moment (UTC, µs) moves when its year is another one, by the calendar; 29 February becomes 1 March."""
    moment = _EPOCH + timedelta(microseconds=t_us)
    try:
        moved = moment.replace(year=year)
    except ValueError:
        moved = moment.replace(year=year, month=3, day=1)
    return (moved - moment) // timedelta(microseconds=1)


def zone_name(offset_us: int) -> str:
    """A time zone by its offset from UTC: `+02:00`."""
    minutes = round(abs(offset_us) / 60_000_000)
    return f"{'-' if offset_us < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def year_of(t_us: int) -> int:
    """The year of a moment, UTC."""
    return (_EPOCH + timedelta(microseconds=t_us)).year


def _differences(reference: Marks, source: Marks) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """How far each mark of the source is from each of the reference that may be the same event, sorted; and which."""
    same = reference.begins[:, None] == source.begins[None, :]
    same &= _compatible(reference.readers, source.readers)
    places = np.argwhere(same).astype(np.int32)
    differences = reference.t_us[places[:, 0]] - source.t_us[places[:, 1]]
    order = np.argsort(differences, kind="stable")
    return differences[order], places[order]


def _compatible(reference: Sequence[str], source: Sequence[str]) -> NDArray[np.bool_]:
    """Whether two marks may be of one reader: of the same name, or one of them has none, or only an address."""
    mine, theirs = np.array(reference, object)[:, None], np.array(source, object)[None, :]
    vague_mine = np.array([_is_vague(name) for name in reference], np.bool_)[:, None]
    vague_theirs = np.array([_is_vague(name) for name in source], np.bool_)[None, :]
    unknown = (mine == "") | (theirs == "")
    return np.asarray((mine == theirs) | unknown | (vague_mine != vague_theirs), np.bool_)


def _is_vague(name: str) -> bool:
    return name == "" or name.startswith("addr:") or "*" in name


def _densest(differences: NDArray[np.int64], places: NDArray[np.int32]) -> tuple[NDArray[np.int64], int]:
    """The matches in the window of twice the tolerance that has most of them, each mark once; and how many the next
    best has, apart from it.
    """
    ends = np.searchsorted(differences, differences + 2 * TOLERANCE_US, side="right")
    sizes = ends - np.arange(len(differences))
    found: list[NDArray[np.int64]] = []
    for _ in range(WINDOWS):
        begin = int(np.argmax(sizes))
        if sizes[begin] <= max((len(chosen) for chosen in found[1:]), default=0):
            break
        window = slice(begin, int(ends[begin]))
        found.append(begin + _once_each(differences[window], places[window]))
        low, high = differences[begin] - 2 * TOLERANCE_US, differences[begin] + 2 * TOLERANCE_US
        sizes[np.searchsorted(differences, low) : np.searchsorted(differences, high, side="right")] = 0
        found.sort(key=len, reverse=True)
    return found[0], len(found[1]) if len(found) > 1 else 0


def _once_each(differences: NDArray[np.int64], places: NDArray[np.int32]) -> NDArray[np.int64]:
    """A match for each mark, none used twice: those nearest to the middle of the window first."""
    taken_mine, taken_theirs, chosen = set[int](), set[int](), list[int]()
    middle = np.median(differences)
    for place in np.argsort(np.abs(differences - middle), kind="stable").tolist():
        mine, theirs = places[place].tolist()
        if mine not in taken_mine and theirs not in taken_theirs:
            taken_mine.add(mine)
            taken_theirs.add(theirs)
            chosen.append(place)
    return np.array(sorted(chosen), np.int64)


def _as_fit(
    centre: int, matched: NDArray[np.int64], pairs: Sequence[tuple[str, str]], reference: Marks, source: Marks
) -> Fit:
    offset = round(float(np.median(matched)))
    spread = round(1.4826 * float(np.median(np.abs(matched - offset))))
    shifted = source.t_us + offset
    begin, end = reference.t_us[0] - TOLERANCE_US, reference.t_us[-1] + TOLERANCE_US
    inside = int(np.count_nonzero((shifted >= begin) & (shifted <= end)))
    return Fit(centre, offset, spread, len(matched), 0, inside, dict(Counter(pairs)))
