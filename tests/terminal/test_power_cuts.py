"""The power fails at any moment of an update: the reader starts, and the next connection finishes the job (U10).

One run without a cut tells every operation of the reader's flash, in the upload, at the marks and in the swap. Then the
power is cut in each of them: at every byte of the small ones, which are the bookkeeping, and at the ends and in the
middle of those that move content.
"""

import asyncio
from contextlib import suppress

import pytest
from releases import NEW, OLD, offer
from stage import M2, Stage, stage, virtual
from updating import told_once

from terminal_kit.errors import TerminalError
from terminal_kit.events import Kind, UpdateComponent
from terminal_kit.simulator.flash import Flash

C = UpdateComponent
SETS = {
    "firmware": ((C.FIRMWARE,), f"{NEW[C.FIRMWARE]}-SZZZ_Prod_US_v12-481001"),
    "two components": ((C.CONFIG, C.FIRMWARE), f"{NEW[C.FIRMWARE]}-{NEW[C.CONFIG]}-481001"),
}
BOOKKEEPING_BYTES = 16
"""Trailer fields and swap status are written in steps of 8 and 16 bytes; content by the chunk or the sector."""


def release(on: Stage, components: tuple[UpdateComponent, ...]) -> None:
    offer(on.air.readers[M2].model, *components, required_at_us=on.air.utc_us())


def operations(components: tuple[UpdateComponent, ...], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each flash operation of one update, in order."""
    sizes: list[int] = []
    spend = Flash._spend

    @virtual
    async def measure() -> None:
        async with stage() as on:
            _ = on.air.readers[M2].model.flash  # what the factory wrote does not count
            with monkeypatch.context() as patch:
                patch.setattr(Flash, "_spend", lambda flash, size: (sizes.append(size), spend(flash, size))[1])
                release(on, components)
                await on.connect()

    measure()
    return sizes


def cuts(sizes: list[int]) -> list[int]:
    """After how many bytes the power shall fail."""
    points: set[int] = set()
    before = 0
    for size in sizes:
        within = range(size) if size <= BOOKKEEPING_BYTES else (0, 1, size // 2, size - 1)
        points.update(before + byte for byte in within)
        before += size
    return sorted(points)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SETS)
def test_wherever_the_power_fails_the_next_connections_finish_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    components, whole = SETS[name]
    points = cuts(operations(components, monkeypatch))
    assert len(points) > 300
    for point in points:
        story(components, whole, point)


def story(components: tuple[UpdateComponent, ...], whole: str, cut_after_bytes: int) -> None:
    versions = {OLD, whole, *(mixed(OLD, whole))}

    @virtual
    async def check() -> None:
        async with stage() as on:
            model = on.air.readers[M2].model
            release(on, components)
            model.flash.cut_after(cut_after_bytes)
            connections, is_connected = 0, False
            while not is_connected:
                connections += 1
                assert connections <= 2, "the next connection does not finish it"
                with suppress(TerminalError):
                    await on.connect()
                    is_connected = True
                    await on.terminal.disconnect_reader()
                await asyncio.sleep(60)
                assert model.is_on
                assert not model.is_booting, "it does not start"
                assert model.firmware in versions
            assert model.firmware == whole
            starts = on.of(Kind.UPDATE_STARTED)
            assert len(starts) <= 2
            told_once(on, attempts=len(starts))
            # What was installed stays, and nothing is left to do.
            with on.air.readers[M2].handled():
                model.cut_power()
            await asyncio.sleep(60)
            reader = await on.connect()
            assert reader.firmware == whole == model.firmware
            assert len(on.of(Kind.UPDATE_STARTED)) == len(starts)

    try:
        check()
    except BaseException as error:
        error.add_note(f"power cut after {cut_after_bytes} bytes")
        raise


def mixed(old: str, new: str) -> set[str]:
    """A set is finished part by part where the power fails between its marks; each part is old or new."""
    parts = list(zip(old.split("-"), new.split("-"), strict=True))
    return {
        "-".join(pair[choice >> index & 1] for index, pair in enumerate(parts)) for choice in range(1 << len(parts))
    }


@pytest.mark.parametrize("name", SETS)
def test_a_power_cut_after_every_chunk(name: str) -> None:
    components, whole = SETS[name]
    after = 0
    is_reached = True
    while is_reached:
        after += 1
        is_reached = cut_after_chunk(components, whole, after)
    assert after > 10


def cut_after_chunk(components: tuple[UpdateComponent, ...], whole: str, chunk: int) -> bool:
    """Cuts the power when so many chunks are stored; whether there were as many."""
    reached: list[int] = []

    @virtual
    async def check() -> None:
        async with stage(readers=()) as on:
            reader = on.air.add_reader(M2, smp_buffer_bytes=1024)
            release(on, components)
            stored = 0
            answer = reader.model._handlers["answer"]

            def answered() -> None:
                nonlocal stored
                answer()
                stored += reader.model._images.is_uploading
                if stored == chunk and not reached:
                    reached.append(chunk)
                    reader.model.cut_power()

            reader.model._handlers["answer"] = answered
            with suppress(TerminalError):
                await on.connect()
            if reached:
                await asyncio.sleep(60)
                assert reader.model.firmware == OLD
                assert (await on.connect()).firmware == whole
                told_once(on, attempts=2)
            else:
                assert reader.model.firmware == whole

    check()
    return bool(reached)
