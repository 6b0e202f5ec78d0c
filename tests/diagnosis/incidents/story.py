"""What a kind of incident is: a truth, what is done on the stage, and in which views it can be seen at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from terminal_kit.events import Cause

from .scene import Scene

VIEWS = ("live", "capture", "log")

Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Story:
    """One kind. `play(scene)` does it, from connecting to what follows; `forces` are facts of the setting it needs.

    `hides` names what no view of it can show, by which its truth may leave no trace (see `traces.py`).
    """

    name: str
    cause: Cause
    play: Play
    forces: dict[str, Any] = field(default_factory=dict[str, Any])
    views: tuple[str, ...] = VIEWS
