"""`Panel`: a widget that draws a `View` and holds no truth of its own.

A panel turns a view into its *picture*: plain data, ready to be shown. Only the differences between one picture and the
next go to the page, as one message a frame. What people do in the page comes back as a command, and all a command does
is hand over to the session's loop: Lab runs the callbacks of a widget on changing threads.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, cast

import anywidget

from terminal_kit.errors import CanceledError, TerminalError
from terminal_kit.panels.painter import Painter
from terminal_kit.radio import Undo
from terminal_kit.session import Session
from terminal_kit.view import View
from terminal_kit.words import visible

P = ParamSpec("P")
Picture = dict[str, Any]

BADGES = {"simulated": "simulated", "virtual": "virtual radio", "import": "imported"}
"""What a panel says about data that no radio of this machine has heard just now."""

_PAGE = Path(__file__).parent / "page"

_log = logging.getLogger(__name__)


def script(name: str) -> str:
    """A panel's script for the page, after the parts that all panels share."""
    return "\n".join((_PAGE / file).read_text("utf-8") for file in ("panel.js", f"{name}.js"))


def style() -> str:
    """The panels' one style sheet."""
    return (_PAGE / "panel.css").read_text("utf-8")


JUMP_US = 5_000_000
"""Pages count the time up by themselves; so far off, "+24 h" or a sleeping host, they are told anew."""


