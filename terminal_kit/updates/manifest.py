"""The manifest of an update feed, `feed.json`: its records, reading it with the place of every fault, writing it.

Times are ISO 8601 with an offset in the file and UTC microseconds here. `released_at` and `required_at` are one time,
or a time for each location with `*` for all others: `{"tml_bar": "2026-03-01T06:00:00Z", "*": …}`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from terminal_kit.errors import ManifestError
from terminal_kit.events import UpdateComponent
from terminal_kit.reader import (
    MINIMUM_BATTERY,
    SOFTWARE_PARTS,
    EstimatedUpdateTime,
    UpdatePart,
    check_location_id,
    software_parts,
)

MANIFEST, SIGNATURE = "feed.json", "feed.json.sig"
"""The two files that every feed has, beside its images."""

MAX_RELEASES = 500
"""Ten years of weekly releases; choosing among so many takes 30 ms."""

MAX_MANIFEST_BYTES = 1 << 20
"""So many releases of four components each take 0.6 MB; more than this is not read to its end."""

MAX_IMAGE_BYTES = 16 << 20
"""More than the flash of any card reader, and little enough to hold in memory."""

ANY = "*"
"""All device types, all locations, all versions."""

_EPOCH = datetime.fromtimestamp(0, UTC)


def time_of(text: Any) -> int:
    """UTC microseconds of an ISO 8601 time with an offset, in the years 1 to 9999 of UTC. Raises `ValueError`."""
    try:
        t_us = (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
        time_text(t_us)  # an offset may lead out of the years that there are
    except (TypeError, ValueError, OverflowError) as error:  # TypeError also where it has no offset
        raise ValueError("a time must look like 2026-03-01T06:00:00Z, in the years 1 to 9999") from error
    return t_us


def time_text(t_us: int) -> str:
    """ISO 8601 of UTC microseconds. Raises `OverflowError` outside the years 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=t_us)).isoformat().replace("+00:00", "Z")


def _read_times(value: Any) -> Any:
    return {ANY: value} if isinstance(value, str) else value


def _write_times(times: dict[str, int]) -> Any:
    texts = {place: time_text(t_us) for place, t_us in times.items()}
    return texts[ANY] if texts.keys() == {ANY} else texts


def _read_versions(value: Any) -> Any:
    return [ANY] if value == ANY else value


def _write_versions(versions: list[str]) -> Any:
    return ANY if versions == [ANY] else versions


def _check_place(place: str) -> str:
    return place if place == ANY else check_location_id(place)


NAME, VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
"""A release's id and a version, as regular expressions. An id cannot hold the colon that joins it to a serial."""

Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

File = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*$", max_length=200)
]
"""A path that stays in the feed: each name begins with a letter or digit, so there is no `..`, no root, no host."""

Place = Annotated[str, AfterValidator(_check_place)]
DeviceName = Literal["*", "stripe_m2", "wisepad_3", "chipper_2x"]
ComponentName = Literal["firmware", "config", "keys", "incremental"]
Time = Annotated[int, BeforeValidator(time_of), PlainSerializer(time_text)]
Times = Annotated[dict[Place, Time], BeforeValidator(_read_times), PlainSerializer(_write_times)]
Versions = Annotated[
    list[Annotated[str, StringConstraints(pattern=rf"^(\*|{VERSION})$")]],
    BeforeValidator(_read_versions),
    PlainSerializer(_write_versions),
    Field(min_length=1),
]


class _Record(BaseModel):
    """Unknown fields are refused: a misspelt `required_at` must not pass for none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Component(_Record):
    """One image of a release. `size_bytes` and `sha256` are the whole file's."""

    component: ComponentName
    version: Version
    file: File
    size_bytes: Annotated[int, Field(ge=1, le=MAX_IMAGE_BYTES)]
    sha256: Sha256

    def part(self) -> UpdatePart:
        """The same, as the terminal knows it."""
        return UpdatePart(
            component=UpdateComponent[self.component.upper()],
            version=self.version,
            size_bytes=self.size_bytes,
            sha256=self.sha256,
            file=self.file,
        )


