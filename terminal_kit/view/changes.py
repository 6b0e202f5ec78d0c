"""What each kind of event changes on screen: one small pure function a kind, in one table."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from terminal_kit.events import ConnectionStatus, Event, Kind
from terminal_kit.reader import DeviceType, Reader, device_type_of
from terminal_kit.view import updates
from terminal_kit.view.records import Drop, Notice, Point, Reconnecting

if TYPE_CHECKING:
    from terminal_kit.view.view import View

POINTS = 300
"""Signal points kept for each reader: as many as a page draws at ease, five minutes of one a second."""

POINT_EVERY_US = 250_000
"""Points that come closer replace each other: four a second is more than a chart shows."""

SERIES = 512
"""Readers with a kept signal. Strangers with changing addresses would fill the memory; the stalest goes first."""

DROPS = 200
NOTICES = 5
"""Rows of the disconnect log and notices kept on screen; the event log has them all."""

RESTARTS_EVERY_US = 24 * 3600 * 1_000_000
RESTARTING = (DeviceType.STRIPE_M2, DeviceType.WISEPAD_3)
"""Which readers restart by themselves, and after how long (R2)."""

_STATUSES = {status.value: status for status in ConnectionStatus}

Facts = dict[str, Any]


def changes(view: "View", event: Event) -> Facts:
    """The fields of the view that this event changes, with their new values. Unknown kinds change nothing."""
    change = _CHANGES.get(event.kind)
    facts = change(view, event) if change else {}
    status = _STATUSES.get(event.status) if event.status is not None else None
    if status is not None and status is not view.status:
        facts = _status_changed(view, event, status) | facts
    return facts


def _status_changed(view: "View", event: Event, status: ConnectionStatus) -> Facts:
    facts: Facts = {"status": status, "since_us": event.t_us}
    match status:
        case ConnectionStatus.NOT_CONNECTED | ConnectionStatus.DISCOVERING:
            # What became of an update is still to be read after the connection that it made fail (U5).
            over = view.update if view.update and view.update.finished_us is not None else None
            facts |= _NOBODY | {"update": over}
        case ConnectionStatus.CONNECTING:
            facts |= _NOBODY | {"reader": _known(view, event.reader)}
        case ConnectionStatus.CONNECTED:
            known = view.reader if view.reader and view.reader.serial == event.reader else _known(view, event.reader)
            facts |= {"reader": known, "reconnecting": None}
        case ConnectionStatus.RECONNECTING:
            facts |= {"busy": False, "card_inserted": False}
    return facts


_NOBODY: Facts = {
    "reader": None,
    "location_id": None,
    "next_restart_us": None,
    "reconnecting": None,
    "update": None,
    "update_fault": None,
    "busy": False,
    "card_inserted": False,
    "false_battery_us": None,
}


def _known(view: "View", serial: str) -> Reader:
    found = next((reader for reader in view.readers if serial in (reader.serial, reader.name)), None)
    return found or Reader(serial=serial, device_type=device_type_of(serial))


def _about(view: "View", event: Event, **facts: Any) -> Facts:
    """Newer facts about the terminal's reader, where the event is about it."""
    if view.reader is None or view.reader.serial != event.reader:
        return {}
    return {"reader": replace(view.reader, **{name: fact for name, fact in facts.items() if fact is not None})}


def _host_changed(_view: "View", event: Event) -> Facts:
    extra = event.extra or {}
    return {"host_fault": extra.get("fault"), "internet": extra.get("internet")}


def _discovery_started(_view: "View", _event: Event) -> Facts:
    return {"readers": (), "listed": False}


def _reader_found(view: "View", event: Event) -> Facts:
    if view.listed:
        return {}
    extra = event.extra or {}
    reader = Reader(
        serial=event.reader,
        name=str(extra.get("name") or ""),
        address=extra.get("address", ""),
        device_type=DeviceType(event.device_type)
        if event.device_type in set(DeviceType)
        else device_type_of(event.reader),
        rssi_dbm=event.rssi_dbm,
        last_heard_us=event.t_us,
        battery=event.battery,
        charging=event.charging,
        is_ours=bool(extra.get("is_ours", True)),
        is_taken=bool(extra.get("is_taken", False)),
    )
    return {"readers": (*(other for other in view.readers if other.serial != reader.serial), reader)}


