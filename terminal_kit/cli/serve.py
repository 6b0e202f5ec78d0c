"""`serve`: a simulated reader on a real controller, for any machine near to find."""

import argparse
import asyncio
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, command, key_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recording import hang_up_is_ctrl_c
from terminal_kit.errors import RadioUnavailableError
from terminal_kit.simulator.firmware import ReaderModel


def add_to(commands: Commands) -> None:
    """Adds the command."""
    serve = command(
        commands,
        "serve",
        "puts a simulated reader on the air, through a Bluetooth controller of its own (needs the extra `virtual`)",
        "terminal-kit serve usb:0 --serial STRM26138003393",
    )
    serve.add_argument("transport", help="where the controller is, in Bumble's words: usb:0, tcp-server:…, vhci")
    serve.add_argument("--serial", default="STRM26138003393", help="the reader's serial (default: %(default)s)")
    serve.add_argument("--battery", type=values.level, default=0.8, help="0…1 (default: %(default)s)")
    serve.add_argument(
        "--trust-key", type=Path, metavar="FILE", help="a public key (PEM) whose updates it accepts, beside its own"
    )
    serve.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Serves until Ctrl-C. Raises `RadioUnavailableError` where the controller cannot be had."""
    key = key_of(chosen.trust_key) if chosen.trust_key else None
    with hang_up_is_ctrl_c():
        asyncio.run(_serve(chosen, key))
    return 0


async def _serve(chosen: argparse.Namespace, key: Ed25519PublicKey | None) -> None:
    try:
        from bumble.transport import open_transport  # noqa: PLC0415 - an extra

        from terminal_kit.radio.serve import serve_reader  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RadioUnavailableError(
            "serving a reader needs Bumble", hint="Install it with: pip install 'terminal-kit[virtual]'"
        ) from error

    model = ReaderModel(chosen.serial, battery=chosen.battery)
    if key is not None:
        model.trust(key)
    try:
        transport = await open_transport(chosen.transport)
    except Exception as error:  # Bumble's, libusb's, the system's: whatever the name led to
        raise RadioUnavailableError(
            f"the controller {chosen.transport} cannot be opened: {type(error).__name__}: {error}",
            hint="Name one as Bumble does: usb:0, serial:/dev/ttyACM0, tcp-server:_:6401, vhci; "
            "it must be plugged in, free, and yours to use.",
        ) from error
    async with transport, serve_reader(model, transport):
        say(f"{printable(chosen.serial)} is on the air; Ctrl-C ends it")
        await asyncio.Event().wait()
