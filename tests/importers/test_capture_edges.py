"""What real captures have at their edges: links in their middle, pieces, other protocols, what was left out."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace

import capture_writers as writers
import hci_packets as hci
import pytest
from reading_rows import Row, of_kind, read_capture

from terminal_kit import profile
from terminal_kit.events import DisconnectReason
from terminal_kit.importers.captures import advertisements, containers
from terminal_kit.importers.captures.records import Records
from terminal_kit.profile import Notice, NoticeCode

READER, OTHER = "C0:11:22:33:44:55", "C0:99:99:99:99:99"
HANDLE = 0x40
ASKS_FOR_CHARACTERISTICS = hci.data(HANDLE, struct.pack("<BHHH", 8, 1, 0xFFFF, 0x2803), sent=True)
SOFTWARE = struct.pack("<HBHH", 0x0F, 2, 0x10, 0x2A28)
READS_SOFTWARE = hci.data(HANDLE, b"\x0a\x10\x00", sent=True)


def read(packets: Iterable[tuple[int, int, bytes]], *, step_us: int = 10_000) -> list[Row]:
    rows, _ = read_capture(writers.btsnoop(hci.timed(list(packets), step_us=step_us), 1002))
    return rows


def pieces(frame: bytes, *sizes: int) -> list[tuple[int, int, bytes]]:
    """One L2CAP frame of the peer's in several packets."""
    whole = struct.pack("<HH", len(frame), 4) + frame
    found, at = list[tuple[int, int, bytes]](), 0
    for size in (*sizes, len(whole) - sum(sizes)):
        head = struct.pack("<HH", HANDLE | (1 if at else 2) << 12, size)
        found.append((writers.ACL, writers.RECEIVED, head + whole[at : at + size]))
        at += size
    return found


def a_record_at_a_time(chunks: Iterator[Records]) -> Iterator[Records]:
    for chunk in chunks:
        columns = [each.name for each in fields(chunk) if each.name not in ("source", "data", "notes")]
        for at in range(len(chunk)):
            one = {name: getattr(chunk, name)[at : at + 1] for name in columns}
            yield replace(chunk, **one, notes=[note for note in chunk.notes if note.record == chunk.number[at]])


