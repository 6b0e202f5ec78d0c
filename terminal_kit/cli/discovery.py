"""`discover` and `forget`: readers that are near, and a pairing that no longer holds."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, add_radio, command
from terminal_kit.cli.output import printable
from terminal_kit.cli.recording import session_of
from terminal_kit.errors import ReaderNotFoundError, ScanTimeoutError
from terminal_kit.reader import Reader
from terminal_kit.session import Session
from terminal_kit.words import words


def add_to(commands: Commands) -> None:
    """Adds the two commands."""
    discover = command(commands, "discover", "lists the readers that are near", "terminal-kit discover --timeout-s 5")
    discover.add_argument(
        "--timeout-s",
        type=values.limit_s,
        default=5.0,
        help="how long to scan; 0: until Ctrl-C, which prints what was found (default: %(default)s)",
    )
    discover.add_argument("--all", action="store_true", help="also devices that are no readers")
    discover.add_argument("--json", action="store_true", help="one JSON list")
    add_radio(discover)
    discover.set_defaults(run=run_discover)

    forget = command(
        commands,
        "forget",
        "drops this computer's pairing with a reader that no longer knows it; connecting pairs it anew",
        "terminal-kit forget STRM26138003393 --radio native",
    )
    forget.add_argument("serial", help="which reader; it must be on and near")
    forget.add_argument(
        "--timeout-s", type=values.limit_s, default=15.0, help="how long to look; 0: no limit (default: %(default)s)"
    )
    add_radio(forget)
    forget.set_defaults(run=run_forget)


def run_discover(chosen: argparse.Namespace) -> int:
    """Prints a line a reader, nearest first; interrupted too."""
    with session_of(chosen) as session:
        scan = session.call(session.scan, chosen.timeout_s, show_others=chosen.all)
        code = 0
        found: Sequence[Reader]
        try:
            found = scan.result()
        except KeyboardInterrupt:
            found, code = session.view.readers, 130
        except ScanTimeoutError:
            if not chosen.json:
                raise
            found = []
        now_us = session.radio.clock.utc_us()
    if chosen.json:
        print(json.dumps([as_json(reader) for reader in found], indent=1))
    else:
        for reader in found:
            print(as_line(reader, now_us))
    return code


def run_forget(chosen: argparse.Namespace) -> int:
    """Finds the reader and drops the pairing."""
    with session_of(chosen) as session:
        session.call(_forget, session, chosen.serial, chosen.timeout_s).result()
    print(f"{printable(chosen.serial)} is forgotten; connecting it pairs it anew")
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


def as_line(reader: Reader, now_us: int) -> str:
    """A reader for eyes: serial, type, signal, age of that signal in seconds, battery, label, warnings."""
    signal = "–" if reader.rssi_dbm is None else f"{reader.rssi_dbm:.0f} dBm"
    age = "–" if reader.last_heard_us is None else f"{max(0, now_us - reader.last_heard_us) / 1e6:.1f} s ago"
    battery = "–" if reader.battery is None else f"{reader.battery:.0%}"
    notes = [printable(reader.label)] if reader.label else []
    if reader.paired_in_host:
        notes.append("paired in the system's settings")
    facts = f"{words(reader.device_type):<20} {signal:>8} {age:>10} {battery:>5}  {', '.join(notes)}"
    return f"{printable(reader.serial):<24} {facts}".rstrip()


async def _forget(session: Session, serial: str, timeout_s: float) -> None:
    terminal = session.terminal
    discovery = terminal.discover_readers(timeout_s)
    async for readers in discovery:
        found = next((reader for reader in readers if serial in (reader.serial, reader.name)), None)
        if found is not None:
            await terminal.cancel_discovering()  # hosts run one scan or one connection at a time
            await terminal.forget_reader(found)
            return
    raise ReaderNotFoundError(
        f"{serial} did not appear within {timeout_s:g} s",
        serial=serial,
        timeout_s=timeout_s,
        seen=[reader.serial for reader in discovery.readers],
    )
