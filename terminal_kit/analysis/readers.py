"""Whose rows those are that do not say it, or only by an address: what the rest of a frame knows of them."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterable
from typing import Any

import numpy as np

from terminal_kit.analysis.rows import Rows, joined
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import Kind

SAME_US = 5_000_000
"""Two recordings whose clocks agree tell of one moment within so long: an app hears of a drop a few seconds late."""

ENDINGS = (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.LINK_FAILED, Kind.CONNECT_FAILED)
"""What ends a link, or an attempt at one: the moments by which two recordings are known to tell of one reader."""

_OF_LINKS = (
    *ENDINGS,
    Kind.LINK_CONNECTED,
    Kind.CONNECT_SUCCEEDED,
    Kind.RECONNECT_STARTED,
    Kind.RECONNECT_SUCCEEDED,
    Kind.RECONNECT_FAILED,
)
_NEEDED = ("kind", "t_us", "run", "terminal", "reader", "session")

_ADDRESS, _SERIAL = 1, 2
"""How good a name is; none is worth nothing."""

Run = str | None


def known_as(told: Iterable[tuple[Run, str, int]]) -> dict[Run, str]:
    """Run → the name by which another run knows its reader, from run, reader and moment (µs) of all `ENDINGS`.

    A run is named whose one reader has no name, or is known by an address, as in a capture that began late. It is the
    one reader of another run if half of the moments in their common time, of the run that has fewer, are moments of the
    other too (`SAME_US`). A serial is a better name than an address, and an address than nothing; where two readers
    would fit, it stays as it is.
    """
    readers: dict[Run, set[str]] = {}
    moments: dict[Run, list[int]] = {}
    for run, reader, t_us in told:
        readers.setdefault(run, set()).add(reader)
        moments.setdefault(run, []).append(t_us)
    alone = {run: next(iter(names)) for run, names in readers.items() if len(names) == 1}
    at_us = {run: np.sort(np.array(moments[run], dtype="int64")) for run in alone}
    found: dict[Run, str] = {}
    for run, own in alone.items():
        if _worth(own) == _SERIAL:
            continue
        others = {
            name
            for other, name in alone.items()
            if other != run and _worth(name) >= max(_worth(own), _ADDRESS) and _tell_the_same(at_us[run], at_us[other])
        }
        best = max(map(_worth, others), default=0)
        # Of addresses none is better: any will do that all take.
        names = {min({own, *others})} if best == _worth(own) else {name for name in others if _worth(name) == best}
        if len(names) == 1 and (name := names.pop()) != own:
            found[run] = name
    return found


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
    rows = frame[frame["kind"].isin([kind.value for kind in ENDINGS])]
    reader = rows["reader"].fillna("")
    names = known_as(zip(rows["run"], reader, rows["t_us"].astype("int64"), strict=True))
    for run, name in names.items():
        own = reader[rows["run"] == run].iloc[0]
        its = (frame["run"] == run) & (frame["reader"].fillna("") == own)
        # Of rows that name no reader, only those of a link are one's: the others are of the host.
        its &= is_of_link | frame["session"].notna() | (own != "")
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


def _tell_the_same(one: Any, other: Any) -> bool:
    begin, end = max(one[0], other[0]) - SAME_US, min(one[-1], other[-1]) + SAME_US
    fewer, more = sorted((each[(each >= begin) & (each <= end)] for each in (one, other)), key=len)
    if not len(fewer):
        return False
    at = np.searchsorted(more, fewer)
    before: Any = fewer - more[np.maximum(at - 1, 0)]
    after: Any = more[np.minimum(at, len(more) - 1)] - fewer
    shared: Any = (abs(before) <= SAME_US) | (abs(after) <= SAME_US)
    return bool(2 * shared.sum() >= len(fewer))
