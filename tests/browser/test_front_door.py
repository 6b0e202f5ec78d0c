"""What a newcomer does: the README's first command, and Binder, each in a clean environment from the files as they are.

Both end at the same place: the first notebook, its first cell run, and a reader on the bench.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pages import HEIGHT, ROOT, WIDTH, click, free_port, launch, part, run_cell
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

NOT_OURS = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "*.db*", ".ipynb_checkpoints")
START_S = 300.0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project, so that Lab's files stay out of it."""
    shutil.copytree(ROOT, tmp_path / "terminal_kit", ignore=NOT_OURS)
    return tmp_path / "terminal_kit"


@contextmanager
def running(command: str, checkout: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A shell's command line, ended with everything that it started."""
    home = checkout.parent / "home"
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "XDG"))}
    with (checkout.parent / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-euc", command],
            cwd=checkout,
            env=clean | {"HOME": str(home), "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def sees_a_reader_on_the_bench(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text("utf-8", "replace")[-3000:]
        assert time.monotonic() < deadline_s, log.read_text("utf-8", "replace")[-3000:]
        try:
            with urllib.request.urlopen(address, timeout=5):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    with sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        ready_s = time.monotonic()
        # By its role: the table of contents holds the same words, hidden.
        expect(page.get_by_role("heading", name="Start here: the bench")).to_be_visible(timeout=60_000)
        run_cell(page, 2)
        click(part(page, "Readers"), "Scan")
        readers = part(page, "Readers").get_by_role("listbox").get_by_role("option")
        expect(readers.first).to_contain_text("dBm", timeout=60_000)
        print(f"a reader on the bench {time.monotonic() - ready_s:.1f} s after the kernel was ready")
        page.screenshot(path=log.with_suffix(".png"))


def test_the_readmes_first_command_opens_the_bench(checkout: Path) -> None:
    readme = (checkout / "README.md").read_text("utf-8")
    (line,) = re.findall(r"^python3 -m venv .*terminal-kit lab$", readme, re.MULTILINE)
    port = free_port()
    # A new machine's python3 is the one that runs this test; its token is Lab's own affair.
    command = f"{shlex.quote(sys.executable)}{line.removeprefix('python3')} --no-browser --port {port}"
    with running(command, checkout, JUPYTER_TOKEN="front-door") as process:
        address = f"http://127.0.0.1:{port}/?token=front-door"
        sees_a_reader_on_the_bench(address, process, checkout.parent / "lab.log")


def test_binder_opens_the_first_notebook(checkout: Path) -> None:
    """As repo2docker does it: requirements.txt from the root, postBuild, then Lab without a path."""
    port = free_port()
    command = (
        f"{shlex.quote(sys.executable)} -m venv ../clean; export PATH=$PWD/../clean/bin:$PATH; "
        "pip install -q -r binder/requirements.txt; ./binder/postBuild; "
        f"exec jupyter lab --no-browser --allow-root --port={port} --ip=127.0.0.1"
    )
    with running(command, checkout, JUPYTER_TOKEN="front-door", BINDER_SERVICE_HOST="binder") as process:
        address = f"http://127.0.0.1:{port}/?token=front-door"
        sees_a_reader_on_the_bench(address, process, checkout.parent / "lab.log")
        assert not (checkout.parent / "home" / ".local" / "share" / "terminal_kit" / "bench.db").exists()
