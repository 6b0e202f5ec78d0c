"""`UpdatePanel`: the update that waits, runs or has run (U)."""

from typing import Any

from terminal_kit.errors import InvalidParameterError, error_class
from terminal_kit.events import ConnectionStatus
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.reader import EstimatedUpdateTime
from terminal_kit.view import Update, View
from terminal_kit.words import component_words, visible, why_update, words

_WHAT_FOR = "Updates bring regional configuration, security and keys; which one is due depends on the location."

_NOT_YET = "This version reports updates and does not install them yet."

_ESTIMATES = {estimate.value: words(estimate) for estimate in EstimatedUpdateTime}


class UpdatePanel(Panel):
    """Version and components, why and until when, how long it takes, Install now and Cancel.

    This version of the kit installs nothing yet: the button stays off and says so.
    """

    _esm = script("update")
    name = "update"

    def draw(self, view: View) -> Picture:
        """Progress as a share; the page works out the time left."""
        update = view.update
        running = update is not None and update.started_us is not None and update.finished_us is None
        connected = view.status is ConnectionStatus.CONNECTED
        waiting = update is not None and (update.finished_us is None or update.error_code is not None)
        nothing = "No update waits for this reader." if connected else "No reader is connected."
        return {
            "headline": _headline(update) if update else nothing.rstrip("."),
            "why": _why(update) if update else _WHAT_FOR,
            "due_us": update.required_at_us if update and waiting and not running else None,
            "running": running,
            "started_us": update.started_us if update else None,
            "progress": update.progress if update and running else None,
            "stage": visible(update.stage or "") if update else "",
            "bytes": _bytes(update) if update else "",
            "estimate": _ESTIMATES.get(update.estimated_time or "") if update else None,
            "result": _result(update) if update else None,
            "failed": update is not None and update.error_code is not None,
            "cannot_install": "It is being installed." if running else _NOT_YET if waiting else nothing,
            "off": _NOT_YET if waiting and not running else "",
            "can_cancel": running and update is not None and update.components != 1,
            "cannot_cancel": "An incremental update cannot be canceled." if running else "No update is running.",
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Install, cancel."""
        match command:
            case "install":
                self.run(self.session.terminal.install_available_update)
            case "cancel":
                self.run(self.session.terminal.cancel_installing_update)
            case _:
                raise InvalidParameterError(f"updates have no command {command!r}", parameter="command")


def _headline(update: Update) -> str:
    to = visible(update.version or "a newer version")
    return f"{visible(update.version_from)} → {to}" if update.version_from else f"Update to {to}"


def _why(update: Update) -> str:
    parts = [f"{component_words(update.components).capitalize()}: {why_update(update.components)}."]
    if estimate := _ESTIMATES.get(update.estimated_time or ""):
        parts.append(f"Takes {estimate}.")
    return " ".join(parts)


def _bytes(update: Update) -> str:
    if not update.total_bytes:
        return ""
    return f"{(update.sent_bytes or 0) / 1000:.0f} of {update.total_bytes / 1000:.0f} kB"


def _result(update: Update) -> str | None:
    if update.finished_us is None:
        return None
    if update.error_code is None:
        return "Installed."
    error = error_class(update.error_code)
    return f"Not installed ({visible(update.error_code)}). {error.advice if error else ''}".rstrip()