class Panel(anywidget.AnyWidget):
    """One panel. It borrows the session: closing the panel leaves the session as it is.

    Subclasses say what the picture is (`draw`) and what each command does (`obey`). `painter` is a bench's. A panel
    that stands alone takes the place of an earlier one of its name on that session, which is closed: running its cell
    again leaves one, not two (to see it twice, display it twice). The last error stays in the picture (`trouble`)
    until the next command or until somebody dismisses it.
    """

    _css = style()
    name: ClassVar[str]

    def __init__(self, session: Session, *, painter: Painter | None = None) -> None:
        self._unhang: Undo = _hangs_nowhere  # a widget that could not be made is closed all the same
        hanging = painter or Painter.shared(session)  # raises where the session does not run
        super().__init__()
        self.session = session
        self._sent: Picture = {"drawn": False}  # what the pages show
        self._hello = object()  # a new one whenever a page has opened, which knows nothing yet
        self._answered: object = None
        self._owes_news = True
        self._clock = (0, 0.0)  # the session's time (UTC, microseconds) as last told, and when (monotonic seconds)
        self._trouble: Picture | None = None
        self._painter = hanging
        unbind(self)
        self.on_msg(self._on_command)  # pyright: ignore[reportUnknownMemberType]
        self._unhang = self._painter.hang(self)
        if painter is None:
            for other in self._painter.drawers:
                if isinstance(other, Panel) and other.name == self.name and other is not self:
                    other.close()

    def draw(self, view: View) -> Picture:
        """The picture of this view. A value that is a dict is a table: its rows are compared and sent one by one."""
        raise NotImplementedError

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Carries out what somebody asked for in the page."""
        raise NotImplementedError

    def news(self, view: View, *, whole: bool) -> tuple[Any, list[bytes]]:
        """What is sent beside the picture since it changes all the time: data, and buffers. `whole`: from the start."""
        return None, []

    def paint(self, view: View) -> None:
        """Sends what changed since the last picture; called by the painter.

        A panel that cannot draw says so and keeps what it showed; it tries again at the next frame.
        """
        hello = self._hello  # before drawing: a page that opens meanwhile has its own turn
        whole, self._answered = hello is not self._answered, hello
        self._owes_news |= whole
        news, buffers = None, list[bytes]()
        try:
            picture = self.draw(view) | {"drawn": True}
            news, buffers = self.news(view, whole=self._owes_news)
            self._owes_news = False
        except Exception as error:
            picture = self._sent
            self._stumble(error)
        picture = picture | {"trouble": self._trouble, "badge": BADGES.get(view.radio)}
        changed = changes({} if whole else self._sent, picture)
        self._sent = picture
        if changed or news or buffers or self._has_jumped(view):
            self._clock = (view.now_us, time.monotonic())
            content = {"now_us": view.now_us, "rate": self._rate(), "whole": whole, **changed}
            self.send(content | ({"news": news} if news else {}), buffers or None)  # pyright: ignore[reportUnknownMemberType]
            unbind(self)

    def named(self, serial: str, label: str | None = None) -> str:
        """A reader as the user calls it (L1), with its serial number; ready to be shown."""
        label = label or self.session.labels.get(serial)
        return f"{visible(label)} ({visible(serial)})" if label else visible(serial)

    def _has_jumped(self, view: View) -> bool:
        """Whether the session's time is not what the page has counted up to since it was last told."""
        told_us, at_s = self._clock
        counted_us = told_us + (time.monotonic() - at_s) * 1e6 * self._rate()
        return abs(view.now_us - counted_us) > JUMP_US

    def run(self, function: Callable[P, Awaitable[Any]], *args: P.args, **kwargs: P.kwargs) -> "Future[Any]":
        """Runs an async function on the session's loop; its error appears in this panel."""
        self._tell(None)
        future = self.session.call(function, *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def redraw(self) -> None:
        """Draws at the next frame: something changed that no view tells."""
        self._painter.ask()

    def close(self) -> None:
        """Takes the panel off the page. Safe to repeat."""
        self._unhang()
        super().close()

    def _rate(self) -> float:
        """Seconds of the session's clock in a real one, for a page that counts up; 0 where time jumps."""
        rate = self.session.rate
        return rate if rate < 1000 else 0.0

    def _on_command(self, _widget: object, content: Any, _buffers: object) -> None:
        match content:
            case {"do": "hello"}:
                self._hello = object()
                self._painter.ask()
            case {"do": "dismiss"}:
                self._tell(None)
            case {"do": str(command), **facts}:
                try:
                    self.obey(command, facts)
                except Exception as error:
                    self._tell(error)
            case _:
                pass

    def _done(self, future: "Future[Any]") -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        self._trouble = None if error is None or isinstance(error, CanceledError) else trouble(error)
        self._painter.ask()

    def _stumble(self, error: Exception) -> None:
        """Shows what kept the panel from being drawn; logs it where it is new."""
        if (told := trouble(error)) != self._trouble:
            _log.warning("the panel %s could not be drawn", self.name, exc_info=error)
        self._trouble = told
        self._painter.ask()


def unbind(panel: anywidget.AnyWidget) -> None:
    """Lets Lab choose the thread that hears the page's next message.

    ipykernel 7.4 otherwise brings it to where the request came from that ran when the panel last spoke. A painter
    speaks whenever it likes: while a cell blocks, that is the cell, and the panel's buttons would be dead with it.
    """
    if (comm := cast("object | None", panel.comm)) is not None:
        vars(comm).pop("_reply_subshell_id", None)


def _hangs_nowhere() -> None:
    pass


def trouble(error: BaseException) -> Picture:
    """An error for people: what happened, what to do, and the code that logs know it by."""
    known = error if isinstance(error, TerminalError) else TerminalError(f"{type(error).__name__}: {error}")
    message = visible(str(known)).rstrip(".")
    return {"code": known.code, "message": message[:1].upper() + message[1:] + ".", "hint": visible(known.hint)}


def changes(before: Picture, after: Picture) -> Picture:
    """What turns one picture into the next: `set` for values, `rows` for tables. Empty where nothing changed."""
    values: Picture = {}
    tables: Picture = {}
    for key, new in after.items():
        old = before.get(key)
        if old == new and key in before:
            continue
        if isinstance(new, dict) and isinstance(old, dict):
            tables[key] = _row_changes(cast("Picture", old), cast("Picture", new))
        else:
            values[key] = new
    return {name: part for name, part in (("set", values), ("rows", tables)) if part}


def _row_changes(old: Picture, new: Picture) -> Picture:
    return {
        "set": {key: row for key, row in new.items() if key not in old or old[key] != row},
        "drop": [key for key in old if key not in new],
    }
