"""`update`: installs what waits for a reader, or images that one has, with its progress."""

import argparse
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.cli.options import Commands, UsageError, add_connection, command, key_of, location_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.progress import Bar
from terminal_kit.cli.recording import Follower, session_of
from terminal_kit.errors import TerminalError, UpdateNotAvailableError
from terminal_kit.image import Image, read_image

LARGEST_IMAGE_BYTES = 64_000_000
"""More flash than any reader or board has: a file beyond it is no image."""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "update",
        "installs a software update on a reader",
        "terminal-kit update STRM26138003393 --location tml_front_desk --image firmware.signed.bin",
    )
    parser.add_argument("serial", help="which reader")
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="an MCUboot image to install, for any device with an SMP server; may be repeated "
        "(default: what the feed has for the reader)",
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="the public key (PEM) that the images must be signed with"
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Connects, which installs what is required, then installs what waits or the given images."""
    location = location_of(chosen)
    if chosen.key and not chosen.image:
        raise UsageError("--key is for --image; a feed's key is --feed-key")
    key = key_of(chosen.key) if chosen.key else None
    images = [_read(path, key) for path in chosen.image]
    with session_of(chosen) as session:
        terminal = session.terminal
        if key is not None and session.air is not None:
            session.air.trust(key)  # as if its readers had come with it
        terminal.subscribe(Follower())
        terminal.subscribe(Bar())
        reader = session.call(
            terminal.easy_connect, location, serial=chosen.serial, timeout_s=chosen.timeout_s
        ).result()
        say(f"{printable(reader.serial)} connected at {location}, software {printable(reader.firmware or 'unknown')}")
        try:
            installed = session.call(
                terminal.install_images if images else terminal.install_available_update, *images
            ).result()
        except UpdateNotAvailableError as error:
            if isinstance(error.__cause__, TerminalError):  # nobody knows whether one waits
                raise error.__cause__ from error
            say(f"nothing waits for {printable(reader.serial)}: it is up to date, or nothing is offered to it")
        else:
            say(f"{printable(installed.serial)} runs {printable(installed.firmware or 'its new software')} now")
    return 0


def _read(path: Path, key: Ed25519PublicKey | None) -> Image:
    """An image from a file, checked before any radio work. Raises `UsageError`, `UpdateError`."""
    try:
        if path.stat().st_size > LARGEST_IMAGE_BYTES:
            raise UsageError(f"{path} has {path.stat().st_size} bytes, which is no image")
        image = read_image(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if key is not None:
        image.check_signature(key)
    return image
