"""Whoever knows which updates there are: a feed, or the readers of a simulation themselves."""

from collections.abc import Callable
from typing import Protocol

from terminal_kit.errors import TerminalError, UpdateServerError
from terminal_kit.image import Image
from terminal_kit.reader import Reader, SoftwareUpdate


class UpdateSource(Protocol):
    """Where updates come from. Both calls may take as long as the internet does.

    `fault` is what is wrong with it although it can go on with what it knew before, else None.
    """

    fault: TerminalError | None

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The newest update for a reader at a location, None where it is up to date. `now_us`: UTC, microseconds.

        Raises `UpdateServerError` where the source cannot be reached and nothing is known from before, and its child
        `ManifestError` where it is refused and nothing good is known from before (U13).
        """
        ...

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The images of an update, in the order of its parts, each checked against size, SHA-256 and signature.

        Raises `UpdateServerError`, `ManifestError`, `UpdateError` (with a fault).
        """
        ...


class NoUpdates:
    """Nobody knows of any."""

    fault: TerminalError | None = None

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """None."""
        return None

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """Raises `UpdateServerError`."""
        raise UpdateServerError("there is no feed to take the update from", hint="Pass a feed.")


class Model(Protocol):
    """A simulated reader, as far as its updates are concerned."""

    pending_update: SoftwareUpdate | None
    pending_images: tuple[Image, ...]

    @property
    def firmware(self) -> str:
        """What it runs."""
        ...


class ModelUpdates:
    """What waits for simulated readers (U11): each model carries its own."""

    fault: TerminalError | None = None

    def __init__(self, model_of: Callable[[str], Model | None]) -> None:
        self._model_of = model_of
        self._images: dict[str, tuple[Image, ...]] = {}

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The model's, unless it runs that version already."""
        model = self._model_of(reader.serial)
        if model is None or model.pending_update is None or model.pending_update.version == model.firmware:
            return None
        self._images[model.pending_update.release_id] = model.pending_images
        return model.pending_update

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The model's images."""
        return self._images[update.release_id]


class OnlyOnline:
    """A source that a simulated host reaches over its internet. Without, it knows what it last answered."""

    def __init__(self, source: UpdateSource, is_online: Callable[[], bool]) -> None:
        self._source = source
        self._is_online = is_online
        self._answers: dict[tuple[str, str], SoftwareUpdate | None] = {}
        self.fault: TerminalError | None = None

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The source's answer. Raises as the source, and `UpdateServerError` offline where it was not asked before."""
        asked = (reader.serial, location_id)
        if self._is_online():
            self._answers[asked] = await self._source.find(reader, location_id, now_us)
            self.fault = self._source.fault
            return self._answers[asked]
        self.fault = UpdateServerError("the host has no internet", reader=reader.serial, stage="checking")
        if asked not in self._answers:
            raise self.fault
        return self._answers[asked]

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The source's images. Raises as the source, and `UpdateServerError` offline."""
        if not self._is_online():
            raise UpdateServerError("the host has no internet to fetch the update with", stage="checking")
        return await self._source.fetch(update)
