"""What a feed may take, in real seconds, and that it holds nobody up for longer."""

import asyncio
import math
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from feeds import BAR, NOW, Folder, a_reader, a_release, feed_of, found, served

from terminal_kit.errors import UpdateServerError
from terminal_kit.simulator import SimulatorLoop
from terminal_kit.updates import feed as feed_module


class Dripping:
    """Sends one header after the other, and never the last."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        self.ended.set()
        socket.create_connection(self._socket.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self.ended.is_set():
            connection, _ = self._socket.accept()
            self._threads.append(threading.Thread(target=self._drip, args=(connection,)))
            self._threads[-1].start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self.ended.wait(0.05):
                connection.sendall(b"X-a: b\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "feed")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def dripping() -> Iterator[Dripping]:
    server = Dripping()
    yield server
    server.close()


def test_the_limit_is_well_below_that_of_a_connection() -> None:
    """The feed is to be named, and not the reader."""
    assert feed_module.LOOK_S <= 12


@pytest.mark.parametrize("rate", [1, 1000, math.inf])
def test_a_server_that_drips_is_given_up(
    rate: float, folder: Folder, state: Path, dripping: Dripping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never silent, so that no limit of one read is reached; the limit is real whatever the loop's clock."""
    monkeypatch.setattr(feed_module, "LOOK_S", 0.3)
    feed = feed_of(folder, state, address=dripping.url)
    with (
        asyncio.Runner(loop_factory=lambda: SimulatorLoop(rate)) as runner,
        pytest.raises(UpdateServerError, match=r"too slow: more than 0\.3 s"),
    ):
        runner.run(found(feed))
    assert type(feed.fault) is UpdateServerError


async def test_who_waited_for_a_look_does_not_begin_another(
    folder: Folder, state: Path, dripping: Dripping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the fourth of a shop's readers would wait for longer than it may take to connect."""
    monkeypatch.setattr(feed_module, "LOOK_S", 0.3)
    feed = feed_of(folder, state, address=dripping.url)
    answers = await asyncio.gather(*(found(feed) for _ in range(4)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [UpdateServerError] * 4
    assert feed._looks == 1


def test_a_server_that_drips_keeps_no_program_from_ending(state: Path, dripping: Dripping) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from terminal_kit.updates import feed\nfeed.LOOK_S = 0.3\n"
        "try: asyncio.run(feed.Feed(sys.argv[1], state=Path(sys.argv[2])).refresh(0))\n"
        "except feed.UpdateServerError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, dripping.url, str(state)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert "too slow" in done.stdout, done.stderr
    assert done.returncode == 0


async def test_an_image_has_its_own_limit(folder: Folder, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put(a_release(components=[folder.image()]))
    with served(folder.path) as server:
        feed = feed_of(folder, state, address=server.url)
        update = await feed.find(a_reader(), BAR, NOW)
        server.goes_on.clear()
        with monkeypatch.context() as hurried:
            hurried.setattr(feed_module, "image_limit_s", lambda _size: 0.2)
            with pytest.raises(UpdateServerError, match="too slow"):
                await feed.fetch(update)
        monkeypatch.setattr(feed_module, "LOOK_S", 0.1)
        threading.Timer(0.4, server.goes_on.set).start()
        assert len(await feed.fetch(update)) == 1


async def test_between_the_manifest_and_its_signature(folder: Folder, state: Path) -> None:
    """A publisher replaces one after the other; who comes in between looks again."""
    folder.put(a_release("r1"), serial=1)
    before = (folder.path / "feed.json.sig").read_bytes()
    folder.put(a_release("r2"), serial=2)
    feed = feed_of(folder, state)
    files, asked = feed._files, list[str]()

    class Between:
        shown = files.shown
        identity = files.identity

        def read(self, name: str, limit_bytes: int, stop: threading.Event) -> bytes | None:
            asked.append(name)
            return before if asked == ["feed.json", "feed.json.sig"] else files.read(name, limit_bytes, stop)

    feed._files = Between()
    assert await found(feed) == "r2"
    assert feed.fault is None
    assert asked == ["feed.json", "feed.json.sig"] * 2
