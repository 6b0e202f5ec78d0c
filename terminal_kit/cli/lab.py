"""`lab`: JupyterLab, open on the notebooks."""

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import platformdirs

import terminal_kit
from terminal_kit.cli.options import Commands, add_radio, command
from terminal_kit.errors import TerminalError
from terminal_kit.memory import APP

FIRST = "01_start_here.ipynb"


def add_to(commands: Commands) -> None:
    """Adds the command."""
    lab = command(commands, "lab", "opens the bench in JupyterLab", "terminal-kit lab --radio native")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    lab.add_argument("--port", type=int, default=8888, help="where to listen (default: %(default)s)")
    add_radio(lab)
    lab.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Runs JupyterLab until it is stopped."""
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
    environment = os.environ | {"TERMINAL_KIT_RADIO": chosen.radio}
    return subprocess.run(arguments, env=environment, check=False).returncode


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
