"""`Timeline`: everything that is known of one reader over time, ready for any span of it."""

# pandas has no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terminal_kit.charts.timeline.lanes import FINDINGS, MARKED
from terminal_kit.charts.timeline.marks import Mark, captured, marks, thinned, verdict
from terminal_kit.charts.timeline.samples import Readings, Sampled, Times, Values, rates, sampled, steps
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import Kind, RssiSource
from terminal_kit.words import visible, words

PARAMETERS: dict[str, str] = {
    "interval_ms": "interval, ms",
    "peripheral_latency": "latency, events",
    "supervision_timeout_s": "supervision timeout, s",
    "mtu_bytes": "MTU, bytes",
}
"""Columns that hold a link's parameters in force, and how they are called."""

MARGIN = 0.02
"""Room at both ends of a timeline, as a share of it."""

LEAST_US = 1_000_000
"""The shortest span that is shown: one second."""

DEDUPLICATED = "Advertisements were heard through a filter for duplicates: how many there were is not known."
"""What a scan with that filter makes of the rate."""


@dataclass(frozen=True, slots=True)
class Window:
    """One span of a timeline, with as many points as are drawn. Times: UTC microseconds.

    `signals`: source in words → samples. `rate`: advertisements a second. `marks`: by lane. `steps`: by parameter.
    """

    since_us: int
    until_us: int
    signals: Mapping[str, Sampled]
    rate: tuple[Times, Values]
    marks: Mapping[str, list[Mark]]
    steps: Mapping[str, tuple[Times, Values]]
    battery: tuple[Times, Values]


