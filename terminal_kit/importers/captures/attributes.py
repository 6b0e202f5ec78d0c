"""What a few data packets say: attributes (ATT), parameters asked for by the peer, and pairing.

Core Specification Vol 3: Part A for L2CAP, Part F for ATT, Part G for discovery, Part H for pairing. Only what is told
is read, and only as far as a packet reaches; whatever bytes come, nothing here raises.
"""

from collections.abc import Callable
from contextlib import suppress

from terminal_kit import profile
from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import Kind
from terminal_kit.importers.captures.devices import key_of
from terminal_kit.importers.captures.hci import u16
from terminal_kit.importers.captures.links import Link, Partial, Request
from terminal_kit.importers.captures.payloads import uuid_text
from terminal_kit.importers.captures.records import RECEIVED, SENT
from terminal_kit.importers.captures.rows import Moment
from terminal_kit.importers.captures.timeline import Timeline
from terminal_kit.profile import BatteryState, Notice, NoticeCode, ReaderState, StateFlag
from terminal_kit.reader import device_type_of

ATT, SIGNALING, PAIRING = 4, 5, 6
"""The fixed channels of an LE link (Part A, 2.1)."""

ERROR, MTU_REQUEST, MTU, FIND_INFORMATION = 0x01, 0x02, 0x03, 0x05
READ_BY_TYPE_REQUEST, READ_BY_TYPE, READ_REQUEST, READ, NOTIFICATION, INDICATION = 0x08, 0x09, 0x0A, 0x0B, 0x1B, 0x1D
PARAMETERS_REQUEST, PARAMETERS_ANSWER = 0x12, 0x13
PAIRING_FAILED, IDENTITY, SECURITY_REQUEST = 0x05, 0x09, 0x0B

REQUESTS = tuple(range(0x02, 0x1A, 2))
ANSWERS = tuple(range(0x03, 0x1A, 2))
"""Requests and their answers, one number on (Part F, 3.4.8): whoever got a request owes an answer within 30 s."""

WAITS = "attribute request"
"""What a link's `pending` calls a request that the peer owes an answer to."""

TOLD = {
    ATT: (ERROR, *REQUESTS, *ANSWERS, NOTIFICATION, INDICATION),
    SIGNALING: (PARAMETERS_REQUEST, PARAMETERS_ANSWER),
    PAIRING: (PAIRING_FAILED, IDENTITY, SECURITY_REQUEST),
}
"""By channel, the first bytes of the packets that are read; all others carry nothing that is told."""

CHARACTERISTIC = "00002803-0000-1000-8000-00805f9b34fb"
"""The declaration of a characteristic (Part G, 3.3.1): its value's handle and UUID."""

LONGEST = 512
"""A longer packet is not put together: no value that is told is longer than an attribute can be (Part F, 3.2.9)."""

_NOTICES = {
    NoticeCode.CARD_INSERTED: Kind.CARD_INSERTED,
    NoticeCode.CARD_REMOVED: Kind.CARD_REMOVED,
    NoticeCode.STANDBY_ENTERED: Kind.STANDBY_ENTERED,
    NoticeCode.STANDBY_LEFT: Kind.STANDBY_LEFT,
    NoticeCode.BUSY_STARTED: Kind.BUSY_STARTED,
    NoticeCode.BUSY_ENDED: Kind.BUSY_ENDED,
}


