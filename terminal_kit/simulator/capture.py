"""What a phone in the simulated air would have captured: its HCI traffic as a btsnoop file.

A `CaptureTap` writes the packets that a phone's stack and its controller would have exchanged: scans and what they
heard, connections with their parameters, attributes, encryption, ends with their codes. Any program that reads the
log of a phone reads it. What it leaves out: a controller's set-up, classic Bluetooth, audio, and the link layer itself,
which no HCI capture shows. (Core Vol 4 Part E, 7; btsnoop as Android writes it, data link type 1002.)
"""

import asyncio
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terminal_kit.radio import HostState
from terminal_kit.simulator import hci
from terminal_kit.simulator.gatt import CCCD, Advertisement, ServiceSpec
from terminal_kit.simulator.link import ESTABLISHING_EVENTS, FAILED_TO_ESTABLISH, LOCAL_HOST, Link, Parameters
from terminal_kit.simulator.propagation import stream
from terminal_kit.simulator.tap import Tap

if TYPE_CHECKING:
    from terminal_kit.simulator.air import Air, SimulatedReader

PRIVATE_FOR_US = 900 * 1_000_000
"""A private address is changed every quarter of an hour (Vol 3 Part C, App. A)."""

SCAN_RESPONSE_EVERY = 4
"""One report in so many carries the scan response with the name: stacks ask once in a while."""

ANSWERS_IN_US = 1_500
"""What a controller takes to answer a command: some milliseconds at the most."""


