"""The short memory of Android's stack in bug reports: found, unfolded, and dated from its end."""

import struct
import zlib

import pytest
from capture_packets import BEGIN_US, kept, packets, read
from capture_writers import FORMS, btsnooz_block, bug_report

from terminal_kit.importers.captures import btsnooz, containers
from terminal_kit.importers.content import Content

FORM = FORMS["btsnooz-2"]


def test_it_is_found_in_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(btsnooz, "SEARCHED", 1000)
    sent = packets(FORM)
    text = bug_report([btsnooz_block(sent, 2)], lines_before=3000)
    assert read(text).packets == kept(FORM, sent)
    assert containers.sniff(Content("x", memoryview(text))).name == "btsnooz 2"


def test_lines_may_end_as_windows_ends_them() -> None:
    sent = packets(FORM)
    assert read(bug_report([btsnooz_block(sent, 2)]).replace(b"\n", b"\r\n")).packets == kept(FORM, sent)


def test_times_are_counted_back_from_the_last() -> None:
    record = struct.pack("<HHIB", 4, 4, 1_000_000, 0x10) + b"\x0e\x01\x00"
    packed = struct.pack("<bQ", 2, BEGIN_US) + zlib.compress(record * 3)
    assert [packet.t_us - BEGIN_US for packet in read(bug_report([packed])).packets] == [-2_000_000, -1_000_000, 0]


def test_several_blocks_are_one_timeline() -> None:
    sent = packets(FORM, 20)
    result = read(bug_report([btsnooz_block(sent[:10], 2), btsnooz_block(sent[10:], 2)]))
    assert (result.packets, result.numbers) == (kept(FORM, sent), list(range(20)))


def test_types_that_are_not_known_are_foreign() -> None:
    record = struct.pack("<HIB", 2, 0, 0x99) + b"x"
    result = read(bug_report([struct.pack("<bQ", 1, BEGIN_US) + zlib.compress(record)]))
    assert result.report.foreign_reasons == {"btsnooz records of type 0x99": 1}


class TestDamage:
    @pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
    def test_a_cut_report_gives_what_is_there(self, part: float) -> None:
        sent = packets(FORM, 400)
        text = bug_report([btsnooz_block(sent, 2)])
        result = read(text[: int(len(text) * part)])
        read_back = [packet._replace(t_us=0) for packet in result.packets]
        assert read_back == [packet._replace(t_us=0) for packet in kept(FORM, sent[: len(read_back)])]
        assert result.report.damaged == 1
        assert result.report.damages[0].offset == text.index(btsnooz.BEGIN)
        assert "too late by what is missing" in result.report.findings[0]
        if part > 0.5:
            assert len(read_back) > 100

    def test_a_missing_end_mark_alone_takes_nothing(self) -> None:
        sent = packets(FORM)
        text = bug_report([btsnooz_block(sent, 2)], end_mark=False)
        result = read(text[: text.index(b"and more")])
        assert result.packets == kept(FORM, sent)
        assert "end mark" in result.report.damages[0].text

    def test_what_unfolds_without_end_is_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(btsnooz, "INFLATED_AT_MOST", 10_000)
        record = struct.pack("<HHIB", 4, 4, 0, 0x10) + b"\x0e\x01\x00"
        result = read(bug_report([struct.pack("<bQ", 2, BEGIN_US) + zlib.compress(record * 100_000)]))
        assert len(result.packets) == 10_000 // len(record)
        assert "more than 10000 bytes" in result.report.damages[0].text

    def test_a_second_block_of_an_unknown_version_is_told(self) -> None:
        sent = packets(FORM, 5)
        result = read(bug_report([btsnooz_block(sent, 2), struct.pack("<bQ", 9, BEGIN_US) + zlib.compress(b"")]))
        assert result.packets == kept(FORM, sent)
        assert "version 9" in result.report.damages[0].text

    def test_a_time_that_is_none_does_no_harm(self) -> None:
        record = struct.pack("<HIB", 4, 2**32 - 1, 0x10) + b"\x0e\x01\x00"
        result = read(bug_report([struct.pack("<bQ", 1, 2**64 - 1) + zlib.compress(record * 9)]))
        assert len(result.packets) == 9