class Timeline:
    """One reader's timeline, of a frame as `EventLog.frame()` gives it, with the rows of its hosts.

    `findings` are what `diagnose()` gives, or anything like it. `readings` are further readings by source, such as all
    advertisements of a capture; they take the place of the frame's own of that source. Raises `InvalidParameterError`
    for a reader that the frame does not know.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        reader: str,
        findings: Iterable[Any] = (),
        readings: Mapping[str, Readings] | None = None,
    ) -> None:
        if reader not in set(frame["reader"].dropna()) and not readings:
            raise InvalidParameterError(
                f"the frame has no reader {visible(reader)}",
                parameter="reader",
                value=reader,
                hint="`frame['reader'].unique()` has those that it knows.",
            )
        self.reader = reader
        own: Any = frame[frame["reader"] == reader]
        self._runs = set(own["run"].dropna().unique())
        hosts: Any = frame[(frame["reader"].fillna("") == "") & frame["run"].isin([*self._runs])]
        rows: Any = pd.concat([own, hosts]).sort_values(["t_us", "seq"], kind="stable")
        self.marks = marks(rows, captures=captured(frame))
        self.judge(findings)
        self.readings: dict[str, Readings] = {**readings_of(own), **(readings or {})}
        self.parameters = {name: _in_force(own, name) for name in PARAMETERS}
        self.battery = _values(own, "battery")
        self.remark = DEDUPLICATED if _deduplicated(hosts) else ""
        self.since_us, self.until_us = self._span()

    def judge(self, findings: Iterable[Any]) -> None:
        """Takes the verdicts of `diagnose()` on this reader, in place of earlier ones: they may come after the rows."""
        judged = [verdict(finding) for finding in findings if self._concerns(finding)]
        others = (mark for mark in self.marks if mark.lane != FINDINGS.name)
        self.marks = sorted([*others, *judged], key=lambda mark: mark.t_us)

    def _concerns(self, finding: Any) -> bool:
        """Those of nobody concern everybody whom the same host saw, like the host's own rows."""
        return finding.reader == self.reader or (finding.reader == "" and finding.run in self._runs)

    def _span(self) -> tuple[int, int]:
        ends = [mark.t_us for mark in self.marks] + [mark.end_us for mark in self.marks if mark.end_us is not None]
        for times in (*(each.t_us for each in self.readings.values()), self.battery[0]):
            if len(times):
                ends += [int(times[0]), int(times[-1])]
        first, last = (min(ends), max(ends)) if ends else (0, 0)
        room = max(LEAST_US, round((last - first) * MARGIN))
        return first - room, last + room

    def window(
        self,
        since_us: int | None = None,
        until_us: int | None = None,
        *,
        points: int = 800,
        closer: Mapping[str, Readings] | None = None,
    ) -> Window:
        """A span, the whole by default; at most about `points` points a line, and a quarter as many marks a lane.

        `closer`: readings that stand for those of the same source in this span, such as each advertisement for seconds.
        """
        since = self.since_us if since_us is None else int(since_us)
        until = max(since + LEAST_US, self.until_us if until_us is None else int(until_us))
        readings = {**self.readings, **(closer or {})}
        heard = readings.get(RssiSource.ADVERTISEMENT)
        empty = np.empty(0, dtype=np.int64), np.empty(0)
        inside = [mark for mark in self.marks if mark.t_us <= until and (mark.end_us or mark.t_us) >= since]
        return Window(
            since,
            until,
            {_source_words(source): sampled(each, since, until, points) for source, each in readings.items()},
            empty if heard is None else rates(heard, since, until, points // 2),
            {
                lane.name: thinned([mark for mark in inside if mark.lane == lane.name], since, until, points // 4)
                for lane in MARKED
            },
            {name: steps(*values, since, until, points) for name, values in self.parameters.items() if len(values[0])},
            steps(*self.battery, since, until, points),
        )


def readings_of(rows: Any) -> dict[str, Readings]:
    """A reader's `signal` rows by who measured them; rows without extremes are their own."""
    heard: Any = rows[rows["kind"].eq(Kind.SIGNAL) & rows["rssi_dbm"].notna()].sort_values("t_us", kind="stable")
    found: dict[str, Readings] = {}
    for source, part in heard.groupby(heard["rssi_source"].fillna(""), sort=False):
        median = part["rssi_dbm"].to_numpy("float64", na_value=np.nan)
        low = part["rssi_min_dbm"].to_numpy("float64", na_value=np.nan)
        high = part["rssi_max_dbm"].to_numpy("float64", na_value=np.nan)
        found[str(source)] = Readings(
            part["t_us"].to_numpy("int64"),
            median,
            np.where(np.isnan(low), median, low),
            np.where(np.isnan(high), median, high),
            part["count"].to_numpy("float64", na_value=1.0),
            part["seq"].to_numpy("int64"),
        )
    return found


def _source_words(source: str) -> str:
    return words(RssiSource(source)) if source in set(RssiSource) else visible(source) or "source not told"


def _values(rows: Any, name: str) -> tuple[Times, Values]:
    told: Any = rows[rows[name].notna()].sort_values("t_us", kind="stable")
    return told["t_us"].to_numpy("int64"), told[name].to_numpy("float64")


def _in_force(rows: Any, name: str) -> tuple[Times, Values]:
    """A parameter of the link from when it is told until it changes, or the link ends: then there is none."""
    ends = {Kind.LINK_DISCONNECTED, Kind.LINK_FAILED}
    told: Any = rows[rows[name].notna() | rows["kind"].isin([*ends])].sort_values("t_us", kind="stable")
    if not told[name].notna().any():
        return np.empty(0, dtype=np.int64), np.empty(0)
    t_us = told["t_us"].to_numpy("int64")
    over = told["kind"].isin([*ends]).to_numpy()
    values = np.where(over, np.nan, told[name].to_numpy("float64", na_value=np.nan))
    # It holds until the very end: a point of the same value just before, and one at the end of what is known.
    held = np.flatnonzero(over[1:] & ~np.isnan(values[:-1])) + 1
    t_us, values = np.insert(t_us, held, t_us[held]), np.insert(values, held, values[held - 1])
    last_us = int(rows["t_us"].max())
    if not np.isnan(values[-1]) and last_us > t_us[-1]:
        return np.append(t_us, last_us), np.append(values, values[-1])
    return t_us, values


def _deduplicated(hosts: Any) -> bool:
    extras: Any = hosts.loc[hosts["kind"].eq(Kind.SCAN_STARTED), "extra"]
    for cell in extras.dropna():
        try:
            facts: Any = json.loads(cell) if isinstance(cell, str) else cell
        except ValueError:
            continue
        if isinstance(facts, Mapping) and facts.get("filter_duplicates"):
            return True
    return False
