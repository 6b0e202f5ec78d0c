"""What is measured of one group of recordings when groups are compared: each figure with its interval."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from terminal_kit.analysis.facts import fact, with_facts
from terminal_kit.analysis.installing import updates
from terminal_kit.analysis.intervals import Interval, median, rate, share
from terminal_kit.analysis.links import NOT_ESTABLISHED, connection_attempts, sessions
from terminal_kit.analysis.rates import HOURS
from terminal_kit.analysis.returns import return_times
from terminal_kit.analysis.rows import Rows
from terminal_kit.analysis.signals import signal
from terminal_kit.analysis.survival import curve, quantile_s, share_within
from terminal_kit.events import RssiSource

HOUR_US = 3_600_000_000

Unit = Literal["/100 h", "share", "s", "attempts", "dBm"]


class Tables(NamedTuple):
    """The tables from which a group is measured."""

    sessions: Rows
    returns: Rows
    attempts: Rows
    updates: Rows
    signal: Rows


class Measured(NamedTuple):
    """A figure, and what it rests on: so many events among so many (or in so many hours)."""

    figure: Interval
    events: int
    of: float


class Measure(NamedTuple):
    """One figure by which groups are compared."""

    name: str
    title: str
    unit: Unit
    basis: str
    """What it rests on, in words, with `events` and `of` to be filled in."""
    measured: Callable[[Tables, float], Measured]
    is_ratio: bool = False


def tables(frame: pd.DataFrame) -> Tables:
    """The tables of a whole frame."""
    of_updates: Rows = updates(frame)
    heard: Rows = pd.concat(
        [signal(rows).assign(run=run) for run, rows in frame.groupby("run")] or [signal(frame).assign(run="")]
    )
    at_us = heard["time"].astype("int64")
    return Tables(
        sessions=sessions(frame),
        returns=return_times(frame),
        attempts=connection_attempts(frame),
        updates=of_updates,
        signal=heard.assign(t_us=at_us, hour_us=at_us // HOUR_US),
    )


def groups(frame: pd.DataFrame, by: str) -> dict[str, Tables]:
    """The tables of each value of a column, by `facts.with_facts`; rows of which it is not known are left out."""
    if fact(by) == "run":  # each as if there were no other: two may be of one phone
        return {str(run): tables(rows) for run, rows in frame.groupby("run", sort=True)}
    found: dict[str, dict[str, Rows]] = {}
    whole = tables(frame)
    for name, table in whole._asdict().items():
        of_group: Rows = with_facts(table, frame, (by,))
        for value, rows in of_group.groupby(by, sort=True):
            found.setdefault(str(value), {})[name] = rows
    return {
        value: whole._replace(**{name: table.iloc[:0] for name, table in whole._asdict().items()} | parts)
        for value, parts in sorted(found.items())
    }


def _drops(of: Tables, confidence: float) -> Measured:
    count, hours = int(of.sessions["was_dropped"].sum()), float(of.sessions["duration_s"].sum()) / 3600
    told = rate(count, hours, confidence)
    return Measured(Interval(*(each * HOURS for each in told)), count, hours)


def _back_within(seconds: float) -> Callable[[Tables, float], Measured]:
    def measured(of: Tables, confidence: float) -> Measured:
        steps: Rows = curve(of.returns["duration_s"], of.returns["came_back"], confidence=confidence)
        back = int(steps["happened"][steps["seconds"] <= seconds].sum())
        return Measured(share_within(steps, seconds, confidence=confidence), back, len(of.returns))

    return measured


def _return_s(of: Tables, confidence: float) -> Measured:
    steps = curve(of.returns["duration_s"], of.returns["came_back"], confidence=confidence)
    return Measured(quantile_s(steps), int(of.returns["came_back"].sum()), len(of.returns))


def _attempts(of: Tables, confidence: float) -> Measured:
    counted = of.returns[of.returns["attempts"].notna()]
    back, tries = int(counted["came_back"].sum()), int(counted["attempts"].sum())
    told = share(back, max(tries, back), confidence)
    return Measured(
        Interval(*(1 / each if each else float("inf") for each in (told.value, told.high, told.low))), back, tries
    )


def _not_established(of: Tables, confidence: float) -> Measured:
    failed = int((of.attempts["hci_code"] == NOT_ESTABLISHED).fillna(value=False).sum())
    return Measured(share(failed, len(of.attempts), confidence), failed, len(of.attempts))


def _lifetime(of: Tables, confidence: float) -> Measured:
    dropped = of.sessions["was_dropped"]
    steps = curve(of.sessions["duration_s"], dropped, confidence=confidence)
    return Measured(quantile_s(steps), int(dropped.sum()), len(of.sessions))


def _installed(of: Tables, confidence: float) -> Measured:
    decided = of.updates[of.updates["outcome"] != "unfinished"]
    installed = int((decided["outcome"] == "installed").sum())
    return Measured(share(installed, len(decided), confidence), installed, len(decided))


def _level(source: RssiSource) -> Callable[[Tables, float], Measured]:
    def measured(of: Tables, confidence: float) -> Measured:
        heard = of.signal[(of.signal["rssi_source"] == source).fillna(value=False)]
        hours = heard.groupby(["reader", "hour_us"])["rssi_dbm"].median()
        levels: list[Any] = hours.astype("float64").tolist()
        return Measured(median(levels, confidence), len(levels), len(heard))

    return measured


MEASURES: Sequence[Measure] = (
    Measure("drop_rate", "drops", "/100 h", "{events} in {of:.4g} connected hours", _drops, is_ratio=True),
    Measure("lifetime", "median time until a link is dropped", "s", "{events} dropped of {of} sessions", _lifetime),
    Measure("back_10_s", "back within 10 s", "share", "{events} of {of} drops", _back_within(10)),
    Measure("back_60_s", "back within 60 s", "share", "{events} of {of} drops", _back_within(60)),
    Measure("return_time", "median time until it is back", "s", "{events} of {of} drops came to an end", _return_s),
    Measure("attempts", "attempts for each return", "attempts", "{of} attempts, {events} returns", _attempts),
    Measure(
        "not_established", "attempts that failed with 0x3E", "share", "{events} of {of} attempts", _not_established
    ),
    Measure("installed", "updates installed", "share", "{events} of {of} that ended", _installed),
    *(
        Measure(f"signal_{source}", f"median signal ({words})", "dBm", "{events} hours of a reader", _level(source))
        for source, words in (
            (RssiSource.ADVERTISEMENT, "advertisements"),
            (RssiSource.READER_SERVICE, "as the reader hears it"),
            (RssiSource.HCI, "the host's controller"),
        )
    ),
)
"""All that is compared. A signal's events are hours of one reader: seconds of one hour say nearly the same."""
