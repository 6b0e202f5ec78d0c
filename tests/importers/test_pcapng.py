"""pcapng: sections, interfaces and clocks of their own, in one file."""

import struct

import pytest
from capture_packets import BEGIN_US, read
from capture_writers import block, enhanced_packet, interface, section, simple_packet, ticks

from terminal_kit.importers.captures import pcapng

EVENT = b"\x04\x0e\x04\x01\x03\x0c\x00"
RECEIVED = b"\0\0\0\1"
MONITOR = struct.pack(">HH", 5, 3) + EVENT[1:]


def test_interfaces_have_their_own_link_types_and_adapters() -> None:
    result = read(
        section()
        + interface(201)
        + interface(254)
        + interface(187)
        + enhanced_packet(BEGIN_US, RECEIVED + EVENT)
        + enhanced_packet(BEGIN_US + 1, MONITOR, which=1)
        + enhanced_packet(BEGIN_US + 2, EVENT, which=2)
    )
    assert [(packet.adapter, packet.direction, packet.payload) for packet in result.packets] == [
        (0, 1, EVENT[1:]),
        (5, 1, EVENT[1:]),
        (2, 1, EVENT[1:]),
    ]


def test_packets_of_other_interfaces_are_foreign_and_keep_their_numbers() -> None:
    result = read(
        section()
        + interface(1)
        + interface(201)
        + enhanced_packet(BEGIN_US, b"ethernet")
        + block(5, bytes(12))
        + enhanced_packet(BEGIN_US, RECEIVED + EVENT, which=1)
    )
    assert result.report.foreign_reasons == {"packets of link type 1": 1}
    assert result.numbers == [1]


def test_sections_of_either_byte_order_follow_each_other() -> None:
    one = section() + interface(201) + enhanced_packet(BEGIN_US, RECEIVED + EVENT)
    other = section(">") + interface(254, ">") + enhanced_packet(BEGIN_US + 7, MONITOR, ">")
    result = read(one + other + one + one + other)
    assert [packet.adapter for packet in result.packets] == [0, 5, 0, 0, 5]
    assert result.numbers == list(range(5))
    assert result.report.damaged == 0


@pytest.mark.parametrize("resolution", [0, 3, 6, 7, 9, 10, 0x80 | 10, 0x80 | 20, 0x80 | 32])
def test_clocks_of_any_resolution(resolution: int) -> None:
    result = read(
        section()
        + interface(201, resolution=resolution)
        + enhanced_packet(ticks(BEGIN_US, resolution), RECEIVED + EVENT)
    )
    assert result.packets[0].t_us == BEGIN_US


@pytest.mark.parametrize("resolution", [19, 0x7F, 0x80, 0x80 | 63, 0xFF])
def test_clocks_of_senseless_resolution_do_no_harm(resolution: int) -> None:
    result = read(section() + interface(201, resolution=resolution) + enhanced_packet(2**64 - 1, RECEIVED + EVENT))
    assert 0 <= result.packets[0].t_us <= pcapng.YEAR_2106_US


def test_a_time_offset_is_added() -> None:
    result = read(section() + interface(201, offset_s=-3600) + enhanced_packet(BEGIN_US, RECEIVED + EVENT))
    assert result.packets[0].t_us == BEGIN_US - 3600 * 1_000_000


def test_simple_packets_carry_no_time() -> None:
    result = read(
        section()
        + interface(201)
        + enhanced_packet(BEGIN_US, RECEIVED + EVENT)
        + simple_packet(RECEIVED + EVENT) * 2
        + enhanced_packet(BEGIN_US + 9, RECEIVED + EVENT)
    )
    assert [packet.t_us - BEGIN_US for packet in result.packets] == [0, 0, 0, 9]
    assert [packet.payload for packet in result.packets] == [EVENT[1:]] * 4
    assert "2 packets carry no time" in result.report.findings[0]
    alone = read(section() + interface(187) + simple_packet(EVENT) * 3)
    assert (len(alone.packets), alone.report.time_rule) == (3, "order_only")


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_packet_blocks_of_old_are_read(order: str) -> None:
    body = struct.pack(f"{order}HHIIII", 1, 0, BEGIN_US >> 32, BEGIN_US & 0xFFFFFFFF, len(EVENT), 90) + EVENT
    result = read(section(order) + interface(1, order) + interface(187, order) + block(2, body, order))
    assert [(packet.t_us, packet.payload, packet.original) for packet in result.packets] == [(BEGIN_US, EVENT[1:], 89)]


def test_packets_that_do_not_hold_together_are_damaged() -> None:
    beyond = block(6, struct.pack("<IIIII", 0, 0, 5, 999, 999) + EVENT)
    nobodys = enhanced_packet(BEGIN_US, RECEIVED + EVENT, which=9)
    short = block(6, bytes(8))
    good = enhanced_packet(BEGIN_US, RECEIVED + EVENT)
    result = read(section() + interface(201) + beyond + good + nobodys + short + good)
    assert result.numbers == [1, 4]
    assert [damage.record for damage in result.report.damages] == [0, 2, 3]


def test_an_interface_that_says_nothing_leaves_its_packets_damaged_or_foreign() -> None:
    result = read(section() + block(1, bytes(4)) + interface(201) + enhanced_packet(BEGIN_US, EVENT))
    assert result.report.foreign == 1


def test_more_sections_and_interfaces_than_anyone_has_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    packet = enhanced_packet(BEGIN_US, RECEIVED + EVENT)
    monkeypatch.setattr(pcapng, "DESCRIBED_AT_MOST", 5)
    result = read(section() + interface(201) * 9 + packet + enhanced_packet(BEGIN_US, RECEIVED + EVENT, which=4))
    assert (result.numbers, result.report.damaged) == ([0], 1)
    monkeypatch.setattr(pcapng, "TURNS_AT_MOST", 3)
    result = read((section() + section(">")) * 10)
    assert "again and again" in result.report.damages[0].text
