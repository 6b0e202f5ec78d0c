"""`DisconnectLogPanel`: every drop with its reason, its code, the signal before it, and its end (X)."""

from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import DisconnectReason, ReasonSource
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.view import Drop, View
from terminal_kit.words import hci_words, reason_words, words

ROWS = 100
"""As many as anybody scrolls through; the event log has them all."""

_SOURCES = {source.value: words(source) for source in ReasonSource}


class DisconnectLogPanel(Panel):
    """The disconnects of this session, newest first."""

    _esm = script("disconnects")
    name = "disconnects"

    def draw(self, view: View) -> Picture:
        """A row for each drop; the page counts up the time of those still gone."""
        shown = view.drops[-ROWS:]
        # Two drops may carry the same time; the place among them tells them apart.
        return {"rows": {str(drop.t_us * 256 + place): self._row(drop) for place, drop in enumerate(shown)}}

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """A log only tells."""
        raise InvalidParameterError(f"the log has no command {command!r}", parameter="command")

    def _row(self, drop: Drop) -> Picture:
        return {
            "t_us": drop.t_us,
            "reader": self.named(drop.reader),
            "why": reason_words(drop.reason),
            "source": _SOURCES.get(drop.reason_source or "", ""),
            "code": "–" if drop.hci_code is None else hci_words(drop.hci_code),
            "rssi": drop.rssi_dbm,
            "back": drop.back_after_s,
            "over_us": drop.over_us,
            "fate": _fate(drop),
        }


def _fate(drop: Drop) -> str:
    if drop.back_by is not None:
        return drop.back_by
    if drop.awaited:
        return "awaited" if drop.over_us is None else "given_up"
    return "wanted" if drop.reason == DisconnectReason.DISCONNECT_REQUESTED else "gone"
