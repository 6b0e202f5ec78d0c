"""How far a long piece of work has come, on one line of standard error, where a person looks."""

import sys
from types import TracebackType
from typing import Self

from terminal_kit.cli.output import printable

WIDTH = 30
"""Of the bar, in characters: a name of forty fits beside it in a window of eighty."""


class ShareBar:
    """Shows a share of some work; nothing where standard error is no window. Leaves no trace when it ends."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def show(self, done: int, total: int, what: str = "") -> None:
        """So much of so much is done."""
        share = done / max(total, 1)
        full = round(share * WIDTH)
        name = printable(what)
        line = f"{'█' * full}{'░' * (WIDTH - full)} {share:4.0%}  {name if len(name) < 40 else '…' + name[-39:]}"
        if self._is_watched and line != self._shown:
            self._shown = line
            print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Takes the bar away, so that something else can be said."""
        if self._shown:
            self._shown = ""
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
