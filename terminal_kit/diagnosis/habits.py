"""What lies behind many drops at once: habits of an app, a host or a fleet, which no single incident shows."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from terminal_kit.diagnosis.diagnosing import diagnose
from terminal_kit.diagnosis.finding import Evidence, Finding, Habit
from terminal_kit.diagnosis.rows import Rows
from terminal_kit.events import Cause, Kind

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

SHOWN = 3
"""So many rows are cited for a habit: enough to look at."""

OFTEN = 3
"""Fewer times is no habit."""

IDLE_S = 45.0
"""An app that hangs up after the reader was unused for so long, and connects it again later, saves power by it."""

AGAIN_S = 3600
"""Who hangs up to save power needs the reader again soon; a shop that closes does not."""

DAY_S = 86_400
SAME_TIME_S = 600
"""A restart moves by the time that it takes; ten minutes hold several days of that."""

GRACE_SINCE = (0, 0, 1, 18)
"""The 30 days of grace (U5) need React Native's SDK 0.0.1-beta.18 or later."""

_RN = re.compile(r"react_native v?(\d+)\.(\d+)\.(\d+)(?:-beta\.(\d+))?")
_USED = (Kind.BUSY_STARTED, Kind.BUSY_ENDED, Kind.CARD_INSERTED, Kind.CARD_REMOVED, Kind.UPDATE_FINISHED)


_RESTARTS = frozenset({Cause.SECURITY_REBOOT, Cause.READER_RESET_OR_POWER_LOSS, Cause.CANNOT_TELL})
"""What a restart may look like; what an app or a host closes at the same hour is none."""


def habits(frame: "pd.DataFrame", findings: Sequence[Finding] | None = None) -> list[Habit]:
    """What lies behind many of a frame's drops, each with its evidence and what to change.

    `findings` are those of `diagnose(frame)`, which is asked where they are not given. Known: an app that disconnects
    to save power (C5), a restart at the same hour every day (R2), batteries that run empty (C4), readers paired in the
    system's settings (D6), readers that two hosts share, Bluetooth that somebody turns off, links that are made and not
    kept, and an SDK that is too old for the 30 days of grace (U5).
    """
    if not len(frame):
        return []
    rows = Rows(frame)
    found = diagnose(frame) if findings is None else findings
    return [habit for look in _HABITS for habit in look(rows, found)]


def _disconnects_to_save_power(rows: Rows, findings: Sequence[Finding]) -> Iterator[Habit]:
    """C5: the app ends an idle link, and makes it again."""
    idle: dict[str, list[int]] = defaultdict(list)
    for finding in findings:
        if finding.cause is not Cause.HOST_CLOSED or finding.kind != "disconnect":
            continue
        names = (finding.reader,)
        began = rows.last(Kind.LINK_CONNECTED, names, finding.t_us)
        if (
            began is None
            or rows.is_capture(rows.place_of(finding.seq))  # which does not tell whether it was used
            or rows.first(Kind.LINK_CONNECTED, names, finding.t_us + 1, finding.t_us + AGAIN_S * 10**6) is None
        ):
            continue
        since_us = int(rows.t_us[began])
        used = rows.all_of(_USED, names, since_us, finding.t_us)
        last_us = int(rows.t_us[used[-1]]) if len(used) else since_us
        if finding.t_us - last_us >= IDLE_S * 1e6:
            idle[finding.reader].append(rows.place_of(finding.seq))
    for reader, places in idle.items():
        if len(places) >= 2:
            yield Habit(
                "disconnects_to_save_power",
                f"The app ended an idle link to {reader} {len(places)} times and made it again later.",
                "Keep the reader connected: it has its own standby, and every new connection can fail.",
                _cited(rows, places),
                (reader,),
            )


