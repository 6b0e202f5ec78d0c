"""What was recorded around a drop, as far as it can be lived through again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from terminal_kit.analysis.readers import SAME_US
from terminal_kit.diagnosis.rows import Places, Rows
from terminal_kit.events import Cause, Kind
from terminal_kit.scenarios.recording import Recording
from terminal_kit.simulator.link import CONNECTION_TIMEOUT, FAILED_TO_ESTABLISH, SUPERVISION_TIMEOUT_S, Parameters

if TYPE_CHECKING:
    from terminal_kit.diagnosis import Finding

Manner = Literal["faded", "gone", "ended", "barred", "closed", "unknown"]
"""How a link ended, as far as a policy can change it.

`faded`: both ends were there and packets were lost, so that a longer supervision timeout may outlast it; `gone`: the
reader's end of the link was lost, so that only the timeout ended it; `ended`: the reader, or the host's radio, ended
it at once; `barred`: there can be no other before somebody has done something (paired anew, switched Bluetooth on);
`closed`: the app ended it, on purpose; `unknown`: nothing is known that could be replayed.
"""

_MANNERS: dict[Cause, Manner] = {
    Cause.RANGE: "faded",
    Cause.BODY_OR_INTERFERENCE_FADE: "faded",
    Cause.HOST_RADIO_OVERLOADED: "faded",
    Cause.READER_RESET_OR_POWER_LOSS: "gone",
    Cause.FIRMWARE_HANG: "gone",
    Cause.BOND_LOST: "barred",
    Cause.PAIRED_IN_SYSTEM_SETTINGS: "barred",
    Cause.TAKEN_BY_ANOTHER_HOST: "barred",
    Cause.HOST_RADIO_OFF: "barred",
    Cause.INTERNET_LOST: "barred",
    Cause.HOST_CLOSED: "closed",
    Cause.CANNOT_TELL: "unknown",
}

_STOPS = frozenset(
    {
        Cause.READER_POWERED_OFF,
        Cause.IDLE_POWER_DOWN,
        Cause.SECURITY_REBOOT,
        Cause.CRITICALLY_LOW_BATTERY,
        Cause.UPDATE_REBOOT,
    }
)
"""The reader says goodbye, or its link times out."""

NEVER_REPLAYED: dict[Manner, str] = {
    "barred": "no policy changes it: somebody had to do something first",
    "closed": "asked for, so it would have happened all the same",
    "unknown": "its cause is not known, so nothing can be said",
}
"""Why there is nothing to replay."""

BEFORE_S, AFTER_S = 30.0, 180.0
"""What is lived through again: half a minute before the drop, and three minutes after it unless the reader was back."""

USUAL_DBM = -60.0
"""The level where none was recorded near: a reader on the counter."""

LISTENED_S = 2.0
"""A reader that is there is heard within so long, also one that advertises slowly: a second and some between two."""

LEVELS_DBM = (-114.0, 20.0)
"""What a receiver can tell: above the thermal noise of 1 MHz, and no more than the standard lets it (Core Vol 4 Part E,
7.5.4, where 127 stands for a level that is not known). A reading beyond was no packet's."""

_NEEDED = ("t_us", "reader", "kind")


@dataclass(frozen=True, slots=True)
class Passage:
    """The time around one drop; seconds count from it, before it they are negative.

    `signal_s` and `signal_dbm` are what was heard. The reader was silent from `silent_s` on, and back somewhere between
    the two times of `back_s` (None: it was not heard again). `returned_s`: when it was connected again, by itself or by
    hand. `was_automatic`: whether the recording has an automatic reconnection of this reader. `interval_ms`,
    `peripheral_latency` and `supervision_timeout_s` were in force, where that is known.
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
    was_automatic: bool
    interval_ms: float | None
    peripheral_latency: int | None
    supervision_timeout_s: float | None

    @property
    def parameters(self) -> Parameters:
        """The link's parameters as they were recorded, and usual ones for what is not known."""
        usual = Parameters()
        return Parameters(
            interval_ms=self.interval_ms or usual.interval_ms,
            peripheral_latency=self.peripheral_latency or usual.peripheral_latency,
            supervision_timeout_s=self.supervision_timeout_s or usual.supervision_timeout_s,
        )


