"""SMP over GATT: frames in pieces of the MTU, written without response, and put together from notifications.

Zephyr, "SMP over Bluetooth". Runs on a connection that somebody else owns and leaves it as it is.
"""

from collections.abc import Callable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from smp.header import Header

from terminal_kit.updates.smp import LARGEST_FRAME_BYTES

LONGEST_VALUE_BYTES = 512
"""An attribute's value is no longer, whatever the MTU (Core Vol 3 Part F, 3.2.9)."""


class Carrier:
    """Carries frames over one characteristic of a connected client; `take(frame)` gets those that come."""

    def __init__(self, client: BleakClient, characteristic: BleakGATTCharacteristic) -> None:
        self._client = client
        self._characteristic = characteristic
        self._heard = bytearray()
        self.take: Callable[[bytes], None] = _drop

    @property
    def piece_bytes(self) -> int:
        """The largest piece: a frame of this size any device takes."""
        return min(self._characteristic.max_write_without_response_size, LONGEST_VALUE_BYTES)

    async def send(self, frame: bytes) -> None:
        """Sends a frame, a piece after the other."""
        for start in range(0, len(frame), self.piece_bytes):
            piece = frame[start : start + self.piece_bytes]
            await self._client.write_gatt_char(self._characteristic, piece, response=False)

    def hear(self, piece: bytes) -> None:
        """A notification has come. One that begins no sensible frame is dropped, with what was begun before it."""
        self._heard += piece
        while len(self._heard) >= Header.SIZE:
            size = Header.SIZE + int.from_bytes(self._heard[2:4], "big")
            if size > LARGEST_FRAME_BYTES:
                self._heard.clear()
            if len(self._heard) < size:
                return
            frame = bytes(self._heard[:size])
            del self._heard[:size]
            self.take(frame)


def _drop(_frame: bytes) -> None:
    """Nobody listens yet."""
