"""Every container gives the packets that were written, and of damaged files those that are whole."""

import random
import struct

import pytest
from capture_packets import BEGIN_US, forms_and_packets, kept, packets, read
from capture_writers import (
    FORMS,
    Form,
    Packet,
    btsnoop,
    btsnoop_header,
    btsnoop_record,
    enhanced_packet,
    interface,
    pcap_header,
    section,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures import chain, containers
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

CHAINED = sorted(name for name in FORMS if not name.startswith("btsnooz"))
"""Containers in which one record leads to the next; in btsnooz all are under one seal."""

ANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", FORMS)
def test_each_gives_what_was_written(name: str) -> None:
    form = FORMS[name]
    sent = packets(form)
    result = read(form.write(sent))
    assert result.packets == kept(form, sent)
    assert result.numbers == list(range(len(sent)))
    assert not result.notes
    report = result.report
    assert (report.container, report.records, report.damaged) == (form.name, len(sent), 0)
    assert (report.first_us, report.last_us) == (sent[0].t_us, sent[-1].t_us)
    assert report.time_rule == "exact"


@ANY
@given(forms_and_packets())
def test_whatever_was_written_comes_back(form_and_packets: tuple[Form, list[Packet]]) -> None:
    form, sent = form_and_packets
    data = form.write(sent)
    if not sent and form.name.startswith("PacketLogger"):
        assert containers.sniff(Content("empty", data)) is None
        return
    result = read(data)
    assert result.packets == kept(form, sent)
    assert result.report.damaged == 0


@pytest.mark.parametrize("name", CHAINED)
def test_a_file_cut_at_any_byte_gives_what_is_whole(name: str) -> None:
    form = FORMS[name]
    sent = packets(form, 12)
    whole = form.write(sent)
    ends = [len(form.write(sent[:count])) for count in range(len(sent) + 1)]
    for cut in range(len(whole)):
        content = Content("cut", whole[:cut])
        try:
            container = containers.sniff(content)
        except CaptureFormatError:
            assert cut < ends[0]
            continue
        if container is None:
            assert cut < (ends[0] or 13)
            continue
        result = read(whole[:cut])
        count = max(0, sum(end <= cut for end in ends) - 1)
        assert result.packets == kept(form, sent[:count]), cut
        if cut >= ends[0]:
            assert result.report.damaged == (cut not in ends)
        if cut > ends[0] and cut not in ends:
            (damage,) = result.report.damages
            assert (damage.offset, damage.record) == (ends[count], count)


@ANY
@given(st.sampled_from(CHAINED), st.data())
def test_damage_takes_nothing_before_it(name: str, draw: st.DataObject) -> None:
    form = FORMS[name]
    sent = packets(form, 30)
    data = bytearray(form.write(sent))
    ends = [len(form.write(sent[:count])) for count in range(len(sent) + 1)]
    place = draw.draw(st.integers(ends[0], len(data) - 1))
    size = draw.draw(st.integers(1, 60))
    data[place : place + size] = draw.draw(st.binary(min_size=size, max_size=size))
    whole = sum(end <= place for end in ends) - 1
    if not whole and form.name.startswith("PacketLogger"):
        return  # by its first record it is known
    result = read(bytes(data))
    assert result.packets[:whole] == kept(form, sent[:whole])


@pytest.mark.parametrize("name", CHAINED)
def test_behind_a_wrong_length_the_rest_is_read(name: str) -> None:
    """Whatever the length becomes, the records behind it are found again, and the place is told."""
    form = FORMS[name]
    sent = packets(form, 30)
    whole = form.write(sent)
    ends = [len(form.write(sent[:count])) for count in range(len(sent) + 1)]
    at = {"bts": 4, "pac": 0}.get(name[:3], 4 if name.startswith("pcapng") else 8)
    for wrong in (bytes(4), b"\xff" * 4, b"\0\0\0\7", b"\7\0\0\0", b"\0\1\0\0"):
        data = bytearray(whole)
        data[ends[10] + at : ends[10] + at + 4] = wrong
        result = read(bytes(data))
        lost = [packet for packet in kept(form, sent) if packet not in result.packets]
        assert len(lost) <= 2, wrong
        assert result.packets[:10] == kept(form, sent[:10])
        assert result.packets[-10:] == kept(form, sent[-10:])
        assert result.report.damaged
        assert ends[10] <= result.report.damages[0].offset <= ends[12]


@ANY
@given(st.binary(max_size=400))
@example(b"btsnoop\0")
@example(bytes(300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    heads = (
        b"",
        btsnoop_header(1001),
        btsnoop_header(1002),
        btsnoop_header(2001),
        pcap_header(201),
        pcap_header(254, ">"),
        section() + interface(201),
        section(">"),
        b"\0\0\0\x0a" + struct.pack(">I", 1_500_000_000) + bytes(6),
    )
    for head in heads:
        try:
            if containers.sniff(Content("any", head + data)) is None:
                with pytest.raises(CaptureFormatError, match="no capture"):
                    read(head + data)
                continue
        except CaptureFormatError:
            continue
        read(head + data)


def test_a_file_that_breaks_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "MENDS_AT_MOST", 10)
    record = btsnoop_record(BEGIN_US, 1, b"\x04\x0e\x00")
    result = read(btsnoop_header(1002) + (record * 3 + b"\xff" * 30) * 30)
    assert result.report.damaged == 11
    assert len(result.packets) == 33
    assert "10 times" in result.report.damages[-1].text


def test_many_chunks_are_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks end anywhere; bytes like a record's beginning lie in the packets; the high bytes of the time change."""
    monkeypatch.setattr(chain, "CHUNK", 500)
    monkeypatch.setattr(chain, "SHORT_SPAN", 100)
    rng = random.Random(7)
    t_us = BEGIN_US
    sent = []
    for number in range(3000):
        t_us += rng.choice((1000, 1000, 1000, 2**40 + 5 if number % 100 == 0 else 2000, -500))
        body = rng.randbytes(rng.randrange(1, 60))
        if number % 7 == 0:
            body += btsnoop_record(t_us, 1, body[:5])
        sent.append(Packet(t_us, 4, 1, body))
    form = FORMS["btsnoop-1002"]
    assert read(form.write(sent)).packets == kept(form, sent)


def test_progress_reaches_the_end() -> None:
    for form in FORMS.values():
        data = form.write(packets(form))
        told: list[int] = []
        for _ in containers.read(Content("x", data), Report(""), on_progress=told.append):
            pass
        assert sum(told) == len(data)
        assert min(told) >= 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (btsnoop_header(1003), r"1003: BCSP"),
        (btsnoop_header(1004), r"1004: H5"),
        (btsnoop_header(2002), r"2002: .* simulator"),
        (btsnoop_header(77), r"data link 77\)"),
        (btsnoop_header(1002, version=2), "version 2"),
        (btsnoop_header(1002)[:14], "cut"),
        (pcap_header(251), r"over-the-air.*251"),
        (pcap_header(256, ">"), r"over-the-air.*256"),
        (pcap_header(272, nanoseconds=True), r"over-the-air.*272"),
        (pcap_header(1), r"no HCI.*link type 1\)"),
        (pcap_header(201)[:20], "cut"),
        (section() + interface(272), r"over-the-air.*272"),
        (section(">") + interface(1, ">") + interface(113, ">"), r"no HCI.*link type 1\)"),
        (section()[:11], "cut"),
        (section()[:8] + bytes(20), "byte order"),
        (b"--- BEGIN:BTSNOOP_LOG_SUMMARY (9 bytes in) ---\nBwAAAAAA\n", "version 7"),
    ],
)
def test_what_is_refused_is_refused_by_name(data: bytes, says: str) -> None:
    with pytest.raises(CaptureFormatError, match=says) as refused:
        containers.sniff(Content("x", data))
    assert refused.value.offset is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello\n" * 100,
        bytes(1000),
        b"--- BEGIN:BTSNOOP_LOG_SUMMARY (0 bytes in) ---\n",
        b"\x89PNG\r\n\x1a\n" + bytes(99),
    ],
)
def test_what_is_no_capture_is_none(data: bytes) -> None:
    assert containers.sniff(Content("x", data)) is None


def test_the_name_does_not_matter_and_neither_does_where_the_bytes_lie() -> None:
    data = btsnoop([Packet(BEGIN_US, 4, 1, b"\x0e\x00")], 1002)
    for buffer in (data, memoryview(data)):
        assert containers.sniff(Content("holiday.jpg", buffer)).name == "btsnoop 1002"
    report = Report("")
    text = FORMS["btsnooz-2"].write(packets(FORMS["btsnooz-2"]))
    assert sum(len(each) for each in containers.read(Content("x", memoryview(text)), report)) == 40


def test_a_file_of_pcapng_that_ends_within_a_packet_keeps_the_others() -> None:
    head = section() + interface(201)
    data = enhanced_packet(BEGIN_US, b"\0\0\0\1\x04\x0e\x00")
    assert len(read(head + data * 3 + data[:20]).packets) == 3
