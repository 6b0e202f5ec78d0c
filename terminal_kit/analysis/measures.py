"""What is measured of one group of recordings when groups are compared: each figure with its interval."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from terminal_kit.analysis.facts import OF_RECORDING, fact, with_facts
from terminal_kit.analysis.installing import updates
from terminal_kit.analysis.intervals import Interval, median, rate, share
from terminal_kit.analysis.links import NOT_ESTABLISHED, connection_attempts, sessions
from terminal_kit.analysis.rates import HOURS
from terminal_kit.analysis.readers import named
from terminal_kit.analysis.returns import return_times
from terminal_kit.analysis.rows import Rows
from terminal_kit.analysis.signals import signal
from terminal_kit.analysis.survival import curve, quantile_s, share_within
from terminal_kit.events import RssiSource
from terminal_kit.words import counted

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
    """A figure, and what it rests on: so many events among so many (or in so many hours), and that in words."""

    figure: Interval
    events: int
    of: float
    basis: str


class Measure(NamedTuple):
    """One figure by which groups are compared."""

    name: str
    title: str
    unit: Unit
    measured: Callable[[Tables, float], Measured]
    is_ratio: bool = False


def tables(frame: pd.DataFrame) -> Tables:
    """The tables of a whole frame."""
    frame = named(frame)
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
    """The tables of each value of a column, by `facts.with_facts`; rows of which it is not known are left out.

    Recordings (runs, files, sources) are each taken as if there were no other: two may tell of the same links.
    """
    frame = named(frame)
    found: dict[str, dict[str, Rows]] = {}
    apart = [rows for _, rows in frame.groupby("run", sort=True)] if fact(by) in ("run", *OF_RECORDING) else [frame]
    parts = [tables(rows) for rows in apart] or [tables(frame)]
    whole = Tables(*(pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)))
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
    figure = Interval(*(each * HOURS for each in told))
    return Measured(figure, count, hours, f"{counted(count, 'drop')} in {hours:.4g} connected hours")


def _lifetime(of: Tables, confidence: float) -> Measured:
    dropped = of.sessions["was_dropped"]
    steps = curve(of.sessions["duration_s"], dropped, confidence=confidence)
    count = int(dropped.sum())
    return Measured(quantile_s(steps), count, len(dropped), f"{count} of {counted(len(dropped), 'session')} dropped")


def _back_within(seconds: float) -> Callable[[Tables, float], Measured]:
    def measured(of: Tables, confidence: float) -> Measured:
        steps: Rows = curve(of.returns["duration_s"], of.returns["came_back"], confidence=confidence)
        back = int(steps["happened"][steps["seconds"] <= seconds].sum())
        left = int(steps["censored"][steps["seconds"] < seconds].sum())
        basis = f"{back} of {counted(len(of.returns), 'drop')}" + (f", {left} not watched for so long" if left else "")
        return Measured(share_within(steps, seconds, confidence=confidence), back, len(of.returns), basis)

    return measured


def _return_s(of: Tables, confidence: float) -> Measured:
    steps = curve(of.returns["duration_s"], of.returns["came_back"], confidence=confidence)
    back = int(of.returns["came_back"].sum())
    basis = f"back after {back} of {counted(len(of.returns), 'drop')}"
    return Measured(quantile_s(steps), back, len(of.returns), basis)


def _attempts(of: Tables, confidence: float) -> Measured:
    known = of.returns[of.returns["attempts"].notna()]
    back, tries = int(known["came_back"].sum()), int(known["attempts"].sum())
    told = share(back, max(tries, back), confidence)
    figure = Interval(*(1 / each if each else float("inf") for each in (told.value, told.high, told.low)))
    return Measured(figure, back, tries, f"{counted(tries, 'attempt')}, {counted(back, 'return')}")


def _not_established(of: Tables, confidence: float) -> Measured:
    failed, tries = int((of.attempts["hci_code"] == NOT_ESTABLISHED).fillna(value=False).sum()), len(of.attempts)
    return Measured(share(failed, tries, confidence), failed, tries, f"{failed} of {counted(tries, 'attempt')}")


def _installed(of: Tables, confidence: float) -> Measured:
    decided = of.updates[of.updates["outcome"] != "unfinished"]
    installed = int((decided["outcome"] == "installed").sum())
    basis = f"{installed} of {len(decided)} that ended"
    return Measured(share(installed, len(decided), confidence), installed, len(decided), basis)


def _level(source: RssiSource) -> Callable[[Tables, float], Measured]:
    def measured(of: Tables, confidence: float) -> Measured:
        heard = of.signal[(of.signal["rssi_source"] == source).fillna(value=False)]
        hours = heard.groupby(["reader", "hour_us"])["rssi_dbm"].median()
        levels: list[Any] = hours.astype("float64").tolist()
        return Measured(
            median(levels, confidence), len(levels), len(heard), f"{counted(len(levels), 'hour')} of a reader"
        )

    return measured


MEASURES: Sequence[Measure] = (
    Measure("drop_rate", "drops", "/100 h", _drops, is_ratio=True),
    Measure("lifetime", "median time until a link is dropped", "s", _lifetime),
    Measure("back_10_s", "back within 10 s", "share", _back_within(10)),
    Measure("back_60_s", "back within 60 s", "share", _back_within(60)),
    Measure("return_time", "median time until it is back", "s", _return_s),
    Measure("attempts", "attempts for each return", "attempts", _attempts),
    Measure("not_established", "attempts that failed with 0x3E", "share", _not_established),
    Measure("installed", "updates installed", "share", _installed),
    *(
        Measure(f"signal_{source}", f"median signal ({words})", "dBm", _level(source))
        for source, words in (
            (RssiSource.ADVERTISEMENT, "advertisements"),
            (RssiSource.READER_SERVICE, "as the reader hears it"),
            (RssiSource.HCI, "the host's controller"),
        )
    ),
)
"""All that is compared. A signal's events are hours of one reader: seconds of one hour say nearly the same."""
