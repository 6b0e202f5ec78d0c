"""Installing images over SMP, MCUboot's way: upload, test, restart, confirm; whatever was done before is not repeated.

Nothing here can leave a device without software: an image is started on trial, and stays only if the device came back
with it and said so. Whoever breaks off at any step finds the device with its old images or its new ones (U10).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, Protocol, TypeVar

from terminal_kit.errors import TerminalError, UpdateError, UpdateInterruptedError, UpdateReaderError, UpdateServerError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import IMAGE_NUMBERS, Image
from terminal_kit.reader import SoftwareUpdate
from terminal_kit.updates.progress import Gauge, UpdateProgress, UpdateStage
from terminal_kit.updates.smp import ERASING_S, NOT_SUPPORTED, ImageSlot, SmpClient
from terminal_kit.updates.upload import Upload

T = TypeVar("T")

STEP_S = ERASING_S + 5.0
"""One step of an upload: longer than the longest wait within it, whose error says more."""


FETCH_S = 600.0
"""Some megabytes over a poor connection; after ten minutes somebody should know."""

RESETS = 2
"""A reset may be lost together with the link that carried it: then the device comes back as it was."""


class Piece(NamedTuple):
    """One image of an update, and the pair of slots that it belongs in."""

    component: UpdateComponent
    number: int
    image: Image


class Device(Protocol):
    """The connected device."""

    async def smp(self) -> SmpClient:
        """A client on the connection that there is now."""
        ...

    async def during(self, work: Coroutine[Any, Any, T], *, limit_s: float | None = None) -> T:
        """`work`'s result. Raises the loss of the link where that comes first."""
        ...

    async def restart(self, smp: SmpClient) -> int | None:
        """Restarts the device, gets it back, and tells how often it started meanwhile; None where nobody knows."""
        ...

    def now_s(self) -> float:
        """The monotonic clock, in seconds."""
        ...


async def install_update(
    device: Device, update: SoftwareUpdate, fetch: Callable[[], Awaitable[Sequence[Image]]]
) -> AsyncGenerator[UpdateProgress]:
    """Fetches the images of an update and installs them. Raises what `fetch` raises, and as `install`."""
    images = await device.during(_fetched(update, fetch), limit_s=2 * FETCH_S)
    pieces = [
        Piece(part.component, IMAGE_NUMBERS[part.component], image)
        for part, image in zip(update.parts, images, strict=True)
    ]
    async with aclosing(install(device, pieces)) as steps:
        async for step in steps:
            yield step


async def _fetched(update: SoftwareUpdate, fetch: Callable[[], Awaitable[Sequence[Image]]]) -> Sequence[Image]:
    """What `fetch` gives, one image for each part. Whatever fails in it is the source's fault (U13)."""
    try:
        async with asyncio.timeout(FETCH_S):
            images = await fetch()
    except TerminalError:
        raise
    except Exception as error:
        raise UpdateServerError(f"the update could not be fetched: {error or 'it took too long'}") from error
    if len(images) != len(update.parts):
        raise UpdateServerError(f"the update has {len(images)} images and not {len(update.parts)}")
    return images


async def confirm_trial(device: Device) -> AsyncGenerator[UpdateProgress]:
    """Lets every image stay that runs on trial: an earlier installation was cut off after the restart (U10)."""
    gauge = Gauge([])
    smp = await device.smp()
    slots = await device.during(smp.read_images())
    yield gauge.enter(UpdateStage.CONFIRMING, device.now_s())
    await _confirm(device, smp, slots)
    yield gauge.finish(device.now_s())


