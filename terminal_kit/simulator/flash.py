"""Flash memory that may lose power at any byte: sectors are erased to ones, programming turns ones into zeros.

A byte is written whole or not at all, and an erase that is cut off has erased a sector up to some byte. What is left
out: wear, and bytes that read differently each time after a cut.
"""

SECTOR_BYTES = 4096
"""The smallest piece that usual flash erases."""

ERASED = 0xFF


class PowerLoss(Exception):  # noqa: N818 - what happens to a device, no error of ours
    """The power failed in the middle of an operation; what was done until then stays done."""


class Flash:
    """A chip, blank and as large as is needed. Erased sectors take no memory. Addresses and sizes are in bytes.

    `erased_bytes` and `programmed_bytes` count what was done since it was made: time follows from them.
    """

    def __init__(self, sector_bytes: int = SECTOR_BYTES) -> None:
        self.sector_bytes = sector_bytes
        self.erased_bytes = 0
        self.programmed_bytes = 0
        self._written: dict[int, bytearray] = {}
        self._left: int | None = None

    def cut_after(self, size: int | None) -> None:
        """Makes the power fail after so many bytes more, erased or programmed; None makes it last (again)."""
        self._left = size

    def read(self, at: int, size: int) -> bytes:
        """What stands there."""
        parts: list[bytes] = []
        for _, number, within, step in self._pieces(at, size):
            sector = self._written.get(number)
            parts.append(bytes([ERASED]) * step if sector is None else bytes(sector[within : within + step]))
        return b"".join(parts)

    def is_blank(self, at: int, size: int) -> bool:
        """Whether every sector that these bytes touch is erased."""
        first, last = at // self.sector_bytes, (at + size - 1) // self.sector_bytes
        return not any(number in self._written for number in range(first, last + 1))

    def erase(self, at: int) -> None:
        """Erases the sector at `at`. Raises `PowerLoss`."""
        number = at // self.sector_bytes
        size = self._spend(self.sector_bytes)
        self.erased_bytes += size
        if size == self.sector_bytes:
            self._written.pop(number, None)
            return
        if number in self._written:
            self._written[number][:size] = bytes([ERASED]) * size
        raise PowerLoss

    def program(self, at: int, data: bytes) -> None:
        """Writes `data`: ones may become zeros, never the other way round. Raises `PowerLoss`."""
        size = self._spend(len(data))
        self.programmed_bytes += size
        for start, number, within, step in self._pieces(at, size):
            piece = data[start : start + step]
            if number not in self._written:
                if piece.count(ERASED) == step:
                    continue
                self._written[number] = bytearray([ERASED]) * self.sector_bytes
            sector = self._written[number]
            before = int.from_bytes(sector[within : within + step], "big")
            sector[within : within + step] = (before & int.from_bytes(piece, "big")).to_bytes(step, "big")
        if size < len(data):
            raise PowerLoss

    def snapshot(self) -> dict[int, bytes]:
        """Its content, for `restore`."""
        return {number: bytes(sector) for number, sector in self._written.items()}

    def restore(self, content: dict[int, bytes]) -> None:
        """Makes its content what it was."""
        self._written = {number: bytearray(sector) for number, sector in content.items()}

    def _pieces(self, at: int, size: int) -> list[tuple[int, int, int, int]]:
        """Where `size` bytes from `at` go: offset in the data, sector, offset in the sector, bytes."""
        pieces: list[tuple[int, int, int, int]] = []
        start = 0
        while start < size:
            number, within = divmod(at + start, self.sector_bytes)
            step = min(size - start, self.sector_bytes - within)
            pieces.append((start, number, within, step))
            start += step
        return pieces

    def _spend(self, size: int) -> int:
        """How many of so many bytes the power lasts for."""
        if self._left is None:
            return size
        size = min(size, self._left)
        self._left -= size
        return size
