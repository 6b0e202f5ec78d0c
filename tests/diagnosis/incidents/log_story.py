"""What an app's SDK would have printed of a story: steps without a shape, from what happened on the stage.

An SDK of the vendor speaks with the vendor's readers, so it knows the reason with which one says goodbye, however
closed it is to us; it prints no signal strength. At a stated share it prints another reason than the true one, or
none: that is what its users complain of.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from terminal_kit.events import DisconnectReason, Event, Kind

from .ends import End

UNKNOWN_SHARE = 0.2
"""So many reasons are printed as unknown, or not at all."""

WRONG_SHARE = 0.05
"""So many are wrong; a battery that ran down is told as a disconnect that was asked for three times as often."""

TELLS_GATT_SHARE = 0.6
"""So many Android logs hold the system's own lines with the status of the link."""


class Step(NamedTuple):
    """One thing that an SDK prints, in its own way. `what` names it, `facts` are what the line says."""

    t_us: int
    what: str
    facts: dict[str, Any]


_PLAIN = {
    Kind.DISCOVERY_STARTED: "discover",
    Kind.DISCOVERY_FINISHED: "discovered",
    Kind.CONNECT_STARTED: "connect",
    Kind.CONNECT_SUCCEEDED: "connected",
    Kind.LINK_CONNECTED: "link_up",
    Kind.LOW_BATTERY: "low_battery",
    Kind.RECONNECT_SUCCEEDED: "reconnected",
    Kind.RECONNECT_FAILED: "reconnect_failed",
    Kind.UPDATE_STARTED: "update_started",
    Kind.UPDATE_PROGRESS: "update_progress",
    Kind.UPDATE_FINISHED: "update_finished",
    Kind.CARD_INSERTED: "card_inserted",
}


def steps(told: Sequence[Event], ends: Sequence[End], serial: str, rng: random.Random) -> list[Step]:
    """The story of one reader in an app's log."""
    # Who gives a mute reader up asks for no disconnect, though the host ends the link.
    given_up = {event.t_us for event in told if event.kind == Kind.LINK_DISCONNECTED and event.reason == "unknown"}
    reasons: dict[int, DisconnectReason] = {}
    for end in ends:
        if end.reader == serial and end.is_link:
            wished = end.reason is DisconnectReason.DISCONNECT_REQUESTED
            true = DisconnectReason.UNKNOWN if wished and end.t_us in given_up else end.reason
            reasons[end.t_us] = _said(true, rng)
    found: list[Step] = []
    for event in told:
        found += _steps_of(event, serial, reasons)
    for end in ends:
        if end.reader == serial and end.is_link:
            facts = {"hci_code": end.hci_code, "reason": reasons[end.t_us], "noted_first": rng.random() < 0.5}
            found.append(Step(end.t_us, "link_down", facts))
    found.sort(key=lambda step: (step.t_us, step.what != "link_down"))  # the system tells before the SDK
    is_up = False
    for step in found:
        if step.what == "link_down":
            step.facts["was_up"], is_up = is_up, False
        elif step.what == "link_up":
            is_up = True
    return found


def _said(reason: DisconnectReason, rng: random.Random) -> DisconnectReason:
    """What the SDK makes of a reason."""
    wrong = WRONG_SHARE * (3 if reason is DisconnectReason.CRITICALLY_LOW_BATTERY else 1)
    drawn = rng.random()
    if drawn < wrong:
        return DisconnectReason.DISCONNECT_REQUESTED
    if drawn < wrong + UNKNOWN_SHARE or reason is DisconnectReason.INTERNET_LOST:
        return DisconnectReason.UNKNOWN
    return reason


def _steps_of(event: Event, serial: str, reasons: dict[int, DisconnectReason]) -> Iterator[Step]:
    mine = event.reader == serial
    facts: dict[str, Any] = {"serial": serial, "error": event.error_code, "text": event.text}
    match event.kind:
        case Kind.READER_FOUND if event.reader:
            yield Step(event.t_us, "found", {"serials": [event.reader]})
        case Kind.BATTERY if mine and event.battery is not None:
            yield Step(event.t_us, "battery", facts | {"level": event.battery, "charging": bool(event.charging)})
        case Kind.READER_INFO if mine:
            yield Step(event.t_us, "info", facts | {"firmware": event.firmware or "2.01.01.00"})
        case Kind.HOST_CHANGED if event.extra is not None:
            yield Step(event.t_us, "radio", {"on": event.extra["fault"] is None, "internet": event.extra["internet"]})
        case Kind.APP_MESSAGE:
            yield Step(event.t_us, "background", {})
        case Kind.ERROR if mine:
            yield Step(event.t_us, "error", facts)
        case Kind.CONNECT_FAILED if mine:
            yield Step(event.t_us, "connect_failed", facts)
        case Kind.RECONNECT_STARTED if mine:
            reason = reasons.get(event.t_us, DisconnectReason.UNKNOWN)
            yield Step(event.t_us, "reconnecting", facts | {"reason": reason})
        case Kind.DISCONNECTED if mine:
            near = [at for at in reasons if abs(at - event.t_us) < 6_000_000]
            reason = reasons[max(near)] if near else DisconnectReason.UNKNOWN
            yield Step(event.t_us, "disconnected", facts | {"reason": reason})
        case kind if kind in _PLAIN and (mine or not event.reader):
            yield Step(event.t_us, _PLAIN[Kind(kind)], facts | {"progress": event.progress, "to": event.firmware_to})
        case _:
            pass
