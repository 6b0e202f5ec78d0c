"""What the kit remembers between runs: readers it connected, labels, locations (C7, L1).

Two files: `state.json` in the user's data folder, written by the kit, replaced atomically; `locations.toml` in the
user's configuration folder, kept by the user, with the labels of readers beside the locations.
"""

import json
import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import platformdirs

from terminal_kit.errors import DataError
from terminal_kit.reader import Location, check_location_id

APP = "terminal_kit"

ONLINE_COUNTS_US = 30 * 24 * 3600 * 1_000_000
"""A connection made online lets a reader be used offline for 30 days (E, 2870–2873)."""

STORED_READERS = 20
"""More than anybody connects from one desk; the file stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReader:
    """A reader that was connected: where, and when last while the host was online (UTC microseconds)."""

    serial: str
    location_id: str
    device_type: str
    name: str = ""
    online_us: int | None = None


class Memory:
    """The readers that this user's kit connected, the last one first. Without a path it forgets at the end.

    Trainees who share a machine pass different paths, so that they do not share it (C7).
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._readers = self._load()

    @classmethod
    def of_user(cls, trainee: str | None = None) -> "Memory":
        """The user's own memory, apart for each trainee."""
        folder = platformdirs.user_data_path(APP)
        return cls((folder / "trainees" / trainee if trainee else folder) / "state.json")

    def readers(self) -> list[StoredReader]:
        """The stored readers, the last connected first."""
        return list(self._readers)

    def serials(self) -> dict[str, str]:
        """The serial numbers of stored readers that advertise another name, by that name."""
        return {reader.name: reader.serial for reader in self._readers if reader.name not in ("", reader.serial)}

    def remember(self, reader: StoredReader) -> None:
        """Puts a reader first and saves. A file that cannot be written raises `DataError`."""
        before = next((old for old in self._readers if old.serial == reader.serial), None)
        if before and reader.online_us is None and before.location_id == reader.location_id:
            reader = before
        others = [old for old in self._readers if old.serial != reader.serial]
        self._readers = [reader, *others][:STORED_READERS]
        self._save()

    def connected_online(self, now_us: int, *, location_id: str, serial: str = "", device_type: str = "") -> bool:
        """Whether this reader, or one of this type, was connected online here in the last 30 days."""
        return any(
            old.location_id == location_id
            and old.online_us is not None
            and now_us - old.online_us <= ONLINE_COUNTS_US
            and (old.serial == serial if serial else old.device_type == device_type)
            for old in self._readers
        )

    def _load(self) -> list[StoredReader]:
        if self.path is None or not self.path.exists():
            return []
        try:
            state = cast("dict[str, Any]", json.loads(self.path.read_text("utf-8")))
            return [StoredReader(**reader) for reader in state["readers"]]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{self.path} does not hold the kit's state",
                path=str(self.path),
                hint="Move the file away; the kit starts a new one and forgets the readers it connected.",
            ) from error

    def _save(self) -> None:
        if self.path is None:
            return
        state = {"readers": [asdict(reader) for reader in self._readers]}
        write_atomically(self.path, json.dumps(state, indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file as a whole: a crash leaves the old one or the new one. Raises `DataError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(new.name).replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error


DEMO_LOCATIONS = (
    Location(
        id="tml_front_desk", name="Front desk", address="1 Main Street", region="US", time_zone="America/New_York"
    ),
    Location(id="tml_terrace", name="Terrace", address="1 Main Street", region="US", time_zone="America/New_York"),
)
"""What the picker offers until the user keeps a file: enough for the simulated radio."""


class Locations:
    """The user's locations and the labels of readers (L1), from a TOML file."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._locations, self.labels = self._load()

    @classmethod
    def of_user(cls) -> "Locations":
        """The file in the user's configuration folder; the demonstration's locations where there is none."""
        return cls(platformdirs.user_config_path(APP) / "locations.toml")

    def list_locations(self) -> list[Location]:
        """The locations, in the file's order."""
        return list(self._locations)

    def find(self, location_id: str) -> Location | None:
        """The location with this id."""
        return next((place for place in self._locations if place.id == location_id), None)

    def _load(self) -> tuple[list[Location], dict[str, str]]:
        if self.path is None or not self.path.exists():
            return list(DEMO_LOCATIONS), {}
        try:
            document = tomllib.loads(self.path.read_text("utf-8"))
            places = [Location(**place) for place in document.get("location", [])]
            for place in places:
                check_location_id(place.id)
            return places, {str(serial): str(label) for serial, label in document.get("labels", {}).items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"{self.path} is not a list of locations: {error}",
                path=str(self.path),
                hint="Each [[location]] needs an id (tml_…) and a name; address, region and time_zone are optional.",
            ) from error
