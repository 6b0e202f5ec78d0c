"""What the kit remembers between runs: readers it connected, devices it paired, labels, locations (C7, D6, L1).

Three files: `state.json` (apart for each trainee) and `bonds.json` in the user's data folder, written by the kit,
replaced atomically; `locations.toml` in the user's configuration folder, kept by the user, with the labels of readers
beside the locations.
"""

import json
import os
import re
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import platformdirs

from terminal_kit.errors import DataError, InvalidParameterError
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
    address: str = ""
    online_us: int | None = None

    @classmethod
    def from_json(cls, value: Any) -> "StoredReader":
        """Raises `TypeError` where it is something else."""
        texts = {name: fact for name, fact in value.items() if name != "online_us"}
        if not all(isinstance(text, str) for text in texts.values()) or not isinstance(
            value.get("online_us"), int | None
        ):
            raise TypeError(f"{value} is no stored reader")
        return cls(**value)


class Memory:
    """The readers that this user's kit connected, the last one first. Without a path it forgets at the end.

    Trainees who share a machine pass different paths, so that they do not share it (C7).
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._readers = self._load()

    @classmethod
    def of_user(cls, trainee: str | None = None) -> "Memory":
        """The user's own memory, apart for each trainee, whose name is letters, digits, `-`, `_` and dots inside."""
        if trainee is not None and not re.fullmatch(r"\w[\w.-]{0,63}", trainee):
            raise InvalidParameterError(
                f"{trainee!r} is no trainee's name",
                parameter="trainee",
                value=trainee,
                hint="Use letters, digits, - and _.",
            )
        folder = platformdirs.user_data_path(APP)
        return cls((folder / "trainees" / trainee if trainee else folder) / "state.json")

    def readers(self) -> list[StoredReader]:
        """The stored readers, the last connected first."""
        return list(self._readers)

    def serials(self) -> dict[str, str]:
        """The serial numbers of stored readers that advertise another name, by their address: names are not unique."""
        return {reader.address: reader.serial for reader in self._readers if reader.name not in ("", reader.serial)}

    def remember(self, reader: StoredReader) -> None:
        """Puts a reader first and saves. A file that cannot be read or written raises `DataError`."""
        self._readers = self._load() if self.path else self._readers  # another session may have written meanwhile
        before = next((old for old in self._readers if old.serial == reader.serial), None)
        if before and reader.online_us is None and before.location_id == reader.location_id:
            reader = before
        others = [old for old in self._readers if old.serial != reader.serial]
        self._readers = [reader, *others][:STORED_READERS]
        self._save()

    def forget(self, serial: str) -> None:
        """Drops a reader and saves. Raises as `remember`."""
        self._readers = [old for old in (self._load() if self.path else self._readers) if old.serial != serial]
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
            return [StoredReader.from_json(reader) for reader in state["readers"]]
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
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


class Bonds:
    """The addresses of the devices that this user's kit has paired (D6).

    Trainees share it, as they share the system's own bonds: a device that is paired and not listed here was paired by
    somebody else. Without a path it forgets at the end.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._addresses = set[str]()
        self._addresses = self._load()

    @classmethod
    def of_user(cls) -> "Bonds":
        """The user's own."""
        return cls(platformdirs.user_data_path(APP) / "bonds.json")

    def __contains__(self, address: object) -> bool:
        return address in self._addresses

    def add(self, address: str) -> None:
        """Lists a device and saves. Raises `DataError`."""
        if address not in self._addresses:
            self._save(self._load() | {address})

    def discard(self, address: str) -> None:
        """Lists a device no longer and saves. Raises `DataError`."""
        self._save(self._load() - {address})

    def refresh(self) -> None:
        """Reads the file again: another program of the kit may have paired. Raises `DataError`."""
        self._addresses = self._load()

    def _load(self) -> set[str]:
        if self.path is None:
            return self._addresses
        if not self.path.exists():
            return set()
        try:
            return {str(address) for address in json.loads(self.path.read_text("utf-8"))}
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                f"{self.path} does not list the kit's pairings",
                path=str(self.path),
                hint="Move the file away; readers must then be forgotten and paired again.",
            ) from error

    def _save(self, addresses: set[str]) -> None:
        self._addresses = addresses
        if self.path is not None:
            write_atomically(self.path, json.dumps(sorted(addresses), indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file as a whole: a crash leaves the old one or the new one. Raises `DataError`."""
    new = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(new.name).replace(path)
    except OSError as error:
        if new is not None:
            Path(new.name).unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error


DEMO_LOCATIONS = (
    Location(
        id="tml_front_desk", name="Front desk", address="1 Main Street", region="US", time_zone="America/New_York"
    ),
    Location(id="tml_terrace", name="Terrace", address="1 Main Street", region="US", time_zone="America/New_York"),
)
"""What the picker offers until the user keeps a file: enough for the simulated radio."""


class Locations:
    """The user's locations and the labels of readers (L1), from a TOML file; the demonstration's where it has none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._seen = self._stamp()
        self._locations, self.labels = self._load()

    @classmethod
    def of_user(cls) -> "Locations":
        """The file in the user's configuration folder; the demonstration's locations where there is none."""
        return cls(platformdirs.user_config_path(APP) / "locations.toml")

    def refresh(self) -> None:
        """Reads the file again if it has changed. Raises `DataError`, and keeps what it had, where it is broken."""
        if (stamp := self._stamp()) != self._seen:
            self._seen = stamp
            self._locations, self.labels = self._load()

    def list_locations(self) -> list[Location]:
        """The locations, in the file's order."""
        return list(self._locations)

    def find(self, location_id: str) -> Location | None:
        """The location with this id."""
        return next((place for place in self._locations if place.id == location_id), None)

    def _stamp(self) -> int:
        try:
            return self.path.stat().st_mtime_ns if self.path else 0
        except OSError:
            return 0

    def _load(self) -> tuple[list[Location], dict[str, str]]:
        if self.path is None or not self.path.exists():
            return list(DEMO_LOCATIONS), {}
        try:
            document = tomllib.loads(self.path.read_text("utf-8"))
            places = [Location(**place) for place in document.get("location", [])]
            for place in places:
                _check(place)
            return places or list(DEMO_LOCATIONS), {
                str(serial): str(label) for serial, label in document.get("labels", {}).items()
            }
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise DataError(
                f"{self.path} is not a list of locations: {error}",
                path=str(self.path),
                hint="Each [[location]] needs an id (tml_…) and a name; address, region and time_zone are optional.",
            ) from error


def _check(place: Location) -> None:
    """Raises `TypeError`, `KeyError` or `ValueError` for a location that could not be used."""
    check_location_id(place.id)
    for name, fact in asdict(place).items():
        if not isinstance(fact, str):
            raise TypeError(f"{name} of {place.id} is {fact!r} and not a text")
    ZoneInfo(place.time_zone)
