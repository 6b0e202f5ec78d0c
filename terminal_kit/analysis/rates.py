"""Drops for the time that readers were connected: a reader and day, by reason, cause and hour."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import pandas as pd

from terminal_kit.analysis.facts import with_facts
from terminal_kit.analysis.intervals import CONFIDENCE, check_confidence, rate
from terminal_kit.analysis.links import sessions
from terminal_kit.analysis.readers import SAME_US
from terminal_kit.analysis.rows import Rows, local, nearest, time
from terminal_kit.errors import InvalidParameterError

HOURS = 100.0
"""Drops are told for 100 connected hours: about a week of a shop's opening hours, and figures near 1."""

PIECE_US = 900_000_000
"""A quarter of an hour: every zone's hours and days begin at a multiple of it."""

LONGEST_S = 366 * 86_400.0
"""No link lives for a year, since readers restart every day (R2): there, somebody set the clock."""

OF_DROP = ("reason", "cause")
"""What a drop has and the time without drops has not: its exposure is that of the other columns."""

OF_TIME = ("day", "hour")


class Verdict(Protocol):
    """One cause that a diagnosis gives."""

    @property
    def cause(self) -> str:
        """Its name."""
        ...


class Finding(Protocol):
    """What a diagnosis says of one incident, as far as it is asked here."""

    @property
    def t_us(self) -> int:
        """When it happened."""
        ...

    @property
    def reader(self) -> str:
        """Whose link it was."""
        ...

    @property
    def causes(self) -> Sequence[Verdict]:
        """Its causes, the likeliest first."""
        ...


def drops(frame: pd.DataFrame, *, findings: Iterable[Finding] | None = None) -> pd.DataFrame:
    """The ends of sessions that nobody had asked for, one row each, oldest first.

    Columns: `time` and `t_us` of the drop, `run`, `terminal`, `reader`, `session`, `reason` ("unknown" where no row
    says one), `hci_code`, `lived_s` (how long the session lasted); with `findings`, `cause`: the first cause of the
    finding for the same reader that is nearest, at most `readers.SAME_US` away, else missing. See `sessions()` for what
    counts: a link that was never established (0x3E) is no drop, and rows that tell of one drop twice are one.
    """
    ended: Rows = sessions(frame)
    ended = ended[ended["was_dropped"]]
    columns = ["run", "terminal", "reader", "session"]
    found: Rows = ended[columns].assign(
        t_us=ended["ended_us"].astype("int64"),
        reason=ended["reason"].fillna("unknown"),
        hci_code=ended["hci_code"],
        lived_s=ended["duration_s"],
    )
    found = found.sort_values("t_us", kind="stable", ignore_index=True)
    found.insert(0, "time", time(found["t_us"]))
    if findings is not None:
        told: list[tuple[int, str, str]] = [
            (each.t_us, each.reader, str(each.causes[0].cause)) for each in findings if each.causes
        ]
        known: Rows = pd.DataFrame(told, columns=["t_us", "reader", "cause"])
        known = known.astype({"t_us": "int64", "reader": found["reader"].dtype, "cause": "string"})
        found["cause"] = nearest(found, known, direction="nearest", tolerance=SAME_US)["cause"].astype("string")
    return found[["time", "t_us", *columns, *(name for name in found if name not in ("time", "t_us", *columns))]]


def exposure(frame: pd.DataFrame, *, time_zone: str = "UTC") -> pd.DataFrame:
    """The connected time, in pieces that lie within one local hour each.

    Columns: `t_us` of the start, `run`, `terminal`, `reader`, `day` (local, at midnight), `hour` (0…23, local),
    `connected_h`. Open ends are censored as `sessions()` says. A session of more than `LONGEST_S` gives none: nobody
    knows how long it was. Raises `InvalidParameterError` for an unknown zone.
    """
    held: Rows = sessions(frame)
    held = held[held["duration_s"] <= LONGEST_S]
    begin = held["t_us"].astype("int64")
    end = begin + (held["duration_s"] * 1e6).round().astype("int64")
    pieces = ((end - 1) // PIECE_US - begin // PIECE_US + 1).where(end > begin, 0)
    rows = held.loc[held.index.repeat(pieces), ["run", "terminal", "reader"]]
    number = rows.groupby(level=0).cumcount()
    edge = (begin.loc[rows.index] // PIECE_US + number) * PIECE_US
    start = edge.where(number > 0, begin.loc[rows.index])
    stop = (edge + PIECE_US).where(edge + PIECE_US < end.loc[rows.index], end.loc[rows.index])
    rows = rows.assign(t_us=start, connected_h=(stop - start) / 3.6e9).reset_index(drop=True)
    rows = _with_local(rows, time_zone)
    return rows[["t_us", "run", "terminal", "reader", "day", "hour", "connected_h"]]


def drop_rates(
    frame: pd.DataFrame,
    *,
    by: Sequence[str] = ("reader", "day"),
    time_zone: str = "UTC",
    findings: Iterable[Finding] | None = None,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Drops for 100 connected hours, one row for each combination of `by`, in its order.

    `by`: of "reader", "day", "hour" (local to `time_zone`), "reason", "cause" (needs `findings`), and what
    `facts.with_facts` knows ("firmware", "location", "file", "run", …). Columns: those of `by`, `drops`, `connected_h`,
    `per_100_h` between `low_per_100_h` and `high_per_100_h`, the exact Poisson interval (`intervals.rate`).
    Time without drops has its row, with rate 0. A reason or a cause has no time of its own: it is set against all the
    time of the other columns. Drops whose session's start was not recorded count; where no connected time was, the
    rate is missing. Raises `InvalidParameterError` for a column, zone or confidence that there is not.
    """
    check_confidence(confidence)
    if "cause" in by and findings is None:
        raise InvalidParameterError(
            "a cause is found by diagnosis", parameter="findings", value=None, hint="Pass findings=diagnose(frame)."
        )
    fell: Rows = with_facts(_with_local(drops(frame, findings=findings), time_zone), frame, by)
    of_time = [name for name in by if name not in OF_DROP]
    held: Rows = with_facts(exposure(frame, time_zone=time_zone), frame, of_time)
    if "cause" in fell:
        fell["cause"] = fell["cause"].fillna("not diagnosed")
    rows: Rows = pd.concat([fell.assign(drops=1, connected_h=0.0), held.assign(drops=0)], ignore_index=True)
    if set(by) & {*OF_DROP}:
        times = rows.groupby(of_time, dropna=False)["connected_h"].transform("sum") if of_time else None
        rows = rows.assign(connected_h=rows["connected_h"].sum() if times is None else times)[rows["drops"] > 0]
        figure = "first"
    else:
        figure = "sum"
    if by:
        found: Rows = rows.groupby(list(by), dropna=False, as_index=False).agg({"drops": "sum", "connected_h": figure})
    else:
        found = pd.DataFrame({"drops": [rows["drops"].sum()], "connected_h": [rows["connected_h"].sum()]})
    told: list[Any] = [
        rate(count, hours, confidence) for count, hours in zip(found["drops"], found["connected_h"], strict=True)
    ]
    figures: Rows = pd.DataFrame(told, columns=["per_100_h", "low_per_100_h", "high_per_100_h"], dtype="float64")
    return pd.concat([found[[*by, "drops", "connected_h"]], figures * HOURS], axis=1)


def _with_local(rows: Rows, time_zone: str) -> Rows:
    there = local(rows["t_us"], time_zone)
    return rows.assign(day=there.dt.normalize(), hour=there.dt.hour)
