"""What was recorded around a drop, as far as it can be lived through again."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from terminal_kit.events import Cause, Kind
from terminal_kit.simulator.link import CONNECTION_TIMEOUT

if TYPE_CHECKING:
    from terminal_kit.diagnosis import Finding

Manner = Literal["faded", "gone", "ended", "closed", "unknown"]
"""How a link ended, as far as a policy can change it.

`faded`: both ends were there and packets were lost, so that a longer supervision timeout may outlast it; `gone`: the
reader's end of the link was lost, so that only the timeout ended it; `ended`: the reader, or the host's radio, ended
it at once; `closed`: the app did, on purpose; `unknown`: nothing is known that could be replayed.
"""

_MANNERS: dict[Cause, Manner] = {
    Cause.RANGE: "faded",
    Cause.BODY_OR_INTERFERENCE_FADE: "faded",
    Cause.HOST_RADIO_OVERLOADED: "faded",
    Cause.READER_RESET_OR_POWER_LOSS: "gone",
    Cause.FIRMWARE_HANG: "gone",
    Cause.HOST_CLOSED: "closed",
    Cause.CANNOT_TELL: "unknown",
}

_PARAMETERS = ("interval_ms", "peripheral_latency", "supervision_timeout_s")

BEFORE_S, AFTER_S = 30.0, 180.0
"""What is lived through again: half a minute before the drop, and three minutes after it unless the reader was back."""

USUAL_DBM = -60.0
"""The level where none was recorded near: a reader on the counter."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The time around one drop; seconds count from it, before it they are negative.

    `signal_s` and `signal_dbm` are what was heard. The reader was silent from `silent_s` on, and back somewhere between
    the two times of `back_s` (None: it was not heard again). `returned_s`: when it was connected again, by itself or by
    hand. `interval_ms`, `peripheral_latency` and `supervision_timeout_s` were in force, where that is known.
    """

    t_us: int
    reader: str
    cause: Cause
    manner: Manner
    hci_code: int | None
    signal_s: Sequence[float]
    signal_dbm: Sequence[float]
    silent_s: float
    back_s: tuple[float, float] | None
    returned_s: float | None
    interval_ms: float | None
    peripheral_latency: int | None
    supervision_timeout_s: float | None


_READ = ("rssi_dbm", "extra", *_PARAMETERS)


def passages(frame: pd.DataFrame, findings: "Sequence[Finding]") -> list[Passage]:
    """One passage for each disconnect among the findings of `diagnose(frame)`, in their order."""
    known = {"t_us", "reader", "kind"} <= set(frame.columns)
    rows: Any = frame.sort_values("t_us", kind="stable") if known else frame
    rows = rows.assign(**{name: pd.NA for name in _READ if name not in rows})
    drops = [finding for finding in findings if finding.kind == "disconnect"]
    of_reader = dict(list(rows.groupby("reader"))) if drops else {}
    scans = rows[rows["kind"].isin([Kind.SCAN_STARTED.value, Kind.SCAN_STOPPED.value])] if drops else rows
    return [_passage(finding, of_reader.get(finding.reader, rows.iloc[:0]), scans) for finding in drops]


def _passage(finding: "Finding", rows: Any, scans: Any) -> Passage:
    at_us = finding.t_us
    since_s = (rows["t_us"].to_numpy("int64") - at_us) / 1e6
    kinds = rows["kind"].to_numpy(object)
    cause = finding.causes[0].cause if finding.causes else Cause.CANNOT_TELL
    ended = rows[(kinds == Kind.LINK_DISCONNECTED.value) & (np.abs(since_s) < 1.0)]
    extra = _extra(ended["extra"].iloc[0]) if len(ended) else {}
    interval_ms, latency, timeout_s = _in_force(rows[since_s <= 0])
    code = finding.hci_code
    silence_s = _number(extra.get("silence_s"))
    if silence_s is None:
        silence_s = timeout_s if code == CONNECTION_TIMEOUT else 0.0
    near = (kinds == Kind.SIGNAL.value) & (since_s > -BEFORE_S) & (since_s < AFTER_S)
    signal = rows[near & rows["rssi_dbm"].notna().to_numpy()]
    again = since_s[(kinds == Kind.LINK_CONNECTED.value) & (since_s > 0.05)]
    advertised = signal[(signal["t_us"] > at_us).to_numpy()]
    heard = [float(moment) for moment in ((advertised["t_us"].to_numpy("int64") - at_us) / 1e6)[:1]]
    heard += [float(moment) for moment in again[:1]]
    return Passage(
        t_us=at_us,
        reader=finding.reader,
        cause=cause,
        manner=_manner(cause, code),
        hci_code=code,
        signal_s=[float(moment) for moment in (signal["t_us"].to_numpy("int64") - at_us) / 1e6],
        signal_dbm=[float(level) for level in signal["rssi_dbm"].to_numpy("float64")],
        silent_s=-(silence_s if silence_s is not None else 4.0),
        back_s=_back(min(heard), scans, at_us) if heard and min(heard) < AFTER_S else None,
        returned_s=float(again[0]) if len(again) else None,
        interval_ms=interval_ms,
        peripheral_latency=None if latency is None else int(latency),
        supervision_timeout_s=timeout_s,
    )


def _manner(cause: Cause, hci_code: int | None) -> Manner:
    if cause is Cause.READER_POWERED_OFF and hci_code == CONNECTION_TIMEOUT:
        return "gone"
    return _MANNERS.get(cause, "ended")


def _back(heard_s: float, scans: Any, at_us: int) -> tuple[float, float]:
    """When the reader was back: just before it was heard where the host listened, else any time since it could have."""
    before = scans[(scans["t_us"] <= at_us + heard_s * 1e6).to_numpy()]
    if len(before) and before["kind"].iloc[-1] == Kind.SCAN_STARTED.value:
        began_s = (int(before["t_us"].iloc[-1]) - at_us) / 1e6
        if began_s <= 0:
            return max(0.0, heard_s - 1.0), heard_s
    return 0.0, heard_s


def _in_force(rows: Any) -> list[float | None]:
    told = rows[rows["kind"].isin([Kind.LINK_CONNECTED.value, Kind.LINK_UPDATED.value])]
    found: list[float | None] = []
    for column in _PARAMETERS:
        values = told[column].dropna()
        found.append(float(values.iloc[-1]) if len(values) else None)
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _extra(cell: Any) -> dict[str, Any]:
    with suppress(TypeError, ValueError):
        found = json.loads(cell)
        if isinstance(found, dict):
            return found
    return {}
