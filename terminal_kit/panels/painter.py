"""One thread that draws: it looks at a session's view four times a second and lets its panels send what changed."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from terminal_kit.radio import Undo
from terminal_kit.session import Session
from terminal_kit.view import View

FRAME_S = 0.25
"""Four frames a second: quick enough for the eye, and what a page can draw with long lists and charts on it."""

_SHARED: dict[Session, "Painter"] = {}
"""The painters of panels that stand alone, one a session."""

_log = logging.getLogger(__name__)


class Drawer(Protocol):
    """What a painter paints."""

    def paint(self, view: View) -> None:
        """Draws what changed since the last time."""
        ...


class Painter:
    """Draws the panels of one session, apart from both its loop and the kernel's: neither can slow the other.

    However much happens (a simulated day in a second), a panel gets at most four pictures a second. `close()` ends the
    thread; safe to repeat. Raises `TerminalError` where the session does not run.
    """

    def __init__(self, session: Session) -> None:
        session.post(lambda: None)
        self._session = session
        self._drawers: list[Drawer] = []
        self._seen: View | None = None
        self._failure = ""
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="terminal_kit painter", daemon=True)
        self._thread.start()

    @classmethod
    def shared(cls, session: Session) -> "Painter":
        """The painter of all panels that stand alone on this session. It ends when the last of them is closed."""
        session.post(lambda: None)
        if (painter := _SHARED.get(session)) is None:
            painter = _SHARED[session] = cls(session)
        return painter

    @property
    def drawers(self) -> tuple[Drawer, ...]:
        """What hangs here now."""
        return tuple(self._drawers)

    def hang(self, drawer: Drawer) -> Undo:
        """Draws this panel too; returns what ends that, safe to repeat."""
        self._drawers.append(drawer)
        self.ask()

        def undo() -> None:
            if drawer in self._drawers:
                self._drawers.remove(drawer)
            if not self._drawers and _SHARED.get(self._session) is self:
                del _SHARED[self._session]
                self.close()

        return undo

    def ask(self) -> None:
        """Draws at the next frame even if the view is the same: a panel's own state changed. From any thread."""
        self._wanted.set()

    def close(self) -> None:
        """Ends the thread and waits for it."""
        self._closing.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(FRAME_S):
            self._guarded(self._frame)

    def _frame(self) -> None:
        view = look(self._session)
        # The time alone is no news: pages count it up themselves.
        if self._wanted.is_set() or self._seen is None or replace(view, now_us=self._seen.now_us) != self._seen:
            self._wanted.clear()
            self._seen = view
            for drawer in list(self._drawers):
                self._guarded(lambda drawer=drawer: drawer.paint(view))

    def _guarded(self, draw: Callable[[], None]) -> None:
        """Nothing that fails here may end the thread: every panel would stand still, and nobody would know why."""
        try:
            draw()
        except Exception as error:
            failure = repr(error)
            if failure != self._failure and not self._closing.is_set():  # once, not four times a second
                self._failure = failure
                _log.exception("the panels could not be drawn")


def look(session: Session) -> View:
    """The session's view, with what no event tells: the time, the log's own state, the faults in force."""
    log = session.log
    air = session.air
    return replace(
        session.view,
        now_us=session.radio.clock.utc_us(),
        log=None if log is None else str(log.path),
        log_fault=None if log is None or log.fault is None else str(log.fault),
        faults=() if air is None else tuple(air.faults.active),
        auto_reconnect=session.terminal.auto_reconnect,
    )