class Attributes:
    """Reads data packets of LE links into a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def data(self, now: Moment, link: Link, direction: int, packet: bytes, *, is_start: bool) -> None:
        """One data packet, behind its HCI header: a start with L2CAP's header, or a continuation."""
        if not is_start:
            self._continue(now, link, direction, packet)
            return
        link.partial.pop(direction, None)
        if len(packet) < 5:
            return
        need = u16(packet, 0)
        if need > len(packet) - 4 and need <= LONGEST:
            link.partial[direction] = Partial(need, bytearray(packet))
            # An error, a pairing that failed: short ones are whole even where Android cut the record.
        self._frame(now, link, direction, u16(packet, 2), packet[4 : 4 + need], is_whole=need <= len(packet) - 4)

    def _continue(self, now: Moment, link: Link, direction: int, packet: bytes) -> None:
        partial = link.partial.get(direction)
        if partial is None:
            return
        partial.data += packet
        if len(partial.data) >= partial.need + 4:
            del link.partial[direction]
            frame = bytes(partial.data[4 : 4 + partial.need])
            self._frame(now, link, direction, u16(bytes(partial.data[:4]), 2), frame, is_whole=True)

    def _frame(self, now: Moment, link: Link, direction: int, channel: int, frame: bytes, *, is_whole: bool) -> None:
        if channel == ATT and frame:
            self._attribute(now, link, direction, frame, is_whole=is_whole)
        elif channel == SIGNALING and len(frame) >= 4:
            self._signaling(now, link, frame)
        elif channel == PAIRING and len(frame) >= 2:
            self._pairing(now, link, direction, frame)

    def _attribute(self, now: Moment, link: Link, direction: int, frame: bytes, *, is_whole: bool) -> None:
        opcode = frame[0]
        if direction == SENT and opcode in REQUESTS:
            link.pending[WAITS] = now
        elif direction == RECEIVED and (opcode == ERROR or opcode in ANSWERS):
            link.pending.pop(WAITS, None)
        if opcode == ERROR and len(frame) >= 5:
            link.requests.pop(1 - direction, None)
            extra = {"request": frame[1], "handle": u16(frame, 2)}
            self._timeline.rows.add(Kind.ATT_ERROR, now, link.reader, att_code=frame[4], extra=extra, **link.columns)
        elif opcode in (MTU_REQUEST, MTU) and len(frame) >= 3:
            self._mtu(now, link, opcode, u16(frame, 1))
        elif opcode == READ_REQUEST and len(frame) >= 3:
            link.requests[direction] = Request(opcode, u16(frame, 1), None, now)
        elif opcode == READ_BY_TYPE_REQUEST and len(frame) in (7, 21):
            link.requests[direction] = Request(opcode, 0, uuid_text(frame[5:]), now)
        elif opcode == READ_BY_TYPE and (request := self._asked(link, direction, is_whole=is_whole)):
            if request.type == CHARACTERISTIC:
                self._declared(link, frame)
            elif is_whole and direction == RECEIVED:
                self._read(now, link, request, frame)
        elif opcode == FIND_INFORMATION:
            self._described(link, frame)
        elif opcode == READ and (request := self._asked(link, direction, is_whole=is_whole)):
            if is_whole and direction == RECEIVED and request.opcode == READ_REQUEST:
                self._value(now, link, request.handle, frame[1:])
        elif opcode in (NOTIFICATION, INDICATION) and len(frame) >= 3 and is_whole and direction == RECEIVED:
            self._value(now, link, u16(frame, 1), frame[3:])

    def _mtu(self, now: Moment, link: Link, opcode: int, mtu_bytes: int) -> None:
        """Both sides say how much they take; the smaller counts (Part F, 3.4.2), and never less than 23."""
        if opcode == MTU_REQUEST:
            link.requests[-1] = Request(opcode, mtu_bytes, None, now)
            return
        asked = link.requests.pop(-1, None)
        link.mtu_bytes = max(23, min(mtu_bytes, asked.handle) if asked else mtu_bytes)
        self._timeline.rows.add(Kind.LINK_UPDATED, now, link.reader, **link.columns, **link.parameters)

    @staticmethod
    def _asked(link: Link, direction: int, *, is_whole: bool) -> Request | None:
        """What an answer answers: it still waits until the answer is whole, of which more pieces may come."""
        return link.requests.pop(1 - direction, None) if is_whole else link.requests.get(1 - direction)

    def _read(self, now: Moment, link: Link, request: Request, frame: bytes) -> None:
        """Values that were read by their type: each with its handle before it."""
        if link.device is None or len(frame) < 2 or frame[1] < 3:
            return
        size = frame[1]
        for at in range(2, len(frame) - size + 1, size):
            if request.type is not None:
                link.device.attributes.setdefault(u16(frame, at), request.type)
            self._value(now, link, u16(frame, at), frame[at + 2 : at + size])

    def _declared(self, link: Link, frame: bytes) -> None:
        """Characteristics: the declaration's handle, properties, the value's handle, its UUID."""
        if link.device is None or len(frame) < 2 or frame[1] not in (7, 21):
            return
        size = frame[1]
        for at in range(2, len(frame) - size + 1, size):
            link.device.attributes[u16(frame, at + 3)] = uuid_text(frame[at + 5 : at + size])

    def _described(self, link: Link, frame: bytes) -> None:
        """Attributes by handle: format 1 with short UUIDs, 2 with long ones."""
        if link.device is None or len(frame) < 2 or frame[1] not in (1, 2):
            return
        size = 4 if frame[1] == 1 else 18
        for at in range(2, len(frame) - size + 1, size):
            link.device.attributes.setdefault(u16(frame, at), uuid_text(frame[at + 2 : at + size]))

    def _value(self, now: Moment, link: Link, handle: int, value: bytes) -> None:
        uuid = link.device.attributes.get(handle) if link.device else None
        if uuid in _VALUES:
            with suppress(InvalidParameterError):  # a value that is none
                _VALUES[uuid](self, now, link, value)

    def _signaling(self, now: Moment, link: Link, frame: bytes) -> None:
        """The peer asks for other parameters, and is answered (Part A, 4.20)."""
        if frame[0] == PARAMETERS_REQUEST:
            link.pending.setdefault("parameters asked for by the peer", now)
        elif frame[0] == PARAMETERS_ANSWER:
            link.pending.pop("parameters asked for by the peer", None)

    def _pairing(self, now: Moment, link: Link, direction: int, frame: bytes) -> None:
        if frame[0] == PAIRING_FAILED:
            extra = {"smp_reason": frame[1], "said_by": "reader" if direction == RECEIVED else "host"}
            self._timeline.rows.add(Kind.PAIRING_FAILED, now, link.reader, extra=extra, **link.columns)
        elif frame[0] == IDENTITY and len(frame) >= 8 and direction == RECEIVED and link.device is not None:
            identity = self._timeline.device(key_of(frame[2:8], frame[1]), now)
            link.device = self._timeline.devices.join(identity, link.device)

    # Values that are told

    def battery_level(self, now: Moment, link: Link, value: bytes) -> None:
        """Battery Level: a percentage."""
        level = profile.decode_battery_level(value)
        if link.device is not None and level is not None:
            self._timeline.battery(link.device, level, now, session=link.session)

    def battery_status(self, now: Moment, link: Link, value: bytes) -> None:
        """Battery Level Status: level and charging."""
        state = BatteryState.decode(value)
        if link.device is not None and state.level is not None:
            self._timeline.battery(link.device, state.level, now, charging=state.charging, session=link.session)

    def software(self, now: Moment, link: Link, value: bytes) -> None:
        """Software Revision: what runs on the reader."""
        self._tell(now, link, firmware=profile.decode_text(value) or None)

    def serial(self, now: Moment, link: Link, value: bytes) -> None:
        """Serial Number: it may say which reader an address is."""
        text = profile.decode_text(value)
        if link.device is not None:
            link.device = self._timeline.devices.learn_serial(link.device, text)
            self._tell(now, link, device_type=device_type_of(link.device.serial), text=text or None)

    def state(self, now: Moment, link: Link, value: bytes) -> None:
        """The kit's own readers: uptime, and what they hear of the host (X8)."""
        state = ReaderState.decode(value)
        if state.host_rssi_dbm is not None:
            levels = dict.fromkeys(("rssi_dbm", "rssi_min_dbm", "rssi_max_dbm"), state.host_rssi_dbm)
            source = "reader_service"
            self._timeline.rows.add(
                Kind.SIGNAL, now, link.reader, count=1, rssi_source=source, **levels, **link.columns
            )
        if link.uptime_s is None or state.uptime_s < link.uptime_s:
            extra = {"uptime_s": state.uptime_s, "standby": bool(state.flags & StateFlag.STANDBY)}
            self._tell(now, link, extra=extra)
        link.uptime_s = state.uptime_s

    def last_stop(self, now: Moment, link: Link, value: bytes) -> None:
        """The kit's own readers: why they last stopped, in the words of X1."""
        stop = profile.LastStop.decode(value)
        extra = {"boots": stop.boots, "last_stop": stop.reason.value, "last_link_code": stop.link_code}
        self._tell(now, link, extra={name: fact for name, fact in extra.items() if fact is not None})

    def notice(self, now: Moment, link: Link, value: bytes) -> None:
        """The kit's own readers: what happens to them, and the farewell that explains the link's end (X1)."""
        notice = Notice.decode(value)
        if notice is None:
            return
        if notice.code is NoticeCode.FAREWELL:
            link.farewell = (now, notice.reason) if notice.reason else None
        else:
            self._timeline.rows.add(_NOTICES[notice.code], now, link.reader, **link.columns)

    def _tell(self, now: Moment, link: Link, **columns: object) -> None:
        self._timeline.rows.add(Kind.READER_INFO, now, link.reader, **columns, **link.columns)


_VALUES: dict[str | None, Callable[[Attributes, Moment, Link, bytes], None]] = {
    profile.BATTERY_LEVEL: Attributes.battery_level,
    profile.BATTERY_LEVEL_STATUS: Attributes.battery_status,
    profile.SOFTWARE_REVISION: Attributes.software,
    profile.FIRMWARE_REVISION: Attributes.software,
    profile.SERIAL_NUMBER: Attributes.serial,
    profile.STATE: Attributes.state,
    profile.LAST_STOP: Attributes.last_stop,
    profile.NOTICE: Attributes.notice,
}
"""The characteristics whose values are told."""