async def install(device: Device, pieces: Sequence[Piece]) -> AsyncGenerator[UpdateProgress]:
    """Installs `pieces`, and yields how far it is; the last record has the fraction 1.

    Raises `UpdateReaderError` where the device refuses, `UpdateError` with the fault `digest` where what arrived is
    damaged, or `not_installed` where the device started its former software again, `UpdateInterruptedError` where it
    was cut off in its restart, and whatever ends the link.
    """
    smp, slots = await _settled(device, pieces)
    # A device keeps one upload that was cut off, and forgets it for another one: what no slot shows comes first.
    pieces = sorted(pieces, key=lambda piece: any(slot.digest == piece.image.digest for slot in slots))
    gauge = Gauge([(piece.component, len(piece.image.data)) for piece in pieces])
    yield gauge.enter(UpdateStage.UPLOADING, device.now_s())
    for part, piece in enumerate(pieces):
        if not _held(slots, piece):
            async with aclosing(Upload(smp, piece.image.data, piece.number).run()) as offsets:
                while (offset := await device.during(_next(offsets), limit_s=STEP_S)) is not None:
                    yield gauge.uploaded(part, offset, device.now_s())
        yield gauge.uploaded(part, len(piece.image.data), device.now_s())
    waiting = [piece for piece in pieces if not _active(slots, piece)]
    if waiting:
        yield gauge.enter(UpdateStage.ACTIVATING, device.now_s())
        for piece in waiting:
            if not _is_marked(slots, piece):
                await _mark(device, smp, piece)
        yield gauge.enter(UpdateStage.RESTARTING, device.now_s())
        slots = await _restarted(device, smp, waiting)
        smp = await device.smp()
    yield gauge.enter(UpdateStage.CONFIRMING, device.now_s())
    await _confirm(device, smp, slots)
    yield gauge.finish(device.now_s())


async def _settled(device: Device, pieces: Sequence[Piece]) -> tuple[SmpClient, list[ImageSlot]]:
    """The device with nothing of an earlier update under way: it confirms what runs on trial, and starts what waits.

    An image that runs on trial would go back at the next restart; one that waits in a slot keeps others out of it.
    """
    smp = await device.smp()
    slots = await device.during(smp.read_images())
    await _confirm(device, smp, slots)
    numbers = {piece.number for piece in pieces if not _held(slots, piece)}
    if any(slot.pending and slot.image in numbers for slot in slots):
        await device.restart(smp)
        smp = await device.smp()
        slots = await device.during(smp.read_images())
        await _confirm(device, smp, slots)
    return smp, slots


async def _restarted(device: Device, smp: SmpClient, waiting: Sequence[Piece]) -> list[ImageSlot]:
    """Restarts the device into the images that wait, and gives what it then runs."""
    for _ in range(RESETS):
        starts = await device.restart(smp)
        smp = await device.smp()
        slots = await device.during(smp.read_images())
        missing = next((piece for piece in waiting if not _active(slots, piece)), None)
        if missing is None:
            return slots
        if starts is not None and starts > 1:
            raise UpdateInterruptedError("the reader restarted once more before its new software was confirmed")
        if not _is_marked(slots, missing):
            raise UpdateError(
                f"the reader started with its former {(missing.component.name or '').lower()} again",
                fault="not_installed",
                hint="It works as before; it did not accept the new image. Check its signature and version.",
            )
    raise UpdateInterruptedError("the reader did not restart")


async def _mark(device: Device, smp: SmpClient, piece: Piece) -> None:
    """Marks an image for its trial start. Raises `UpdateReaderError`; a device without such starts is told as one."""
    try:
        await device.during(smp.test(piece.image.digest), limit_s=STEP_S)
    except UpdateReaderError as error:
        if error.smp_code == NOT_SUPPORTED:
            error.hint = "Its bootloader has no trial starts; without a way back it is not updated from here."
        raise


async def _confirm(device: Device, smp: SmpClient, slots: Sequence[ImageSlot]) -> None:
    """Lets every image stay that runs on trial."""
    for slot in slots:
        if slot.active and not slot.confirmed:
            await device.during(smp.confirm(slot.digest), limit_s=STEP_S)


def _active(slots: Sequence[ImageSlot], piece: Piece) -> ImageSlot | None:
    """The slot from which the device runs this image."""
    return next((slot for slot in slots if slot.active and slot.digest == piece.image.digest), None)


def _held(slots: Sequence[ImageSlot], piece: Piece) -> bool:
    """Whether the device has the whole image: it runs it, or was told to start it.

    That a slot shows the digest is not enough: the signature comes after it, and may not have arrived.
    """
    return _active(slots, piece) is not None or _is_marked(slots, piece)


def _is_marked(slots: Sequence[ImageSlot], piece: Piece) -> bool:
    """Whether the device will start this image at its next restart, as it was told before."""
    return any(slot.pending and slot.digest == piece.image.digest for slot in slots)


async def _next(offsets: AsyncGenerator[int]) -> int | None:
    return await anext(offsets, None)
