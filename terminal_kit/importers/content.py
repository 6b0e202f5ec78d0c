"""One file's bytes under one name, whether it lies on the disk or in an archive."""

import mmap
from collections.abc import Generator
from contextlib import contextmanager
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


@contextmanager
def opened(path: Path) -> Generator[Content]:
    """A file on the disk, mapped into memory. Raises `CaptureFormatError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                yield Content(str(path), b"")
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield Content(str(path), data)
    except (OSError, ValueError) as error:
        if isinstance(error, CaptureFormatError):
            raise
        raise CaptureFormatError(f"{path} cannot be read: {error}", path=str(path)) from error
