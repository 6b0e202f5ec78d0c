"""What captures tell besides packets: adapters, remarks, gaps, clocks; and what in them is foreign."""

import struct

import pytest
from capture_packets import BEGIN_US, read
from capture_writers import (
    FORMS,
    Packet,
    btsnoop,
    btsnoop_header,
    btsnoop_record,
    packetlogger_record,
    pcap_header,
)

from terminal_kit.importers.captures import packets as packets_module

EVENT = b"\x0e\x04\x01\x03\x0c\x00"
S = 1_000_000


def monitor(*records: tuple[int, bytes]) -> bytes:
    """A file of btmon's with records of some opcodes on adapter 2, a second apart."""
    return btsnoop_header(2001) + b"".join(
        btsnoop_record(BEGIN_US + number * S, 2 << 16 | opcode, payload)
        for number, (opcode, payload) in enumerate(records)
    )


def test_the_monitor_tells_of_adapters() -> None:
    address = bytes.fromhex("665544332211")
    result = read(
        monitor(
            (0, b"\x00\x01" + address + b"hci2\0\0\0\0"),
            (8, b""),
            (10, address + b"\x5d\x00"),
            (3, EVENT),
            (9, b""),
            (1, b""),
        )
    )
    assert [(note.kind, note.text, note.record, note.adapter) for note in result.notes] == [
        ("host_changed", "adapter added: hci2 11:22:33:44:55:66", 0, 2),
        ("host_changed", "adapter switched on", 1, 2),
        ("note", "adapter 11:22:33:44:55:66, manufacturer 0x005D", 2, 2),
        ("host_changed", "adapter switched off", 4, 2),
        ("host_changed", "adapter removed", 5, 2),
    ]
    assert [note.t_us for note in result.notes[:2]] == [BEGIN_US, BEGIN_US + S]
    assert [note.extra["change"] for note in result.notes if note.kind == "host_changed"] == [
        "adapter_added",
        "adapter_on",
        "adapter_off",
        "adapter_removed",
    ]
    assert result.packets == [Packet(BEGIN_US + 3 * S, 4, 1, EVENT, 2, len(EVENT))]
    assert (result.numbers, result.report.understood) == ([3], 5)


def test_the_monitor_tells_what_programs_wrote() -> None:
    result = read(
        monitor(
            (12, b"Linux version 6.1 (x86_64)\0"),
            (13, struct.pack("<BB", 6, 11) + b"bluetoothd\0" + b"Bluetooth daemon 5.66\0"),
            (13, b"\x06"),
            (13, struct.pack("<BB", 6, 200) + b"cut"),
        )
    )
    assert [note.text for note in result.notes] == [
        "Linux version 6.1 (x86_64)",
        "bluetoothd: Bluetooth daemon 5.66",
        "",
        "cut:",
    ]


def test_what_the_monitor_says_of_other_things_is_foreign() -> None:
    result = read(monitor((11, b"x"), (16, b"x"), (17, b"x"), (17, b"x"), (99, b"x"), (2**15, b"x")))
    assert result.report.foreign_reasons == {
        "vendor diagnostics": 1,
        "management commands": 1,
        "management events": 2,
        "monitor records of opcode 99": 1,
        "monitor records of opcode 511": 1,
    }
    assert not result.packets


@pytest.mark.parametrize("order", [">", "<"])
def test_packetlogger_has_notes_for_people(order: str) -> None:
    kinds = (0x01, 0xFB, 0xFC, 0xFA, 0xFE, 0xF7, 0x77, 0x77)
    texts = (EVENT, b"Sleep\0", "caf\xe9".encode(), b"lost\xff", b"BCM4387", b"syslog", b"?", b"?")
    data = b"".join(
        packetlogger_record(BEGIN_US + n * S, kind, text, order)
        for n, (kind, text) in enumerate(zip(kinds, texts, strict=True))
    )
    result = read(data)
    assert [(note.kind, note.text, note.record) for note in result.notes] == [
        ("note", "power: Sleep", 1),
        ("note", "café", 2),
        ("note", "error: lost\ufffd", 3),
        ("host_changed", "new controller: BCM4387", 4),
    ]
    assert result.report.foreign_reasons == {
        "lines of the system log": 1,
        "PacketLogger records of type 0x77": 2,
    }


