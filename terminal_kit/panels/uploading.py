"""Files that come from the page, piece by piece."""

from pathlib import PurePosixPath

from terminal_kit.errors import InvalidParameterError
from terminal_kit.importers import Content
from terminal_kit.panels.panel import Picture
from terminal_kit.words import visible

UPLOAD_BYTES = 50_000_000
"""How much can wait uploaded, bytes: it is held in memory, and comes through the notebook's own connection, which is
slow. What is larger is put where the kernel runs, and chosen there."""

CHUNK_BYTES = 1_000_000
"""A piece, bytes: a tenth of what the notebook's server takes in one message."""


class Uploads:
    """One file on its way. The page sends a piece, waits until `received` says that it came, and sends the next."""

    def __init__(self) -> None:
        self._name = ""
        self._size = 0
        self._data: bytearray | None = None

    def begin(self, name: str, size: int, waiting_bytes: int) -> None:
        """A new file comes; one on its way is dropped. Raises `InvalidParameterError` where it is too large."""
        self._data = None
        if not 0 < size <= UPLOAD_BYTES - waiting_bytes:
            raise InvalidParameterError(
                f"{name} has {size / 1e6:.1f} MB" if size > 0 else f"{name} is empty",
                parameter="upload",
                value=name,
                hint=f"Up to {UPLOAD_BYTES / 1e6:.0f} MB can wait here: put what is larger on the kernel's machine.",
            )
        self._name, self._size, self._data = PurePosixPath(name.replace("\\", "/")).name, size, bytearray()

    def take(self, at: int, data: bytes) -> Content | None:
        """The piece that begins at a place; gives the file where it is whole. What does not fit on is dropped."""
        if self._data is None or at != len(self._data) or not data or at + len(data) > self._size:
            return None
        self._data += data
        if len(self._data) < self._size:
            return None
        content = Content(self._name, bytes(self._data))
        self._data = None
        return content

    def cancel(self) -> None:
        """Drops the file that is on its way."""
        self._data = None

    def picture(self) -> Picture | None:
        """What is on its way; None where nothing is."""
        if self._data is None:
            return None
        return {"name": visible(self._name), "size": self._size, "received": len(self._data), "chunk": CHUNK_BYTES}
