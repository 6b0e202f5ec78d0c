"""Whether a file is the image that a release means (U13)."""

import hashlib
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.errors import ManifestError, UpdateError
from terminal_kit.image import Image, UpdateFault, read_image
from terminal_kit.updates.manifest import Component, Release


def check_image(data: bytes, component: Component, release: Release, key: Ed25519PublicKey, place: str) -> Image:
    """The image in a component's file; `place` is the component's in the manifest, for what is raised.

    Raises `ManifestError` where the file is not the one that the manifest names, and `UpdateError` with its fault where
    the image cannot be read, is not signed by `key`, or is for another component or device type. An image that does
    not tell its component or device types, as one of plain `imgtool sign`, is what the manifest says.
    """
    if len(data) != component.size_bytes:
        what = f"more than {component.size_bytes}" if len(data) > component.size_bytes else f"only {len(data)}"
        refuse(f"{place}.size_bytes", f"{component.file} has {what} bytes", "digest")
    if hashlib.sha256(data).hexdigest() != component.sha256:
        refuse(f"{place}.sha256", f"{component.file} is not what its SHA-256 says", "digest")
    try:
        image = read_image(data)
        image.check_signature(key)
    except UpdateError as error:
        raise UpdateError(f"{place}.file: {error}", stage="checking", fault=error.fault, hint=error.hint) from error
    if not int.from_bytes(data[12:16], "little"):  # the body's size in MCUboot's header
        _unfit(f"{place}.file", "the image is empty", "malformed")
    if image.component not in (None, component.part().component):
        _unfit(
            f"{place}.component", f"the image is for the reader's {(image.component.name or '').lower()}", "component"
        )
    if image.device_types and not set(release.device_types) <= set(image.device_types):
        _unfit(f"{place}.file", f"the image is for {', '.join(image.device_types)} only", "device_type")
    if image.version_text not in ("", component.version):
        refuse(f"{place}.version", f"{component.file} has the version {image.version_text}")
    return image


def refuse(where: str, what: str, fault: str = "", *, hint: str | None = None) -> NoReturn:
    """Raises `ManifestError` with the place of the fault."""
    raise ManifestError(f"{where}: {what}", where=where, stage="checking", fault=fault, hint=hint)


def _unfit(place: str, what: str, fault: UpdateFault) -> NoReturn:
    raise UpdateError(
        f"{place}: {what}",
        stage="checking",
        fault=fault,
        hint="Take the image that was made for this release, or correct the release.",
    )
