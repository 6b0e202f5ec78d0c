"""The capture of the simulated air: the packets that a phone would have logged, as Wireshark reads them."""

import asyncio
import shutil
import struct
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from stage import DESK, M2, WISEPAD, virtual

from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator import run_virtual
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.capture import CaptureTap
from terminal_kit.simulator.hci import BTSNOOP_EPOCH_US
from terminal_kit.terminal import Terminal

START = datetime(2025, 6, 1, 12, tzinfo=UTC)
ADDRESS = "C0:11:22:33:44:55"

Packet = tuple[int, bool, bytes]


def packets(data: bytes) -> list[Packet]:
    """Time (UTC, µs), whether it was received, and the packet, of each record of a btsnoop file."""
    assert data[:16] == b"btsnoop\0" + struct.pack(">II", 1, 1002)
    found: list[Packet] = []
    offset = 16
    while offset < len(data):
        size, included, flags, drops, stamp = struct.unpack_from(">IIIIq", data, offset)
        assert size == included
        assert drops == 0
        packet = data[offset + 24 : offset + 24 + size]
        assert bool(flags & 2) == (packet[0] in (1, 4))
        found.append((stamp - BTSNOOP_EPOCH_US, bool(flags & 1), packet))
        offset += 24 + size
    return found


def events(found: list[Packet], code: int, subevent: int | None = None) -> list[tuple[int, bytes]]:
    """The events of a code (and an LE subevent): time and parameters."""
    return [
        (t_us, packet[3:])
        for t_us, _, packet in found
        if packet[0] == 4 and packet[1] == code and (subevent is None or packet[3] == subevent)
    ]


def commands(found: list[Packet], opcode: int) -> list[tuple[int, bytes]]:
    """The commands of an opcode: time and parameters."""
    return [
        (t_us, packet[4:])
        for t_us, _, packet in found
        if packet[0] == 1 and struct.unpack_from("<H", packet, 1)[0] == opcode
    ]


