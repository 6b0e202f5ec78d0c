"""Uploading one image over SMP: as many requests in flight as the device has buffers, with loss and rewind.

The device answers each chunk with the offset that it expects next. That is the whole of flow control: another offset
than the chunk's end means that the chunk was not written, whatever the reason, and that sending goes on from there.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator
from typing import NamedTuple

from smp.image_management import ImageUploadWriteRequest

from terminal_kit.errors import CommunicationError, UpdateError, UpdateReaderError
from terminal_kit.image import HEADER_BYTES
from terminal_kit.updates.frames import FrameSize
from terminal_kit.updates.smp import ANSWER_S, BUSY, ERASING_S, NO_MEMORY, Answer, SmpClient, check, whole

TRIES = 5
"""Rewinds or silences in a row without a byte of progress: then the device does not take this image."""


class _Chunk(NamedTuple):
    start: int
    end: int
    frame_bytes: int
    answered: "asyncio.Future[Answer]"


class Upload:
    """One image on its way into slot pair `number` of a device. `run()` yields the offsets that the device confirms."""

    def __init__(self, smp: SmpClient, image: bytes, number: int) -> None:
        self._smp = smp
        self._image = image
        self._number = number
        self._sha = hashlib.sha256(image).digest()
        self._window = smp.window
        self._frame = FrameSize(smp.frame_bytes, smp.piece_bytes, smp.window)
        self._flight: deque[_Chunk] = deque()
        self._stalls = 0
        self._taken = self._furthest = 0
        self._match: object = None

    async def run(self) -> AsyncGenerator[int]:
        """Offsets as the device confirms them, the last one the image's size; the first may be above 0 (resume).

        An offset may be below an earlier one where a device has forgotten. Raises `UpdateReaderError` where it refuses
        a chunk or makes no progress, `UpdateError` (digest) where what arrived is not what was sent,
        `CommunicationError` in silence.
        """
        try:
            self._taken = await self._open()
            yield self._taken
            while self._taken < len(self._image):
                if self._taken == 0:  # it forgot the upload
                    self._stalled(None)
                    self._taken = await self._open()
                    continue
                await self._fill()
                if await self._hear():
                    yield self._taken
        finally:
            self._abandon()
        if self._match is False:
            raise UpdateError(
                "the image arrived damaged: its SHA-256 on the reader is another",
                fault="digest",
                stage="uploading",
                hint="Try again: the reader keeps its software, and the image is sent anew.",
            )

    async def _open(self) -> int:
        """Sends the first chunk, which names the image; the answer is where to go on."""

        def first(data: bytes, number: int, sha: bytes | None) -> ImageUploadWriteRequest:
            image = self._number or None  # devices with one image may not know the field
            return ImageUploadWriteRequest(
                off=0, data=data, image=image, len=len(self._image), sha=sha, sequence=number
            )

        sha: bytes | None = self._sha
        frame_bytes = self._smp.frame_bytes
        room = self._room(first(b"", 0, sha), frame_bytes)
        if room < HEADER_BYTES:  # a small frame must hold the image's header rather than its digest
            sha, room = None, self._room(first(b"", 0, None), frame_bytes)
        answer = await self._smp.request(lambda number: first(self._image[:room], number, sha), ERASING_S)
        self._match = answer.get("match")
        return self._offset(answer)

    async def _fill(self) -> None:
        """Sends chunks until the device's buffers are full."""
        sent = self._flight[-1].end if self._flight else self._taken
        while sent < len(self._image) and len(self._flight) < self._window:
            offset = sent
            frame_bytes = self._frame.next()
            room = self._room(ImageUploadWriteRequest(off=offset, data=b"", sequence=0), frame_bytes)
            data = self._image[offset : offset + room]

            def make(number: int, offset: int = offset, data: bytes = data) -> ImageUploadWriteRequest:
                return ImageUploadWriteRequest(off=offset, data=data, sequence=number)

            sent = offset + len(data)
            self._flight.append(_Chunk(offset, sent, frame_bytes, await self._smp.begin(make)))

    async def _hear(self) -> bool:
        """Takes the answers that have come; gives whether the device is further than before."""
        before = self._taken
        await asyncio.wait(
            {chunk.answered for chunk in self._flight}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not any(chunk.answered.done() for chunk in self._flight):
            self._stalled(CommunicationError(f"the device gave no answer within {ANSWER_S:g} s"))
            self._rewind()
            return False
        lost = False
        while any(chunk.answered.done() for chunk in self._flight):
            chunk = self._flight.popleft()
            if not chunk.answered.done():  # a later one was answered: this one, or its answer, was lost
                lost = True
                chunk.answered.cancel()
                continue
            answer = chunk.answered.result()
            if _passing(answer):
                lost = True
                continue
            offset = self._offset(answer)
            self._match = answer.get("match")
            if offset == chunk.end:
                self._taken = offset
                now_s = asyncio.get_running_loop().time()
                self._frame.taken(chunk.frame_bytes, chunk.end - chunk.start, now_s)
            else:
                lost, self._taken = True, offset
        if self._taken > self._furthest:  # a device that goes to and fro makes no progress
            self._furthest, self._stalls = self._taken, 0
        if lost:
            self._stalled(None)
            await self._settle()
        return self._taken > before

    async def _settle(self) -> None:
        """Waits for what is still in flight, which the device cannot use, and goes on from where it stands."""
        while self._flight:
            chunk = self._flight.popleft()
            await asyncio.wait({chunk.answered}, timeout=ANSWER_S)
            if chunk.answered.done():
                answer = chunk.answered.result()
                if not _passing(answer):
                    self._taken, self._match = self._offset(answer), answer.get("match")
            chunk.answered.cancel()
        self._rewind()

    def _rewind(self) -> None:
        """Begins again at the offset that the device named last, more carefully."""
        self._abandon()
        self._frame.stop_trying()
        self._window = max(1, self._window - 1)

    def _abandon(self) -> None:
        for chunk in self._flight:
            chunk.answered.cancel()
        self._flight.clear()

    def _stalled(self, silence: CommunicationError | None) -> None:
        self._stalls += 1
        if self._stalls >= TRIES:
            raise silence or UpdateReaderError(
                f"the reader does not go on from byte {self._taken}", sent_bytes=self._taken
            )

    def _offset(self, answer: Answer) -> int:
        check(answer)
        offset = whole(answer, "off")
        if offset > len(self._image):
            raise UpdateReaderError(f"the reader expects byte {offset} of {len(self._image)}", sent_bytes=self._taken)
        return offset

    @staticmethod
    def _room(empty: ImageUploadWriteRequest, frame_bytes: int) -> int:
        """How many bytes of data a request holds beside what it says already (CBOR: RFC 8949, 3)."""
        room = frame_bytes - len(bytes(empty))
        for most, header in ((23, 0), (0xFF, 1)):
            if room - header <= most:
                return max(1, room - header)
        return room - 2


def _passing(answer: Answer) -> bool:
    """Whether the device only says that it is out of buffers just now."""
    return answer.get("rc") in (NO_MEMORY, BUSY)
