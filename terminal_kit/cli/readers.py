"""`discover`, `connect`, `reboot`: readers from the command line."""

import argparse
import asyncio
import json
from typing import Any

from terminal_kit.cli.options import Commands, add_location, add_radio, command, duration_s, location_of, printable
from terminal_kit.errors import ScanTimeoutError
from terminal_kit.events import ConnectionStatus, Event
from terminal_kit.reader import Reader
from terminal_kit.session import Session
from terminal_kit.words import words


def add_to(commands: Commands) -> None:
    """Adds the three commands."""
    discover = command(commands, "discover", "lists the readers that are near", "terminal-kit discover --timeout-s 5")
    discover.add_argument("--timeout-s", type=float, default=5.0, help="how long to scan (default: %(default)s)")
    discover.add_argument("--all", action="store_true", help="also devices that are no readers")
    discover.add_argument("--json", action="store_true", help="one JSON list")
    add_radio(discover)
    discover.set_defaults(run=run_discover)

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
        parser.add_argument("--timeout-s", type=float, default=15.0, help="how long to look (default: %(default)s)")
        parser.add_argument("--log", help="record into this log")
        add_location(parser)
        add_radio(parser)
    connect.add_argument("--for", dest="for_s", type=duration_s, help="how long to stay (default: until Ctrl-C)")
    connect.set_defaults(run=run_connect)
    reboot.set_defaults(run=run_reboot)


def run_discover(chosen: argparse.Namespace) -> int:
    """Prints a line a reader, nearest first."""
    with Session(chosen.radio, seed=chosen.seed) as session:
        try:
            found = session.call(session.scan, chosen.timeout_s, show_others=chosen.all).result()
        except ScanTimeoutError:
            if not chosen.json:
                raise
            found = []
    if chosen.json:
        print(json.dumps([as_json(reader) for reader in found], indent=1))
        return 0
    for reader in found:
        battery = "" if reader.battery is None else f"{reader.battery:.0%}"
        warning = "  paired in the system's settings" if reader.paired_in_host else ""
        kind = words(reader.device_type)
        print(f"{printable(reader.serial):<24} {kind:<20} {reader.rssi_dbm:>6.0f} dBm {battery:>5}{warning}")
    return 0


def as_json(reader: Reader) -> dict[str, Any]:
    """A reader as the command line's JSON has it."""
    return {
        "serial": reader.serial,
        "label": reader.label,
        "device_type": reader.device_type,
        "address": reader.address,
        "rssi_dbm": reader.rssi_dbm,
        "last_heard_us": reader.last_heard_us,
        "battery": reader.battery,
        "paired_in_host": reader.paired_in_host,
    }


def run_connect(chosen: argparse.Namespace) -> int:
    """Connects, prints what happens, and disconnects at the end."""
    location = location_of(chosen)
    with Session(chosen.radio, seed=chosen.seed, log=chosen.log) as session:
        session.terminal.subscribe(print_event)
        _connect(session, chosen, location)
        session.call(_stay, session, chosen.for_s).result()
    return 0


def run_reboot(chosen: argparse.Namespace) -> int:
    """Connects, restarts the reader, and waits for its return."""
    location = location_of(chosen)
    with Session(chosen.radio, seed=chosen.seed, log=chosen.log) as session:
        session.terminal.subscribe(print_event)
        _connect(session, chosen, location)
        session.call(session.terminal.reboot_reader).result()
        session.call(session.terminal.until, ConnectionStatus.CONNECTED).result()
    return 0


def print_event(event: Event) -> None:
    """One line for what people want to follow; the log has the rest."""
    if event.kind in {"status_changed", "battery", "notice", "reconnect_attempted", "connect_failed", "reason_learned"}:
        facts = (event.status, event.stage, event.reason, event.error_code, event.text)
        told = " ".join(printable(str(fact)) for fact in facts if fact)
        battery = "" if event.battery is None else f" {event.battery:.0%}"
        print(f"{printable(event.reader) or '–':<18} {event.kind:<20} {told}{battery}", flush=True)


def _connect(session: Session, chosen: argparse.Namespace, location: str) -> None:
    reader = session.call(
        session.terminal.easy_connect, location, serial=chosen.serial, timeout_s=chosen.timeout_s
    ).result()
    print(f"{printable(reader.serial)} connected at {location}, software {printable(reader.firmware or 'unknown')}")


async def _stay(session: Session, for_s: float | None) -> None:

    try:
        async with asyncio.timeout(for_s):
            await session.terminal.until(ConnectionStatus.NOT_CONNECTED)
    except TimeoutError:
        return
