"""Flash: ones become zeros, sectors become ones, and the power may fail at any byte of either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.simulator.flash import Flash, PowerLoss


def test_it_is_blank_and_takes_no_memory_for_that() -> None:
    flash = Flash(16)
    flash.program(0, b"\xff" * 64)
    flash.erase(16)
    assert flash.read(5, 30) == b"\xff" * 30
    assert flash.is_blank(0, 64)
    assert flash.snapshot() == {}


def test_programming_only_clears_bits() -> None:
    flash = Flash(16)
    flash.program(14, b"\xf0\x0f\xaa")
    flash.program(14, b"\x3c\xff\x0f")
    assert flash.read(13, 5) == b"\xff\x30\x0f\x0a\xff"


def test_a_sector_is_erased_whole_and_alone() -> None:
    flash = Flash(16)
    flash.program(0, bytes(48))
    flash.erase(20)
    assert flash.read(0, 48) == bytes(16) + b"\xff" * 16 + bytes(16)
    assert not flash.is_blank(31, 2)
    assert flash.is_blank(16, 16)


@given(st.integers(0, 40), st.integers(0, 60), st.binary(min_size=1, max_size=50))
def test_a_cut_leaves_what_was_written_until_then(lasts: int, at: int, data: bytes) -> None:
    flash = Flash(16)
    flash.cut_after(lasts)
    if lasts >= len(data):
        flash.program(at, data)
    else:
        with pytest.raises(PowerLoss):
            flash.program(at, data)
    assert flash.read(at, len(data)) == data[:lasts].ljust(len(data), b"\xff")
    assert flash.programmed_bytes == min(lasts, len(data))


def test_a_cut_erase_has_erased_a_part() -> None:
    flash = Flash(16)
    flash.program(0, bytes(16))
    flash.cut_after(7)
    with pytest.raises(PowerLoss):
        flash.erase(0)
    assert flash.read(0, 16) == b"\xff" * 7 + bytes(9)
    assert flash.erased_bytes == 7


def test_without_power_nothing_is_done_until_it_is_back() -> None:
    flash = Flash(16)
    flash.cut_after(1)
    flash.program(0, b"\0")
    with pytest.raises(PowerLoss):
        flash.program(1, b"\0")
    with pytest.raises(PowerLoss):
        flash.erase(0)
    flash.cut_after(None)
    flash.program(1, b"\0")
    assert flash.read(0, 3) == b"\0\0\xff"


def test_its_content_can_be_put_back() -> None:
    flash = Flash(16)
    flash.program(3, b"before")
    content = flash.snapshot()
    flash.erase(0)
    flash.program(40, b"after")
    flash.restore(content)
    assert flash.read(3, 6) == b"before"
    assert flash.is_blank(32, 16)
