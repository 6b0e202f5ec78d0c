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
from terminal_kit.updates.progress import UpdateProgress, UpdateStage
from terminal_kit.updates.smp import NOT_SUPPORTED, ImageSlot, SmpClient
from terminal_kit.updates.upload import Upload

Story = Callable[[Board], Awaitable[None]]


def no_program(size: int) -> Image:
    """A well-formed image for slots from which nothing is started."""
    body = random.Random(5).randbytes(size)
    return make_image(body, component=UpdateComponent.FIRMWARE, version="9.8.7", device_types=(), key=None)


def of_many_chunks(smp: SmpClient) -> Image:
    """Enough chunks to lose some and to break off among them."""
    return no_program(15 * smp.frame_bytes)


SMALL = no_program(3000)


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
    """A whole image arrives, and the server finds it in a slot."""
    smp = await board.smp()
    image = of_many_chunks(smp)
    offsets = await upload(smp, image)
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(image.data)
    await holds(smp, image)


async def goes_on(board: Board) -> None:
    """An upload that broke off goes on where it was (U10)."""
    smp = await board.smp()
    image = of_many_chunks(smp)
    async with aclosing(Upload(smp, image.data, 0).run()) as steps:
        async for had in steps:
            if had > len(image.data) // 2:
                break
    first, *_, last = await upload(smp, image)
    assert had <= first < last == len(image.data)
    await holds(smp, image)


async def misses_a_chunk(board: Board) -> None:
    """A lost chunk is noticed by the answers to those behind it, whose offsets are other ones than theirs; no wait."""
    smp = await board.smp()
    image = of_many_chunks(smp)
    assert smp.window > 1
    board.losing = {5, 11}
    begun_s = board.now_s()
    offsets = await upload(smp, image)
    assert board.now_s() - begun_s < 5
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(image.data)
    await holds(smp, image)


async def has_no_trial(board: Board) -> None:
    """A bootloader without trial starts (RAM load: the newest image runs) refuses to mark one; no restart follows."""
    with pytest.raises(UpdateReaderError) as refused:
        await installed(board, SMALL)
    assert refused.value.smp_code == NOT_SUPPORTED
    running, waiting = await (await board.smp()).read_images()
    assert running.active
    assert running.confirmed
    assert waiting.digest == SMALL.digest
    assert not waiting.pending


async def keeps_its_software(board: Board) -> None:
    """MCUboot starts no image whose SHA-256 is wrong: the former one is back, and the error says so (U10, U13)."""
    before = (await (await board.smp()).read_images())[0]
    wrong = hashlib.sha256(b"another image").digest()
    damaged = Image(data=SMALL.data.replace(SMALL.digest, wrong), version=SMALL.version, digest=wrong)
    with pytest.raises(UpdateError) as caught:
        await installed(board, damaged)
    assert caught.value.fault == "not_installed"
    assert (await (await board.smp()).read_images())[0] == before


def updates_to(image: Image) -> Story:
    async def updates(board: Board) -> None:
        """The whole of it: upload, trial start, and confirmation by the image that runs then."""
        steps = await installed(board, image)
        fractions = [step.fraction for step in steps]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1
        # The images are at hand: there is nothing to check.
        assert list(dict.fromkeys(step.stage for step in steps)) == list(UpdateStage)[1:]
        await runs(board, image)

    return updates


def takes_up(image: Image) -> Story:
    async def takes_up(board: Board) -> None:
        """An update that broke off before the restart: the image that was marked is not sent again (U10)."""
        async with aclosing(install(board, [Piece(UpdateComponent.FIRMWARE, 0, image)])) as steps:
            async for step in steps:
                if step.stage is UpdateStage.RESTARTING:
                    break
        before = board.sent
        await installed(board, image)
        assert board.sent - before < 20
        await runs(board, image)

    return takes_up


def recovers_with(image: Image) -> Story:
    async def recovers(board: Board) -> None:
        """MCUboot's own server, which an application starts by a reset with a boot mode, takes an image as well."""
        smp = await board.smp()
        await smp.request(lambda number: ResetWriteRequest(boot_mode=BootMode.BOOTLOADER, sequence=number))
        await board.recover()
        smp = await board.smp()
        assert smp.frame_bytes == board.facts.recovery_buf_size - board.facts.framing_bytes
        assert smp.window == 1
        offsets = await upload(smp, image)
        assert offsets == sorted(offsets)
        assert offsets[-1] == len(image.data)
        # It lists only what it would start, by its own check of the SHA-256.
        assert [slot.digest for slot in await smp.read_images()] == ([] if image is SMALL else [image.digest])

    return recovers


STORIES: dict[str, Story] = {
    each.__name__: each
    for each in (
        offers,
        takes_an_image,
        goes_on,
        misses_a_chunk,
        has_no_trial,
        keeps_its_software,
        recovers_with(SMALL),
    )
}


async def installed(board: Board, image: Image) -> list[UpdateProgress]:
    return [step async for step in install(board, [Piece(UpdateComponent.FIRMWARE, 0, image)])]


async def runs(board: Board, image: Image) -> None:
    running = (await (await board.smp()).read_images())[0]
    assert running.digest == image.digest
    assert running.active
    assert running.confirmed


async def upload(smp: SmpClient, image: Image) -> list[int]:
    return [offset async for offset in Upload(smp, image.data, 0).run()]


async def holds(smp: SmpClient, image: Image) -> ImageSlot:
    """The slot that holds the image, as the server itself reads it."""
    (slot,) = [slot for slot in await smp.read_images() if slot.digest == image.digest]
    assert slot.version == str(image.version)
    return slot


def remade(image: Image, at: int, header: bytes) -> Image:
    """The image with another header from byte `at` on, and the SHA-256 that this asks for."""
    changed = bytearray(image.data)
    changed[at : at + len(header)] = header
    digest_at = changed.rindex(image.digest)
    # The digest is the first of the plain TLVs: before it are their header and its own, of four bytes each.
    changed[digest_at : digest_at + 32] = hashlib.sha256(changed[: digest_at - 8]).digest()
    return read_image(bytes(changed))


def newer(data: bytes) -> Image:
    """A program that runs, made another one by its version, 1.2.3."""
    image = remade(read_image(data), 20, bytes([1, 2, *(3).to_bytes(2, "little")]))
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
