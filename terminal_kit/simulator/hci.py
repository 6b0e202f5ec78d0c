"""HCI packets as bytes: the few that a simulated capture holds (Core Vol 4 Part E, 7; Vol 3 Parts A, F, H)."""

import struct
import uuid as uuids

from terminal_kit.simulator.gatt import Advertisement
from terminal_kit.simulator.link import Parameters

BTSNOOP_HEADER = b"btsnoop\x00" + struct.pack(">II", 1, 1002)
"""Version 1, HCI packets with their type byte, as Android writes them."""

BTSNOOP_EPOCH_US = 0x00DCDDB30F2F8000
"""What a btsnoop time stamp is ahead of Unix time."""

COMPLETE, STATUS = "complete", "status"
"""How a controller answers a command: it is done, or it has begun."""

RESET, DISCONNECT, READ_REMOTE_VERSION, READ_RSSI = 0x0C03, 0x0406, 0x041D, 0x1405
SCAN_ENABLE, EXTENDED_SCAN_ENABLE = 0x200C, 0x2042
CREATE_CONNECTION, CREATE_CONNECTION_CANCEL, CONNECTION_UPDATE, ENABLE_ENCRYPTION = 0x200D, 0x200E, 0x2013, 0x2019
"""Opcodes."""

SCAN_PARAMETERS = (0x200B, struct.pack("<BHHBB", 1, 0x60, 0x30, 1, 0))
SCAN_PARAMETERS_EXTENDED = (0x2041, struct.pack("<BBBBHH", 1, 0, 1, 1, 0x60, 0x30))
"""Active, a window of 30 ms in every 60 ms, on the 1M PHY: what apps usually ask for."""

ATT_CHANNEL, SMP_CHANNEL = 4, 6
ATT_ERROR, ATT_NOTIFICATION = 0x01, 0x1B

PAIRING_REQUEST = bytes.fromhex("01 03 00 2d 10 0d 0f")
PAIRING_RESPONSE = bytes.fromhex("02 03 00 09 10 0d 0f")
"""Just Works, LE Secure Connections, bonding, 16-byte keys (Vol 3 Part H, 3.5)."""

REMOTE_VERSION = struct.pack("<BHH", 0x0C, 0xFFFF, 1)
"""Bluetooth 5.3, a company number that nobody has."""

_PROPERTIES = {"read": 0x02, "write-without-response": 0x04, "write": 0x08, "notify": 0x10, "indicate": 0x20}
_BASE = "-0000-1000-8000-00805f9b34fb"


def btsnoop_record(t_us: int, packet: bytes, *, received: bool) -> bytes:
    """One record: lengths, direction and kind, no drops, time, packet."""
    is_message = packet[0] in (1, 4)
    flags = received | is_message << 1
    size = len(packet)
    return struct.pack(">IIIIq", size, size, flags, 0, t_us + BTSNOOP_EPOCH_US) + packet


def address_bytes(address: str) -> bytes:
    """An address as HCI writes it: the last byte first."""
    return bytes.fromhex(address.replace(":", ""))[::-1]


def uuid(text: str) -> bytes:
    """A UUID as attributes write it: two bytes where the standard gave it a number."""
    if text.startswith("0000") and text.endswith(_BASE):
        return bytes.fromhex(text[4:8])[::-1]
    return uuids.UUID(text).bytes[::-1]


def properties(names: tuple[str, ...]) -> int:
    """A characteristic's properties as bits (Vol 3 Part G, 3.3.1.1)."""
    return sum(_PROPERTIES.get(name, 0) for name in names)


def command(opcode: int, parameters: bytes) -> bytes:
    """A command."""
    return b"\x01" + struct.pack("<HB", opcode, len(parameters)) + parameters


def answered(opcode: int, returns: bytes, *, complete: bool) -> bytes:
    """Command Complete, or Command Status; in both the status is success."""
    if complete:
        return bytes((0x0E, 4 + len(returns), 1)) + struct.pack("<HB", opcode, 0) + returns
    return bytes((0x0F, 4, 0, 1)) + struct.pack("<H", opcode)


