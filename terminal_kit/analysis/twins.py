"""What two recordings tell of one thing, such as an app's log and a capture of its phone: it is counted once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from terminal_kit.analysis.readers import SAME_US
from terminal_kit.analysis.rows import Rows, joined
from terminal_kit.events import DisconnectReason


def once(found: Rows, frame: Rows, *, since: str = "t_us", until: str = "t_us", fill: Sequence[str] = ()) -> Rows:
    """The rows of a table but those that say what an earlier one says already: the better ones come first.

    A reader holds one link at a time. Therefore two of its rows from two runs, one of them imported, tell of the same
    where their spans from `since` to `until` share half of the shorter one, or, for moments, where they end within
    `SAME_US`; a run tells of each moment once. What the first leaves open of `fill` (or calls unknown) is taken from
    one that ends with it.
    """
    imported = imported_runs(frame)
    found = found.reset_index(drop=True)
    named = found[found["reader"].fillna("") != ""]
    pairs = [pair for _, rows in named.groupby("reader") for pair in _twins(rows, imported, since, until)]
    if not pairs:
        return found
    first, second = (np.array(each) for each in zip(*pairs, strict=True))
    ends = found[until].to_numpy(dtype="int64")
    together = np.abs(ends[first] - ends[second]) <= SAME_US
    for name in fill:
        said = found[name].mask((found[name] == DisconnectReason.UNKNOWN).fillna(value=False))
        told = said.loc[second[together]].groupby(first[together]).first().reindex(found.index)
        found[name] = said.fillna(told).fillna(found[name])
    return found.drop(index=second).reset_index(drop=True)


def elsewhere(rows: Rows, frame: Rows, runs: Sequence[str]) -> Rows:
    """Whether one of these other runs was watching the reader at the time of each row, as a mask.

    A run of several files watched from the first to the last row of each: between two of them nobody did.
    """
    imported = imported_runs(frame)
    watching = frame[frame["run"].isin(runs)]
    file = ["run", *(["source"] if "source" in frame else [])]
    spans = watching.groupby(file, dropna=False)["t_us"].agg(from_us="min", to_us="max").reset_index()
    spans = watching[["run", "reader"]].drop_duplicates().merge(spans, on="run").rename(columns={"run": "other"})
    asked = rows[["run", "reader", "t_us"]].assign(place=range(len(rows)))
    both = joined(asked, spans, ["reader"])
    either = both["run"].isin(imported) | both["other"].isin(imported)
    hit = either & (both["t_us"] >= both["from_us"]) & (both["t_us"] <= both["to_us"]) & (both["reader"] != "")
    places = both.loc[hit.fillna(value=False).astype(bool), "place"].unique()
    return pd.Series(asked["place"].isin(places).to_numpy(), index=rows.index)


def imported_runs(frame: Rows) -> frozenset[str]:
    """The runs that were read from files; simulated ones may have the same reader at the same time in several runs."""
    if "radio" not in frame:
        return frozenset()
    return frozenset(frame.loc[frame["radio"] == "import", "run"].dropna().unique())


def _twins(rows: Rows, imported: frozenset[str], since: str, until: str) -> Iterator[tuple[int, int]]:
    """A row and one that says the same after it, by their places in the table."""
    run = pd.factorize(rows["run"])[0]
    is_imported = rows["run"].isin(imported).to_numpy(dtype=bool)
    if not is_imported.any() or (run == run[0]).all():
        return
    begin, end = rows[since].to_numpy(dtype="int64"), rows[until].to_numpy(dtype="int64")
    is_kept = np.zeros(len(rows), dtype=bool)
    told_by = set[tuple[int, int]]()  # a moment, and the run that tells of it already: it does so once
    for at in range(len(rows)):
        kept = np.flatnonzero(is_kept)
        shared = np.minimum(end[kept], end[at]) - np.maximum(begin[kept], begin[at])
        shorter = np.minimum(end[kept] - begin[kept], end[at] - begin[at])
        apart = np.abs(end[kept] - end[at])
        same = np.where(shorter > 0, 2 * shared >= shorter, apart <= SAME_US)
        same &= (run[kept] != run[at]) & (is_imported[kept] | is_imported[at])
        if since == until:
            same &= np.array([(int(first), int(run[at])) not in told_by for first in kept], dtype=bool)
        if same.any():
            first = int(kept[same][apart[same].argmin()])
            told_by.add((first, int(run[at])))
            yield int(rows.index[first]), int(rows.index[at])
        else:
            is_kept[at] = True