def _reader_lost(view: "View", event: Event) -> Facts:
    return {} if view.listed else {"readers": tuple(each for each in view.readers if each.serial != event.reader)}


def _signal(view: "View", event: Event) -> Facts:
    if event.rssi_dbm is None:
        return {}
    point = Point(event.t_us, event.rssi_dbm, event.rssi_source)
    before = view.signals.get(event.reader, ())
    if before and before[-1].source == point.source and point.t_us - before[-1].t_us < POINT_EVERY_US:
        before = before[:-1]
    signals = view.signals | {event.reader: (*before[-POINTS + 1 :], point)}
    if len(signals) > SERIES:
        del signals[min(signals, key=lambda reader: signals[reader][-1].t_us)]
    facts: Facts = {"signals": MappingProxyType(signals)}
    facts |= _about(view, event, rssi_dbm=event.rssi_dbm, last_heard_us=event.t_us)
    if not view.listed:
        facts["readers"] = tuple(
            replace(reader, rssi_dbm=event.rssi_dbm, last_heard_us=event.t_us)
            if reader.serial == event.reader
            else reader
            for reader in view.readers
        )
    return facts


def _connect_started(_view: "View", event: Event) -> Facts:
    return {"location_id": event.location}


def _reader_info(view: "View", event: Event) -> Facts:
    if view.reader is None:
        return {}
    extra = event.extra or {}
    uptime_s: float | None = extra.get("uptime_s")
    # A reader may advertise one name and tell its serial number only now.
    reader = replace(
        view.reader,
        serial=event.reader,
        name=str(extra.get("name") or view.reader.name),
        firmware=event.firmware or view.reader.firmware,
        uptime_s=uptime_s,
    )
    next_restart_us = None
    if uptime_s is not None and reader.device_type in RESTARTING:
        next_restart_us = event.t_us - round(uptime_s * 1e6) + RESTARTS_EVERY_US
    return {"reader": reader, "next_restart_us": next_restart_us}


def _registered(view: "View", event: Event) -> Facts:
    return {"location_id": event.location, **_about(view, event, location_id=event.location)}


def _battery(view: "View", event: Event) -> Facts:
    """The list has it too: what a connection read is still known when that has failed."""
    facts = _about(view, event, battery=event.battery, charging=event.charging)
    if event.battery is not None and any(each.serial == event.reader for each in view.readers):
        facts["readers"] = tuple(
            replace(each, battery=event.battery) if each.serial == event.reader else each for each in view.readers
        )
    return facts


def _low_battery(view: "View", event: Event) -> Facts:
    told = Notice(event.t_us, "low_battery", event.reader, None, event.text)
    return _battery(view, event) | {"notices": (*view.notices, told)[-NOTICES:]}


def _notice(view: "View", event: Event) -> Facts:
    told = Notice(event.t_us, event.stage or "", event.reader, event.reason, event.text)
    return {"notices": (*view.notices, told)[-NOTICES:], **updates.refused(view, event)}


def _link_disconnected(view: "View", event: Event) -> Facts:
    drop = Drop(
        reader=event.reader,
        t_us=event.t_us,
        session=event.session,
        reason=event.reason,
        reason_source=event.reason_source,
        hci_code=event.hci_code,
        rssi_dbm=event.rssi_dbm,
    )
    return {"drops": (*view.drops, drop)[-DROPS:]}


def _disconnected(view: "View", event: Event) -> Facts:
    """The relation's end: closes its drop, or is a row of its own where no link's end was seen (an *incident*)."""
    changed = _of_session(view, event, over_us=event.t_us)
    return changed or _with_over(_link_disconnected(view, event), event.t_us)


def _with_over(facts: Facts, t_us: int) -> Facts:
    *before, last = facts["drops"]
    return {"drops": (*before, replace(last, over_us=t_us))}


def _reason_learned(view: "View", event: Event) -> Facts:
    learned: Facts = {"reason": event.reason, "reason_source": event.reason_source}
    if event.hci_code is not None:
        learned["hci_code"] = event.hci_code
    return _of_session(view, event, **learned)


