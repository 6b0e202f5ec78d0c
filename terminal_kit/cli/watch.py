"""`watch`: unattended recording of one reader, for hours, through drops and a sleeping host."""

import argparse
import asyncio
import logging
import time

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, add_location, add_radio, command, location_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.progress import Bar
from terminal_kit.cli.recording import Follower, session_of
from terminal_kit.errors import InvalidParameterError, TerminalError
from terminal_kit.events import ConnectionStatus, Kind
from terminal_kit.session import Session

_log = logging.getLogger(__name__)

LOOK_S = 30.0
"""How long each search for the reader lasts before the next one; the log shows every one."""

PAUSE_S = 10.0
"""Between failures that come at once, such as a radio that is off."""

TICK_S = 5.0
SLEPT_S = 20.0
"""A tick that took so much longer than it should: the host slept, and the log says so."""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    watch = command(
        commands,
        "watch",
        "records a reader without anybody looking, through drops and a sleeping host",
        "terminal-kit watch STRM26138003393 --location tml_front_desk --log night.db --for 24h",
    )
    watch.add_argument("serial", nargs="?", help="which reader (default: the nearest)")
    watch.add_argument("--log", required=True, help="the log to record into")
    watch.add_argument("--for", dest="for_s", type=values.duration_s, help="how long (default: until Ctrl-C)")
    add_location(watch)
    add_radio(watch)
    watch.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Records until the time is over, Ctrl-C, or the system's wish; all end with a finished run in the log."""
    location = location_of(chosen)
    with session_of(chosen) as session:
        session.terminal.subscribe(Follower())
        session.terminal.subscribe(Bar())
        recording = session.call(_record, session, chosen.serial, location, chosen.for_s)
        try:
            recording.result()
        except KeyboardInterrupt:
            recording.cancel()
            say("stopped")
    return 0


async def _record(session: Session, serial: str | None, location: str, for_s: float | None) -> None:
    try:
        async with asyncio.timeout(for_s), asyncio.TaskGroup() as tasks:
            tasks.create_task(_notice_sleep(session))
            tasks.create_task(_keep_connected(session, serial, location))
    except* TimeoutError:
        pass
    except* InvalidParameterError as group:
        raise group.exceptions[0] from None


async def _keep_connected(session: Session, serial: str | None, location: str) -> None:
    terminal = session.terminal
    while True:
        try:
            # Whatever the last round left under way comes to its end first.
            await terminal.until(ConnectionStatus.NOT_CONNECTED)
            reader = await terminal.easy_connect(location, serial=serial, timeout_s=LOOK_S)
            serial = reader.serial
        except InvalidParameterError:
            raise  # no later round would go better
        except TerminalError as error:
            say(f"{printable(serial or 'any reader')}: {printable(error.line())}")
            await asyncio.sleep(PAUSE_S)
        except Exception as error:
            # A mistake of ours must not cost the night: it is kept beside the rest, and the next round may do.
            _log.debug("a round of watching failed", exc_info=True)
            what = f"{type(error).__name__}: {error}"
            session.tell(Kind.ERROR, error_code=TerminalError.code, text=what)
            say(f"{printable(serial or 'any reader')}: {TerminalError.code}: {printable(what)}")
            await asyncio.sleep(PAUSE_S)


async def _notice_sleep(session: Session) -> None:
    while True:
        wall_s = time.time()
        await asyncio.sleep(TICK_S)
        asleep_s = time.time() - wall_s - TICK_S
        if asleep_s > SLEPT_S:
            session.tell(Kind.GAP, duration_s=asleep_s, text="the host slept")
