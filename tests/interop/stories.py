"""What a client and a server do together: told to live servers, and again to recordings of them."""

import hashlib
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import cbor2
import pytest
from board import ONE_LINE_BYTES, Board, Connection
from smp.header import Header
from smp.os_management import BootMode, ResetWriteRequest

from terminal_kit.errors import UpdateError, UpdateReaderError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, ImageVersion, make_image, read_image
from terminal_kit.updates.install import Piece, install
from terminal_kit.updates.progress import UpdateStage
from terminal_kit.updates.smp import NOT_SUPPORTED, ImageSlot, SmpClient
from terminal_kit.updates.upload import Upload

Story = Callable[[Board], Awaitable[None]]

SMALL = make_image(
    random.Random(5).randbytes(6000), component=UpdateComponent.FIRMWARE, version="9.8.7", device_types=(), key=None
)
"""Well-formed, and no program: for slots from which nothing is started."""


async def offers(board: Board) -> None:
    """It tells its buffers as its makers do, or keeps silent about them; without an image group it says so."""
    smp, facts = await board.smp(), board.facts
    told = facts.buf_size is not None
    assert smp.frame_bytes == (facts.buf_size - facts.framing_bytes if told else ONE_LINE_BYTES)
    assert smp.window == (min(facts.buf_count or 1, facts.window) if told else 1)
    if facts.has_images:
        (running,) = await smp.read_images()
        assert (running.image, running.slot) == (0, 0)
        assert running.active
        assert running.confirmed
        assert len(running.digest) == 32
    else:
        with pytest.raises(UpdateReaderError) as refused:
            await smp.read_images()
        assert refused.value.smp_code == NOT_SUPPORTED


async def takes_an_image(board: Board) -> None:
    """A whole image arrives, is in the second slot, and a second upload sends no more of it than its beginning."""
    smp = await board.smp()
    offsets = await upload(smp, SMALL)
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(SMALL.data)
    await holds(smp, SMALL)


async def goes_on(board: Board) -> None:
    """An upload that broke off goes on where it was (U10)."""
    smp = await board.smp()
    async with aclosing(Upload(smp, SMALL.data, 0).run()) as steps:
        async for had in steps:
            if had > len(SMALL.data) // 2:
                break
    first, *_, last = await upload(smp, SMALL)
    assert had <= first < last == len(SMALL.data)
    await holds(smp, SMALL)


async def misses_a_chunk(board: Board) -> None:
    """A lost chunk is noticed by the answers to those behind it, whose offsets are other ones than theirs; no wait."""
    smp = await board.smp()
    assert smp.window > 1
    board.losing = {5, 11}
    begun_s = board.now_s()
    offsets = await upload(smp, SMALL)
    assert board.now_s() - begun_s < 5
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(SMALL.data)
    await holds(smp, SMALL)


async def has_no_trial(board: Board) -> None:
    """A bootloader without trial starts (RAM load: the newest image runs) refuses to mark one; no restart follows."""
    seen: list[UpdateStage] = []
    with pytest.raises(UpdateReaderError) as refused:
        async for step in install(board, [Piece(UpdateComponent.FIRMWARE, 0, SMALL)]):
            seen.append(step.stage)
    assert refused.value.smp_code == NOT_SUPPORTED
    assert seen[-1] is UpdateStage.ACTIVATING
    running = (await (await board.smp()).read_images())[0]
    assert running.active
    assert running.confirmed


async def keeps_its_software(board: Board) -> None:
    """MCUboot starts no image whose SHA-256 is wrong: the former one is back, and the error says so (U10, U13)."""
    before = (await (await board.smp()).read_images())[0]
    wrong = hashlib.sha256(b"another image").digest()
    damaged = Image(data=SMALL.data.replace(SMALL.digest, wrong), version=SMALL.version, digest=wrong)
    with pytest.raises(UpdateError) as caught:
        async for _ in install(board, [Piece(UpdateComponent.FIRMWARE, 0, damaged)]):
            pass
    assert caught.value.fault == "not_installed"
    assert (await (await board.smp()).read_images())[0] == before


def updates_to(image: Image) -> Story:
    async def updates(board: Board) -> None:
        """The whole of it: upload, trial start, and confirmation by the image that runs then."""
        former = (await (await board.smp()).read_images())[0]
        steps = [step async for step in install(board, [Piece(UpdateComponent.FIRMWARE, 0, image)])]
        fractions = [step.fraction for step in steps]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        assert list(dict.fromkeys(step.stage for step in steps)) == list(UpdateStage)
        slots = await (await board.smp()).read_images()
        assert slots[0].digest == image.digest
        assert slots[0].active
        assert slots[0].confirmed
        assert slots[1].digest == former.digest

    return updates


async def recovers(board: Board) -> None:
    """MCUboot's own server, which an application starts by a reset with a boot mode, takes an image as well."""
    smp = await board.smp()
    await smp.request(lambda number: ResetWriteRequest(boot_mode=BootMode.BOOTLOADER, sequence=number))
    await board.recover()
    smp = await board.smp()
    assert smp.frame_bytes == board.facts.recovery_buf_size - board.facts.framing_bytes
    assert smp.window == 1
    offsets = await upload(smp, SMALL)
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(SMALL.data)
    # It takes the image into the slot that it starts from, and tells no state of it.
    await holds(smp, SMALL)


STORIES: dict[str, Story] = {
    each.__name__: each
    for each in (offers, takes_an_image, goes_on, misses_a_chunk, has_no_trial, keeps_its_software, recovers)
}


async def upload(smp: SmpClient, image: Image) -> list[int]:
    return [offset async for offset in Upload(smp, image.data, 0).run()]


async def holds(smp: SmpClient, image: Image) -> ImageSlot:
    """The slot that holds the image, as the server itself reads it."""
    (slot,) = [slot for slot in await smp.read_images() if slot.digest == image.digest]
    assert slot.version == str(image.version)
    return slot


def newer(data: bytes) -> Image:
    """A program that runs, made another one: version 1.2.3, and the SHA-256 that this asks for."""
    old = read_image(data)
    changed = bytearray(old.data)
    changed[20:28] = bytes([1, 2, *(3).to_bytes(2, "little"), *bytes(4)])
    at = changed.rindex(old.digest)
    # The digest is the first of the plain TLVs: four bytes of their header and four of its own are before it.
    changed[at : at + 32] = hashlib.sha256(changed[: at - 8]).digest()
    image = read_image(bytes(changed))
    assert image.version == ImageVersion(1, 2, 3)
    return image


def uploaded(connection: Connection) -> Image:
    """The image whose chunks a client sent."""
    data = bytearray()
    for way, frame in connection:
        if way == ">":
            body = cbor2.loads(frame[Header.SIZE :])
            if "off" in body:
                data[body["off"] :] = body["data"]
    return read_image(bytes(data))
