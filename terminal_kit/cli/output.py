"""Printing: hostile text is shown and not obeyed, and output that nobody takes stops nothing but itself."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

_SPACES = "\u00a0\u202f"
"""Spaces that do not break, as between a number and its unit: Python counts them among what cannot be printed."""


def printable(text: str) -> str:
    """Text from a radio, a log or a user, safe for a terminal window: control and direction marks become escapes."""
    return "".join(c if c.isprintable() or c in _SPACES else c.encode("unicode_escape").decode() for c in text)


def prepare() -> None:
    """Makes standard output take any text: what its encoding lacks is printed as an escape."""
    stream: object = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        cast("io.TextIOWrapper[Any]", stream).reconfigure(errors="backslashreplace")


def say(line: str, *, error: bool = False) -> None:
    """Prints a line at once, to standard output or `error`. A failure ends that output for good, and is not raised.

    For commands that do something besides printing: a closed window must not end a recording.
    """
    stream = sys.stderr if error else sys.stdout
    try:
        print(line, file=stream, flush=True)
    except (OSError, ValueError):
        silence(stream)


def silence(stream: TextIO) -> None:
    """Leads what was and will be written to `stream` nowhere, so that the interpreter's last flush does not fail."""
    # A stream may have no descriptor, and then nothing to fail at the end.
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
