"""What a terminal asks of whoever knows which updates there are: a feed, or the simulated one."""

from typing import Protocol

from terminal_kit.image import Image
from terminal_kit.reader import Reader, SoftwareUpdate


class UpdateSource(Protocol):
    """Where updates come from. Both calls may take as long as the internet does."""

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The newest update for a reader at a location, or None where it is up to date. `now_us`: UTC, microseconds.

        Raises `UpdateServerError` where the source cannot be reached and nothing is known from before, and its child
        `ManifestError` where it is refused and nothing good is known from before (U13).
        """
        ...

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The images of an update, in the order of its parts, each checked against size, SHA-256 and signature.

        Raises `UpdateServerError`, `ManifestError`, `UpdateError` (with a fault).
        """
        ...