def passages(frame: pd.DataFrame, findings: "Sequence[Finding]") -> list[Passage]:
    """One passage for each disconnect among the findings of `diagnose(frame)`, in their order.

    Of the frame only `t_us`, `reader` and `kind` must be there.
    """
    drops = [finding for finding in findings if finding.kind == "disconnect"]
    if not drops:
        return []
    recording = Recording(frame if len(frame) else pd.DataFrame({name: [] for name in _NEEDED}))
    return [_passage(finding, recording) for finding in drops]


def _passage(finding: "Finding", recording: Recording) -> Passage:
    at_us, code, rows = finding.t_us, finding.hci_code, recording.rows
    reader = recording.name(finding.reader, at_us)
    readers = (reader,)
    cause = finding.causes[0].cause if finding.causes else Cause.CANNOT_TELL
    manner = _manner(cause, code)
    interval_ms, latency, timeout_s = _in_force(rows, readers, at_us)
    if timeout_s is None and code == CONNECTION_TIMEOUT:
        timeout_s = _at_most_s(rows, readers, at_us)
    # A link times out so long after its last packet, however long before that an idle one had nothing to say.
    silence_s = (timeout_s or Parameters().supervision_timeout_s) if manner in ("faded", "gone") else 0.0
    signal = rows.of(Kind.SIGNAL, readers, at_us - round(BEFORE_S * 1e6) + 1, at_us + round(AFTER_S * 1e6))
    levels_dbm = rows.numbers("rssi_dbm")[signal]
    signal = signal[(levels_dbm >= LEVELS_DBM[0]) & (levels_dbm <= LEVELS_DBM[1])]  # not where it is missing
    advertised_us = rows.t_us[signal][rows.t_us[signal] > at_us]
    returned_us, again = recording.returned_us(reader, at_us), rows.first(Kind.LINK_CONNECTED, readers, at_us + 1)
    heard_us = [*advertised_us[:1].tolist(), *([] if again is None else [int(rows.t_us[again])])]
    heard_us += [] if returned_us is None else [returned_us]
    return Passage(
        t_us=at_us,
        reader=reader,
        cause=cause,
        manner=manner,
        hci_code=code,
        signal_s=[(moment_us - at_us) / 1e6 for moment_us in rows.t_us[signal].tolist()],
        signal_dbm=rows.numbers("rssi_dbm")[signal].tolist(),
        silent_s=-silence_s,
        back_s=_back((min(heard_us) - at_us) / 1e6, rows, readers, at_us) if heard_us else None,
        returned_s=None if returned_us is None else (returned_us - at_us) / 1e6,
        was_automatic=len(rows.of(Kind.RECONNECT_STARTED, readers)) > 0,
        interval_ms=interval_ms,
        peripheral_latency=None if latency is None else int(latency),
        supervision_timeout_s=timeout_s,
    )


def _manner(cause: Cause, hci_code: int | None) -> Manner:
    if cause in _STOPS:
        return "gone" if hci_code == CONNECTION_TIMEOUT else "ended"
    manner = _MANNERS.get(cause, "ended")
    # Any other code says that somebody ended the link: its supervision timeout had no part in it.
    timed_out = hci_code in (None, CONNECTION_TIMEOUT)
    return "ended" if manner in ("faded", "gone") and not timed_out else manner


def _back(heard_s: float, rows: Rows, readers: tuple[str, ...], at_us: int) -> tuple[float, float]:
    """When the reader was back: after the host had listened in vain, and before it heard it.

    A pending connection listens as a scan does, unless it met the reader and came to nothing; an automatic
    reconnection listens until its first try is over.
    """
    span_us = at_us, at_us + round(heard_s * 1e6)
    scanned_us = _listened(rows, Kind.SCAN_STARTED, (Kind.SCAN_STOPPED,), None, span_us)
    asked_us = _listened(rows, Kind.LINK_CONNECTING, (Kind.LINK_CONNECTED, Kind.LINK_FAILED), readers, span_us)
    returning = (Kind.LINK_CONNECTED, Kind.LINK_FAILED, Kind.RECONNECT_SUCCEEDED, Kind.RECONNECT_FAILED)
    awaited_us = _listened(rows, Kind.RECONNECT_STARTED, returning, readers, span_us)
    return max(0.0, (max(scanned_us, asked_us, awaited_us) - at_us) / 1e6 - 1.0), heard_s


