"""What events change about the one update on screen: it waits, runs, has run, or was refused."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from terminal_kit.errors import UpdateError, UpdateServerError, error_class
from terminal_kit.events import ConnectionStatus, Event
from terminal_kit.view.records import Update

if TYPE_CHECKING:
    from terminal_kit.view.view import View

Facts = dict[str, Any]

_NO_READER = (ConnectionStatus.NOT_CONNECTED, ConnectionStatus.DISCOVERING)


def unknown(view: "View", event: Event) -> Facts:
    """The feed cannot be used (U13).

    It stands until an update is offered or begins, or until the next connection: no event tells that a look succeeded.
    """
    if event.error_code != UpdateServerError.code or view.status in _NO_READER:
        return {}
    return {"update_fault": event.text or "nobody said why"}


def available(view: "View", event: Event) -> Facts:
    """One waits (U7). Offered again after it failed, what became of it stays on screen."""
    last = view.update
    if last is not None and last.is_running:
        return {}
    again = last is not None and last.reader == event.reader and last.version in (None, event.firmware_to)
    if last is not None and again and last.error_code is not None:
        return {"update": replace(last, **_offered(event)), "update_fault": None}
    return {"update": Update(reader=event.reader, **_offered(event)), "update_fault": None}


def started(view: "View", event: Event) -> Facts:
    """One begins (U4)."""
    required = (event.extra or {}).get("required") is True
    begun = Update(reader=event.reader, required=required, started_us=event.t_us, progress=0.0)
    return {"update": replace(begun, **_known(view, event) | _offered(event)), "update_fault": None}


def went_on(view: "View", event: Event) -> Facts:
    """One is further; its share never goes back (U4)."""
    before = view.update or Update(reader=event.reader, started_us=event.t_us)
    extra = event.extra or {}
    return {
        "update": replace(
            before,
            stage=event.stage or before.stage,
            component=extra.get("component"),
            part=extra.get("part"),
            parts=extra.get("parts"),
            progress=max(before.progress or 0.0, event.progress or 0.0),
            sent_bytes=event.sent_bytes,
            total_bytes=event.total_bytes or before.total_bytes,
            bytes_per_s=extra.get("bytes_per_s"),
            left_s=extra.get("left_s"),
        )
    }


def finished(view: "View", event: Event) -> Facts:
    """One has ended, well or not."""
    before = view.update or Update(reader=event.reader, started_us=event.t_us)
    return {
        "update": replace(
            before,
            **_offered(event),
            stage=event.stage or before.stage,
            progress=before.progress if event.error_code else 1.0,
            left_s=None,
            finished_us=event.t_us,
            error_code=event.error_code,
            text=event.text,
        )
    }


def refused(view: "View", event: Event) -> Facts:
    """A required one did not begin, so a connection tells (U2, U5). One that began and failed has told so itself."""
    error = error_class(event.error_code or "")
    last = view.update
    told = last is not None and last.started_us is not None and last.error_code is not None
    if told or error is None or not issubclass(error, UpdateError):
        return {}
    over = Update(
        reader=event.reader, required=True, finished_us=event.t_us, error_code=event.error_code, text=event.text
    )
    return {"update": replace(over, **_known(view, event) | _offered(event))}


def _known(view: "View", event: Event) -> Facts:
    """What was offered, where the event is about that."""
    last = view.update
    if last is None or last.reader != event.reader or event.firmware_to not in (None, last.version):
        return {}
    return {name: getattr(last, name) for name in _OFFERED}


def _offered(event: Event) -> Facts:
    """What an event tells of an update, without what it does not."""
    extra = event.extra or {}
    facts = (
        event.firmware_from,
        event.firmware_to,
        event.components,
        extra.get("estimated_time"),
        event.required_at_us,
        extra.get("minimum_battery"),
        event.total_bytes,
    )
    return {name: fact for name, fact in zip(_OFFERED, facts, strict=True) if fact is not None}


_OFFERED = (
    "version_from",
    "version",
    "components",
    "estimated_time",
    "required_at_us",
    "minimum_battery",
    "total_bytes",
)
"""The facts that do not depend on how far it is, in the order in which `_offered` takes them from an event."""
