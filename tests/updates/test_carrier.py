"""SMP over GATT: frames in pieces, and put together again from whatever arrives."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.updates.carrier import Carrier
from terminal_kit.updates.smp import LARGEST_FRAME_BYTES


def frame(body: bytes) -> bytes:
    return bytes([1, 0, *len(body).to_bytes(2, "big"), 0, 1, 7, 1]) + body


def carrier(piece_bytes: int = 20) -> tuple[Carrier, list[bytes], list[bytes]]:
    written: list[bytes] = []
    heard: list[bytes] = []

    async def write(_characteristic: Any, piece: bytes, *, response: bool) -> None:
        assert not response
        written.append(piece)

    client: Any = SimpleNamespace(write_gatt_char=write)
    characteristic: Any = SimpleNamespace(max_write_without_response_size=piece_bytes)
    made = Carrier(client, characteristic)
    made.take = heard.append
    return made, written, heard


async def test_a_frame_goes_in_pieces_of_the_mtu() -> None:
    made, written, _ = carrier(20)
    await made.send(bytes(range(50)))
    assert [len(piece) for piece in written] == [20, 20, 10]
    assert b"".join(written) == bytes(range(50))


@given(st.lists(st.binary(max_size=200), max_size=6), st.integers(1, 64))
def test_frames_are_put_together_however_they_are_cut(bodies: list[bytes], cut: int) -> None:
    made, _, heard = carrier()
    stream = b"".join(frame(body) for body in bodies)
    for start in range(0, len(stream), cut):
        made.hear(stream[start : start + cut])
    assert heard == [frame(body) for body in bodies]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_noise_neither_raises_nor_grows_without_bound(pieces: list[bytes]) -> None:
    made, _, _ = carrier()
    for piece in pieces:
        made.hear(piece)
    assert len(made._heard) <= LARGEST_FRAME_BYTES


def test_a_frame_that_promises_too_much_is_dropped_and_the_next_is_heard() -> None:
    made, _, heard = carrier()
    made.hear(bytes([1, 0, 0xFF, 0xFF, 0, 1, 7, 1]) + bytes(12))
    made.hear(frame(b"\xa0"))
    assert heard == [frame(b"\xa0")]
