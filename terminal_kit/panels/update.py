"""`UpdatePanel`: the update that waits, runs or has run (U)."""

from typing import Any
from weakref import WeakKeyDictionary

from terminal_kit.errors import (
    CanceledError,
    InvalidParameterError,
    TerminalError,
    UpdateInterruptedError,
    UpdateRequiredError,
    error_class,
)
from terminal_kit.events import ConnectionStatus, UpdateComponent
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.reader import MINIMUM_BATTERY, EstimatedUpdateTime
from terminal_kit.session import Session
from terminal_kit.view import Update, View
from terminal_kit.words import component_words, stage_words, visible, why_update, words

_WHAT_FOR = "Updates bring regional configuration, security and keys; which one is due depends on the location."

_ESTIMATES = {estimate.value: words(estimate) for estimate in EstimatedUpdateTime}

_UNDONE = (None, "checking", "uploading")
"""Stages in which an update can be canceled: nothing has happened to the reader's software yet (U6)."""

_GO_ON = (UpdateInterruptedError.code, CanceledError.code, UpdateRequiredError.code)
"""Cut or canceled: nothing is to be mended, and what the reader has already is not sent again (U10)."""

_PUT_AWAY: WeakKeyDictionary[Session, set[tuple[str, str | None]]] = WeakKeyDictionary()
"""Reader and version of the updates that somebody put off. Panels come and go with their cells; this must not."""


class UpdatePanel(Panel):
    """What is due and why, what it needs, how far it is, what became of it; Install now, Later and Cancel.

    Later puts the update away until a newer one comes or the date from which it is required (U7).
    """

    _esm = script("update")
    name = "update"

    def draw(self, view: View) -> Picture:
        """Progress as a share, times as times: the page knows when a date has come."""
        update = view.update
        connected = view.status is ConnectionStatus.CONNECTED
        running = update is not None and update.is_running
        waits = update is not None and (update.finished_us is None or update.error_code is not None)
        put_away = update is not None and waits and not running and _key(update) in self._put_away
        nothing = _nothing(view)
        result = _result(update, view) if update and update.finished_us is not None else None
        if update is not None and result and self._trouble and self._trouble["code"] == update.error_code:
            self._trouble = None  # the outcome says it, and more
        low = _too_low(update, view) if update and waits and connected else ""
        return {
            "headline": _headline(update) if update else nothing.rstrip("."),
            "about": "" if update else _sentence(view.update_fault) if view.update_fault else _WHAT_FOR,
            "facts": _facts(update, view, self.named(update.reader)) if update else [],
            "due_us": update.required_at_us if update and waits and not running else None,
            "put_away": put_away,
            "running": running,
            "progress": update.progress if update and running else None,
            "doing": _doing(update) if update and running else "",
            "left_s": update.left_s if update and running else None,
            "keep": _keep(update, view) if update and running else "",
            "result": result,
            "failed": update is not None and update.error_code is not None,
            "cannot_install": "It is being installed." if running else (low if connected and waits else nothing),
            "cannot_defer": "It is being installed." if running else "" if waits and connected else nothing,
            "cannot_cancel": _cannot_cancel(update) if update and running else "No update is being installed.",
            "cancel_help": _cancel_help(update) if update else "",
        }

    @property
    def _put_away(self) -> set[tuple[str, str | None]]:
        return _PUT_AWAY.setdefault(self.session, set())

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Install, put away, cancel."""
        waiting = [_key(update)] if (update := self.session.view.update) is not None else []
        match command:
            case "install":
                self._put_away.difference_update(waiting)
                self.run(self.session.terminal.install_available_update)
            case "later":
                self._put_away.update(waiting)
                self.redraw()
            case "cancel":
                self.run(self.session.terminal.cancel_installing_update)
            case _:
                raise InvalidParameterError(f"updates have no command {command!r}", parameter="command")


def _key(update: Update) -> tuple[str, str | None]:
    return update.reader, update.version


def _nothing(view: View) -> str:
    """Why there is no update on screen. A feed that cannot be asked is not taken for one that has nothing."""
    if view.update_fault:
        return "Updates cannot be looked up."
    connected = view.status is ConnectionStatus.CONNECTED
    return "No update waits for this reader." if connected else "No reader is connected."


def _headline(update: Update) -> str:
    if update.is_confirmation and update.is_running:
        return "Confirming new software"
    if update.is_running:
        return "Installing a required update" if update.required else "Installing an update"
    if update.finished_us is None:
        return "An update waits"
    done = "confirmed" if update.is_confirmation else "installed"
    return done.capitalize() if update.error_code is None else f"Not {done}"


def _facts(update: Update, view: View, reader: str) -> list[list[str]]:
    about_another = view.reader is None or view.reader.serial != update.reader
    facts = [["Reader", reader]] if about_another else []
    if update.version_from:
        facts.append(["From", visible(update.version_from)])
    if update.version:
        facts.append(["To", visible(update.version)])
    if update.components:
        facts.append(["Replaces", component_words(update.components)])
        facts.append(["Why", why_update(update.components)])
    if update.is_confirmation or (update.finished_us is not None and update.error_code is None):
        return facts
    if estimate := _ESTIMATES.get(update.estimated_time or ""):
        facts.append(["Takes", estimate + (f", {_bytes(update.total_bytes)}" if update.total_bytes else "")])
    battery = _battery(update, view)
    needed = f"an update begins above {_percent(_minimum(update))}"
    facts.append(["Battery", f"{_percent(battery)}; {needed}" if battery is not None else f"not known; {needed}"])
    return facts


def _doing(update: Update) -> str:
    parts = [stage_words(update.stage, update.component).capitalize()]
    if update.stage == "uploading":
        if (update.parts or 0) > 1:
            parts[0] += f" ({update.part} of {update.parts})"
        if update.total_bytes:
            parts.append(f"{_bytes(update.sent_bytes or 0)} of {_bytes(update.total_bytes)}")
        if update.bytes_per_s:
            parts.append(f"{update.bytes_per_s / 1000:.1f} kB/s")
    return " · ".join(parts)


def _keep(update: Update, view: View) -> str:
    """What people are asked for meanwhile (U9), and why a connection takes longer (U3)."""
    asked = "Keep the reader close and powered, and this page open, until it has finished."
    if view.status is ConnectionStatus.CONNECTED or not update.required:
        return asked
    back = "Reconnecting" if view.status is ConnectionStatus.RECONNECTING else "Connecting"
    return f"{asked} {back} takes longer because this update is required."


def _cannot_cancel(update: Update) -> str:
    if update.is_confirmation:
        return "The reader runs the new software already; this only lets it stay."
    if update.components == UpdateComponent.INCREMENTAL:
        return "An update made of the incremental part alone cannot be canceled."
    if update.stage not in _UNDONE:
        return "It cannot be undone any more: the reader is changing over to the new software."
    return ""


def _cancel_help(update: Update) -> str:
    consequence = "the connection fails with it, because the update is required" if update.required else "it stays due"
    return f"The reader keeps its present software; {consequence}."


def _too_low(update: Update, view: View) -> str:
    """Why the battery keeps an update from beginning (U2), else nothing."""
    battery, needed = _battery(update, view), _minimum(update)
    if battery is None or battery > needed:
        return ""
    return f"The battery is at {_percent(battery)}, and an update begins above {_percent(needed)}. Charge the reader."


def _battery(update: Update, view: View) -> float | None:
    """The level of the update's reader: as the connection has it, else as it was known last."""
    known = (*((view.reader,) if view.reader else ()), *view.readers)
    return next((each.battery for each in known if each.serial == update.reader and each.battery is not None), None)


