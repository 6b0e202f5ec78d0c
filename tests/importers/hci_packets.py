"""HCI packets, and plausible captures of them: a phone in a busy place, with links that come and go (Vol 4 Part E, 7)."""

import random
import struct

from capture_writers import ACL, COMMAND, EVENT, RECEIVED, SENT, Packet

BEGIN_US = 1_764_061_200_000_000


def command(opcode: int, parameters: bytes = b"") -> tuple[int, int, bytes]:
    return COMMAND, SENT, struct.pack("<HB", opcode, len(parameters)) + parameters


def event(code: int, parameters: bytes) -> tuple[int, int, bytes]:
    return EVENT, RECEIVED, bytes((code, len(parameters))) + parameters


def complete(opcode: int, parameters: bytes = b"\0") -> tuple[int, int, bytes]:
    return event(0x0E, struct.pack("<BH", 1, opcode) + parameters)


def status(opcode: int, code: int = 0) -> tuple[int, int, bytes]:
    return event(0x0F, struct.pack("<BBH", code, 1, opcode))


def meta(subevent: int, parameters: bytes) -> tuple[int, int, bytes]:
    return event(0x3E, bytes((subevent,)) + parameters)


def address(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))[::-1]


def name_data(name: str) -> bytes:
    return bytes((len(name) + 1, 0x09)) + name.encode()


def legacy_report(*reports: tuple[str, int, bytes, int]) -> tuple[int, int, bytes]:
    """Reports of (address, its type, payload, dBm), one behind the other as controllers send them."""
    bodies = b"".join(
        bytes((0, kind)) + address(who) + bytes((len(data),)) + data + struct.pack("b", rssi)
        for who, kind, data, rssi in reports
    )
    return meta(0x02, bytes((len(reports),)) + bodies)


def extended_report(who: str, kind: int, data: bytes, rssi: int, *, data_status: int = 0) -> tuple[int, int, bytes]:
    head = struct.pack(
        "<HB6sBBBbbHB6sB", 0x13 | data_status << 5, kind, address(who), 1, 0, 0xFF, 127, rssi, 0, 0, b"", len(data)
    )
    return meta(0x0D, b"\x01" + head + data)


def connected(
    handle: int, who: str, kind: int = 1, *, code: int = 0, role: int = 0, interval: int = 24, timeout: int = 500
) -> tuple[int, int, bytes]:
    head = struct.pack("<BHBB6s", code, handle, role, kind, address(who))
    return meta(0x01, head + struct.pack("<HHHB", interval, 0, timeout, 0))


def enhanced(handle: int, who: str, kind: int, private: str, *, interval: int = 24) -> tuple[int, int, bytes]:
    head = struct.pack("<BHBB6s6s6s", 0, handle, 0, kind, address(who), b"", address(private))
    return meta(0x0A, head + struct.pack("<HHHB", interval, 0, 500, 0))


def updated(
    handle: int, *, interval: int = 12, latency: int = 0, timeout: int = 300, code: int = 0
) -> tuple[int, int, bytes]:
    return meta(0x03, struct.pack("<BHHHH", code, handle, interval, latency, timeout))


def disconnected(handle: int, reason: int) -> tuple[int, int, bytes]:
    return event(0x05, struct.pack("<BHB", 0, handle, reason))


def acknowledged(handle: int, count: int) -> tuple[int, int, bytes]:
    return event(0x13, struct.pack("<BHH", 1, handle, count))


def create(who: str, kind: int = 1) -> tuple[int, int, bytes]:
    return command(0x200D, struct.pack("<HHBB6sBHHHHHH", 96, 48, 0, kind, address(who), 0, 24, 40, 0, 500, 0, 0))


def scan(*, on: bool, filter_duplicates: bool = False) -> tuple[int, int, bytes]:
    return command(0x200C, bytes((on, filter_duplicates)))


def data(
    handle: int, frame: bytes, *, channel: int = 4, sent: bool = False, flags: int | None = None
) -> tuple[int, int, bytes]:
    """One whole L2CAP frame. Starts are 0 from a host and 2 from a controller."""
    boundary = (0 if sent else 2) if flags is None else flags
    body = struct.pack("<HH", len(frame), channel) + frame
    head = struct.pack("<HH", handle | boundary << 12, len(body))
    return ACL, SENT if sent else RECEIVED, head + body


def att_error(handle: int, request: int, attribute: int, code: int) -> tuple[int, int, bytes]:
    return data(handle, struct.pack("<BBHB", 1, request, attribute, code))


