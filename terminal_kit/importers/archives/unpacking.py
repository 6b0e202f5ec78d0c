"""Compressed streams, a piece at a time: gz, bz2 and xz."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from terminal_kit.importers.archives.budget import TooMuch

PIECE = 1 << 16
"""Packed bytes that are read at a time."""

UNPACKED_PIECE = 1 << 20
"""Bytes that come of them at a time, at most."""

XZ_MEMORY = 256 << 20
"""Bytes that an xz stream may ask for: the strongest preset asks for 65 MB."""

ZIP_STREAM, GZ_STREAM = -15, 31
"""What zlib calls a stream with no header, and one with gzip's."""


class Unpacker(Protocol):
    """What the three have in common: `needs_input` tells whether all that a piece holds has come out."""

    @property
    def eof(self) -> bool:  # noqa: D102
        ...

    @property
    def needs_input(self) -> bool:  # noqa: D102
        ...

    @property
    def unused_data(self) -> bytes:  # noqa: D102
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: D102
        ...


class Inflater:
    """zlib's decompressor in the manners of the other two."""

    def __init__(self, form: int) -> None:
        self._stream = zlib.decompressobj(form)
        self._full = False

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        """Whether more can only come of more input."""
        return not self._full

    @property
    def unused_data(self) -> bytes:
        """What was given behind the stream's end."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes of what comes."""
        found = self._stream.decompress(self._stream.unconsumed_tail + data, max(max_length, 0))
        self._full = len(found) == max_length
        return found


UNPACKERS: dict[str, Callable[[], Unpacker]] = {
    "gz": lambda: Inflater(GZ_STREAM),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY),
}


def unpacked(form: str, data: memoryview) -> Iterator[bytes]:
    """What a compressed file holds; several streams in a row are one. Raises what the decompressors raise."""
    unpacker = UNPACKERS[form]()
    place, begun = 0, True
    while place < len(data):
        piece = bytes(data[place : place + PIECE])
        place += len(piece)
        while True:
            yield from pieces(unpacker, piece)
            begun = True
            if not unpacker.eof:
                break
            # Zeros may follow; another stream may, too.
            piece = unpacker.unused_data.lstrip(b"\0")
            unpacker, begun = UNPACKERS[form](), False
            if not piece:
                break
    if begun:
        raise EOFError("it is cut")


def pieces(unpacker: Unpacker, piece: bytes) -> Iterator[bytes]:
    """All that comes of a piece."""
    yield unpacker.decompress(piece, UNPACKED_PIECE)
    while not unpacker.eof and not unpacker.needs_input:
        yield unpacker.decompress(b"", UNPACKED_PIECE)


class Stream(io.RawIOBase):
    """Pieces as a file that is read once, from its beginning on. What breaks ends it, and stands in `why`.

    `given_bytes` counts what has been read, what was only peeked at left out.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self.why: str | None = None
        self.given_bytes = 0
        self._source, self._held = source, b""

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, or fewer at the end."""
        parts, missing = list[bytes](), size if size >= 0 else 1 << 62
        while missing > 0 and (self._held or self._fill()):
            parts.append(self._held[:missing])
            self._held = self._held[missing:]
            missing -= len(parts[-1])
        data = b"".join(parts)
        self.given_bytes += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """So many bytes, which are read again afterwards."""
        head = self.read(size)
        self._held = head + self._held
        self.given_bytes -= len(head)
        return head

    def rest(self) -> Iterator[bytes]:
        """All that has not been read."""
        while piece := self._held or (self._fill() and self._held):
            self._held = b""
            self.given_bytes += len(piece)
            yield piece

    def _fill(self) -> bool:
        try:
            while not self._held:
                self._held = next(self._source)
        except StopIteration:
            return False
        except TooMuch:
            raise
        except Exception as error:  # what decompressors raise on damage is of many kinds, and nowhere listed
            self.why = str(error) or type(error).__name__
            return False
        return True
