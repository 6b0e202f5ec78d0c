"""The SMP client against answers that were made to hurt (D8: whatever advertises the service is asked)."""

import asyncio
from typing import Any

import cbor2
import pytest
from stage import virtual

from terminal_kit.errors import CommunicationError, UpdateReaderError
from terminal_kit.updates.smp import SmpClient


def answering(*bodies: bytes) -> SmpClient:
    """A client whose device gives these bodies, one after the other."""
    left = list(bodies)

    async def send(frame: bytes) -> None:
        body = left.pop(0)
        smp.take(bytes([3, 0, *len(body).to_bytes(2, "big"), 0, 1, frame[6], 0]) + body)

    smp = SmpClient(send, piece_bytes=244)
    return smp


def unfolding(levels: int) -> bytes:
    """A list that holds the next one twice, by reference (CBOR tags 28 and 29): its text doubles with each level."""
    inner = b"\xd8\x1c\x80"
    for level in range(levels, 0, -1):
        inner = b"\xd8\x1c\x82" + inner + b"\xd8\x1d" + cbor2.dumps(level)
    return inner


@pytest.mark.parametrize(
    "body",
    [
        cbor2.dumps({"images": 5}),
        cbor2.dumps({"off": 1}),
        cbor2.dumps({"rc": 2**20000}),
        cbor2.dumps({"err": {"group": 1, "rc": 2**20000}}),
        cbor2.dumps({2**20000: 1, "images": 1}),
        cbor2.dumps({"images": [{"slot": 2**20000}]}),
        b"\xa1" + cbor2.dumps("images") + b"\xa1" + unfolding(60)[:200],
        b"\xa1" + cbor2.dumps("x") + unfolding(60),
        b"\xff",
        b"",
        cbor2.dumps([1, 2]),
    ],
)
def test_nonsense_fails_at_once_and_costs_nothing(body: bytes) -> None:
    @virtual
    async def check() -> None:
        with pytest.raises(UpdateReaderError) as refused:
            await answering(body).read_images()
        assert len(str(refused.value)) < 200

    check()


@virtual
async def test_what_a_device_promises_is_believed_within_reason() -> None:
    for size, count, frame_bytes, window in ((2475, 4, 2475, 4), (10**9, 10**9, 8192, 64), (0, 0, 244, 1)):
        smp = answering(cbor2.dumps({"buf_size": size, "buf_count": count}))
        await smp.read_parameters()
        assert (smp.frame_bytes, smp.window) == (frame_bytes, window)
    smp = answering(cbor2.dumps({"rc": 8}))
    await smp.read_parameters()
    assert (smp.frame_bytes, smp.window) == (244, 1)


@virtual
async def test_answers_that_nobody_waits_for_are_dropped() -> None:
    async def send(_frame: bytes) -> None:
        smp.take(b"")
        smp.take(bytes([3, 0, 0, 1, 0, 1, 99, 0, 0xA0]))

    smp = SmpClient(send, piece_bytes=244)
    with pytest.raises(CommunicationError):
        await smp.read_images()
    await asyncio.sleep(0)
    assert not smp._waiting


@virtual
async def test_a_request_that_cannot_be_sent_is_forgotten() -> None:
    async def send(_frame: bytes) -> Any:
        raise OSError("the link is gone")

    smp = SmpClient(send, piece_bytes=244)
    with pytest.raises(OSError, match="gone"):
        await smp.reset()
    await asyncio.sleep(0)
    assert not smp._waiting
