"""One file's bytes under one name, whether it lies on the disk or in an archive."""

import mmap
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from terminal_kit.errors import CaptureFormatError

Buffer = bytes | memoryview | mmap.mmap


@dataclass(frozen=True, slots=True)
class Content:
    """A file to import. `name` is the path as it was given, with what lies in an archive after a `!`.

    `data` supports the buffer protocol, `len()` and slices (a slice of it may be a copy); it is read only.
    """

    name: str
    data: Buffer

    def sha256(self) -> str:
        """The SHA-256 of the whole content, hexadecimal: by it a file is known again."""
        return sha256(self.data).hexdigest()

    def head(self, size: int = 4096) -> bytes:
        """The first bytes, for whoever sniffs."""
        return bytes(self.data[:size])


def let_go(data: Buffer, begin: int, end: int) -> None:
    """So much of a mapped file was read: the system may have its memory back (what is asked for again is read again).

    Without it a capture of gigabytes counts as that much memory of ours, though nobody looks back.
    """
    first = -(-begin // mmap.PAGESIZE) * mmap.PAGESIZE
    last = min(end, len(data)) // mmap.PAGESIZE * mmap.PAGESIZE
    if isinstance(data, mmap.mmap) and last > first and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED, first, last - first)


@contextmanager
def opened(path: Path) -> Generator[Content]:
    """A file on the disk, mapped into memory. Raises `CaptureFormatError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            is_empty = os.fstat(file.fileno()).st_size == 0
            data = b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise CaptureFormatError(f"there is no file {path}", path=str(path), hint="Check the path.") from error
    except OSError as error:
        hint = "Check its permissions, and the disk or the network that it lies on."
        raise CaptureFormatError(f"{path} cannot be read: {error.strerror}", path=str(path), hint=hint) from error
    except ValueError as error:  # a zero byte in it
        raise CaptureFormatError(f"{path} cannot be a path", path=str(path), hint="Check the path.") from error
    try:
        yield Content(str(path), data)
    finally:
        if isinstance(data, mmap.mmap):
            # Whoever read it may still hold a view, in the traceback of an error: then it is closed with that.
            with suppress(BufferError):
                data.close()