def data(handle: int, channel: int, pdu: bytes, *, received: bool) -> bytes:
    """An ACL packet with one L2CAP frame: 2 marks the first piece from the controller, 0 from the host."""
    frame = struct.pack("<HH", len(pdu), channel) + pdu
    boundary = 0x2000 if received else 0x0000
    return b"\x02" + struct.pack("<HH", handle | boundary, len(frame)) + frame


def advertising_data(advertisement: Advertisement) -> tuple[bytes, bytes]:
    """What is broadcast, and what is told when a scanner asks: 31 bytes each hold flags, services and a name."""
    structures = [b"\x02\x01\x06"]
    for service in advertisement.service_uuids:
        value = uuid(service)
        structures.append(bytes((1 + len(value), 0x03 if len(value) == 2 else 0x07)) + value)
    for company, value in advertisement.manufacturer_data.items():
        structures.append(bytes((3 + len(value), 0xFF)) + struct.pack("<H", company) + value)
    name = (advertisement.local_name or "").encode()[:29]
    return b"".join(structures)[:31], bytes((1 + len(name), 0x09)) + name if name else b""


def legacy_report(
    address: bytes, kind: int, rssi_dbm: int, payload: bytes, *, connectable: bool, is_response: bool
) -> bytes:
    """LE Advertising Report with one report in it."""
    event_type = 4 if is_response else 0 if connectable else 3
    body = bytes((0x02, 1, event_type, kind)) + address + bytes([len(payload)]) + payload + struct.pack("<b", rssi_dbm)
    return bytes((0x3E, len(body))) + body


def extended_report(
    address: bytes, kind: int, rssi_dbm: int, payload: bytes, *, connectable: bool, is_response: bool
) -> bytes:
    """LE Extended Advertising Report with one legacy advertisement in it (event types of Vol 4 Part E, 7.7.65.13)."""
    event_type = 0x1B if is_response else 0x13 if connectable else 0x10
    body = b"\x0d\x01" + struct.pack("<HB", event_type, kind) + address
    body += struct.pack("<BBBbbHB", 1, 0, 0xFF, 127, rssi_dbm, 0, 0) + bytes(6) + bytes([len(payload)]) + payload
    return bytes((0x3E, len(body))) + body


def asked_parameters(parameters: Parameters) -> bytes:
    """Interval from and to, latency, timeout, and the length of connection events, which nobody minds."""
    interval, timeout = round(parameters.interval_ms / 1.25), round(parameters.supervision_timeout_s * 100)
    return struct.pack("<HHHHHH", interval, interval, parameters.peripheral_latency, timeout, 0, 0)


def create_connection(address: bytes, kind: int, parameters: Parameters) -> tuple[int, bytes]:
    """LE Create Connection."""
    start = struct.pack("<HHBB", 0x60, 0x60, 0, kind) + address + b"\x01"
    return CREATE_CONNECTION, start + asked_parameters(parameters)


def _in_force(parameters: Parameters) -> bytes:
    interval, timeout = round(parameters.interval_ms / 1.25), round(parameters.supervision_timeout_s * 100)
    return struct.pack("<HHH", interval, parameters.peripheral_latency, timeout)


def connection_complete(status: int, handle: int, address: bytes, kind: int, parameters: Parameters) -> bytes:
    """LE Connection Complete."""
    body = struct.pack("<BBHBB", 0x01, status, handle, 0, kind) + address + _in_force(parameters) + b"\x00"
    return bytes((0x3E, len(body))) + body


def enhanced_connection_complete(
    handle: int, identity: bytes, identity_kind: int, private: bytes, parameters: Parameters
) -> bytes:
    """LE Enhanced Connection Complete: the peer's identity, and the private address under which it was met."""
    body = struct.pack("<BBHBB", 0x0A, 0, handle, 0, identity_kind) + identity + bytes(6) + private
    body += _in_force(parameters) + b"\x00"
    return bytes((0x3E, len(body))) + body


def update_complete(handle: bytes, parameters: Parameters) -> bytes:
    """LE Connection Update Complete."""
    body = b"\x03\x00" + handle + _in_force(parameters)
    return bytes((0x3E, len(body))) + body


def remote_version(handle: bytes) -> bytes:
    """Read Remote Version Information Complete."""
    return b"\x0c\x08\x00" + handle + REMOTE_VERSION
