"""Options that several commands share, and where their defaults come from.

A flag wins over the environment (`TERMINAL_KIT_RADIO`, …), which wins over `settings.toml` in the user's
configuration folder.
"""

import argparse
import os
import re
import tomllib
from typing import Any, Protocol

import platformdirs

from terminal_kit.errors import DataError, InvalidParameterError
from terminal_kit.memory import APP
from terminal_kit.session import RADIOS

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Commands(Protocol):
    """argparse's subparsers, which it keeps private."""

    def add_parser(self, name: str, **kwargs: Any) -> argparse.ArgumentParser:
        """One more command."""
        ...


def default(name: str, otherwise: str | None = None) -> str | None:
    """The setting `name` from the environment or the settings file."""
    if value := os.environ.get(f"TERMINAL_KIT_{name.upper()}"):
        return value
    path = platformdirs.user_config_path(APP) / "settings.toml"
    if not path.exists():
        return otherwise
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a settings file: {error}", path=str(path)) from error
    return str(settings[name]) if name in settings else otherwise


def duration_s(text: str) -> float:
    """Seconds from `90`, `90s`, `30m`, `24h` or `2d`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 30m, 24h or 2d")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


def command(commands: Commands, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A new command, with its example at the end of its help."""
    return commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_radio(parser: argparse.ArgumentParser) -> None:
    """`--radio` and `--seed`."""
    parser.add_argument(
        "--radio",
        choices=RADIOS,
        default=default("radio", "simulated"),
        help="which radio to use (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="repeats a simulated run (default: %(default)s)")


def add_location(parser: argparse.ArgumentParser) -> None:
    """`--location`."""
    parser.add_argument("--location", metavar="tml_…", default=default("location"), help="where to register the reader")


def location_of(chosen: argparse.Namespace) -> str:
    """The location that was asked for. Raises `InvalidParameterError` where there is none."""
    if not chosen.location:
        raise InvalidParameterError(
            "a location is needed",
            parameter="--location",
            hint="Pass --location; `terminal-kit locations` lists yours.",
        )
    return chosen.location


def printable(text: str) -> str:
    """Text from a radio or a log, safe for a terminal window: control and direction marks are shown, not obeyed."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
