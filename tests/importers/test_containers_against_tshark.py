"""Wireshark's `tshark` sees the same records in our files as the kit does: numbers, times, lengths, directions."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from capture_packets import BEGIN_US, read
from capture_writers import ACL, COMMAND, EVENT, FORMS, MONITOR_OPCODES, RECEIVED, SCO, SENT, UNKNOWN, Packet

from terminal_kit.importers.captures import containers
from terminal_kit.importers.content import Content, opened
from terminal_kit.importers.report import Report

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples/captures"

UNKNOWN_TO_TSHARK = ("btsnooz",)
"""Wireshark opens no bug reports."""

FIELDS = ("frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "hci_h4.type", "frame.p2p_dir")
MONITOR_FIELDS = ("hci_mon.adapter_id", "hci_mon.opcode")

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None and os.environ.get("CI") != "true", reason="tshark is not installed"
)


def tshark(path: Path) -> list[dict[str, str]]:
    fields = FIELDS + MONITOR_FIELDS
    options = [option for field in fields for option in ("-e", field)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=/t", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def microseconds(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1_000_000 + int(fraction.ljust(9, "0")[:6])


def whole_packets(count: int) -> list[Packet]:
    """Packets whose inner lengths are right: by them Wireshark knows PacketLogger's files."""
    found = []
    for number in range(count):
        kind = (COMMAND, EVENT, ACL, SCO, EVENT)[number % 5]
        direction = {COMMAND: SENT, EVENT: RECEIVED}.get(kind, number // 5 % 2)
        body = bytes(range(4 + number % 13))
        head = {
            COMMAND: struct.pack("<HB", 0x0C03, len(body)),
            EVENT: struct.pack("<BB", 0xFF, len(body)),
            ACL: struct.pack("<HH", 0x2040, len(body)),
            SCO: struct.pack("<HB", 0x0041, len(body)),
        }[kind]
        found.append(Packet(BEGIN_US + number * 654_321, kind, direction, head + body, number % 2))
    return found


@needs_tshark
@pytest.mark.parametrize("name", [name for name in FORMS if not name.startswith(UNKNOWN_TO_TSHARK)])
def test_generated_captures_are_the_same_to_both(name: str, tmp_path: Path) -> None:
    form = FORMS[name]
    path = tmp_path / "capture"
    path.write_bytes(form.write([packet for packet in whole_packets(60) if packet.kind in form.kinds]))
    ours, theirs = read(path.read_bytes()), tshark(path)
    assert len(ours.packets) == len(theirs) > 40
    for number, packet, frame in zip(ours.numbers, ours.packets, theirs, strict=True):
        assert number + 1 == int(frame["frame.number"])
        assert packet.t_us == microseconds(frame["frame.time_epoch"])
        # The byte of the kind is one of the frame's, and so is PacketLogger's of the type.
        before = bool(frame["hci_h4.type"]) or name.startswith("packetlogger")
        assert len(packet.payload) + before == int(frame["frame.cap_len"])
        assert packet.length + before == int(frame["frame.len"])
        if frame["hci_h4.type"]:
            assert packet.kind == int(frame["hci_h4.type"], 0)
        if frame["frame.p2p_dir"] and packet.direction != UNKNOWN:
            assert packet.direction == int(frame["frame.p2p_dir"])
        if frame["hci_mon.opcode"]:
            adapter, opcode = int(frame["hci_mon.adapter_id"]), int(frame["hci_mon.opcode"])
            assert (packet.adapter, MONITOR_OPCODES[packet.kind, packet.direction]) == (adapter, opcode)


@needs_tshark
@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not at hand")
def test_real_captures_are_the_same_to_both() -> None:
    for path in sorted(SAMPLES.iterdir()):
        theirs = tshark(path)
        report = Report("")
        with opened(path) as content:
            data = bytes(content.data)
        seen = {
            int(number): (int(t_us), int(kind), int(direction), int(size))
            for records in containers.read(Content(path.name, data), report)
            for number, t_us, kind, direction, size in zip(
                records.number, records.t_us, records.kind, records.direction, records.included, strict=True
            )
        }
        assert report.records == len(theirs)
        assert report.damaged == 0
        for number, frame in enumerate(theirs):
            t_us, kind, direction, size = seen[number]
            assert t_us == microseconds(frame["frame.time_epoch"])
            if frame["hci_h4.type"]:
                assert kind == int(frame["hci_h4.type"], 0)
            if path.suffix == ".pklg" or frame["hci_h4.type"]:
                assert size + 1 == int(frame["frame.cap_len"])
            if frame["frame.p2p_dir"]:
                assert direction == int(frame["frame.p2p_dir"])