def _listened(
    rows: Rows, begin: Kind, ends: tuple[Kind, ...], readers: tuple[str, ...] | None, span_us: tuple[int, int]
) -> int:
    """Until when the host listened, µs, for the last time that it did for long enough; when the span begins, if never.

    The span is from the drop to the first packet.
    """
    at_us, heard_us = span_us
    before = rows.last(begin, readers, at_us - 1)
    for place in [*rows.of(begin, readers, at_us, heard_us).tolist()[::-1], *([] if before is None else [before])]:
        began_us = int(rows.t_us[place])
        ended = min(
            (end for kind in ends if (end := rows.first(kind, readers, began_us + 1, heard_us)) is not None),
            default=None,
        )
        until_us = heard_us if ended is None else int(rows.t_us[ended])
        met = ended is not None and rows.whole("hci_code", ended) == FAILED_TO_ESTABLISH
        # A scan that reports each device once tells nothing of its return.
        if until_us - began_us >= LISTENED_S * 1e6 and not met and not rows.extra(place).get("filter_duplicates"):
            return until_us
    return at_us


def _in_force(rows: Rows, readers: tuple[str, ...], at_us: int) -> tuple[float | None, float | None, float | None]:
    """Interval, peripheral latency and supervision timeout, as the link's own rows tell them: not an earlier link's."""
    told = _of_link(rows, readers, at_us)

    def last(column: str) -> float | None:
        values = rows.numbers(column)[told]
        known = values[values >= 0]  # a missing value compares as no number does
        return round(float(known[-1]), 2) if len(known) else None

    return last("interval_ms"), last("peripheral_latency"), last("supervision_timeout_s")


def _of_link(rows: Rows, readers: tuple[str, ...], at_us: int) -> Places:
    """The rows that may tell the parameters of the link that ended then: since it was made, or the last one ended.

    Several runs may tell of one link, by clocks that differ by `SAME_US`; one that was over tells of an earlier link.
    """
    runs, kinds = rows.cells("run"), rows.cells("kind")
    since: dict[Any, int] = {}
    made_us = 0
    for place in rows.all_of((Kind.LINK_CONNECTED, Kind.LINK_DISCONNECTED), readers, to_us=at_us).tolist():
        t_us = int(rows.t_us[place])
        if kinds[place] == Kind.LINK_CONNECTED:
            since[runs[place]], made_us = place, t_us
        elif t_us <= at_us - SAME_US:
            since[runs[place]] = place
    told = rows.all_of((Kind.LINK_CONNECTED, Kind.LINK_UPDATED), readers, made_us - SAME_US, at_us)
    going = {run for run, (_, last_us) in rows.run_spans.items() if last_us >= at_us - SAME_US}
    own = [place >= since.get(runs[place], 0) and runs[place] in going for place in told.tolist()]
    return told[np.array(own, bool)]


def _at_most_s(rows: Rows, readers: tuple[str, ...], at_us: int) -> float | None:
    """The silence in which a link of unknown parameters timed out, in seconds: its timeout was no longer than that."""
    ends = rows.of(Kind.LINK_DISCONNECTED, readers, at_us - 1_000_000, at_us + 1_000_000)
    ended = min(ends.tolist(), key=lambda place: abs(int(rows.t_us[place]) - at_us), default=None)
    silence_s = None if ended is None else rows.extra(ended).get("silence_s")
    if isinstance(silence_s, bool) or not isinstance(silence_s, int | float):
        return None
    shortest_s, longest_s = SUPERVISION_TIMEOUT_S
    return round(silence_s, 2) if shortest_s <= silence_s <= longest_s else None