def _minimum(update: Update) -> float:
    return MINIMUM_BATTERY if update.minimum_battery is None else update.minimum_battery


def _result(update: Update, view: View) -> list[str]:
    """The outcome: what happened; what to do and what it means for the reader; the code that logs know it by."""
    if update.error_code is None:
        version = f"The reader runs {visible(update.version)} now." if update.version else ""
        return [f"{_headline(update)}.", version, ""]
    error = error_class(update.error_code) or TerminalError
    what = _sentence(update.text or "It was not installed")
    sentences = [
        "" if update.error_code in _GO_ON or error.advice in what else error.advice,
        _software(update),
        _next(update, view),
    ]
    return [what, " ".join(filter(None, sentences)), visible(update.error_code)]


def _sentence(text: str) -> str:
    text = visible(text).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _software(update: Update) -> str:
    """What the reader runs after an update that failed: something that works, whatever happened (U10)."""
    if update.started_us is None:
        return "Nothing was sent: the reader works as before."
    if update.stage in _UNDONE:
        return "The reader keeps its present software, which works as before."
    return "The reader starts with its old software or the new one, both whole."


def _next(update: Update, view: View) -> str:
    verb = "goes on where it stopped" if update.error_code in _GO_ON else "tries again"
    connected = view.status is ConnectionStatus.CONNECTED
    if not update.required:
        return f"Install now {verb}." if connected else f"Once it is connected again, Install now {verb}."
    return f"{'The reader can be used for now; t' if connected else 'T'}he next connection {verb}."


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _bytes(count: int) -> str:
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"
