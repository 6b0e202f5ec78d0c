"""Lab and Voila, each started once; a fresh browser for each test."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from pages import CHROMIUM, Door, Pages, Server, Theme


@pytest.fixture(autouse=True, scope="session")
def chromium() -> None:
    """Without Chromium a laptop skips these; CI never does."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Chromium: apt-get install chromium")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Door, Theme], Server]]:
    """Gives a running Lab or Voila, started when it is first asked for."""
    with ExitStack() as undo:

        @cache
        def started(door: Door, theme: Theme) -> Server:
            server = Server(door, tmp_path_factory.mktemp(f"{door}-{theme}"), theme)
            undo.callback(server.close)
            return server

        yield started


@pytest.fixture
def pages(server: Callable[[Door, Theme], Server]) -> Iterator[Pages]:
    """Opens notebooks, in a browser that lives as long as the test."""
    with Pages(server) as opened:
        yield opened