def _of_session(view: "View", event: Event, **facts: Any) -> Facts:
    """Changes the newest drop of the event's link session; without session numbers, the newest that is not over."""
    for index in range(len(view.drops) - 1, -1, -1):
        drop = view.drops[index]
        same = drop.session == event.session and (drop.session is not None or drop.over_us is None)
        if drop.reader == event.reader and same:
            return {"drops": (*view.drops[:index], replace(drop, **facts), *view.drops[index + 1 :])}
    return {}


def _last_drop(view: "View", event: Event, change: Callable[[Drop], Drop]) -> Facts:
    """Changes the newest drop of the event's reader, unless that reader is already back from it."""
    for index in range(len(view.drops) - 1, -1, -1):
        drop = view.drops[index]
        if drop.reader == event.reader:
            if drop.back_after_s is not None:
                return {}
            return {"drops": (*view.drops[:index], change(drop), *view.drops[index + 1 :])}
    return {}


def _reconnect_started(view: "View", event: Event) -> Facts:
    started = Reconnecting(reason=event.reason, since_us=event.t_us)
    return {"reconnecting": started, **_last_drop(view, event, lambda drop: replace(drop, awaited=True))}


def _reconnect_attempted(view: "View", event: Event) -> Facts:
    if view.reconnecting is None:
        return {}
    attempts = event.attempt or view.reconnecting.attempts + 1
    return {"reconnecting": replace(view.reconnecting, attempts=attempts, error_code=event.error_code)}


def _reconnect_failed(view: "View", event: Event) -> Facts:
    drops = _last_drop(view, event, lambda drop: replace(drop, over_us=event.t_us))
    return {"reconnecting": None, **drops, **updates.refused(view, event)}


def _back(by: Literal["itself", "hand"]) -> Callable[["View", Event], Facts]:
    def change(view: "View", event: Event) -> Facts:
        return _last_drop(
            view,
            event,
            lambda drop: replace(drop, back_after_s=max(0, event.t_us - drop.t_us) / 1e6, back_by=by),
        )

    return change


def _update_finished(view: "View", event: Event) -> Facts:
    facts = updates.finished(view, event)
    return facts | (_about(view, event, firmware=event.firmware_to) if event.error_code is None else {})


def _sets(**facts: Any) -> Callable[["View", Event], Facts]:
    return lambda _view, _event: facts


_CHANGES: dict[str, Callable[["View", Event], Facts]] = {
    Kind.HOST_CHANGED: _host_changed,
    Kind.NOTICE: _notice,
    Kind.ERROR: updates.unknown,
    Kind.DISCOVERY_STARTED: _discovery_started,
    Kind.READER_FOUND: _reader_found,
    Kind.READER_LOST: _reader_lost,
    Kind.READER_INFO: _reader_info,
    Kind.REGISTERED: _registered,
    Kind.SIGNAL: _signal,
    Kind.BATTERY: _battery,
    Kind.LOW_BATTERY: _low_battery,
    Kind.BATTERY_FALSE_READING: lambda _view, event: {"false_battery_us": event.t_us},
    Kind.STANDBY_ENTERED: lambda view, event: _about(view, event, standby=True),
    Kind.STANDBY_LEFT: lambda view, event: _about(view, event, standby=False),
    Kind.BUSY_STARTED: _sets(busy=True),
    Kind.BUSY_ENDED: _sets(busy=False),
    Kind.CARD_INSERTED: _sets(card_inserted=True),
    Kind.CARD_REMOVED: _sets(card_inserted=False),
    Kind.CONNECT_STARTED: _connect_started,
    Kind.CONNECT_SUCCEEDED: _back("hand"),
    Kind.CONNECT_FAILED: updates.refused,
    Kind.LINK_DISCONNECTED: _link_disconnected,
    Kind.DISCONNECTED: _disconnected,
    Kind.REASON_LEARNED: _reason_learned,
    Kind.RECONNECT_STARTED: _reconnect_started,
    Kind.RECONNECT_ATTEMPTED: _reconnect_attempted,
    Kind.RECONNECT_SUCCEEDED: _back("itself"),
    Kind.RECONNECT_FAILED: _reconnect_failed,
    Kind.UPDATE_AVAILABLE: updates.available,
    Kind.UPDATE_STARTED: updates.started,
    Kind.UPDATE_PROGRESS: updates.went_on,
    Kind.UPDATE_FINISHED: _update_finished,
}
"""Kind → what it changes on screen."""