class Play:
    """An air with a tap, and a terminal on it."""

    def __init__(self, seed: int = 1, **tap: Any) -> None:
        self.air = Air(seed, start=START)
        self.tap = CaptureTap(self.air, **tap)
        self.reader = self.air.add_reader(M2, distance_m=2.0, address=ADDRESS)
        self.heard: list[Any] = []
        self.terminal = Terminal(simulated_radio(self.air), sink=self.heard.append, seed=seed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.terminal.close(force=True)
        self.air.close()

    async def connect(self) -> None:
        await self.terminal.easy_connect(DESK, serial=M2)

    @property
    def packets(self) -> list[Packet]:
        return packets(self.tap.to_bytes())


@virtual
async def test_a_connection_from_scan_to_farewell() -> None:
    async with Play() as play:
        await play.connect()
        await asyncio.sleep(20)
        play.air.faults.start("switch_off", M2)
        await asyncio.sleep(5)
        found = play.packets
        assert [t_us for t_us, _, _ in found] == sorted(t_us for t_us, _, _ in found)
        assert [parameters[:1] for _, parameters in commands(found, 0x200C)][:2] == [b"\x01", b"\x00"]
        reports = events(found, 0x3E, 0x02)
        assert reports
        signals = {struct.unpack("<b", report[-1:])[0] for _, report in reports}
        assert all(-75 <= level <= -30 for level in signals)  # two metres: −47 dBm, give or take fading
        (created, _), *_ = commands(found, 0x200D)
        ((connected, complete),) = events(found, 0x3E, 0x01)
        assert created < connected
        assert complete[1] == 0
        interval, latency, timeout = struct.unpack_from("<HHH", complete, 12)
        in_force = play.air.parameters
        assert (interval * 1.25, latency, timeout / 100) == (in_force.interval_ms, 0, in_force.supervision_timeout_s)
        ((_, end),) = events(found, 0x05)
        assert end[3] == 0x15
        handle = struct.unpack_from("<H", complete, 2)[0]
        assert struct.unpack_from("<H", end, 1)[0] == handle
        dropped = next(event for event in play.heard if event.kind == "link_disconnected")
        assert dropped.hci_code == 0x15
        # The farewell itself is a notification of the last quarter of a second.
        told = [packet for t_us, _, packet in found if packet[0] == 2 and packet[9:10] == b"\x1b"]
        assert told


@virtual
async def test_the_host_hangs_up_with_a_command() -> None:
    async with Play() as play:
        await play.connect()
        await play.terminal.disconnect_reader()
        await asyncio.sleep(1)
        ((asked, parameters),) = commands(play.packets, 0x0406)
        ((ended, end),) = events(play.packets, 0x05)
        assert parameters[2] == 0x13
        assert end[3] == 0x16
        assert asked < ended


@virtual
async def test_a_lost_bond_shows_in_the_encryption() -> None:
    async with Play() as play:
        await play.connect()
        await play.terminal.disconnect_reader()
        with play.reader.handled() as model:
            model.lose_bonds()
            model.location_id = None
        with pytest.raises(Exception, match="knows"):
            await play.connect()
        statuses = [parameters[0] for _, parameters in events(play.packets, 0x08)]
        assert statuses == [0x00, 0x06]
        assert commands(play.packets, 0x0406)[-1][1][2] == 0x05


@virtual
async def test_silence_before_a_timeout_is_the_supervision_timeout() -> None:
    async with Play(reads_rssi_every_s=1.0) as play:
        await play.connect()
        await asyncio.sleep(30)
        play.air.faults.start("cut_power", M2)
        cut_us = play.air.utc_us()
        await asyncio.sleep(6)
        ((ended_us, end),) = events(play.packets, 0x05)
        assert end[3] == 0x08
        received = [t_us for t_us, was_received, packet in play.packets if was_received and packet[0] == 2]
        assert max(t_us for t_us in received if t_us < ended_us) <= cut_us
        assert ended_us - cut_us == pytest.approx(play.air.parameters.supervision_timeout_s * 1e6, abs=1e4)
        levels = [packet[9] for _, _, packet in play.packets if packet[:1] == b"\x04" and packet[4:6] == b"\x05\x14"]
        assert len(levels) >= 30


@virtual
async def test_a_reader_that_restarts_quickly_advertises_while_the_host_waits() -> None:
    async with Play() as play:
        play.reader.model.boots_in_s = 0.5
        play.air.parameters = replace(play.air.parameters, supervision_timeout_s=6.0)
        await play.connect()
        watch = play.terminal.monitor()
        await asyncio.sleep(5)
        play.air.faults.start("cut_power", M2)
        await asyncio.sleep(7)
        ((ended_us, _),) = events(play.packets, 0x05)
        heard = [
            t_us
            for t_us, report in events(play.packets, 0x3E, 0x02)
            if report[4:10] == bytes.fromhex(ADDRESS.replace(":", ""))[::-1]
        ]
        assert any(ended_us - 5_000_000 < t_us < ended_us for t_us in heard)
        watch.cancel()


@virtual
async def test_a_link_layer_that_hangs_ends_after_forty_seconds() -> None:
    async with Play() as play:
        play.reader.model.closed = True  # nobody watches its state
        await play.connect()
        wished = replace(play.air.parameters, interval_ms=45.0)
        play.reader.ask_for(wished)
        await asyncio.sleep(1)
        assert play.reader.link is not None
        assert play.reader.link.parameters == wished
        play.air.faults.start("hang", M2)
        play.reader.ask_for(play.air.parameters)
        await asyncio.sleep(39)
        assert not events(play.packets, 0x05)
        await asyncio.sleep(2)
        assert events(play.packets, 0x05)[0][1][3] == 0x22
        assert len(events(play.packets, 0x3E, 0x03)) == 1


@virtual
async def test_bluetooth_off_resets_the_controller() -> None:
    async with Play() as play:
        await play.connect()
        fault = play.air.faults.start("bluetooth_off")
        await asyncio.sleep(3)
        assert len(commands(play.packets, 0x0C03)) == 1
        assert events(play.packets, 0x05)[0][1][3] == 0x16
        silent_from_us = play.air.utc_us()
        await asyncio.sleep(30)
        assert play.packets[-1][0] < silent_from_us
        fault.undo()
        await asyncio.sleep(30)
        assert len(commands(play.packets, 0x0C03)) == 2
        assert len(events(play.packets, 0x3E, 0x01)) == 2


@virtual
async def test_private_addresses_lead_to_the_identity() -> None:
    async with Play(extended=True) as play:
        play.tap.use_private_address(ADDRESS)
        await play.connect()
        ((_, complete),) = events(play.packets, 0x3E, 0x0A)
        identity, private = complete[6:12][::-1].hex(":").upper(), complete[18:24]
        assert identity == ADDRESS
        heard = {report[5:11] for _, report in events(play.packets, 0x3E, 0x0D)}
        assert private in heard
        assert private[-1] >> 6 == 0b01  # a resolvable private address


def test_the_same_seed_writes_the_same_bytes() -> None:
    async def play() -> bytes:
        async with Play(seed=7, reads_rssi_every_s=2.0) as on:
            await on.connect()
            on.air.faults.start("body", M2, loss_db=60.0)
            await asyncio.sleep(60)
            return on.tap.to_bytes()

    assert run_virtual(play()) == run_virtual(play())


@virtual
async def test_a_rotated_log_lacks_its_beginning() -> None:
    async with Play() as play:
        await play.connect()
        await asyncio.sleep(10)
        since_us = play.air.utc_us() - 5_000_000
        kept = packets(play.tap.to_bytes(since_us=since_us))
        assert kept == [packet for packet in play.packets if packet[0] >= since_us]
        assert kept
        play.tap.close()
        before = len(play.packets)
        await asyncio.sleep(10)
        assert len(play.packets) == before


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
@pytest.mark.parametrize("extended", [False, True])
def test_wireshark_reads_every_packet(tmp_path: Path, extended: bool) -> None:
    async def play() -> CaptureTap:
        async with Play(extended=extended, reads_rssi_every_s=2.0) as on:
            on.air.add_reader(WISEPAD, closed=True)
            await on.connect()
            watch = on.terminal.monitor()
            await asyncio.sleep(10)
            on.air.faults.start("cut_power", M2)
            await asyncio.sleep(60)
            watch.cancel()
            await on.terminal.disconnect_reader()
            await asyncio.sleep(1)
            return on.tap

    tap = run_virtual(play())
    path = tap.write(tmp_path / "phone.btsnoop")
    count = len(packets(path.read_bytes()))
    fields = ("frame.number", "bthci_evt.reason", "_ws.malformed")
    told = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *(word for field in fields for word in ("-e", field))],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    ).stdout.splitlines()
    rows = [line.split("\t") for line in told]
    assert len(rows) == count
    assert [reason for _, reason, _ in rows if reason] == ["0x08", "0x16"]
    assert not any(malformed for _, _, malformed in rows)
