"""A client of the Simple Management Protocol (SMP, Zephyr's MCUmgr), over whatever carries its frames.

Message layout and groups: Zephyr, "SMP protocol specification", "OS management group", "Application/software image
management group". Requests are made by the package `smp`; answers are read by hand, since newer devices add fields.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import cbor2
from smp.header import Header
from smp.image_management import ImageStatesReadRequest, ImageStatesWriteRequest
from smp.message import Request
from smp.os_management import MCUMgrParametersReadRequest, ResetWriteRequest

from terminal_kit.errors import CommunicationError, UpdateReaderError

ANSWER_S = 10.0
"""A busy device erases flash between two chunks: 4 KiB in some 50 ms, a 64 KiB block in about one second."""

ERASING_S = 40.0
"""The answer to a first chunk may wait until a whole slot is erased: some 500 pages of 85 ms (nRF52)."""

NO_MEMORY, NOT_SUPPORTED, BUSY = 2, 8, 10
"""Common codes of SMP: the device is out of buffers, lacks the command, or is occupied."""

LARGEST_FRAME_BYTES = 8192
"""More than devices offer; a larger promise would be one's own memory to lose."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSlot:
    """What one slot of a device holds: an image's digest and version, and MCUboot's words for its state."""

    image: int
    slot: int
    version: str
    digest: bytes
    pending: bool
    confirmed: bool
    active: bool


class SmpClient:
    """Requests and their answers, matched by sequence number; several may be in flight.

    `send(frame)` carries a whole frame to the device, in pieces of `piece_bytes`; every frame from it goes to `take()`.
    `frame_bytes` is the largest frame that may be sent, one piece until `read_parameters()` has learned more, and
    `window` how many requests the device can hold.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]], *, piece_bytes: int) -> None:
        self._send = send
        self._numbers = itertools.cycle(range(256))
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self.piece_bytes = self.frame_bytes = piece_bytes
        self.window = 1

    def take(self, frame: bytes) -> None:
        """An answer has come. What nobody waits for is dropped; nonsense fails the request that it answers."""
        header = frame[: Header.SIZE]
        if len(header) < Header.SIZE or (answered := self._waiting.pop(header[6], None)) is None or answered.done():
            return
        try:
            body = cbor2.loads(frame[Header.SIZE :])
        except Exception as error:  # whatever a decoder makes of hostile bytes
            body = error
        if isinstance(body, dict):
            fields = cast("dict[Any, Any]", body).items()
            answered.set_result({name: value for name, value in fields if isinstance(name, str)})
        else:
            answered.set_exception(UpdateReaderError(f"the reader answered nonsense: {frame[:40].hex()}"))

    async def begin(self, make: Callable[[int], Request]) -> asyncio.Future[Answer]:
        """Sends the request that `make(sequence)` gives; the future is its answer. Cancel it to forget it."""
        number = next(self._numbers)
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        answered.add_done_callback(lambda _: self._waiting.pop(number, None))
        try:
            await self._send(bytes(make(number)))
        except BaseException:
            answered.cancel()
            raise
        return answered

    async def request(self, make: Callable[[int], Request], timeout_s: float = ANSWER_S) -> Answer:
        """One request and its answer. Raises `UpdateReaderError` (refused) or `CommunicationError` (silence)."""
        answered = await self.begin(make)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await answered
        except TimeoutError as error:
            raise CommunicationError(f"the device gave no answer within {timeout_s:g} s") from error
        finally:
            answered.cancel()
        check(answer)
        return answer

    async def read_parameters(self) -> None:
        """Learns how large and how many the device's buffers are; one that does not say keeps what was assumed."""
        try:
            answer = await self.request(lambda number: MCUMgrParametersReadRequest(sequence=number))
        except UpdateReaderError:
            return
        size, count = whole(answer, "buf_size"), whole(answer, "buf_count")
        self.frame_bytes = max(self.frame_bytes, min(size, LARGEST_FRAME_BYTES))
        self.window = max(1, min(count, 64))

    async def read_images(self) -> list[ImageSlot]:
        """What the device's slots hold."""
        return _slots(await self.request(lambda number: ImageStatesReadRequest(sequence=number)))

    async def test(self, digest: bytes) -> list[ImageSlot]:
        """Marks an image to be started once, on trial (MCUboot: *test*)."""
        return await self._mark(digest, confirm=False)

    async def confirm(self, digest: bytes) -> list[ImageSlot]:
        """Lets an image that runs on trial stay (MCUboot: *confirm*)."""
        return await self._mark(digest, confirm=True)

    async def reset(self) -> None:
        """Restarts the device."""
        await self.request(lambda number: ResetWriteRequest(sequence=number))

    async def _mark(self, digest: bytes, *, confirm: bool) -> list[ImageSlot]:
        def make(number: int) -> Request:
            return ImageStatesWriteRequest(hash=digest, confirm=confirm, sequence=number)

        return _slots(await self.request(make, ERASING_S))


def check(answer: Answer) -> None:
    """Raises `UpdateReaderError` with the device's code where it refuses; both versions of the protocol."""
    error = answer.get("err")
    code: Any = cast("Answer", error).get("rc") if isinstance(error, dict) else answer.get("rc", 0)
    if code == 0:
        return
    if not isinstance(code, int) or not 0 < code <= 0xFFFF:
        raise _nonsense("code")
    raise UpdateReaderError(f"the reader refused a request with SMP code {code}", smp_code=code)


def whole(answer: Answer, name: str) -> int:
    """A number of 0 to 2³². Raises `UpdateReaderError` where it is missing or something else."""
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1 << 32:
        raise _nonsense(name)
    return value


def _slots(answer: Answer) -> list[ImageSlot]:
    listed = answer.get("images")
    if not isinstance(listed, list):
        raise _nonsense("images")
    return [_slot(cast("Answer", each)) for each in cast("list[Any]", listed) if isinstance(each, dict)]


def _slot(each: Answer) -> ImageSlot:
    digest = each.get("hash", b"")
    return ImageSlot(
        image=whole(each, "image") if "image" in each else 0,  # a device with one image does not say so
        slot=whole(each, "slot"),
        version=version if isinstance(version := each.get("version"), str) else "",
        digest=digest if isinstance(digest, bytes) else b"",
        pending=each.get("pending") is True,
        confirmed=each.get("confirmed") is True,
        active=each.get("active") is True,
    )


def _nonsense(name: str) -> UpdateReaderError:
    # What it is instead is not shown: a few bytes of CBOR can unfold to more text than there is memory.
    return UpdateReaderError(f"the reader answered without a sensible {name!r}")
