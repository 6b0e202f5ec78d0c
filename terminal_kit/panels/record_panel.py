"""`RecordPanel`: the base of panels on what was recorded (a log, a frame), which need no session.

How to build one:

    class SourcesPanel(RecordPanel):
        _esm = script("sources")  # page/sources.js: `export default panel("Sources", …)`, as all panels
        name = "sources"

        def __init__(self, log: EventLog) -> None:
            self._log = log  # what draw() needs stands before super().__init__(), which starts the thread
            super().__init__(about=log.path)

        def draw(self) -> Picture: ...  # on the panel's own thread
        def obey(self, command: str, facts: dict[str, Any]) -> None: ...  # there too, one command at a time

The page speaks as with every panel: `send("command", facts)` there is `obey("command", facts)` here, and after each
command the picture is drawn and what changed of it is sent. Commands from the page are plain JSON of anybody's making:
check them, and raise a `TerminalError`, which the panel shows. What takes longer than a moment goes through `work()`,
on a thread of its own, with a Stop; it tells how it gets on by changing the panel's own data and calling `redraw()`.
`say(data, buffers)` sends something beside the picture, once, to `update(state, {news, buffers})` in the page.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, ClassVar, Concatenate, ParamSpec

import anywidget

from terminal_kit.errors import BusyError, CanceledError
from terminal_kit.panels.painter import FRAME_S
from terminal_kit.panels.panel import Picture, changes, style, trouble, unbind

P = ParamSpec("P")

JOIN_S = 10.0
"""How long closing waits for a thread that is in the middle of something, seconds; it ends by itself afterwards."""

_OPEN: dict[tuple[str, Hashable], "RecordPanel"] = {}
"""The open panels by their name and what they are about: running a cell again must leave one, not two."""

_log = logging.getLogger(__name__)


class RecordPanel(anywidget.AnyWidget):
    """One panel on recorded data. `about` is what it shows: the path of a log, or nothing for a frame.

    It takes the place of an earlier panel of its `name` about the same thing, which is closed. All of its work is done
    on its own thread (`draw`, `obey`), so that neither Lab's changing threads nor a blocking cell matter. `close()`
    ends both threads and waits for them; safe to repeat.
    """

    _css = style()
    name: ClassVar[str]
    latest_only: ClassVar[frozenset[str]] = frozenset()
    """Commands of which an earlier one that still waits is dropped when a later one comes (zooming, panning)."""

    def __init__(self, *, about: Hashable = None) -> None:
        self._closing = threading.Event()
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self._inbox: deque[tuple[str, dict[str, Any]]] = deque()
        self._news: deque[tuple[Any, list[bytes] | None]] = deque()
        self._ready = threading.Condition()
        self._wanted = True
        self._sent: Picture = {"drawn": False}
        self._trouble: Picture | None = None
        self._thread = threading.Thread(target=self._run, name=f"terminal_kit panel {self.name}", daemon=True)
        self._key = (self.name, _place(about))
        super().__init__()
        if (before := _OPEN.pop(self._key, None)) is not None:
            before.close()
        _OPEN[self._key] = self
        unbind(self)
        self.on_msg(self._on_command)  # pyright: ignore[reportUnknownMemberType]
        self._thread.start()

    def draw(self) -> Picture:
        """The picture now: plain data. A value that is a dict is a table: its rows are compared and sent one by one."""
        raise NotImplementedError

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Carries out what somebody asked for in the page. What it raises is shown in the panel."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draws soon: something changed that no command did. From any thread; at most four times a second."""
        with self._ready:
            self._wanted = True
            self._ready.notify()

    def say(self, data: Any, buffers: list[bytes] | None = None) -> None:
        """Sends something beside the picture, once, with the next drawing. From any thread."""
        self._news.append((data, buffers))
        self.redraw()

    @property
    def is_working(self) -> bool:
        """Whether `work()` is under way."""
        worker = self._worker
        return worker is not None and worker.is_alive()

    def work(
        self, function: Callable[Concatenate[threading.Event, P], object], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Runs something long on a thread of its own; its first parameter is an event that is set when it shall stop.

        Its error is shown in the panel; one that stops raises `CanceledError` or returns. Raises `BusyError` while
        another one is under way.
        """
        if self.is_working:
            raise BusyError("the panel is still at work", hint="Wait for it, or stop it.")
        self._stop.clear()

        def run() -> None:
            failure: Exception | None = None
            try:
                function(self._stop, *args, **kwargs)
            except Exception as error:
                failure = error
            self._worker = None  # before it is told: whoever reads of the failure may begin anew
            if failure is not None:
                self._trouble = _told(failure)
            self.redraw()

        self._worker = threading.Thread(target=run, name=f"terminal_kit work of {self.name}", daemon=True)
        self._worker.start()

    def stop_work(self) -> None:
        """Asks what `work()` runs to stop; it does so when it next looks."""
        self._stop.set()

    def close(self) -> None:
        """Ends the panel's threads, waits for them, and takes it off the page. Safe to repeat."""
        if _OPEN.get(self._key) is self:
            del _OPEN[self._key]
        self._stop.set()
        with self._ready:
            self._closing.set()
            self._ready.notify()
        for thread in (self._worker, self._thread):
            if thread is not None and thread.is_alive() and thread is not threading.current_thread():
                thread.join(JOIN_S)
        super().close()

    # ---- inside

    def _on_command(self, _widget: object, content: Any, _buffers: object) -> None:
        """Hands over, and nothing else: Lab calls from changing threads."""
        match content:
            case {"do": str(command), **facts}:
                with self._ready:
                    if command in self.latest_only:
                        waiting = [entry for entry in self._inbox if entry[0] != command]
                        self._inbox.clear()
                        self._inbox.extend(waiting)
                    self._inbox.append((command, facts))
                    self._ready.notify()
            case _:
                pass

    def _run(self) -> None:
        painted_s = -FRAME_S
        while True:
            with self._ready:
                if self._closing.is_set():
                    return
                left_s = painted_s + FRAME_S - time.monotonic()
                due = self._wanted and left_s <= 0
                if not self._inbox and not due:
                    self._ready.wait(left_s if self._wanted else None)
                    continue
                command = self._inbox.popleft() if self._inbox else None
                self._wanted = False
            whole = command is not None and command[0] == "hello"
            if command is not None:
                self._carry_out(*command)
            self._paint(whole=whole)
            painted_s = time.monotonic()

    def _carry_out(self, command: str, facts: dict[str, Any]) -> None:
        match command:
            case "hello":
                return
            case "dismiss":
                self._trouble = None
            case _:
                self._trouble = None
                try:
                    self.obey(command, facts)
                except Exception as error:
                    self._trouble = _told(error)

    def _paint(self, *, whole: bool) -> None:
        """Sends what changed since the last picture. A panel that cannot draw says so and keeps what it showed."""
        try:
            picture = self.draw() | {"drawn": True}
        except Exception as error:
            picture = self._sent
            if (told := _told(error)) != self._trouble:
                _log.warning("the panel %s could not be drawn", self.name, exc_info=error)
            self._trouble = told
        picture = picture | {"trouble": self._trouble}
        changed = changes({} if whole else self._sent, picture)
        self._sent = picture
        if changed:
            self._post({"whole": whole, **changed}, None)
        while self._news:
            data, buffers = self._news.popleft()
            self._post({"whole": False, "news": data}, buffers)

    def _post(self, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        if self._closing.is_set():
            return
        told = {"now_us": time.time_ns() // 1000, "rate": 1.0, **content}
        self.send(told, buffers)  # pyright: ignore[reportUnknownMemberType]
        unbind(self)


def _place(about: Hashable) -> Hashable:
    return str(about.expanduser().resolve()) if isinstance(about, Path) else about


def _told(error: Exception) -> Picture | None:
    return None if isinstance(error, CanceledError) else trouble(error)
