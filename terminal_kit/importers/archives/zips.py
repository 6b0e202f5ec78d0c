"""Zip files: by their directory, or without it where the end is missing."""

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from terminal_kit.importers.archives.unpacking import PIECE, ZIP_STREAM, Inflater, pieces

LOCAL = b"PK\x03\x04"
END = b"PK\x05\x06"
END_WITHIN = 22 + 0xFFFF
"""The record at the end has a comment of two bytes' length: APPNOTE.TXT, 4.3.16."""

HEAD = struct.Struct("<4sHHHHHIIIHH")
STORED, DEFLATED = 0, 8
ENCRYPTED = 1

READ_BYTES = 1 << 14
"""Bytes at a time: where a file is damaged, at most so much of the good is lost."""


class ZipMember(NamedTuple):
    """A file in a zip; `source` gives its bytes, and may raise whatever the format's readers raise."""

    name: str
    source: Iterator[bytes]


def by_directory(archive: zipfile.ZipFile) -> Iterator[ZipMember]:
    """The files that the directory at the end lists."""
    for info in archive.infolist():
        if not info.filename.endswith("/"):  # is_dir() stumbles over an empty name
            yield ZipMember(info.filename, _read(archive, info))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as file:
        assert isinstance(file, zipfile.ZipExtFile)
        while piece := file.read1(READ_BYTES):
            yield piece


def directory_end(data: memoryview) -> int:
    """The byte where the record stands by which a directory is found: the archive's end, where there is none."""
    begin = max(0, len(data) - END_WITHIN)
    at = bytes(data[begin:]).rfind(END)
    return len(data) if at < 0 else begin + at


def without_directory(data: memoryview) -> Iterator[ZipMember]:
    """The files whose beginnings are found, in their order."""
    text = re.compile(re.escape(LOCAL))
    place = 0
    while (found := text.search(data, place)) is not None and found.start() + HEAD.size <= len(data):
        start = found.start()
        _, _, flags, method, _, _, _, packed_bytes, _, name_bytes, extra_bytes = HEAD.unpack_from(data, start)
        name_at = start + HEAD.size
        begin = name_at + name_bytes + extra_bytes
        name = bytes(data[name_at : name_at + name_bytes]).decode("utf-8", "replace")
        place = name_at
        if flags & ENCRYPTED or name.endswith("/") or begin > len(data):
            continue
        if method == STORED and packed_bytes:
            yield ZipMember(name, iter([bytes(data[begin : begin + packed_bytes])]))
            place = max(place, min(begin + packed_bytes, len(data)))
        elif method == DEFLATED:
            yield ZipMember(name, _inflated(data, begin))
            # Where it ends stands behind it, if anywhere; a mark within is hardly ever met by chance.
            place = max(place, min(begin + packed_bytes, len(data)))


def _inflated(data: memoryview, begin: int) -> Iterator[bytes]:
    inflater = Inflater(ZIP_STREAM)
    for place in range(begin, len(data), PIECE):
        yield from pieces(inflater, bytes(data[place : place + PIECE]))
        if inflater.eof:
            return
    raise EOFError("it is cut")


def as_file(data: memoryview) -> IO[bytes]:
    """The bytes as a file, with nothing copied."""
    return io.BufferedReader(_View(data))


class _View(io.RawIOBase):
    def __init__(self, data: memoryview) -> None:
        self._data, self._place = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._place = max(0, offset + (0, self._place, len(self._data))[whence])
        return self._place

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        piece = self._data[self._place : self._place + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
