"""A release before it is one: what is asked for it, and the images that it brings."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from terminal_kit.errors import InvalidParameterError, UpdateError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, ImageVersion, make_image, read_image
from terminal_kit.reader import MINIMUM_BATTERY, SOFTWARE_PARTS, EstimatedUpdateTime, software_parts
from terminal_kit.updates.manifest import ANY, MAX_IMAGE_BYTES, time_text

_ESTIMATES = {
    UpdateComponent.FIRMWARE: EstimatedUpdateTime.FIVE_TO_FIFTEEN_MINUTES,
    UpdateComponent.CONFIG: EstimatedUpdateTime.ONE_TO_TWO_MINUTES,
    UpdateComponent.KEYS: EstimatedUpdateTime.LESS_THAN_1_MINUTE,
    UpdateComponent.INCREMENTAL: EstimatedUpdateTime.LESS_THAN_1_MINUTE,
}
"""The vendor's guide (Words), the longest first."""


class ImageFile(NamedTuple):
    """A file to release. `component` says what it is for; None where the image says so itself, else firmware."""

    path: Path
    component: UpdateComponent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new release is to be, beside its images: the manifest's fields, times in UTC microseconds a location.

    Without `device_types` it is for those that the images name, without an `estimated_time` for the guide's.
    """

    id: str
    version: str
    released_at: Mapping[str, int]
    device_types: Sequence[str] = ()
    locations: Sequence[str] = (ANY,)
    from_versions: Sequence[str] = (ANY,)
    required_at: Mapping[str, int] = field(default_factory=dict[str, int])
    minimum_battery: float = MINIMUM_BATTERY
    estimated_time: EstimatedUpdateTime | None = None
    share: float = 1.0


class Piece(NamedTuple):
    """One image of a draft, and what it is for."""

    component: UpdateComponent
    image: Image


def read_piece(file: ImageFile, draft: Draft, key: Ed25519PrivateKey | None) -> Piece:
    """The image in a file. With a `key` the file is raw, and gets its frame and its signature.

    Raises `InvalidParameterError`, or `UpdateError` with its fault.
    """
    data = _read(file.path)
    if key is not None:
        component = file.component or UpdateComponent.FIRMWARE
        if not data:
            raise InvalidParameterError(f"{file.path} is empty", parameter="image", value=file.path)
        types = tuple(name for name in draft.device_types if name != ANY)
        version = _version(draft, component)
        return Piece(component, make_image(data, component=component, version=version, device_types=types, key=key))
    try:
        image = read_image(data)
    except UpdateError as error:
        hint = "Sign it with imgtool and the feed's key, or pass --raw to have it wrapped and signed here."
        raise UpdateError(f"{file.path}: {error}", stage="checking", fault=error.fault, hint=hint) from error
    component = file.component or image.component or UpdateComponent.FIRMWARE
    if not image.version_text and ImageVersion.of_text(version := _version(draft, component)) != image.version:
        what = f"{file.path} has the version {image.version}, which is not that of {version}"
        hint = f"Sign it with imgtool -v {ImageVersion.of_text(version)}, or correct the release's version."
        raise InvalidParameterError(what, parameter="version", value=draft.version, hint=hint)
    return Piece(component, image)


def release_of(draft: Draft, pieces: Sequence[Piece]) -> dict[str, Any]:
    """The release as the manifest has it, still unchecked."""
    told = next((image.device_types for _, image in pieces if image.device_types), (ANY,))
    flags = {component for component, _ in pieces}
    guide = next((time for component, time in _ESTIMATES.items() if component in flags), None)
    required = {"required_at": _texts(draft.required_at)} if draft.required_at else {}
    return {
        "id": draft.id,
        "device_types": [*(draft.device_types or told)],
        "locations": [*draft.locations],
        "from_versions": [*draft.from_versions],
        "version": draft.version,
        "released_at": _texts(draft.released_at),
        **required,
        "minimum_battery": draft.minimum_battery,
        "estimated_update_time": draft.estimated_time or guide,
        "share": draft.share,
        "components": [
            {
                "component": _name(component),
                "version": image.version_text or _version(draft, component),
                "file": f"images/{draft.id}-{_name(component)}.bin",
                "size_bytes": len(image.data),
                "sha256": hashlib.sha256(image.data).hexdigest(),
            }
            for component, image in pieces
        ],
    }


def chosen_time(t_us: int) -> str:
    """The text of a time that somebody chose, UTC microseconds. Raises `InvalidParameterError`."""
    try:
        return time_text(t_us)
    except OverflowError as error:
        what = f"{t_us} µs is a time outside the years 1 to 9999"
        raise InvalidParameterError(what, parameter="time", value=t_us) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_IMAGE_BYTES + 1)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise InvalidParameterError(what, parameter="image", value=path, hint="Check the path.") from error
    if len(data) > MAX_IMAGE_BYTES:
        what = f"{path} has more than {MAX_IMAGE_BYTES} bytes"
        raise InvalidParameterError(what, parameter="image", value=path, hint="No reader has room for it.")
    return data


def _version(draft: Draft, component: UpdateComponent) -> str:
    """What the release's version says of a component; an increment has the whole of it."""
    if component not in SOFTWARE_PARTS:
        return draft.version
    version = software_parts(draft.version).get(component)
    if version is None:
        hint = "Write FIRMWARE-CONFIG-KEYPROFILE, for instance 2.01.01.00-SZZZ_Prod_US_v12-481001."
        what = f"the version {draft.version} says nothing of the {_name(component)}"
        raise InvalidParameterError(what, parameter="version", value=draft.version, hint=hint)
    return version


def _texts(times: Mapping[str, int]) -> dict[str, str]:
    return {place: chosen_time(t_us) for place, t_us in times.items()}


def _name(component: UpdateComponent) -> str:
    return (component.name or "").lower()
