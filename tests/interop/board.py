"""A device at the end of a line, as `install` wants one: the line is live, or a recording of a live one."""

import asyncio
import base64
import dataclasses
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from terminal_kit.updates.smp import SmpClient

ONE_LINE_BYTES = 80
"""What SMP over a console carries in one line of 128 characters, framing and Base64 taken off: any server takes it."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the server's makers say of it, and what its line carries.

    `framing_bytes`: what the line's own framing takes of each of the server's buffers. `window`: how many requests the
    line carries at once, whatever number of buffers the server promises.
    """

    server: str
    software: str
    artifact: str
    sha256: str
    buf_size: int | None
    buf_count: int | None
    recovery_buf_size: int | None
    has_images: bool
    framing_bytes: int
    window: int


class Line(Protocol):
    """Carries frames to a server and hands what comes to `take`."""

    facts: Facts
    take: Callable[[bytes], None]

    async def send(self, frame: bytes) -> None: ...

    def widen(self, buf_size: int) -> None:
        """The server's buffers are that large."""
        ...

    async def restarted(self) -> None:
        """The server was reset: waits until it is back."""
        ...

    async def recovered(self) -> None:
        """The server was reset into its bootloader: waits until that answers."""
        ...


class Board:
    """`install.Device` on a line. `sent` frames so far; those whose number (from 0) is in `losing` never left."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.facts = line.facts
        self.losing: set[int] = set()
        self.sent = 0
        self._smp: SmpClient | None = None

    async def smp(self) -> SmpClient:
        if self._smp is None:
            smp = SmpClient(self._send, piece_bytes=ONE_LINE_BYTES)
            self.line.take = smp.take
            await smp.read_parameters()
            if smp.frame_bytes > ONE_LINE_BYTES:
                self.line.widen(smp.frame_bytes)
                smp.frame_bytes -= self.facts.framing_bytes
            smp.piece_bytes = smp.frame_bytes  # a serial line has no packets that frames should fill
            smp.window = min(smp.window, self.facts.window)
            self._smp = smp
        return self._smp

    async def during(self, work: Coroutine[Any, Any, Any], *, limit_s: float | None = None) -> Any:
        async with asyncio.timeout(limit_s):
            return await work

    async def restart(self, smp: SmpClient) -> None:
        await smp.reset()
        await self.line.restarted()
        self._smp = None

    async def recover(self) -> None:
        """The server has been told to restart into its bootloader."""
        await self.line.recovered()
        self._smp = None

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def _send(self, frame: bytes) -> None:
        number, self.sent = self.sent, self.sent + 1
        if number not in self.losing:
            await self.line.send(frame)


Connection = list[tuple[str, bytes]]
"""Frames in order: ">" to the server, "<" from it."""


@dataclass(kw_only=True)
class Recording:
    """What went over a line while a story (see `stories.py`) was told, a list of frames for each connection."""

    story: str
    facts: Facts
    connections: list[Connection]

    @classmethod
    def read(cls, path: Path) -> Self:
        kept = json.loads(path.read_text("utf-8"))
        connections = [
            [(line[0], base64.b64decode(line[1:])) for line in connection] for connection in kept["connections"]
        ]
        return cls(story=kept["story"], facts=Facts(**kept["facts"]), connections=connections)

    def write(self, path: Path) -> None:
        connections = [
            [way + base64.b64encode(frame).decode() for way, frame in connection] for connection in self.connections
        ]
        kept = {"story": self.story, "facts": dataclasses.asdict(self.facts), "connections": connections}
        path.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


class Recorder:
    """A line that notes what passes over another."""

    def __init__(self, line: Line) -> None:
        self.facts = line.facts
        self.connections: list[Connection] = [[]]
        self.take: Callable[[bytes], None] = lambda _frame: None
        self._line = line
        line.take = self._hear

    async def send(self, frame: bytes) -> None:
        self.connections[-1].append((">", frame))
        await self._line.send(frame)

    def widen(self, buf_size: int) -> None:
        self._line.widen(buf_size)

    async def restarted(self) -> None:
        await self._again(self._line.restarted())

    async def recovered(self) -> None:
        await self._again(self._line.recovered())

    async def _again(self, back: Coroutine[Any, Any, None]) -> None:
        # What it is asked until it answers depends on the moment, and is no part of the exchange.
        await back
        self._line.take = self._hear
        self.connections.append([])

    def _hear(self, frame: bytes) -> None:
        self.connections[-1].append(("<", frame))
        self.take(frame)


class Replay:
    """A line to a recorded server: it insists on the recorded requests, and gives each answer when it was given then.

    Answers with no request between them are given together, so that the client cannot put one there.
    """

    def __init__(self, recording: Recording) -> None:
        self.facts = recording.facts
        self.take: Callable[[bytes], None] = lambda _frame: None
        self._connections = [list(connection) for connection in recording.connections]
        self._frames = self._connections.pop(0)

    async def send(self, frame: bytes) -> None:
        assert self._frames, "the recording ends here, and the client goes on"
        way, recorded = self._frames.pop(0)
        assert way == ">", "the client asks before the answer that it waited for"
        assert frame == recorded, "the client's request is not the recorded one"
        answers: list[bytes] = []
        while self._frames and self._frames[0][0] == "<":
            answers.append(self._frames.pop(0)[1])
        asyncio.get_running_loop().call_soon(self._give, answers)

    def widen(self, buf_size: int) -> None:
        pass

    async def restarted(self) -> None:
        self.finish()
        self._frames = self._connections.pop(0)

    recovered = restarted

    def finish(self) -> None:
        """Fails where the client left something unsaid."""
        assert not self._frames, f"{len(self._frames)} recorded frames were not reached"

    def _give(self, answers: list[bytes]) -> None:
        for answer in answers:
            self.take(answer)