class CaptureTap(Tap):
    """The capture of one host. `CaptureTap(air)` listens from now on; `write(path)` writes what was heard so far.

    `extended`: advertisements are reported as controllers of Bluetooth 5 do. `reads_rssi_every_s`: the host asks for
    a link's signal so often; None: never, as most apps.
    """

    def __init__(self, air: "Air", *, extended: bool = False, reads_rssi_every_s: float | None = None) -> None:
        self._air = air
        self._extended = extended
        self._reads_rssi_every_s = reads_rssi_every_s
        self._loop = asyncio.get_running_loop()
        self._records: list[tuple[int, bool, bytes]] = []
        self._handles: dict[str, int] = {}
        self._next_handle = 0x40
        self._private: dict[str, random.Random] = {}
        self._private_now: dict[str, tuple[int, bytes]] = {}
        self._heard: dict[str, int] = {}
        self._levels: dict[str, int] = {}
        self._is_scanning = False
        self._attributes: dict[str, dict[str, int]] = {}
        self._undo = air.host.watch(self._host_changed)
        self._host_works = _works(air.host.state)
        air.taps.append(self)

    def close(self) -> None:
        """Listens no more."""
        self._undo()
        if self in self._air.taps:
            self._air.taps.remove(self)

    def use_private_address(self, address: str) -> None:
        """Lets this reader advertise under resolvable private addresses, as phones' own accessories do."""
        self._private[address] = stream(self._air.seed, address, "private address")

    def records(self) -> Iterator[tuple[int, bool, bytes]]:
        """The packets in order of time: UTC in microseconds, whether the controller sent it, and the H4 packet."""
        yield from sorted(self._records, key=lambda record: record[0])

    def to_bytes(self, *, since_us: int | None = None) -> bytes:
        """The capture as a btsnoop file (1002); `since_us` leaves out what came earlier, as a rotated log does."""
        parts = [hci.BTSNOOP_HEADER]
        for t_us, received, packet in self.records():
            if since_us is None or t_us >= since_us:
                parts.append(hci.btsnoop_record(t_us, packet, received=received))
        return b"".join(parts)

    def write(self, path: Path | str) -> Path:
        """Writes the capture; gives the path."""
        path = Path(path)
        path.write_bytes(self.to_bytes())
        return path

    # ---- moments

    def scanning(self, on: bool) -> None:
        """Scan parameters and the switch, each with its answer."""
        if self._host_works and on != self._is_scanning:
            self._is_scanning = on
            if on:
                parameters = hci.SCAN_PARAMETERS_EXTENDED if self._extended else hci.SCAN_PARAMETERS
                self._command(*parameters)
            self._command(hci.EXTENDED_SCAN_ENABLE if self._extended else hci.SCAN_ENABLE, self._scan_switch(on))

    def heard(self, reader: "SimulatedReader[Any]", advertisement: Advertisement, rssi_dbm: int) -> None:
        """One report; now and then a second with the scan response."""
        if self._air.host.fault is not None:
            return
        address, kind = self._address(reader)
        count = self._heard[reader.address] = self._heard.get(reader.address, -1) + 1
        first, response = hci.advertising_data(advertisement)
        self._report(address, kind, rssi_dbm, first, connectable=advertisement.connectable)
        if response and count % SCAN_RESPONSE_EVERY == 0:
            self._report(address, kind, rssi_dbm, response, is_response=True)

    def connecting(self, reader: "SimulatedReader[Any]") -> None:
        """Create Connection."""
        address, kind = self._address(reader)
        self._command(*hci.create_connection(address, kind, self._air.parameters), answer=hci.STATUS)

    def gave_up(self, reader: "SimulatedReader[Any]") -> None:
        """Create Connection Cancel, and the completion that says so."""
        if not self._host_works:
            return
        self._command(hci.CREATE_CONNECTION_CANCEL, b"")
        address, kind = self._address(reader)
        self._event(hci.connection_complete(0x02, 0, address, kind, Parameters(0, 0, 0, 23)), 2 * ANSWERS_IN_US)

    def connected(self, reader: "SimulatedReader[Any]", link: Link) -> None:
        """The completion; then the host asks for the peer's version and features."""
        handle = self._next_handle
        self._next_handle = 0x40 + (handle - 0x3F) % 0x100
        self._handles[reader.address] = handle
        address, kind = self._address(reader)
        if reader.address in self._private:
            identity = hci.address_bytes(reader.address)
            packet = hci.enhanced_connection_complete(handle, identity, 3, address, link.parameters)
        else:
            packet = hci.connection_complete(0, handle, address, kind, link.parameters)
        self._event(packet)
        if self._reads_rssi_every_s is not None:
            self._loop.call_later(self._reads_rssi_every_s, self._read_rssi, reader, link)

    def discovered(self, reader: "SimulatedReader[Any]") -> None:
        """Version, MTU and the characteristics: what a host learns of a reader at each connection."""
        handle = struct.pack("<H", self._handles[reader.address])
        self._command(hci.READ_REMOTE_VERSION, handle, answer=hci.STATUS)
        self._event(hci.remote_version(handle), 2 * ANSWERS_IN_US)
        assert reader.link is not None
        mtu = struct.pack("<H", reader.link.parameters.mtu_bytes)
        self._attribute(reader, b"\x02" + mtu, received=False)
        self._attribute(reader, b"\x03" + mtu, received=True)
        attributes = self._attributes[reader.address] = {}
        handles = list(_characteristics(reader.model.services, attributes))
        for declaration in handles:
            self._attribute(reader, b"\x08\x01\x00\xff\xff\x03\x28", received=False)
            self._attribute(reader, b"\x09" + bytes([len(declaration)]) + declaration, received=True)

    def encrypting(self, reader: "SimulatedReader[Any]", *, bonded: bool) -> None:
        """Pairing by Just Works where there is no bond, then Enable Encryption."""
        if not bonded:
            self._l2cap(reader, hci.SMP_CHANNEL, hci.PAIRING_REQUEST, received=False)
            self._l2cap(reader, hci.SMP_CHANNEL, hci.PAIRING_RESPONSE, received=True)
        handle = struct.pack("<H", self._handles[reader.address])
        self._command(hci.ENABLE_ENCRYPTION, handle + bytes(26), answer=hci.STATUS)

    def encrypted(self, reader: "SimulatedReader[Any]", status: int) -> None:
        """Encryption Change."""
        handle = struct.pack("<H", self._handles[reader.address])
        self._event(bytes((0x08, 4, status)) + handle + bytes([status == 0]))

    def asked(self, reader: "SimulatedReader[Any]", opcode: int, key: str, value: bytes = b"") -> None:
        """A request, and a little later the controller's word that it was acknowledged, where it was."""
        if reader.link is None:
            return
        self._attribute(reader, bytes([opcode]) + self._handle_of(reader, key) + value, received=False)
        interval_s = reader.link.parameters.interval_ms / 1000
        self._loop.call_later(interval_s, self._acknowledged, reader, reader.link)

    def told(self, reader: "SimulatedReader[Any]", opcode: int, key: str, value: bytes = b"") -> None:
        """An answer or a notification."""
        handle = self._handle_of(reader, key)
        match opcode:
            case hci.ATT_ERROR:
                pdu = bytes((opcode, value[0])) + handle + value[1:2]
            case hci.ATT_NOTIFICATION:
                pdu = bytes([opcode]) + handle + value
            case _:
                pdu = bytes([opcode]) + value
        self._attribute(reader, pdu, received=True)

    def updating(self, reader: "SimulatedReader[Any]", parameters: Parameters) -> None:
        """Connection Update."""
        handle = struct.pack("<H", self._handles[reader.address])
        self._command(hci.CONNECTION_UPDATE, handle + hci.asked_parameters(parameters), answer=hci.STATUS)

    def updated(self, reader: "SimulatedReader[Any]", parameters: Parameters) -> None:
        """Connection Update Complete."""
        handle = struct.pack("<H", self._handles[reader.address])
        self._event(hci.update_complete(handle, parameters))

    def ended(self, reader: "SimulatedReader[Any]", link: Link, hci_code: int) -> None:
        """Disconnection Complete, after the host's own command where it was the host that ended the link.

        A host that finds a bond lost hangs up for authentication failure: its capture shows that, not the peer's code.
        """
        handle = struct.pack("<H", self._handles.pop(reader.address, 0))
        after_us = 0
        if hci_code in (LOCAL_HOST, 0x06):
            asked = 0x05 if hci_code == 0x06 else 0x13 if self._host_works else 0x15
            self._command(hci.DISCONNECT, handle + bytes([asked]), answer=hci.STATUS, always=True)
            hci_code, after_us = LOCAL_HOST, 20_000
        elif hci_code == FAILED_TO_ESTABLISH:
            after_us = round(ESTABLISHING_EVENTS * link.parameters.interval_ms * 1000)
        self._event(bytes((0x05, 4, 0)) + handle + bytes([hci_code]), after_us, always=True)

    # ---- inside

    def _host_changed(self, state: HostState) -> None:
        works = _works(state)
        if works != self._host_works:
            self._host_works, self._is_scanning = works, False
            self._loop.call_soon(self._reset)

    def _reset(self) -> None:
        """A radio that goes off or comes back begins anew."""
        self._command(hci.RESET, b"", always=True, after_us=30_000)

    def _scan_switch(self, on: bool) -> bytes:
        return bytes((on, 0, 0, 0, 0, 0)) if self._extended else bytes((on, 0))

    def _report(
        self,
        address: bytes,
        kind: int,
        rssi_dbm: int,
        data: bytes,
        *,
        connectable: bool = True,
        is_response: bool = False,
    ) -> None:
        report = hci.extended_report if self._extended else hci.legacy_report
        self._event(report(address, kind, rssi_dbm, data, connectable=connectable, is_response=is_response))

    def _address(self, reader: "SimulatedReader[Any]") -> tuple[bytes, int]:
        """The address on the air, as HCI writes it, and its type: 1 is random."""
        rng = self._private.get(reader.address)
        if rng is None:
            return hci.address_bytes(reader.address), 1
        until_us, address = self._private_now.get(reader.address, (0, b""))
        now_us = self._air.utc_us()
        if now_us >= until_us:
            address = rng.randbytes(5) + bytes([0x40 | rng.randrange(0x40)])  # 01: resolvable private
            self._private_now[reader.address] = now_us + PRIVATE_FOR_US, address
        return address, 1

    def _handle_of(self, reader: "SimulatedReader[Any]", key: str) -> bytes:
        return struct.pack("<H", self._attributes.get(reader.address, {}).get(key, 0))

    def _acknowledged(self, reader: "SimulatedReader[Any]", link: Link) -> None:
        handle = self._handles.get(reader.address)
        if reader.link is link and handle is not None and not link.is_silent:
            self._event(b"\x13\x05\x01" + struct.pack("<HH", handle, 1))

    def _read_rssi(self, reader: "SimulatedReader[Any]", link: Link) -> None:
        """The controller tells the level of what it heard last."""
        handle = self._handles.get(reader.address)
        if reader.link is not link or handle is None or self._reads_rssi_every_s is None:
            return
        if not link.is_silent or reader.address not in self._levels:
            self._levels[reader.address] = max(-127, round(reader.channel.mean_dbm(reader.now_s())))
        packed = struct.pack("<H", handle)
        level = struct.pack("<b", self._levels[reader.address])
        self._command(hci.READ_RSSI, packed, returns=packed + level)
        self._loop.call_later(self._reads_rssi_every_s, self._read_rssi, reader, link)

    def _attribute(self, reader: "SimulatedReader[Any]", pdu: bytes, *, received: bool) -> None:
        self._l2cap(reader, hci.ATT_CHANNEL, pdu, received=received)

    def _l2cap(self, reader: "SimulatedReader[Any]", channel: int, pdu: bytes, *, received: bool) -> None:
        handle = self._handles.get(reader.address)
        if handle is not None:
            self._add(hci.data(handle, channel, pdu, received=received), received=received)

    def _command(
        self,
        opcode: int,
        parameters: bytes,
        *,
        answer: str = hci.COMPLETE,
        returns: bytes = b"",
        always: bool = False,
        after_us: int = 0,
    ) -> None:
        if self._host_works or always:
            self._add(hci.command(opcode, parameters), received=False, after_us=after_us)
            reply = hci.answered(opcode, returns, complete=answer == hci.COMPLETE)
            self._add(b"\x04" + reply, received=True, after_us=after_us + ANSWERS_IN_US)

    def _event(self, event: bytes, after_us: int = 0, *, always: bool = False) -> None:
        if self._host_works or always:
            self._add(b"\x04" + event, received=True, after_us=after_us)

    def _add(self, packet: bytes, *, received: bool, after_us: int = 0) -> None:
        self._records.append((self._air.utc_us() + after_us, received, packet))


def _works(state: HostState) -> bool:
    """Whether the radio is on: a program that may not use it changes nothing in the phone's own log."""
    return state.fault in (None, "permission_denied")


def _characteristics(services: tuple[ServiceSpec, ...], handles: dict[str, int]) -> Iterator[bytes]:
    """Declarations as a Read By Type response carries them; fills `handles` by key, descriptors' included."""
    handle = 1
    for service in services:
        for offered in service.characteristics:
            handle += 2
            handles[offered.key] = handle
            yield struct.pack("<HBH", handle - 1, hci.properties(offered.properties), handle) + hci.uuid(offered.uuid)
            notifies = {"notify", "indicate"} & set(offered.properties)
            for descriptor in (*offered.descriptors, *((CCCD,) if notifies else ())):
                handle += 1
                handles[f"{offered.key}/{descriptor}"] = handle
        handle += 1
