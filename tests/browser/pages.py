"""JupyterLab and Voila on a notebook of our own, in headless Chromium."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, Self

from playwright.sync_api import Browser, Locator, Page, Playwright, WebSocket, expect, sync_playwright

import terminal_kit

ROOT = Path(terminal_kit.__file__).parent.parent
WIDTH, HEIGHT = 1280, 1000
START_S = 90.0
"""Lab's first start on a slow machine."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""Debian's Chromium: Playwright's own builds are a download that CI does not make."""

Door = Literal["lab", "voila"]
Theme = Literal["light", "dark"]


def launch(playwright: Playwright) -> Browser:
    """The system's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook with these code cells."""
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "id": f"c{number}",
                "cell_type": "code",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": cell,
            }
            for number, cell in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(document), "utf-8")


class Server:
    """A running Lab or Voila in `folder`; `address(notebook)` is where to go."""

    def __init__(self, door: Door, folder: Path, theme: Theme) -> None:
        self.door = door
        self.folder = folder
        self.port = free_port()
        self._token = secrets.token_hex(16)
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        name = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
        (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": name}), "utf-8")
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False}), "utf-8"
        )
        common = ["--no-browser", f"--port={self.port}", "--allow-root"]
        lab = ["jupyterlab", *common, f"--notebook-dir={folder}", f"--IdentityProvider.token={self._token}"]
        lab += [f"--LabApp.user_settings_dir={folder / 'settings'}", f"--LabApp.workspaces_dir={folder / 'workspaces'}"]
        voila = ["voila", str(folder), "--no-browser", f"--port={self.port}", f"--theme={theme}"]
        self._log = (folder / f"{door}.log").open("wb")
        home = folder / "home"
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "JUPYTER_DATA_DIR": str(home / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(home / "jupyter_config"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", *(lab if door == "lab" else voila)],
            cwd=folder,
            env=environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._wait()

    def address(self, notebook: str) -> str:
        """The notebook's page."""
        if self.door == "voila":
            return f"http://127.0.0.1:{self.port}/voila/render/{notebook}"
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={self._token}&reset"

    def close(self) -> None:
        """Ends the server and its kernels."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/static/favicons/favicon.ico", timeout=2)
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
            else:
                return
        self.close()
        raise RuntimeError((self.folder / f"{self.door}.log").read_text("utf-8", "replace")[-4000:])


class Pages:
    """Opens notebooks in one headless browser. Nothing but this machine can be reached from it."""

    def __init__(self, server: Callable[[Door, Theme], Server]) -> None:
        self._server = server
        self._undo = ExitStack()
        self.errors: list[str] = []
        """Uncaught errors of the pages' scripts."""
        self.received_bytes: list[int] = []
        """The size of each message that a page got over its socket."""

    def __enter__(self) -> Self:
        playwright = self._undo.enter_context(sync_playwright())
        self._browser = launch(playwright)
        self._undo.callback(self._browser.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def open(self, door: Door, *cells: str, theme: Theme = "light", width: int = WIDTH) -> Page:
        """A page on a notebook of these cells, the first one run: by Voila itself, in Lab by Shift+Enter."""
        server = self._server(door, theme)
        name = f"{secrets.token_hex(4)}.ipynb"
        write_notebook(server.folder / name, *cells)
        page = self._browser.new_page(
            viewport={"width": width, "height": HEIGHT}, locale="en-GB", timezone_id="Europe/Berlin"
        )
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._count)
        page.route(lambda address: "://127.0.0.1" not in address, lambda route: route.abort())
        page.goto(server.address(name))
        if door == "lab":
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            page.keyboard.press("Control+b")  # the sidebar: without it 1280 px leave 1100 for output
            run_cell(page, 0)
        return page

    def _count(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self.received_bytes.append(len(data)))


def run_cell(page: Page, number: int) -> None:
    """Runs one cell in Lab, and sees to it that it began: a page that still settles may swallow the keys."""
    prompt = page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-InputPrompt").first
    before = prompt.text_content() or ""
    for _ in range(10):
        prompt.click()
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).not_to_have_text(before, timeout=3000)
            return
    raise AssertionError("the cell does not run")


def part(page: Page, title: str) -> Locator:
    """One panel of the bench."""
    return page.get_by_role("region", name=title, exact=True)


def click(panel: Locator, name: str) -> None:
    """Clicks a button as soon as it can be used."""
    panel.get_by_role("button", name=name, exact=True).click()
