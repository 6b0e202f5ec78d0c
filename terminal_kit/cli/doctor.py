"""`doctor`: what this machine can do, in plain words, and how to get what is missing."""

import argparse
import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from terminal_kit.cli.options import Commands, command
from terminal_kit.errors import TerminalError
from terminal_kit.radio.native import native_radio
from terminal_kit.radio.translation import host_error


class Finding(NamedTuple):
    """One thing that was looked at. `good` is None where it cannot be told."""

    what: str
    good: bool | None
    words: str
    advice: str = ""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    command(commands, "doctor", "says what this machine can do", "terminal-kit doctor").set_defaults(run=run)


def run(_chosen: argparse.Namespace) -> int:
    """Prints a line a finding, with advice under what is missing."""
    for check in CHECKS:
        finding = check()
        mark = {True: "ok", False: "missing", None: "unknown"}[finding.good]
        print(f"{finding.what:<20} {mark:<8} {finding.words}")
        if finding.advice and not finding.good:
            print(f"{'':<29} {finding.advice}")
    return 0


def python() -> Finding:
    """The interpreter."""
    return Finding("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or later.")


def simulated_radio() -> Finding:
    """The default radio, which needs nothing."""
    return Finding("simulated radio", True, "always works, with no Bluetooth at all")


def adapter() -> Finding:
    """Whether the kernel sees an adapter."""
    if sys.platform != "linux":
        return Finding("adapter", None, f"{platform.system()} tells at the first scan: try terminal-kit discover")
    folder = Path("/sys/class/bluetooth")
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    words = ", ".join(names) if names else "the kernel sees none"
    return Finding("adapter", bool(names), words, "Plug in a Bluetooth 4.0+ adapter; in a virtual machine pass it on.")


def kernel() -> Finding:
    """Whether the kernel can do Bluetooth."""
    if sys.platform != "linux":
        return Finding("kernel", True, f"{platform.system()} {platform.release()}")
    modules = Path("/lib/modules") / platform.release() / "kernel" / "net" / "bluetooth"
    good = Path("/sys/class/bluetooth").is_dir() or modules.is_dir()
    words = f"Linux {platform.release()}, {'with' if good else 'without'} Bluetooth"
    return Finding("kernel", good, words, "Install your distribution's full kernel; cloud kernels leave Bluetooth out.")


def bluetoothd() -> Finding:
    """Whether the system's Bluetooth service answers and has a radio that is on."""
    if sys.platform != "linux":
        return Finding("system service", None, "part of the system")

    async def ask() -> TerminalError | None:
        async with native_radio() as radio:
            fault = radio.host_state().fault
            return host_error(fault) if fault else None

    error = asyncio.run(ask())
    if error is None:
        return Finding("bluetoothd", True, "answers, and the radio is on")
    installed = shutil.which("bluetoothctl") is not None
    advice = error.hint if installed else "Install BlueZ: apt-get install bluez"
    return Finding("bluetoothd", False, str(error), advice)


def permissions() -> Finding:
    """Whether this user may talk to the system's bus."""
    if sys.platform != "linux":
        return Finding("permissions", None, "the system asks at the first scan")
    bus = Path("/run/dbus/system_bus_socket")
    good = os.access(bus, os.R_OK | os.W_OK)
    words = "the system bus may be used" if good else f"{bus} cannot be used"
    return Finding("permissions", good, words, "Start dbus; add your user to the group `bluetooth` and log in again.")


def browser() -> Finding:
    """Something to open Lab in."""
    names = ("chromium", "google-chrome", "firefox", "microsoft-edge", "xdg-open", "open", "start")
    found = next((name for name in names if shutil.which(name)), None)
    if found is None and sys.platform != "linux":
        return Finding("browser", None, "the system's own")
    words = found or "none found here"
    return Finding("browser", bool(found), words, "Use terminal-kit lab --no-browser and open the address elsewhere.")


def virtual_radio() -> Finding:
    """The extra for readers over a Bumble link."""
    good = find_spec("bumble") is not None
    words = "Bumble is installed" if good else "Bumble is not installed"
    return Finding("virtual radio", good, words, "Install it with: pip install 'terminal-kit[virtual]'")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    simulated_radio,
    kernel,
    adapter,
    bluetoothd,
    permissions,
    virtual_radio,
    browser,
)
"""What is looked at, in this order."""
