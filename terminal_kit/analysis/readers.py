"""Whose rows those are that do not say it, or only by an address: what the rest of a frame knows of them."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from terminal_kit.analysis.rows import Rows, joined
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import Kind

SAME_US = 5_000_000
"""Two recordings whose clocks agree tell of one moment within so long: an app hears of a drop a few seconds late."""

UP_LATE_US = 120_000_000
"""An app calls a reader connected once all is set up, up to so long after its link was there."""

ENDINGS = (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.LINK_FAILED, Kind.CONNECT_FAILED)
"""What ends a link, or an attempt at one: the moments by which two recordings are known to tell of one reader."""

BEGINNINGS = (Kind.LINK_CONNECTED, Kind.CONNECT_SUCCEEDED, Kind.RECONNECT_SUCCEEDED)
"""What begins one."""

_OF_LINKS = (*ENDINGS, *BEGINNINGS, Kind.RECONNECT_STARTED, Kind.RECONNECT_FAILED)
_NEEDED = ("kind", "t_us", "run", "terminal", "reader", "session")

_ADDRESS, _SERIAL = 1, 2
"""How good a name is; none is worth nothing."""

Run = str | None


class Moment(NamedTuple):
    """When a link to a reader began or ended, as a run tells it."""

    run: Run
    reader: str
    t_us: int
    is_end: bool


def known_as(told: Iterable[Moment]) -> dict[Run, str]:
    """Run → the name by which other runs know its reader.

    Asked are runs with one reader only, in pairs: they tell of the same one if half of the ends of the run that has
    fewer are ends of the other too (`SAME_US`), and half of the beginnings (`UP_LATE_US`). Then a run whose reader has
    no name, or only an address, takes the better one: a serial rather than an address, an address rather than nothing,
    of two addresses always the same one. Where two serials would fit, all stays as it is.
    """
    of: dict[Run, list[Moment]] = {}
    for moment in told:
        of.setdefault(moment.run, []).append(moment)
    alone = {run: moments for run, moments in of.items() if len({moment.reader for moment in moments}) == 1}
    names = {run: moments[0].reader for run, moments in alone.items()}
    times = {run: tuple(_times(moments, is_end=is_end) for is_end in (True, False)) for run, moments in alone.items()}
    groups: list[set[Run]] = []
    for run, (ends, begins) in times.items():
        same = [
            group
            for group in groups
            if any(
                _share(ends, times[other][0], SAME_US) and _share(begins, times[other][1], UP_LATE_US, unless_none=True)
                for other in group
                if min(_worth(names[run]), _worth(names[other])) < _SERIAL
            )
        ]
        groups = [group for group in groups if group not in same] + [{run}.union(*same)]
    found: dict[Run, str] = {}
    for group in groups:
        best = max(_worth(names[run]) for run in group)
        good = {names[run] for run in group if _worth(names[run]) == best}
        if best and (best < _SERIAL or len(good) == 1):
            found |= {run: min(good) for run in group if names[run] != min(good)}
    return found


def moments_of(frame: Rows) -> Iterator[Moment]:
    """The moments of a frame that `known_as` asks for."""
    rows = frame[frame["kind"].isin([kind.value for kind in (*ENDINGS, *BEGINNINGS)])]
    is_end = rows["kind"].isin([kind.value for kind in ENDINGS])
    run = rows["run"].astype(object).where(rows["run"].notna(), None)
    yield from map(Moment, run, rows["reader"].fillna(""), rows["t_us"].astype("int64"), is_end)


def named(frame: Rows) -> Rows:
    """The frame with one name for each reader, as far as it is certain.

    A session has one reader, which a log may name only once it is connected; a run's one reader is the one by which
    another run knows it (`known_as`). Raises `InvalidParameterError` where a column is missing that every frame has.
    """
    if missing := [name for name in _NEEDED if name not in frame]:
        raise InvalidParameterError(
            f"the frame has no column {missing[0]}",
            parameter="frame",
            value=list(frame),
            hint="Take what EventLog.frame() gives.",
        )
    frame = _by_session(frame)
    is_of_link = frame["kind"].isin([kind.value for kind in _OF_LINKS])
    moments = list(moments_of(frame))
    own = {moment.run: moment.reader for moment in moments}
    for run, name in known_as(moments).items():
        its = (frame["run"] == run) & (frame["reader"].fillna("") == own[run])
        # Of rows that name no reader, only those of a link are one's: the others are of the host.
        its &= is_of_link | frame["session"].notna() | (own[run] != "")
        frame = frame.assign(reader=frame["reader"].mask(its.fillna(value=False), name))
    return frame


def _by_session(frame: Rows) -> Rows:
    nameless = (frame["reader"].fillna("") == "") & frame["session"].notna()
    if not nameless.any():
        return frame
    link = ["run", "terminal", "session"]
    told = frame.loc[(frame["reader"].fillna("") != "") & frame["session"].notna(), [*link, "reader"]]
    only = told.drop_duplicates().drop_duplicates(link, keep=False).rename(columns={"reader": "its"})
    its = joined(frame.loc[nameless, link], only, link)["its"]
    reader = frame["reader"].copy()
    reader[nameless] = its.fillna("").to_numpy()
    return frame.assign(reader=reader)


def _worth(name: str) -> int:
    return 0 if not name else _ADDRESS if name.startswith("addr:") else _SERIAL


def _times(moments: Iterable[Moment], *, is_end: bool) -> Any:
    return np.sort(np.array([moment.t_us for moment in moments if moment.is_end == is_end], dtype="int64"))


def _share(one: Any, other: Any, within_us: int, *, unless_none: bool = False) -> bool:
    """Whether half of the moments of the one that has fewer are moments of the other."""
    fewer, more = sorted((one, other), key=len)
    if not len(fewer):
        return unless_none
    at = np.searchsorted(more, fewer)
    before: Any = fewer - more[np.maximum(at - 1, 0)]
    after: Any = more[np.minimum(at, len(more) - 1)] - fewer
    shared: Any = (abs(before) <= within_us) | (abs(after) <= within_us)
    return bool(2 * shared.sum() >= len(fewer))
