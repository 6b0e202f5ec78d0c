"""What came after an incident: whether the host listened, when the reader was heard, and how it came back."""

from dataclasses import dataclass, field

import numpy as np

from terminal_kit.diagnosis.facts.scope import AFTERMATH_US, Scope
from terminal_kit.events import Kind, RssiSource

_HEARD = (Kind.SIGNAL, Kind.READER_FOUND, Kind.LINK_CONNECTED)
_UNREACHED = (Kind.LINK_FAILED, Kind.RECONNECT_ATTEMPTED, Kind.RECONNECT_FAILED, Kind.CONNECT_FAILED)

SOON_US = 60_000_000
"""A reader that is heard within a minute is about where it was at the drop."""


@dataclass(slots=True)
class AfterFacts:
    """`listened_s`: how long the host listened until it heard the reader, or until the record or the story goes on.

    `heard_after_s` and `heard_dbm` tell of the first sign of life, `level_dbm` the level in the ten seconds after it;
    `back_after_s` of the next link; `boots_before` and `boots_after` count the reader's starts; `booted_after_s` is
    when it started, from its uptime, relative to the incident; `codes` are those of tries that failed meanwhile.
    """

    listened_s: float = 0.0
    record_s: float = 0.0
    heard_after_s: float | None = None
    heard_dbm: float | None = None
    level_dbm: float | None = None
    heard_at: int | None = None
    heard_in_silence: int = 0
    silence_at: int | None = None
    back_after_s: float | None = None
    back_at: int | None = None
    started_at: int | None = None
    started_reason: str | None = None
    boots_before: int | None = None
    boots_after: int | None = None
    uptime_after_s: float | None = None
    info_at: int | None = None
    booted_after_s: float | None = None
    codes: dict[str, int] = field(default_factory=dict[str, int])
    hci_codes: dict[int, int] = field(default_factory=dict[int, int])
    taken_at: int | None = None
    tries: int = 0


def after_facts(scope: Scope) -> AfterFacts:
    """The facts of what followed one incident, until the reader's next."""
    rows, t_us = scope.rows, scope.t_us
    until_us = min(scope.next_us, t_us + AFTERMATH_US)
    facts = AfterFacts(record_s=(min(scope.last_us, until_us) - t_us) / 1e6)
    places = rows.all_of(_HEARD, scope.readers, t_us + 1, until_us)
    back = rows.first(Kind.LINK_CONNECTED, scope.readers, t_us + 1, until_us)
    if back is not None:
        facts.back_after_s, facts.back_at = (int(rows.t_us[back]) - t_us) / 1e6, back
    if not len(places):
        # What is heard within a minute tells of this drop too, though a short link lay between.
        places = rows.all_of(_HEARD, scope.readers, t_us + 1, t_us + SOON_US)
    if len(places):
        first = int(places[0])
        facts.heard_at, facts.heard_after_s = first, (int(rows.t_us[first]) - t_us) / 1e6
        near = places[rows.t_us[places] <= rows.t_us[first] + 10_000_000]
        levels = rows.numbers("rssi_dbm")[near]
        levels = levels[~np.isnan(levels)]
        if len(levels):
            facts.heard_dbm, facts.level_dbm = float(levels[0]), float(np.median(levels))
    heard_us = int(rows.t_us[facts.heard_at]) if facts.heard_at is not None else until_us
    facts.listened_s = _listened_s(scope, min(heard_us, scope.last_us))
    _take_silence(scope, facts)
    _take_start(scope, facts, until_us)
    _take_tries(scope, facts, until_us)
    return facts


def _listened_s(scope: Scope, until_us: int) -> float:
    """How long the host's radio listened: scanning, or waiting for the reader with a connection request."""
    rows, t_us = scope.rows, scope.t_us
    spans: list[tuple[int, int]] = []
    for opens, closes, whose in (
        ((Kind.SCAN_STARTED,), (Kind.SCAN_STOPPED,), None),
        ((Kind.LINK_CONNECTING,), (Kind.LINK_FAILED, Kind.LINK_CONNECTED), scope.readers),
    ):
        begun = rows.all_of(opens, whose, t_us - AFTERMATH_US, until_us)
        ended = rows.all_of(closes, whose, t_us - AFTERMATH_US)
        runs = rows.cells("run")
        for place in begun:
            end = next((other for other in ended[np.searchsorted(ended, place) :] if runs[other] == runs[place]), None)
            spans.append((int(rows.t_us[place]), until_us if end is None else int(rows.t_us[end])))
    total, reached = 0, t_us
    for begin, end in sorted(spans):
        since, until = max(begin, reached), min(end, until_us)
        if until > since:
            total, reached = total + until - since, until
    others = rows.of(Kind.SIGNAL, None, t_us, until_us)
    heard = others[rows.cells("rssi_source")[others] == RssiSource.ADVERTISEMENT]
    return max(total / 1e6, float(len(np.unique(rows.t_us[heard] // 1_000_000))))


def _take_silence(scope: Scope, facts: AfterFacts) -> None:
    """Advertisements while the host still believed in the link: the reader had left it already."""
    rows = scope.rows
    since_us = max(scope.t_us - 32_000_000, scope.began_us + 2_000_000)
    places = rows.of(Kind.SIGNAL, scope.readers, since_us, scope.t_us)
    places = places[rows.cells("rssi_source")[places] == RssiSource.ADVERTISEMENT]
    if len(places) and scope.incident.kind == "disconnect":
        facts.heard_in_silence, facts.silence_at = len(places), int(places[0])


def _take_start(scope: Scope, facts: AfterFacts, until_us: int) -> None:
    rows, t_us = scope.rows, scope.t_us
    started = rows.first(Kind.READER_STARTED, scope.readers, t_us, until_us)
    if started is not None:
        facts.started_at, facts.started_reason = started, rows.text("reason", started)
    # A capture tells of each thing that was read in a row of its own.
    for place in rows.of(Kind.READER_INFO, scope.readers, t_us - AFTERMATH_US, t_us)[::-1]:
        if isinstance(boots := rows.extra(int(place)).get("boots"), int):
            facts.boots_before = boots
            break
    for place in rows.of(Kind.READER_INFO, scope.readers, t_us + 1, until_us):
        extra, info = rows.extra(int(place)), int(place)
        if facts.boots_after is None and isinstance(boots := extra.get("boots"), int):
            facts.boots_after, facts.info_at = boots, info
        if facts.uptime_after_s is None and isinstance(uptime_s := extra.get("uptime_s"), int | float):
            facts.uptime_after_s, facts.info_at = float(uptime_s), info
            facts.booted_after_s = (int(rows.t_us[info]) - t_us) / 1e6 - uptime_s


def _take_tries(scope: Scope, facts: AfterFacts, until_us: int) -> None:
    rows = scope.rows
    for place in rows.all_of(_UNREACHED, scope.readers, scope.t_us + 1, until_us):
        facts.tries += rows.cells("kind")[place] == Kind.LINK_FAILED
        if (code := rows.text("error_code", int(place))) is not None:
            facts.codes.setdefault(code.rpartition(".")[2], int(place))
        if (number := rows.whole("hci_code", int(place))) is not None:
            facts.hci_codes.setdefault(number, int(place))
    for place in rows.all_of((Kind.READER_FOUND, Kind.SIGNAL), scope.readers, scope.began_us, until_us):
        extra = rows.extra(int(place))
        if (extra.get("is_taken") is True or extra.get("taken") is True) and rows.t_us[
            place
        ] >= scope.t_us - 90_000_000:
            facts.taken_at = int(place)
            return
