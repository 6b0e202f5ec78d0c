"""A recording as a replay reads it: one name for each reader, no links that never were, and when readers were back."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import numpy as np
import pandas as pd

from terminal_kit.analysis import disconnects
from terminal_kit.analysis.readers import ENDINGS, SAME_US, named
from terminal_kit.analysis.rows import BY_ATTEMPT, BY_LINK, joined, of
from terminal_kit.diagnosis.rows import Rows
from terminal_kit.eventlog.frames import ARROW, PANDAS
from terminal_kit.eventlog.schema import TYPES
from terminal_kit.events import Kind
from terminal_kit.simulator.link import FAILED_TO_ESTABLISH


class Recording:
    """The rows of a frame, of which only `t_us`, `reader` and `kind` must be there; the other columns may be missing.

    In `rows` a reader has one name, whichever of its names a run knows it by, and a link that was announced and taken
    back (0x3E) is a `link_failed`, since no packet ever came of it.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        told = _whole(frame)
        frame, self._names = _renamed(told, named(told))
        self.rows = Rows(_without_unmade(frame))
        drops: Any = disconnects(_without_useless(frame))
        drops = drops.assign(back_us=drops["t_us"] + drops["returned_s"] * 1e6)
        self._drops: dict[str, Any] = {str(name): its for name, its in drops.groupby("reader")}

    def name(self, reader: str, t_us: int) -> str:
        """The one name of the reader that a finding of this time names so."""
        return self._names.get((t_us, reader), reader)

    def returned_us(self, reader: str, t_us: int) -> int | None:
        """When a reader was connected again after its drop at a time, or None: what `disconnects()` says of that drop.

        Where a link is known to have been made on the way, its time: apps tell a moment later, and not all of them.
        """
        its = self._drops.get(reader)
        if its is None:
            return None
        apart_us: Any = np.abs(its["t_us"].to_numpy("int64") - t_us)
        back_us = its["back_us"].iloc[apart_us.argmin()]
        if apart_us.min() > SAME_US or pd.isna(back_us) or back_us < t_us:
            return None
        made = self.rows.last(Kind.LINK_CONNECTED, (reader,), round(back_us), t_us + 1)
        return round(back_us) if made is None else int(self.rows.t_us[made])


def _whole(frame: Any) -> Any:
    """The frame with all columns of a log, without rows of no time; who has no name is named "", as in findings."""
    frame = frame.reset_index(drop=True)
    empty = {
        name: pd.Series(pd.NA, frame.index, PANDAS[ARROW[kind]]) for name, kind in TYPES.items() if name not in frame
    }
    frame = frame.assign(**empty, reader=frame["reader"].fillna(""))
    return frame[frame["t_us"].notna()]


def _renamed(told: Any, one: Any) -> tuple[Any, dict[tuple[int, str], str]]:
    """The frame in which a name that means one reader only means it everywhere, and what each ending's name became.

    `named()` renames a run by how its links ended: one that saw none, but heard the reader, knows it by the old name.
    """
    ends = told["kind"].isin([kind.value for kind in ENDINGS])
    was, now = told.loc[ends, "reader"].tolist(), one.loc[ends, "reader"].tolist()
    names = dict(zip(zip(told.loc[ends, "t_us"].tolist(), was, strict=True), now, strict=True))
    means: dict[str, set[str]] = {}
    for old, new in zip(was, now, strict=True):
        means.setdefault(old, set()).add(new)
    certain = {old: next(iter(new)) for old, new in means.items() if old and len(new) == 1 and old not in new}
    return one.assign(reader=one["reader"].replace(certain)) if certain else one, names


def _without_unmade(frame: Any) -> Any:
    ended = of(frame, Kind.LINK_DISCONNECTED)
    never = ended[(ended["hci_code"] == FAILED_TO_ESTABLISH).fillna(value=False) & ended["session"].notna()]
    hit = (frame["kind"] == Kind.LINK_CONNECTED).to_numpy(dtype=bool) & _among(frame, never, BY_LINK)
    return frame.assign(
        kind=frame["kind"].mask(hit, Kind.LINK_FAILED.value),
        hci_code=frame["hci_code"].mask(hit, FAILED_TO_ESTABLISH),
    )


def _without_useless(frame: Any) -> Any:
    """Without links of an app's own attempts that ended before the app was connected: as for `diagnose()`, no drops."""
    made, ways = of(frame, Kind.LINK_CONNECTED), of(frame, Kind.RECONNECT_STARTED, Kind.CONNECT_FAILED)
    known = made["session"].notna() & made["attempt_id"].notna()
    tried = made[known & _among(made, ways, BY_ATTEMPT)]
    useless = tried[~_among(tried, of(frame, Kind.CONNECT_SUCCEEDED, Kind.RECONNECT_SUCCEEDED), BY_LINK)]
    links = frame["kind"].isin([Kind.LINK_CONNECTED.value, Kind.LINK_DISCONNECTED.value]).to_numpy(dtype=bool)
    return frame[~(links & _among(frame, useless, BY_LINK))]


def _among(rows: Any, others: Any, on: list[str]) -> Any:
    """Which rows agree with one of the others in these columns, as a mask."""
    return joined(rows[on], others[on].drop_duplicates().assign(found=True), on)["found"].notna().to_numpy(dtype=bool)
