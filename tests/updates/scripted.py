"""A device for tests: an SMP server's upload, reduced to its answers, which may be lost, late or refused."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import cbor2
from smp.header import Header

from terminal_kit.updates.smp import SmpClient


class ScriptedDevice:
    """Takes chunks in order, answers with the offset that it expects next.

    `meddle(number, answer)` sees each request's number and the answer that is about to be given, and may give another
    one, or None for silence. `buffers`: more requests than that at a time are dropped. `thinks_s`: seconds a request.
    """

    def __init__(
        self,
        *,
        buffers: int = 4,
        frame_bytes: int = 256,
        thinks_s: float = 0.01,
        meddle: Callable[[int, dict[str, Any]], dict[str, Any] | None] = lambda _number, answer: answer,
    ) -> None:
        self.buffers = buffers
        self.thinks_s = thinks_s
        self.meddle = meddle
        self.received = bytearray()
        self.requests = 0
        self.most_at_once = 0
        self.size = 0
        self.sha: bytes | None = None
        self._held = 0
        self._free_s = 0.0
        self.smp = SmpClient(self.send, piece_bytes=min(frame_bytes, 244))
        self.smp.frame_bytes = frame_bytes
        self.smp.window = buffers

    async def send(self, frame: bytes) -> None:
        """A frame has arrived."""
        assert len(frame) <= self.smp.frame_bytes
        loop = asyncio.get_running_loop()
        self.requests += 1
        if self._held >= self.buffers:
            return
        self._held += 1
        self.most_at_once = max(self.most_at_once, self._held)
        self._free_s = max(loop.time(), self._free_s) + self.thinks_s
        loop.call_at(self._free_s, self._answer, self.requests, frame)

    def _answer(self, number: int, frame: bytes) -> None:
        self._held -= 1
        body = cbor2.loads(frame[Header.SIZE :])
        answer = self.meddle(number, self._take(body))
        if answer is not None:
            told = cbor2.dumps(answer)
            self.smp.take(bytes([3, 0, *len(told).to_bytes(2, "big"), 0, 1, frame[6], 1]) + told)

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["off"] == 0:
            if body.get("sha") is None or body.get("sha") != self.sha:
                self.received.clear()
            self.size, self.sha = body["len"], body.get("sha")
        if body["off"] == len(self.received):
            self.received += body["data"]
        answer: dict[str, Any] = {"off": len(self.received)}
        if len(self.received) == self.size and self.sha is not None:
            answer["match"] = hashlib.sha256(self.received).digest() == self.sha
        return answer
