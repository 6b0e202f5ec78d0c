"""`serve`: a simulated reader on a real controller, for any machine near to find."""

import argparse
import asyncio

from terminal_kit.cli.options import Commands, command, printable


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
    serve.add_argument("--battery", type=float, default=0.8, help="0…1 (default: %(default)s)")
    serve.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Serves until Ctrl-C."""
    asyncio.run(_serve(chosen))
    return 0


async def _serve(chosen: argparse.Namespace) -> None:
    from bumble.transport import open_transport  # noqa: PLC0415 - an extra

    from terminal_kit.radio.serve import serve_reader  # noqa: PLC0415
    from terminal_kit.simulator.firmware import ReaderModel  # noqa: PLC0415

    model = ReaderModel(chosen.serial, battery=chosen.battery)
    async with await open_transport(chosen.transport) as transport, serve_reader(model, transport):
        print(f"{printable(chosen.serial)} is on the air; Ctrl-C ends it", flush=True)
        await asyncio.Event().wait()
