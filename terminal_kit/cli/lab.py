"""`lab`: JupyterLab, open on the notebooks."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

import platformdirs

import terminal_kit
from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, add_feed, add_radio, command, feed_of, radio_of
from terminal_kit.errors import TerminalError
from terminal_kit.memory import APP

FIRST = "01_start_here.ipynb"


def add_to(commands: Commands) -> None:
    """Adds the command."""
    lab = command(commands, "lab", "opens the bench in JupyterLab", "terminal-kit lab --radio native")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    lab.add_argument("--port", type=values.port, default=8888, help="where to listen (default: %(default)s)")
    add_feed(lab)
    add_radio(lab, seed=False)
    lab.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Becomes JupyterLab, which ends by its own rules; on Windows, runs it until it has."""
    radio = radio_of(chosen)
    if find_spec("jupyterlab") is None:
        raise TerminalError("JupyterLab is not installed", hint="Install it with: pip install jupyterlab")
    folder = notebooks()
    arguments = [sys.executable, "-m", "jupyterlab", f"--port={chosen.port}", f"--notebook-dir={folder}"]
    arguments.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    if chosen.no_browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # A container's root means to be root; Lab asks for it to be said.
        arguments.append("--allow-root")
    environment = os.environ | {"TERMINAL_KIT_RADIO": radio}
    environment |= {f"TERMINAL_KIT_{name.upper()}": str(value) for name, value in feed_of(chosen).items()}
    if os.name == "nt":
        return beside(arguments, environment)
    return become(arguments, environment)


def become(arguments: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Turns this process into another program: signals reach it and nothing stands between it and its kernels.

    A parent that waits would have to hand signals on, and to outlive Lab's own orderly end: kernels are told to shut
    down, so that their benches disconnect and finish their logs.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - no shell is wanted


def beside(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Runs a program and waits for its end, however often Ctrl-C is pressed; gives its exit code.

    Windows has no exec that keeps the window; there the program gets Ctrl-C by itself.
    """

    def leave_it(_number: int, _frame: FrameType | None) -> None:
        """A function, since being ignored is inherited, and the program must hear it."""

    before = signal.signal(signal.SIGINT, leave_it)
    try:
        return subprocess.Popen(arguments, env=environment).wait()
    finally:
        signal.signal(signal.SIGINT, before)


def notebooks() -> Path:
    """The folder to open: a checkout's own, else a copy of the shipped ones in the user's data folder."""
    package = Path(terminal_kit.__file__).parent
    checkout = package.parent / "notebooks"
    if (checkout / FIRST).exists():
        return checkout
    own = platformdirs.user_data_path(APP) / "notebooks"
    own.mkdir(parents=True, exist_ok=True)
    for shipped in (package / "notebooks").glob("*.ipynb"):
        if not (own / shipped.name).exists():
            shutil.copy(shipped, own)
    return own
