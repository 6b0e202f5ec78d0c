"""`connect` and `reboot`: one reader, with somebody looking."""

import argparse
import asyncio
import time

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, add_connection, command, location_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.progress import Bar
from terminal_kit.cli.recording import Follower, session_of
from terminal_kit.events import ConnectionStatus
from terminal_kit.reader import Reader
from terminal_kit.session import Session
from terminal_kit.terminal import Terminal


def add_to(commands: Commands) -> None:
    """Adds the two commands."""
    connect = command(
        commands,
        "connect",
        "connects a reader and tells what happens to it",
        "terminal-kit connect STRM26138003393 --location tml_front_desk --for 1m",
    )
    reboot = command(
        commands,
        "reboot",
        "restarts a reader and waits until it is back",
        "terminal-kit reboot STRM26138003393 --location tml_front_desk",
    )
    for parser in (connect, reboot):
        parser.add_argument("serial", nargs="?", help="which reader (default: the nearest)")
        add_connection(parser)
    connect.add_argument("--for", dest="for_s", type=values.duration_s, help="how long to stay (default: until Ctrl-C)")
    connect.set_defaults(run=run_connect)
    reboot.set_defaults(run=run_reboot)


def run_connect(chosen: argparse.Namespace) -> int:
    """Connects, prints what happens, and disconnects at the end; fails where the reader was lost before."""
    location = location_of(chosen)
    with session_of(chosen) as session:
        follower = Follower()
        session.terminal.subscribe(follower)
        session.terminal.subscribe(Bar())
        reader = _connect(session, chosen, location)
        if session.call(_is_lost, session.terminal, chosen.for_s).result():
            raise follower.loss(f"{reader.serial} was lost for good")
    return 0


def run_reboot(chosen: argparse.Namespace) -> int:
    """Connects, restarts the reader, and waits for its return; fails where it does not come back."""
    location = location_of(chosen)
    with session_of(chosen) as session:
        follower = Follower()
        session.terminal.subscribe(follower)
        session.terminal.subscribe(Bar())
        reader = _connect(session, chosen, location)
        started_s = time.monotonic()
        session.call(session.terminal.reboot_reader).result()
        if session.call(_is_gone, session.terminal).result():
            raise follower.loss(f"{reader.serial} did not come back")
        say(f"{printable(reader.serial)} is back after {time.monotonic() - started_s:.0f} s")
    return 0


def _connect(session: Session, chosen: argparse.Namespace, location: str) -> Reader:
    reader = session.call(
        session.terminal.easy_connect, location, serial=chosen.serial, timeout_s=chosen.timeout_s
    ).result()
    say(f"{printable(reader.serial)} connected at {location}, software {printable(reader.firmware or 'unknown')}")
    return reader


async def _is_lost(terminal: Terminal, for_s: float | None) -> bool:
    """Whether the reader was lost for good within `for_s` seconds; None waits for it."""
    try:
        async with asyncio.timeout(for_s):
            await terminal.until(ConnectionStatus.NOT_CONNECTED)
    except TimeoutError:
        return False
    return True


async def _is_gone(terminal: Terminal) -> bool:
    """Waits until the reader is connected again, or will not be; tells whether it will not."""
    ends = (ConnectionStatus.CONNECTED, ConnectionStatus.NOT_CONNECTED)
    waiting = {asyncio.ensure_future(terminal.until(status)) for status in ends}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    return terminal.status is ConnectionStatus.NOT_CONNECTED