def timed(packets: list[tuple[int, int, bytes]], *, step_us: int = 10_000, begin_us: int = BEGIN_US) -> list[Packet]:
    """The packets, so far apart."""
    return [Packet(begin_us + number * step_us, *packet) for number, packet in enumerate(packets)]


class Venue:
    """A busy place: devices that advertise, a few that are connected again and again. Seeded."""

    def __init__(
        self, seed: int, *, devices: int = 40, peers: int = 3, extended: float = 0.3, links: float = 0.03
    ) -> None:
        """`extended` and `links`: which share of reports is extended, and of steps is about a link."""
        self._rng = random.Random(seed)
        self._links = links
        self._extended = extended
        self._devices = [self._device() for _ in range(devices)]
        self._peers = [(self._address(), 1, name_data(f"STRM2{self._rng.randrange(10**10):010}")) for _ in range(peers)]
        self._open: dict[int, int] = {}
        self._t_us = BEGIN_US

    def packets(self, count: int) -> list[Packet]:
        found: list[Packet] = []
        self._put(found, scan(on=True))
        self._put(found, complete(0x200C))
        while len(found) < count:
            if self._rng.random() >= self._links:
                self._advertise(found)
            else:
                self._link(found)
        return found[:count]

    def _put(self, found: list[Packet], packet: tuple[int, int, bytes], after_us: int | None = None) -> None:
        self._t_us += self._rng.randrange(200, 8_000) if after_us is None else after_us
        found.append(Packet(self._t_us, *packet))

    def _address(self) -> str:
        octets = self._rng.randbytes(6)
        return bytes((octets[0] | 0xC0, *octets[1:])).hex(":").upper()

    def _device(self) -> tuple[str, int, bytes]:
        body = self._rng.randbytes(self._rng.randrange(4, 22))
        payload = b"\x02\x01\x06" + bytes((len(body) + 1, 0xFF)) + body
        return self._address(), self._rng.randrange(2), payload

    def _advertise(self, found: list[Packet]) -> None:
        who, kind, payload = self._rng.choice(self._peers if self._rng.random() < 0.1 else self._devices)
        rssi = self._rng.choice((127, *range(-98, -35)))
        if self._rng.random() < self._extended:
            self._put(found, extended_report(who, kind, payload, rssi))
        elif self._rng.random() < 0.05:
            other = self._rng.choice(self._devices)
            self._put(found, legacy_report((who, kind, payload, rssi), (other[0], other[1], other[2], -70)))
        else:
            self._put(found, legacy_report((who, kind, payload, rssi)))

    def _link(self, found: list[Packet]) -> None:
        rng = self._rng
        closed = [place for place in range(len(self._peers)) if place not in self._open.values()]
        if closed and rng.random() < 0.4:
            place, handle = rng.choice(closed), next(n for n in range(64, 1000) if n not in self._open)
            who = self._peers[place][0]
            self._put(found, create(who))
            self._put(found, status(0x200D))
            if rng.random() < 0.2:
                code = rng.choice((0x02, 0x3E))
                self._put(found, connected(0, who, code=code, interval=0, timeout=0))
                return
            self._open[handle] = place
            self._put(found, connected(handle, who, interval=rng.choice((6, 24, 36)), timeout=rng.choice((200, 500))))
        elif self._open:
            handle = rng.choice(list(self._open))
            match rng.randrange(5):
                case 0:
                    self._put(found, updated(handle, interval=rng.choice((6, 12, 40)), latency=rng.randrange(3)))
                case 1:
                    self._put(found, data(handle, struct.pack("<BH", 0x0A, rng.randrange(1, 90)), sent=True))
                    self._put(found, acknowledged(handle, 1))
                    self._put(found, att_error(handle, 0x0A, rng.randrange(1, 90), rng.choice((1, 5, 10, 15))))
                case 2:
                    self._put(found, data(handle, b"\x1b\x21\x00" + rng.randbytes(rng.randrange(1, 18))))
                case 3:
                    self._put(found, event(0x08, struct.pack("<BHB", 0, handle, 1)))
                case _:
                    del self._open[handle]
                    if rng.random() < 0.3:
                        self._put(found, command(0x0406, struct.pack("<HB", handle, 0x13)))
                        self._put(found, disconnected(handle, 0x16))
                    else:
                        self._put(found, disconnected(handle, rng.choice((0x08, 0x13, 0x15, 0x22, 0x3D))))