class Release(_Record):
    """What readers of some types, at some locations, are to run.

    `minimum_battery` is 0…1, and no less than U2 asks. `share` 0…1 is the share of readers that get it. A `paused`
    release is offered to nobody until it is resumed; one that is `withdrawn` never again, and stays in the manifest so
    that its id cannot come to mean something else.
    """

    id: Name
    device_types: Annotated[tuple[DeviceName, ...], Field(min_length=1)]
    locations: Annotated[tuple[Place, ...], Field(min_length=1)]
    from_versions: Versions
    version: Version
    released_at: Annotated[Times, Field(min_length=1)]
    required_at: Times = Field(default_factory=dict[str, int])
    minimum_battery: Annotated[float, Field(ge=MINIMUM_BATTERY, lt=1)]
    estimated_update_time: EstimatedUpdateTime
    share: Annotated[float, Field(ge=0, le=1)]
    paused: bool = False
    withdrawn: bool = False
    components: Annotated[tuple[Component, ...], Field(min_length=1)]

    def released_us(self, location_id: str) -> int | None:
        """When it was released at a location; None where it is not for it. UTC microseconds."""
        if {ANY, location_id}.isdisjoint(self.locations):
            return None
        return self.released_at.get(location_id, self.released_at.get(ANY))

    def required_us(self, location_id: str) -> int | None:
        """Since when it is required at a location; None where it stays optional. UTC microseconds."""
        return self.required_at.get(location_id, self.required_at.get(ANY))


class Manifest(_Record):
    """What a feed offers. `serial` rises with every change; `expires` and `issued` are UTC microseconds."""

    format: Literal[1] = Field(alias="schema")
    serial: Annotated[int, Field(ge=1, lt=1 << 63)]
    issued: Time
    expires: Time | None = None
    releases: Annotated[tuple[Release, ...], Field(max_length=MAX_RELEASES)]

    def find(self, release_id: str) -> tuple[int, Release] | None:
        """A release and its place among the others."""
        return next((found for found in enumerate(self.releases) if found[1].id == release_id), None)


def read_manifest(text: bytes) -> Manifest:
    """The record of a manifest. Raises `ManifestError`, whose `where` is the place of the first fault (U13)."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = _place(first["loc"])
        hint = "Update the kit: the feed is made for a newer one." if place == "schema" else None
        raise _refused(place, _words(first), hint) from error
    for place, what in _contradictions(manifest):
        raise _refused(place, what)
    return manifest


def write_manifest(manifest: Manifest) -> bytes:
    """The bytes of `feed.json`: fields in their order, one release after the other, for people to read."""
    return manifest.model_dump_json(indent=1, by_alias=True, exclude_defaults=True).encode() + b"\n"


def _contradictions(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """What no single field shows: place and words."""
    if manifest.expires is not None and manifest.expires <= manifest.issued:
        yield "expires", "it is not after `issued`"
    ids: set[str] = set()
    for index, release in enumerate(manifest.releases):
        place = f"releases[{index}]"
        if release.id in ids:
            yield f"{place}.id", f"{release.id} is there twice"
        ids.add(release.id)
        yield from ((f"{place}.{field}", what) for field, what in _release_contradictions(release))


def _release_contradictions(release: Release) -> Iterator[tuple[str, str]]:
    for location in release.locations:
        if release.released_us(location) is None:
            yield "released_at", f"it has no time for {location}"
    for name, times in (("released_at", release.released_at), ("required_at", release.required_at)):
        for location in sorted(times.keys() - {ANY}):
            if release.released_us(location) is None:
                yield f"{name}.{location}", "the release is not for this location"
    for location in sorted({*release.locations, *release.released_at, *release.required_at}):
        released, required = release.released_us(location), release.required_us(location)
        if released is not None and required is not None and required < released:
            yield "required_at", f"at {location} it is required before it is released"
    pieces, seen = software_parts(release.version), set[str]()
    for index, component in enumerate(release.components):
        if component.component in seen:
            yield f"components[{index}].component", f"{component.component} is there twice"
        seen.add(component.component)
        flag = component.part().component
        if flag in SOFTWARE_PARTS and component.version != pieces.get(flag):
            yield f"components[{index}].version", f"the release's version says {pieces.get(flag, 'nothing of it')}"


def _place(location: tuple[int | str, ...]) -> str:
    names = [name for name in location if name not in (ANY, "[key]")]
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names).lstrip(".") or MANIFEST


def _words(fault: Any) -> str:
    match fault["type"]:
        case "missing":
            return "it is missing"
        case "extra_forbidden":
            return "there is no such field"
        case "value_error":
            return str(fault["ctx"]["error"])
        case _:
            return str(fault["msg"])


def _refused(where: str, what: str, hint: str | None = None) -> ManifestError:
    return ManifestError(f"{where}: {what}", where=where, stage="checking", fault="malformed", hint=hint)