def test_the_rise_of_the_drop_count_is_a_gap() -> None:
    drops = (0, 0, 5, 5, 7, 0, 0)
    data = btsnoop_header(1002) + b"".join(
        btsnoop_record(BEGIN_US + n * S, 1, b"\x04" + EVENT, drops=count) for n, count in enumerate(drops)
    )
    assert [(note.kind, note.record, note.count) for note in read(data).notes] == [("gap", 2, 5), ("gap", 4, 2)]


def test_direction_is_the_lowest_flag_alone() -> None:
    """bumble sets 0x10 where others set 2."""
    data = btsnoop_header(1002) + b"".join(
        btsnoop_record(BEGIN_US, flags, b"\x04" + EVENT) for flags in (0, 1, 2, 3, 0x10, 0x11)
    )
    assert [packet.direction for packet in read(data).packets] == [0, 1, 0, 1, 0, 1]


def test_the_order_of_records_is_the_files_whatever_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = (0, 1, 0.5, 100, 40, 41, 41 + 86_400 * 31)
    sent = [Packet(BEGIN_US + int(at * S), 4, 1, EVENT) for at in seconds]
    result = read(btsnoop(sent, 1002))
    assert [packet.t_us for packet in result.packets] == [packet.t_us for packet in sent]
    assert [(note.kind, note.record, note.extra) for note in result.notes] == [
        ("clock_jumped", 4, {"step_us": -60 * S}),
        ("clock_jumped", 6, {"step_us": 86_400 * 31 * S}),
    ]
    assert result.notes[0].text == "the clock was set back by 60.000 s"
    assert "set 2 times" in result.report.findings[0]
    monkeypatch.setattr(packets_module, "JUMPS_TOLD", 1)
    assert len(read(btsnoop(sent, 1002)).notes) == 1


def test_a_phone_that_does_not_know_the_time_yet_is_read() -> None:
    sent = [Packet(5, 4, 1, EVENT), Packet(BEGIN_US, 4, 1, EVENT)]
    assert [packet.t_us for packet in read(btsnoop(sent, 1002)).packets] == [5, BEGIN_US]


def test_packets_of_no_known_type_are_foreign() -> None:
    data = btsnoop_header(1002) + b"".join(
        btsnoop_record(BEGIN_US, 1, payload) for payload in (b"", b"\x09abc", b"\x04" + EVENT, b"\x00")
    )
    result = read(data)
    assert result.report.foreign_reasons == {"empty packets": 2, "packets of H4 type 0x09": 1}
    assert result.numbers == [2]


def test_a_pseudo_header_that_is_cut_is_an_empty_packet() -> None:
    for link in (201, 254):
        record = struct.pack("<IIII", 1_700_000_000, 0, 3, 3) + b"\0\0\0"
        result = read(pcap_header(link) + record + record)
        assert (result.packets, result.report.foreign) == ([], 2)


def test_zeros_at_the_end_of_a_file_that_was_not_closed_are_no_records() -> None:
    for name in ("pcap-201", "btsnoop-1002", "packetlogger", "pcapng-201"):
        sent = [Packet(BEGIN_US, 4, 1, EVENT)] * 3
        result = read(FORMS[name].write(sent) + bytes(5000))
        assert len(result.packets) == 3
        assert result.report.damaged == 1
        assert "5000 bytes that follow" in result.report.damages[0].text


def test_notes_are_no_longer_than_people_read() -> None:
    (note,) = read(monitor((12, b"x" * 5000))).notes
    assert len(note.text) == packets_module.TEXT_CHARACTERS
