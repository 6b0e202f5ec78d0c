"""The progress of an update in a terminal window."""

import sys
from typing import ClassVar

from terminal_kit.cli.output import printable, say
from terminal_kit.events import Event, Kind
from terminal_kit.words import component_words


class Bar:
    """A listener of a terminal: the progress of an update, on one line where a person looks, else a line a stage."""

    _stands: ClassVar[bool] = False
    """Whether the cursor is in the bar's line: a window has one cursor, whoever writes to it."""

    @staticmethod
    def end_line() -> None:
        """Ends the bar's line, where there is one, so that something else can be said below it."""
        if Bar._stands:
            Bar._stands = False
            say("")

    def __init__(self) -> None:
        self._is_watched = sys.stdout.isatty()
        self._stage: str | None = None

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        match event.kind:
            case Kind.UPDATE_STARTED:
                self.end_line()
                say(_start(event))
            case Kind.UPDATE_PROGRESS if self._is_watched:
                Bar._stands = True
                print(f"\r{_progress(event)}\x1b[K", end="", flush=True)
            case Kind.UPDATE_PROGRESS if event.stage != self._stage:
                say(_progress(event))
            case Kind.UPDATE_FINISHED:
                end = "installed" if event.error_code is None else f"not installed: {printable(event.error_code)}"
                self.end_line()
                say(f"{end}, after {event.duration_s or 0.0:.0f} s")
            case _:
                return
        self._stage = event.stage


def _start(event: Event) -> str:
    version = printable(event.firmware_to or "")
    if event.components == 0:  # an earlier installation was cut off before it could
        return f"confirming {version}"
    return f"installing {version}: {component_words(event.components or 0)}, {(event.total_bytes or 0) / 1000:.0f} kB"


def _progress(event: Event) -> str:
    extra = event.extra or {}
    parts = [f"{event.progress or 0.0:4.0%}", event.stage or ""]
    if extra.get("parts", 1) > 1:
        parts.append(f"{extra.get('component')} ({extra.get('part')} of {extra.get('parts')})")
    if rate := extra.get("bytes_per_s"):
        parts.append(f"{rate / 1000:.0f} kB/s")
    if left_s := extra.get("left_s"):
        parts.append(f"about {left_s:.0f} s left")
    return "  ".join(part for part in parts if part)