@pytest.mark.parametrize("seed", range(4))
def test_where_chunks_end_makes_no_difference(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    packets = hci.Venue(seed, devices=6, links=1 / 4).packets(300)
    software = [ASKS_FOR_CHARACTERISTICS, *pieces(b"\x09\x07" + SOFTWARE, 9), READS_SOFTWARE, *pieces(b"\x0b9.8.7", 9)]
    last_us = packets[-1].t_us
    packets += hci.timed([hci.connected(HANDLE, READER), *software], begin_us=last_us + 1000)
    data = writers.btsnoop(packets, 1002)
    whole, _ = read_capture(data)
    read_chunks = containers.read
    monkeypatch.setattr(containers, "read", lambda *given, **named: a_record_at_a_time(read_chunks(*given, **named)))
    cut, _ = read_capture(data)
    assert [row.get("firmware") for row in of_kind(whole, "reader_info") if row.get("firmware")] == ["9.8.7"]
    # Of one second the devices' signal stands in the order in which they were met.
    assert sorted(map(shown, cut)) == sorted(map(shown, whole))
    assert [shown(row) for row in cut if row["kind"] != "signal"] == [
        shown(row) for row in whole if row["kind"] != "signal"
    ]


def test_a_second_has_one_row_wherever_the_parts_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advertisements, "LARGE", 3)
    packets = [hci.legacy_report((READER, 1, hci.name_data("STRM26100000001"), -60))] * 25
    seconds = [row["t_us"] // 1_000_000 for row in of_kind(read(packets, step_us=100_000), "signal")]
    assert len(seconds) == len(set(seconds)) == 3


def shown(row: Row) -> str:
    return repr(sorted((name, repr(cell)) for name, cell in row.items()))


@pytest.mark.parametrize("sizes", [(), (20,), (9, 9), (6, 5, 5)])
def test_an_answer_in_pieces_says_what_a_whole_one_does(sizes: tuple[int, ...]) -> None:
    declared = b"\x09\x07" + struct.pack("<HBHH", 0x0D, 2, 0x0E, 0x2A00) + SOFTWARE
    rows = read(
        [
            hci.connected(HANDLE, READER),
            ASKS_FOR_CHARACTERISTICS,
            *pieces(declared, *(size for size in sizes if sum(sizes) < len(declared))),
            READS_SOFTWARE,
            *pieces(b"\x0b9.8.7-config-and-keys", *sizes),
        ]
    )
    assert [row.get("firmware") for row in of_kind(rows, "reader_info")] == ["9.8.7-config-and-keys"]


@pytest.mark.parametrize("queued", [b"\x52\x10\x00\x01", b"\x0a\x10\x00"])
def test_what_a_host_still_sends_opens_no_link(queued: bytes) -> None:
    rows = read(
        [
            hci.connected(HANDLE, READER),
            hci.disconnected(HANDLE, 0x13),
            hci.data(HANDLE, queued, sent=True),
            hci.connected(HANDLE, OTHER),
            hci.disconnected(HANDLE, 0x13),
        ]
    )
    assert [row["reader"] for row in of_kind(rows, "link_disconnected")] == [f"addr:{READER}", f"addr:{OTHER}"]


def test_a_classic_link_from_before_the_capture_is_no_drop() -> None:
    audio = hci.data(0x0B, b"\x09\xff\x11\x01", channel=0x41)
    assert not of_kind(read([audio, hci.disconnected(0x0B, 0x13)]), "link_disconnected")
    # Data on a channel of Bluetooth LE tells what it is, whatever came before; so does nothing at all.
    told = read([audio, hci.data(0x0B, b"\x1b\x10\x00\x01"), hci.disconnected(0x0B, 0x13)])
    assert len(of_kind(told, "link_disconnected")) == 1
    assert len(of_kind(read([hci.disconnected(0x0B, 0x13)]), "link_disconnected")) == 1


def test_where_nobody_tells_who_sent_data_nobody_knows_of_silence() -> None:
    packets = [hci.connected(HANDLE, READER), *[hci.data(HANDLE, b"\x1b\x10\x00\x01")] * 50]
    timed = hci.timed([*packets, hci.disconnected(HANDLE, 0x08)], step_us=100_000)
    for data, known in ((writers.pcap(timed, 201), True), (writers.pcap(timed, 187), False)):
        (end,) = of_kind(read_capture(data)[0], "link_disconnected")
        assert ("silence_s" in end["extra"], "queued_packets" in end["extra"]) == (known, known)
        if known:
            assert end["extra"]["silence_s"] == pytest.approx(0.1)


def test_the_rest_of_an_advertisement_is_not_read_as_its_beginning() -> None:
    """Bytes of a maker's that look like a name, where a fragment begins within them."""
    inner = hci.name_data("STRM2FAKE0001")
    data = hci.name_data("honest") + bytes((len(inner) + 1, 0xFF)) + inner
    cut = len(hci.name_data("honest")) + 2
    for parts in ([data], [data[:cut], data[cut:]]):
        reports = [
            hci.extended_report(READER, 1, part, -60, data_status=int(number + 1 < len(parts)))
            for number, part in enumerate(parts)
        ]
        assert not of_kind(read([*reports, *reports]), "reader_found")


@pytest.mark.parametrize(("after", "reason"), [(0, "powered_off"), (10, "bluetooth_signal_lost")])
def test_a_farewell_is_forgotten_where_the_reader_goes_on(after: int, reason: str) -> None:
    notice = Notice(NoticeCode.FAREWELL, DisconnectReason.POWERED_OFF).encode()
    uuid = bytes.fromhex(profile.NOTICE.replace("-", ""))[::-1]
    rows = read(
        [
            hci.connected(HANDLE, READER),
            ASKS_FOR_CHARACTERISTICS,
            hci.data(HANDLE, b"\x09\x15" + struct.pack("<HBH", 0x0F, 0x10, 0x10) + uuid),
            hci.data(HANDLE, struct.pack("<BH", 0x1B, 0x10) + notice),
            *[hci.data(HANDLE, b"\x1b\x20\x00\x01")] * after,
            hci.disconnected(HANDLE, 0x08),
        ],
        step_us=2_000_000,
    )
    (end,) = of_kind(rows, "link_disconnected")
    assert end["reason"] == reason


def test_a_filtered_log_is_told() -> None:
    packets = hci.timed([hci.connected(HANDLE, READER), hci.data(HANDLE, b"PROHIBITED", channel=0x41)])
    _, reading = read_capture(writers.btsnoop(packets, 1002))
    assert any("filtered this log" in finding for finding in reading.reports[0].findings)
    _, reading = read_capture(writers.btsnoop(packets[:1], 1002))
    assert not reading.reports[0].findings


def test_a_clock_that_is_set_back_makes_no_negative_duration() -> None:
    packets = hci.timed([hci.connected(HANDLE, READER), hci.disconnected(HANDLE, 0x13)])
    packets[1] = packets[1]._replace(t_us=packets[0].t_us - 3_600_000_000)
    (end,) = of_kind(read_capture(writers.btsnoop(packets, 1002))[0], "link_disconnected")
    assert end["duration_s"] == 0


def test_a_scan_whose_answer_is_not_there_counts_as_begun() -> None:
    assert len(of_kind(read([hci.scan(on=True)]), "scan_started")) == 1


def test_a_battery_that_is_read_by_its_type() -> None:
    asks = hci.data(HANDLE, struct.pack("<BHHH", 8, 1, 0xFFFF, 0x2A19), sent=True)
    tells = hci.data(HANDLE, b"\x09\x03" + struct.pack("<HB", 0x30, 77))
    rows = read([hci.connected(HANDLE, READER), asks, tells, hci.data(HANDLE, b"\x1b\x30\x00\x4c")])
    assert [row["battery"] for row in of_kind(rows, "battery")] == [0.77, 0.76]


def test_an_identity_that_is_told_in_pairing_joins_a_private_address() -> None:
    private, identity = "52:AA:BB:CC:DD:EE", "00:1A:7D:11:22:33"
    told = hci.data(HANDLE, b"\x09\x00" + hci.address(identity), channel=6)
    packets = hci.timed([hci.connected(HANDLE, private), told, hci.disconnected(HANDLE, 0x13)])
    rows, reading = read_capture(writers.btsnoop(packets, 1002))
    assert dict(reading.aliases()) == {f"addr:{private}": f"addr:{identity}"}
    assert of_kind(rows, "link_disconnected")[0]["reader"] == f"addr:{identity}"


def test_directed_advertising_that_times_out_is_nobodys_failed_attempt() -> None:
    timeout = hci.meta(1, struct.pack("<BHBB6sHHHB", 0x3C, 0, 1, 1, bytes(6), 0, 0, 0, 0))
    rows = read([hci.create(READER), timeout, hci.connected(HANDLE, READER)])
    assert not of_kind(rows, "link_failed")
    assert of_kind(rows, "link_connected")[0]["attempt"] == 1
