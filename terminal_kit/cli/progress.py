"""The progress of an update in a terminal window."""

import sys

from terminal_kit.cli.output import printable, say
from terminal_kit.events import Event, Kind
from terminal_kit.words import component_words


class Bar:
    """A listener of a terminal: the progress of an update, on one line where a person looks, else a line a stage."""

    def __init__(self) -> None:
        self._is_watched = sys.stdout.isatty()
        self._stage: str | None = None

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        match event.kind:
            case Kind.UPDATE_STARTED:
                what, size = component_words(event.components or 0), (event.total_bytes or 0) / 1000
                say(f"installing {printable(event.firmware_to or '')}: {what}, {size:.0f} kB")
            case Kind.UPDATE_PROGRESS if self._is_watched:
                print(f"\r{_progress(event)}\x1b[K", end="", flush=True)
            case Kind.UPDATE_PROGRESS if event.stage != self._stage:
                say(_progress(event))
            case Kind.UPDATE_FINISHED:
                end = "installed" if event.error_code is None else f"not installed: {printable(event.error_code)}"
                say(f"{chr(10) if self._is_watched else ''}{end}, after {event.duration_s or 0.0:.0f} s")
            case _:
                return
        self._stage = event.stage


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