def _daily_restart(rows: Rows, findings: Sequence[Finding]) -> Iterator[Habit]:
    """R2: 24 hours after the last start, so at the same time of each day."""
    by_reader: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.kind == "disconnect" and finding.cause in _RESTARTS:
            by_reader[finding.reader].append(finding)
    for reader, drops in by_reader.items():
        best = max((_at_the_same_time(drop, drops) for drop in drops), key=len)
        known = [drop for drop in best if drop.cause is Cause.SECURITY_REBOOT]
        if len({drop.t_us // (DAY_S * 10**6) for drop in best}) >= OFTEN or len(known) >= 2:
            minute = best[0].t_us // 60_000_000 % 1440
            yield Habit(
                "daily_restart",
                f"{reader} drops every day at about {minute // 60:02d}:{minute % 60:02d} UTC, {len(best)} times here.",
                "It restarts after 24 hours of running. Restart it before opening, and keep automatic reconnection on.",
                _cited(rows, [rows.place_of(drop.seq) for drop in best]),
                (reader,),
            )


def _at_the_same_time(drop: Finding, drops: Sequence[Finding]) -> list[Finding]:
    alike: list[Finding] = []
    for other in drops:
        apart_s = abs(other.t_us - drop.t_us) / 1e6 % DAY_S
        if min(apart_s, DAY_S - apart_s) <= SAME_TIME_S:
            alike.append(other)
    return alike


def _of_one_cause(
    name: str, cause: Cause, text: str, advice: str, often: int = OFTEN
) -> Callable[[Rows, Sequence[Finding]], Iterator[Habit]]:
    """A habit that is many incidents of one cause, whichever reader they befall."""

    def look(rows: Rows, findings: Sequence[Finding]) -> Iterator[Habit]:
        mine = [finding for finding in findings if finding.cause is cause]
        if len(mine) >= often:
            readers = Counter(finding.reader for finding in mine)
            where = f"{len(readers)} readers" if len(readers) > 1 else next(iter(readers))
            places = [rows.place_of(finding.seq) for finding in mine]
            yield Habit(name, f"{text}: {len(mine)} times, {where}.", advice, _cited(rows, places), tuple(readers))

    return look


def _attempts_in_series(rows: Rows, findings: Sequence[Finding]) -> Iterator[Habit]:
    """Links that are made and not kept: the edge of range, or a reader that others have."""
    never = [place for place in rows.of(Kind.LINK_DISCONNECTED) if rows.whole("hci_code", int(place)) == 0x3E]
    made = len(rows.of(Kind.LINK_CONNECTED))
    if len(never) >= 2 * OFTEN and len(never) * 3 >= made:
        yield Habit(
            "links_never_established",
            f"{len(never)} of {made} links were never established: the reader did not answer the request.",
            "Bring host and readers closer, and do not connect while the host scans without a pause.",
            _cited(rows, [int(place) for place in never]),
        )


def _sdk_without_grace(rows: Rows, findings: Sequence[Finding]) -> Iterator[Habit]:
    """U5 needs a newer SDK; an app's log names its version on its lines."""
    for place in rows.of(Kind.APP_MESSAGE):
        extra = rows.extra(int(place))
        version = _RN.search(f"{extra.get('sdk', '')} {extra.get('sdk_version', '')}")
        if version is None:
            continue
        # A release without "beta" comes after all betas of its number.
        numbers = tuple(999 if part is None else int(part) for part in version.groups())
        if numbers < GRACE_SINCE:
            yield Habit(
                "sdk_without_grace",
                f"The app's React Native SDK is {extra.get('sdk_version')}.",
                "Update it to 0.0.1-beta.18 or later: before, a required update that fails ends every connection, "
                "without the 30 days of grace.",
                _cited(rows, [int(place)]),
            )
            return


_HABITS: tuple[Callable[[Rows, Sequence[Finding]], Iterator[Habit]], ...] = (
    _disconnects_to_save_power,
    _daily_restart,
    _of_one_cause(
        "runs_empty",
        Cause.CRITICALLY_LOW_BATTERY,
        "Readers run until their battery is empty",
        "Charge them over night; one that empties within a day needs a new battery.",
        2,
    ),
    _of_one_cause(
        "paired_in_system_settings",
        Cause.PAIRED_IN_SYSTEM_SETTINGS,
        "Readers are paired in the system's Bluetooth settings",
        "Forget them there, and tell everybody to pair through the app alone.",
        2,
    ),
    _of_one_cause(
        "shared_by_hosts",
        Cause.TAKEN_BY_ANOTHER_HOST,
        "Another host takes the readers",
        "Give each till its own reader, or let only one of them connect at a time.",
        2,
    ),
    _of_one_cause(
        "radio_turned_off",
        Cause.HOST_RADIO_OFF,
        "The host's Bluetooth is turned off while readers are connected",
        "Look for power savers, flight mode and device management that turn it off.",
        2,
    ),
    _attempts_in_series,
    _sdk_without_grace,
)
"""All that are looked for."""


def _cited(rows: Rows, places: Sequence[int]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            str(rows.cells("kind")[place]).replace("_", " "),
            rows.text("file", place),
            rows.whole("record", place),
            int(rows.t_us[place]),
            rows.is_capture(place),
        )
        for place in places[:SHOWN]
    )
