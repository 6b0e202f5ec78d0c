"""`SignalPanel`: signal strength over the last minutes, with gaps where nothing was heard, drops and returns (X8)."""

from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import ConnectionStatus, RssiSource
from terminal_kit.panels.painter import Painter
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.session import Session
from terminal_kit.view import View
from terminal_kit.words import reason_words, words

TRACES = 6
"""More lines than that cannot be told apart, by colour or by dashes."""

FRESH_US = 60_000_000
"""A reader not heard for a minute gives its line to another one."""

_SOURCES = [*RssiSource]


class SignalPanel(Panel):
    """The connected reader and the nearest ones. Only new points are sent."""

    _esm = script("signal")
    name = "signal"

    def __init__(self, session: Session, *, painter: Painter | None = None) -> None:
        self._slots: dict[str, int] = {}
        self._sent_us: dict[str, int] = {}
        super().__init__(session, painter=painter)

    def draw(self, view: View) -> Picture:
        """Which lines there are, and the marks on them."""
        self._choose(view)
        ours = view.reader.serial if view.reader and view.status is ConnectionStatus.CONNECTED else None
        traces = {
            serial: {"slot": slot, "name": self.named(serial), "connected": serial == ours}
            for serial, slot in self._slots.items()
        }
        return {
            "traces": traces,
            "marks": _marks(view),
            "sources": {str(number): words(source) for number, source in enumerate(_SOURCES)},
        }

    def news(self, view: View, *, whole: bool) -> tuple[Any, list[bytes]]:
        """The points that the page does not have yet."""
        if whole:
            self._sent_us.clear()
        fresh: dict[str, list[list[float]]] = {}
        for serial in self._slots:
            sent_us = self._sent_us.get(serial, -1)
            points = [point for point in view.signals.get(serial, ()) if point.t_us > sent_us]
            if points:
                self._sent_us[serial] = points[-1].t_us
                fresh[serial] = [[point.t_us, round(point.rssi_dbm, 1), _number(point.source)] for point in points]
        return fresh or None, []

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """A chart only shows."""
        raise InvalidParameterError(f"the chart has no command {command!r}", parameter="command")

    def _choose(self, view: View) -> None:
        """Keeps a reader's line and colour as long as it is heard; free lines go to the strongest."""
        fresh = {
            serial: points[-1].rssi_dbm
            for serial, points in view.signals.items()
            if view.now_us - points[-1].t_us < FRESH_US
        }
        first = view.reader.serial if view.reader else ""
        if first in view.signals:
            fresh[first] = 0.0
        for serial in [serial for serial in self._slots if serial not in fresh]:
            self._forget(serial)
        for serial in sorted(fresh, key=lambda serial: -fresh[serial])[:TRACES]:
            if serial in self._slots:
                continue
            if len(self._slots) >= TRACES:
                if serial != first:
                    break
                self._forget(min(self._slots, key=lambda other: fresh[other]))
            self._slots[serial] = min(set(range(TRACES)) - set(self._slots.values()))

    def _forget(self, serial: str) -> None:
        del self._slots[serial]
        self._sent_us.pop(serial, None)


def _number(source: str | None) -> int:
    return _SOURCES.index(RssiSource(source)) if source in set(_SOURCES) else -1


def _marks(view: View) -> Picture:
    """A cross for each drop and a triangle for each return."""
    marks: Picture = {}
    for drop in view.drops[-20:]:
        key = f"{drop.reader} {drop.t_us}"
        marks[key] = {"t_us": drop.t_us, "rssi": drop.rssi_dbm, "words": reason_words(drop.reason), "back": False}
        if drop.back_after_s is not None:
            back_us = drop.t_us + round(drop.back_after_s * 1e6)
            marks[f"{key} back"] = {"t_us": back_us, "rssi": None, "words": "back", "back": True}
    return marks
