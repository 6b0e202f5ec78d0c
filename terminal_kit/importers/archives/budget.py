"""How far archives may unfold."""

ALWAYS_ALLOWED = 256 << 20
"""Bytes that any archive may unfold to, however small it is."""

RATIO = 200
"""Larger ones may grow so many times. Logs shrink to a twentieth, at times to a fiftieth; bombs to a thousandth."""

AT_MOST = 16 << 30
"""Bytes that no archive may unfold to: a sysdiagnose has one or two of these sixteen gigabytes."""

MEMBERS_AT_MOST = 50_000
"""Files of one archive and those in it. A bug report has some hundreds."""

DEPTH_AT_MOST = 4
"""Archives in archives: a phone's archive, in what a mail program made of it, in what a person made of that."""


class TooMuch(Exception):  # noqa: N818 - never leaves the package
    """An archive unfolds to more than is allowed."""


class Budget:
    """What one file, with all that is in it, may still unfold to."""

    def __init__(self, packed_bytes: int) -> None:
        self.limit = min(max(ALWAYS_ALLOWED, RATIO * packed_bytes), AT_MOST)
        self._bytes, self._members = self.limit, MEMBERS_AT_MOST

    def spend(self, size: int) -> None:
        """Raises `TooMuch` where these bytes are more than is left."""
        self._bytes -= size
        if self._bytes < 0:
            raise TooMuch(f"it unfolds to more than {self.limit >> 20} MB and is not read any further")

    def count(self) -> None:
        """Another member. Raises `TooMuch` where there are too many."""
        self._members -= 1
        if self._members < 0:
            raise TooMuch(f"it holds more than {MEMBERS_AT_MOST} files and is not read any further")
