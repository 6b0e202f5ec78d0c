"""A terminal window for tests: commands run in this process, or in one that can be hurt."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from terminal_kit.cli import main, recording
from terminal_kit.eventlog import EventLog
from terminal_kit.session import Session
from terminal_kit.simulator import SimulatorLoop
from terminal_kit.view import View

M2 = "STRM26138003393"
AT_DESK = ("--location", "tml_front_desk")
PROGRAM = "import sys; from terminal_kit.cli import main; sys.exit(main())"


def run(*arguments: str) -> int:
    """A command's exit code."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


def start(*arguments: str, program: str = PROGRAM, **options: Any) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, "-c", program, *arguments], **pipes)


def kinds(log: Path) -> list[str]:
    """The kinds in a log, in order."""
    with EventLog(log, read_only=True) as written:
        return [event.kind for event in written.events(radio="all")]


def stage_sessions(
    monkeypatch: pytest.MonkeyPatch, rate: float, prepare: Callable[[Session], None] | None = None
) -> None:
    """Lets the sessions of commands run `rate` times as fast, each prepared before the command gets it."""

    class Staged(Session):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, rate=rate, **options)

        def start(self) -> None:
            super().start()
            if prepare is not None:
                prepare(self)

    monkeypatch.setattr(recording, "Session", Staged)


def once(status: str, do: Callable[[Session], object]) -> Callable[[Session], None]:
    """Prepares a session: `do` is done, in the session's thread, when it first has this status."""

    def prepare(session: Session) -> None:
        done: list[object] = []

        def look(view: View) -> None:
            if view.status == status and not done:
                done.append(do(session))
                # Before, a slow disk must not look like a slow reader; now there is only waiting to do.
                cast("SimulatorLoop", asyncio.get_running_loop()).rate = 500

        session.subscribe(look)

    return prepare
