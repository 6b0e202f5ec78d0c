"""Uploading an image over SMP: windows, loss, rewind, resume, refusal (U10, U13)."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import ScriptedDevice
from stage import virtual

from terminal_kit.errors import CommunicationError, UpdateError, UpdateReaderError
from terminal_kit.updates.smp import BUSY, NO_MEMORY
from terminal_kit.updates.upload import TRIES, Upload

IMAGE = random.Random(3).randbytes(5000)


async def upload(device: ScriptedDevice, image: bytes = IMAGE) -> list[int]:
    return [offset async for offset in Upload(device.smp, image, 0).run()]


async def nothing_waits(device: ScriptedDevice) -> None:
    await asyncio.sleep(0)  # futures tell of their end at the loop's next turn
    assert not device.smp._waiting


@virtual
async def test_as_many_requests_are_in_flight_as_the_device_has_buffers() -> None:
    for buffers in (1, 2, 4):
        device = ScriptedDevice(buffers=buffers)
        offsets = await upload(device)
        assert bytes(device.received) == IMAGE
        assert offsets == sorted(offsets)
        assert offsets[-1] == len(IMAGE)
        assert device.most_at_once == buffers


@virtual
async def test_every_request_fills_its_frame() -> None:
    for frame_bytes in (96, 244, 290, 384, 2475):
        sizes: list[int] = []
        device = ScriptedDevice(frame_bytes=frame_bytes)
        taken = device.send

        async def send(frame: bytes, taken: Any = taken, sizes: list[int] = sizes) -> None:
            sizes.append(len(frame))
            await taken(frame)

        device.smp._send = send
        await upload(device)
        # Frames that end with a full packet are tried too; the last frame is what remains.
        whole = frame_bytes // device.smp.piece_bytes * device.smp.piece_bytes
        assert all(0 <= frame_bytes - size <= 2 or 0 <= whole - size <= 2 for size in sizes[:-1]), sizes


@virtual
async def test_a_device_with_fewer_buffers_than_it_says_is_found_out() -> None:
    device = ScriptedDevice(buffers=2)
    device.smp.window = 4
    offsets = await upload(device)
    assert bytes(device.received) == IMAGE
    assert offsets == sorted(offsets)


@virtual
async def test_what_the_device_has_is_not_sent_again() -> None:
    device = ScriptedDevice()
    steps = Upload(device.smp, IMAGE, 0).run()
    async for offset in steps:
        if offset > 2000:
            break
    await steps.aclose()
    before = device.requests
    offsets = await upload(device)
    assert offsets[0] > 2000
    assert bytes(device.received) == IMAGE
    assert device.requests - before < 20


@virtual
async def test_a_device_that_forgot_is_given_the_image_anew() -> None:
    def forget(number: int, answer: dict[str, Any]) -> dict[str, Any]:
        if number == 10:
            device.received.clear()
            device.sha = None
            return {"off": 0}
        return answer

    device = ScriptedDevice(meddle=forget)
    await upload(device)
    assert bytes(device.received) == IMAGE


@pytest.mark.parametrize("code", [NO_MEMORY, BUSY])
def test_a_device_that_is_out_of_buffers_is_asked_again(code: int) -> None:
    @virtual
    async def check() -> None:
        def crowded(number: int, answer: dict[str, Any]) -> dict[str, Any]:
            return {"rc": code} if number in (5, 9) else answer

        device = ScriptedDevice(meddle=crowded)
        await upload(device)
        assert bytes(device.received) == IMAGE

    check()


@pytest.mark.parametrize("refusal", [{"rc": 3}, {"err": {"group": 1, "rc": 30}}])
def test_a_refused_chunk_ends_it_with_the_devices_code(refusal: dict[str, Any]) -> None:
    @virtual
    async def check() -> None:
        device = ScriptedDevice(meddle=lambda number, answer: refusal if number == 6 else answer)
        with pytest.raises(UpdateReaderError) as refused:
            await upload(device)
        assert refused.value.smp_code in (3, 30)
        await nothing_waits(device)

    check()


@pytest.mark.parametrize(
    "nonsense",
    [{}, {"off": -1}, {"off": "far"}, {"off": 10**9}, {"off": True}, {"rc": "no"}, {"err": {}}, {"err": {"rc": None}}],
)
def test_nonsense_is_an_error_and_no_loop(nonsense: dict[str, Any]) -> None:
    @virtual
    async def check() -> None:
        device = ScriptedDevice(meddle=lambda number, answer: nonsense if number == 4 else answer)
        with pytest.raises(UpdateReaderError):
            await upload(device)

    check()


@virtual
async def test_damage_on_the_way_is_found_at_the_end() -> None:
    def damage(number: int, answer: dict[str, Any]) -> dict[str, Any]:
        if number == 7:
            device.received[-1] ^= 1
        return answer | ({"match": False} if "match" in answer else {})

    device = ScriptedDevice(meddle=damage)
    with pytest.raises(UpdateError) as damaged:
        await upload(device)
    assert damaged.value.fault == "digest"


@virtual
async def test_a_device_that_goes_mute_or_never_goes_on_is_given_up() -> None:
    mute = ScriptedDevice(meddle=lambda number, answer: None if number > 5 else answer)
    with pytest.raises(CommunicationError):
        await upload(mute)
    stuck = ScriptedDevice(meddle=lambda number, answer: {"off": 100} if number > 1 else answer)
    with pytest.raises(UpdateReaderError, match="byte 100"):
        await upload(stuck)
    assert stuck.requests <= 1 + 4 * TRIES


@virtual
async def test_it_can_be_broken_off_at_any_moment() -> None:
    for delay_s in (0.0, 0.005, 0.012, 0.05, 0.1):
        device = ScriptedDevice()
        task = asyncio.create_task(upload(device))
        await asyncio.sleep(delay_s)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await nothing_waits(device)


def meddler(fates: list[str]) -> Callable[[int, dict[str, Any]], dict[str, Any] | None]:
    def meddle(number: int, answer: dict[str, Any]) -> dict[str, Any] | None:
        match fates[number % len(fates)]:
            case "lost":
                return None
            case "crowded":
                return {"rc": NO_MEMORY}
            case _:
                return answer

    return meddle


@given(
    fates=st.lists(st.sampled_from(["good", "good", "good", "lost", "crowded"]), min_size=1, max_size=12),
    buffers=st.integers(1, 6),
    frame_bytes=st.integers(100, 600),
    size=st.integers(1, 3000),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_lost_the_image_arrives_whole_or_an_error_says_so(
    fates: list[str], buffers: int, frame_bytes: int, size: int
) -> None:
    @virtual
    async def check() -> None:
        device = ScriptedDevice(buffers=buffers, frame_bytes=frame_bytes, meddle=meddler(fates))
        try:
            offsets = await upload(device, IMAGE[:size])
        except (CommunicationError, UpdateReaderError):
            assert "good" not in fates or fates.count("good") < len(fates)
        else:
            assert bytes(device.received) == IMAGE[:size]
            assert offsets[-1] == size
        await nothing_waits(device)

    check()
