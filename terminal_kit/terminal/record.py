"""How a terminal tells what happens: events to one sink and to any listeners."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from terminal_kit.events import Event
from terminal_kit.radio import Clock, Undo

_log = logging.getLogger(__name__)

Sink = Callable[[Event], None]


class Recorder:
    """Stamps events with the run's two clocks and hands them on.

    The sink is the log's door; listeners are for whoever watches. A failing listener is logged and never alters what
    the terminal does.
    """

    def __init__(self, clock: Clock, sink: Sink | None, terminal: str) -> None:
        self.clock = clock
        self._sink = sink
        self._terminal = terminal
        self._listeners: list[Sink] = []
        self._attempts = 0

    def subscribe(self, listener: Sink) -> Undo:
        """Calls `listener(event)` for every event from now on; returns what ends that."""
        self._listeners.append(listener)

        def undo() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return undo

    def emit(self, kind: str, **columns: Any) -> Event:
        """One event now; `columns` are fields of `Event`."""
        event = Event(
            kind=kind,
            t_us=self.clock.utc_us(),
            mono_us=round(self.clock.monotonic_s() * 1e6),
            terminal=self._terminal,
            **columns,
        )
        for receiver in (self._sink, *self._listeners):
            if receiver is None:
                continue
            try:
                receiver(event)
            except (Exception, asyncio.CancelledError):  # a plain function's: nobody has cancelled this task
                _log.exception("a listener failed on %s", event.kind)
        return event

    def next_attempt_id(self) -> str:
        """A name for one operation from start to end, unique within this terminal's run and the same for a seed."""
        self._attempts += 1
        return f"{self._terminal}-{self._attempts}"
