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
    """What waits for simulated readers (U11): each model carries its own. Without internet, what was seen before."""

    def __init__(self, model_of: Callable[[str], Model | None], is_online: Callable[[], bool]) -> None:
        self._model_of = model_of
        self._is_online = is_online
        self._seen: dict[str, SoftwareUpdate | None] = {}
        self._images: dict[str, tuple[Image, ...]] = {}
        self.fault: TerminalError | None = None

    async def find(self, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
        """The model's, unless it runs that version already. Raises `UpdateServerError` offline, if it is a new one."""
        model = self._model_of(reader.serial)
        self.fault = None
        if not self._is_online():
            self.fault = UpdateServerError("the host has no internet", reader=reader.serial, stage="checking")
            if reader.serial not in self._seen:
                raise self.fault
        elif model is not None:
            waiting = model.pending_update
            due = waiting is not None and waiting.version != model.firmware
            self._seen[reader.serial] = waiting if due else None
            if waiting is not None:
                self._images[waiting.release_id] = model.pending_images
        return self._seen.get(reader.serial)

    async def fetch(self, update: SoftwareUpdate) -> tuple[Image, ...]:
        """The model's images. Raises `UpdateServerError` offline."""
        if not self._is_online():
            raise UpdateServerError("the host has no internet to fetch the update with", stage="checking")
        return self._images[update.release_id]
