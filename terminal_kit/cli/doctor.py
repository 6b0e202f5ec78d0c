"""`doctor`: what this machine can do, in plain words, and how to get what is missing."""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from terminal_kit.cli import bluez, options
from terminal_kit.cli.finding import Finding
from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable
from terminal_kit.eventlog import default_log_path
from terminal_kit.session import RADIOS

ADAPTERS = Path("/sys/class/bluetooth")


def add_to(commands: Commands) -> None:
    """Adds the command."""
    command(commands, "doctor", "says what this machine can do", "terminal-kit doctor").set_defaults(run=run)


def run(_chosen: argparse.Namespace) -> int:
    """Prints a line a finding, with advice under what is missing."""
    for finding in findings():
        mark = {True: "ok", False: "missing", None: "unknown"}[finding.good]
        print(f"{finding.what:<20} {mark:<8} {printable(finding.words)}")
        if finding.advice and not finding.good:
            print(f"{'':<29} {finding.advice}")
    return 0


def findings() -> Iterator[Finding]:
    """What is looked at, in this order."""
    yield python()
    yield settings()
    yield simulated_radio()
    yield virtual_radio()
    if sys.platform == "linux":
        yield kernel()
        yield adapter()
        yield from bluez.findings()
    else:
        words = f"{platform.system()} tells at the first scan: try terminal-kit discover --radio native"
        yield Finding("native radio", None, words)
    yield jupyterlab()
    yield browser()
    yield log()


def python() -> Finding:
    """The interpreter."""
    return Finding("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or later.")


def settings() -> Finding:
    """The user's settings, whose mistakes the other commands refuse."""
    path = options.settings_path()
    try:
        kept = options.settings()
    except options.UsageError as error:
        return Finding("settings", False, str(error), "Correct the file or remove it.")
    if unknown := sorted(kept.keys() - set(options.SETTINGS)):
        advice = f"There are only: {', '.join(options.SETTINGS)}."
        return Finding("settings", False, f"{path} has no meaning for {', '.join(unknown)}", advice)
    radio = os.environ.get("TERMINAL_KIT_RADIO") or kept.get("radio", RADIOS[0])
    if radio not in RADIOS:
        return Finding("settings", False, f"{radio} is no radio", f"Set one of: {', '.join(RADIOS)}.")
    return Finding("settings", True, f"{path}{'' if path.exists() else ' (none yet)'}; radio: {radio}")


def simulated_radio() -> Finding:
    """The default radio, which needs nothing."""
    return Finding("simulated radio", True, "always works, with no Bluetooth at all")


def virtual_radio() -> Finding:
    """The extra for readers over a Bumble link."""
    good = find_spec("bumble") is not None
    words = "Bumble is installed" if good else "Bumble is not installed"
    return Finding("virtual radio", good, words, "Install it with: pip install 'terminal-kit[virtual]'")


def kernel() -> Finding:
    """Whether Linux can do Bluetooth."""
    modules = Path("/lib/modules") / platform.release() / "kernel" / "net" / "bluetooth"
    good = ADAPTERS.is_dir() or modules.is_dir()
    words = f"Linux {platform.release()}, {'with' if good else 'without'} Bluetooth"
    return Finding("kernel", good, words, "Install your distribution's full kernel; cloud kernels leave Bluetooth out.")


def adapter() -> Finding:
    """Whether Linux sees an adapter."""
    names = sorted(entry.name for entry in ADAPTERS.iterdir()) if ADAPTERS.is_dir() else []
    words = ", ".join(names) if names else "the kernel sees none"
    return Finding("adapter", bool(names), words, "Plug in a Bluetooth 4.0+ adapter; in a virtual machine pass it on.")


def jupyterlab() -> Finding:
    """What `lab` opens."""
    try:
        return Finding("JupyterLab", True, version("jupyterlab"))
    except PackageNotFoundError:
        return Finding("JupyterLab", False, "not installed", "Install it with: pip install jupyterlab")


def browser() -> Finding:
    """Something to open Lab in."""
    names = ("chromium", "google-chrome", "firefox", "microsoft-edge", "xdg-open", "open", "start")
    found = next((name for name in names if shutil.which(name)), None)
    if found is None and sys.platform != "linux":
        return Finding("browser", None, "the system's own")
    words = found or "none found here"
    return Finding("browser", bool(found), words, "Use terminal-kit lab --no-browser and open the address elsewhere.")


def log() -> Finding:
    """Where the bench records by default, and whether it can."""
    path = default_log_path()
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    words = f"{path}{'' if path.exists() else ' (none yet)'}"
    return Finding(
        "log", os.access(there, os.W_OK), words, f"{there} cannot be written; pass bench(log=…) another place."
    )
