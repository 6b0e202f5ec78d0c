"""An SMP server as Zephyr's MCUmgr is one: frames from pieces, a queue as long as there are buffers, the OS group.

Zephyr, "SMP protocol specification" and "OS management group". The answers have buffers of their own, unlike Zephyr's.
"""

import struct
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import cbor2
from smp.error import MGMT_ERR
from smp.header import OP, CommandId, GroupId
from smp.image_management import IMG_MGMT_ERR
from smp.os_management import OS_MGMT_RET_RC, MCUbootMode

Body = dict[str, Any]
Handler = Callable[[OP, int, Body], Body]

_HEADER = struct.Struct("!BBHHBB")
_NEWEST_VERSION = 1
"""The protocol's version 2, as the header counts."""

_OLD_CODES = {
    IMG_MGMT_ERR.NO_IMAGE: MGMT_ERR.ENOENT,
    IMG_MGMT_ERR.NO_TLVS: MGMT_ERR.ENOENT,
    IMG_MGMT_ERR.NO_FREE_SLOT: MGMT_ERR.EBADSTATE,
    IMG_MGMT_ERR.CURRENT_VERSION_IS_NEWER: MGMT_ERR.EBADSTATE,
    IMG_MGMT_ERR.IMAGE_ALREADY_PENDING: MGMT_ERR.EBADSTATE,
    IMG_MGMT_ERR.INVALID_SLOT: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_OFFSET: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_LENGTH: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_IMAGE_HEADER: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_HASH: MGMT_ERR.EINVAL,
}
"""What a client of the protocol's version 1 is told instead; anything else is unknown to it."""


class SmpRefusal(Exception):  # noqa: N818 - an answer to the peer, no error of ours
    """A request is refused with a common code, or with one of a group's own."""

    def __init__(self, code: MGMT_ERR | IMG_MGMT_ERR | OS_MGMT_RET_RC) -> None:
        super().__init__(code.name)
        self.code = code

    def body(self, version: int) -> Body:
        """The answer, in the form of the protocol's version."""
        if isinstance(self.code, MGMT_ERR):
            return {"rc": int(self.code)}
        if version == 0:
            known = _OLD_CODES.get(self.code) if isinstance(self.code, IMG_MGMT_ERR) else None
            return {"rc": int(known or MGMT_ERR.EUNKNOWN)}
        group = GroupId.IMAGE_MANAGEMENT if isinstance(self.code, IMG_MGMT_ERR) else GroupId.OS_MANAGEMENT
        return {"err": {"group": int(group), "rc": int(self.code)}}


class SmpServer:
    """Takes pieces of frames, and answers one frame after the other.

    `images(op, command, body)` serves the image group; `reset()` is called when a restart is asked for. A frame larger
    than `buffer_bytes`, or one more than there are `buffers`, is dropped without a word.
    """

    def __init__(self, *, buffer_bytes: int, buffers: int, images: Handler, reset: Callable[[], None]) -> None:
        self._buffer_bytes = buffer_bytes
        self._buffers = buffers
        self._groups: dict[int, Handler] = {
            GroupId.OS_MANAGEMENT: self._os_group,
            GroupId.IMAGE_MANAGEMENT: images,
        }
        self._reset = reset
        self._heard = bytearray()
        self._ignored = 0
        self._waiting: deque[bytes] = deque()
        self._answer: bytes | None = None

    def hear(self, piece: bytes) -> None:
        """A piece has come."""
        dropped = min(self._ignored, len(piece))
        self._ignored -= dropped
        self._heard += piece[dropped:]
        while len(self._heard) >= _HEADER.size:
            size = _HEADER.size + int.from_bytes(self._heard[2:4], "big")
            if size > self._buffer_bytes:
                self._ignored = max(0, size - len(self._heard))
            elif len(self._heard) < size:
                return
            elif len(self._waiting) + (self._answer is not None) < self._buffers:
                self._waiting.append(bytes(self._heard[:size]))
            del self._heard[:size]

    def begin(self) -> bool:
        """Works on the next request, unless one is being worked on; gives whether there is one. May lose power."""
        if self._answer is not None or not self._waiting:
            return False
        self._answer = self._process(self._waiting.popleft())
        return True

    def finish(self) -> bytes:
        """The answer to the request that was begun."""
        answer, self._answer = self._answer, None
        return answer or b""

    def forget(self) -> None:
        """The link is over: drops what waits."""
        self._heard.clear()
        self._waiting.clear()
        self._ignored, self._answer = 0, None

    def _process(self, frame: bytes) -> bytes:
        first, _, _, group, sequence, command = _HEADER.unpack(frame[: _HEADER.size])
        version, op = first >> 3 & 0b11, first & 0b111
        try:
            body = self._serve(version, op, group, command, frame[_HEADER.size :])
        except SmpRefusal as refusal:
            body = refusal.body(version)
        data = cbor2.dumps(body)
        answers = OP.READ_RSP if op == OP.READ else OP.WRITE_RSP
        first = min(version, _NEWEST_VERSION) << 3 | answers
        return _HEADER.pack(first, 0, len(data), group, sequence, command) + data

    def _serve(self, version: int, op: int, group: int, command: int, data: bytes) -> Body:
        if version > _NEWEST_VERSION:
            raise SmpRefusal(MGMT_ERR.UNSUPPORTED_TOO_NEW)
        if group not in self._groups or op not in (OP.READ, OP.WRITE):
            raise SmpRefusal(MGMT_ERR.ENOTSUP)
        try:
            body: object = cbor2.loads(data) if data else {}
        except (cbor2.CBORDecodeError, ValueError, TypeError) as error:  # whatever hostile bytes lead to
            raise SmpRefusal(MGMT_ERR.EINVAL) from error
        if not isinstance(body, dict):
            raise SmpRefusal(MGMT_ERR.EINVAL)
        named = {name: value for name, value in cast("dict[Any, Any]", body).items() if isinstance(name, str)}
        return self._groups[group](OP(op), command, named)

    def _os_group(self, op: OP, command: int, body: Body) -> Body:
        commands = CommandId.OSManagement
        match (op, command):
            case (_, commands.ECHO):
                return {"r": field(body, "d", str, "")}
            case (OP.WRITE, commands.RESET):
                self._reset()
                return {}
            case (OP.READ, commands.MCUMGR_PARAMETERS):
                return {"buf_size": self._buffer_bytes, "buf_count": self._buffers}
            case (OP.READ, commands.BOOTLOADER_INFO):
                return _bootloader(body.get("query"))
            case _:
                raise SmpRefusal(MGMT_ERR.ENOTSUP)


def field(body: Body, name: str, kind: type[Any], default: Any) -> Any:
    """A field of a request, or the default where it is missing. Raises `SmpRefusal` (EINVAL) for another type."""
    value = body.get(name, default)
    if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise SmpRefusal(MGMT_ERR.EINVAL)
    return value


def _bootloader(query: object) -> Body:
    if query is None:
        return {"bootloader": "MCUboot"}
    if query == "mode":
        return {"mode": int(MCUbootMode.SWAP_WITHOUT_SCRATCH), "no-downgrade": True}
    raise SmpRefusal(OS_MGMT_RET_RC.QUERY_YIELDS_NO_ANSWER)
