"""Options that several commands share, and where their defaults come from.

A flag wins over the environment (`TERMINAL_KIT_RADIO`, `TERMINAL_KIT_LOCATION`, `TERMINAL_KIT_FEED`), which wins over
`settings.toml` in the user's configuration folder (`radio = "native"`, `location = "tml_…"`). Settings are read by the
commands that need them, when they run: a broken file keeps nobody from help, or from `doctor`.
"""

import argparse
import os
import tomllib
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypedDict

import platformdirs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.cli import values
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import RadioName
from terminal_kit.memory import APP, Locations
from terminal_kit.reader import check_location_id
from terminal_kit.session import RADIOS
from terminal_kit.updates.keys import read_public_key

SETTINGS = ("radio", "location", "feed", "feed_key")
"""What the settings file may hold."""


class Commands(Protocol):
    """argparse's subparsers, which it keeps private."""

    def add_parser(self, name: str, **kwargs: Any) -> argparse.ArgumentParser:
        """One more command."""
        ...


class UsageError(Exception):
    """A wrong value that only the running command could see: one line, and exit code 2, as for argparse's own."""


def usage_of(error: InvalidParameterError) -> UsageError:
    """What a public call says of a parameter, said of the option that is named like it."""
    return UsageError(f"--{error.parameter.replace('_', '-')}: {str(error).rstrip('.')}. {error.hint.rstrip('.')}")


class Given(NamedTuple):
    """A value and who gave it: a flag, a variable of the environment, or a file."""

    value: str
    by: str


def settings_path() -> Path:
    """The user's settings file, which need not exist."""
    return platformdirs.user_config_path(APP) / "settings.toml"


def settings() -> dict[str, Any]:
    """What the settings file holds. Raises `UsageError` where it cannot be read."""
    path = settings_path()
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a settings file: {error}") from error


def radio_of(chosen: argparse.Namespace) -> RadioName:
    """The radio that was asked for, `simulated` where nobody did. Raises `UsageError` where there is none such."""
    given = _given(chosen, "radio")
    if given is None:
        return "simulated"
    if given.value not in RADIOS:
        raise UsageError(f"{given.by}: {given.value!r} is no radio; choose one of {', '.join(RADIOS)}")
    return given.value


def location_of(chosen: argparse.Namespace) -> str:
    """The location that was asked for. Raises `UsageError` where none was, or not one of the user's."""
    given = _given(chosen, "location")
    if given is None:
        raise UsageError("a location is needed: pass --location; `terminal-kit locations` lists yours")
    try:
        check_location_id(given.value)
    except InvalidParameterError as error:
        raise UsageError(f"{given.by}: {error}") from error
    kept = Locations.of_user()
    if kept.find(given.value) is None:
        known = ", ".join(place.id for place in kept.list_locations())
        raise UsageError(
            f"{given.by}: {given.value} is not one of your locations ({known}); `terminal-kit locations add` adds one"
        )
    return given.value


class FeedChoice(TypedDict, total=False):
    """The parameters of a session's feed."""

    feed: str
    feed_key: str


def feed_of(chosen: argparse.Namespace) -> FeedChoice:
    """The update feed that was asked for, and its key; what nobody named is left out."""
    choice = FeedChoice()
    if hasattr(chosen, "feed") and (feed := _given(chosen, "feed")):
        choice["feed"] = feed.value
        if key := _given(chosen, "feed_key"):
            choice["feed_key"] = key.value
    return choice


def command(commands: Commands, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A new command, with its example at the end of its help."""
    return commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_connection(parser: argparse.ArgumentParser) -> None:
    """What every command that connects a reader takes: `--timeout-s`, `--log`, and where, from which feed, by what."""
    parser.add_argument(
        "--timeout-s",
        type=values.limit_s,
        default=15.0,
        help="how long to look; 0: no limit (default: %(default)s)",
    )
    parser.add_argument("--log", help="record into this log")
    add_location(parser)
    add_feed(parser)
    add_radio(parser)


def add_radio(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """`--radio`, and `--seed` for commands whose run it repeats."""
    parser.add_argument(
        "--radio", choices=RADIOS, help="which radio to use (default: the setting `radio`, else simulated)"
    )
    if seed:
        parser.add_argument(
            "--seed", type=values.seed, default=0, help="repeats a simulated run (default: %(default)s)"
        )


def add_location(parser: argparse.ArgumentParser) -> None:
    """`--location`."""
    parser.add_argument(
        "--location",
        type=values.location_id,
        metavar="tml_…",
        help="where to register the reader (default: the setting `location`)",
    )


def key_of(path: Path) -> Ed25519PublicKey:
    """The public key in a file, read before anything else is done. Raises `UsageError`."""
    try:
        return read_public_key(path)
    except InvalidParameterError as error:
        raise UsageError(str(error)) from error


def add_feed(parser: argparse.ArgumentParser) -> None:
    """`--feed` and `--feed-key`."""
    parser.add_argument(
        "--feed",
        metavar="FOLDER|URL",
        help="where updates come from (default: the setting `feed`, else none)",
    )
    parser.add_argument(
        "--feed-key",
        metavar="FILE",
        help="the feed's public key (PEM; default: the setting `feed_key`, else keys made on this computer)",
    )


def _given(chosen: argparse.Namespace, name: str) -> Given | None:
    if flag := getattr(chosen, name):
        return Given(str(flag), f"--{name}")
    variable = f"TERMINAL_KIT_{name.upper()}"
    if value := os.environ.get(variable):
        return Given(value, variable)
    kept = settings()
    return Given(str(kept[name]), str(settings_path())) if name in kept else None
