"""Which release a reader is offered (U7, U8): by its type, location, present version and share."""

import hashlib
from collections.abc import Iterable

from terminal_kit.events import UpdateComponent
from terminal_kit.image import is_older
from terminal_kit.reader import SOFTWARE_PARTS, Reader, SoftwareUpdate, UpdatePart, software_parts
from terminal_kit.updates.manifest import ANY, Manifest, Release


def is_in_share(release_id: str, serial: str, share: float) -> bool:
    """Whether a reader is in the share of readers, 0…1, that get a release.

    The SHA-256 of `release_id:serial` (UTF-8, joined by one colon), read as a fraction of 2²⁵⁶, is below the share.
    So raising a share only adds readers, and each release begins with others.
    """
    digest = hashlib.sha256(f"{release_id}:{serial}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest, "big") < share * 2.0**256


def choose(manifest: Manifest, reader: Reader, location_id: str, now_us: int) -> SoftwareUpdate | None:
    """The newest release that a reader can take, or None. `now_us`: UTC microseconds.

    The newest is the one released last at the location, and of two at once the later in the manifest. Each component
    counts from the newest release that has it: what a reader has of a newer release, an older one does not bring back.
    An update is required as soon as any release is that it takes the place of, and `superseded_at_us` is when the
    first release appeared that is newer than what the reader runs, whoever is in its share (U5).
    """
    if reader.firmware is None:
        return None
    present = software_parts(reader.firmware)
    settled: set[UpdateComponent] = set()
    chosen: tuple[Release, tuple[UpdatePart, ...]] | None = None
    required: list[int] = []
    superseded: list[int] = []
    for released_us, release in _released(manifest, reader, location_id, now_us):
        if release.version == reader.firmware:
            break
        parts = [component.part() for component in release.components]
        has = {part.component for part in parts if present.get(part.component) == part.version}
        missing = tuple(part for part in parts if part.component not in has | settled)
        settled |= has
        if not missing or release.paused or any(is_older(part.version, _than(present, part)) for part in missing):
            continue
        superseded.append(released_us)
        if _is_for(release, reader):
            chosen = chosen or (release, missing)
            required += [us for us in [release.required_us(location_id)] if us is not None]
    if chosen is None:
        return None
    release, parts = chosen
    return SoftwareUpdate(
        version=_version_after(release, present, parts),
        components=UpdateComponent(sum(part.component for part in parts)),
        estimated_time=release.estimated_update_time,
        required_at_us=min(required, default=None),
        release_id=release.id,
        superseded_at_us=min(superseded),
        minimum_battery=release.minimum_battery,
        parts=parts,
    )


def _released(manifest: Manifest, reader: Reader, location_id: str, now_us: int) -> Iterable[tuple[int, Release]]:
    """The releases for readers of this type at this location, the newest first, with their times."""
    found: list[tuple[int, int, Release]] = []
    for index, release in enumerate(manifest.releases):
        released_us = release.released_us(location_id)
        for_type = not {ANY, str(reader.device_type)}.isdisjoint(release.device_types)
        if for_type and not release.withdrawn and released_us is not None and released_us <= now_us:
            found.append((released_us, index, release))
    return ((released_us, release) for released_us, _, release in sorted(found, key=lambda one: one[:2], reverse=True))


def _is_for(release: Release, reader: Reader) -> bool:
    from_here = not {ANY, reader.firmware}.isdisjoint(release.from_versions)
    return from_here and is_in_share(release.id, reader.serial, release.share)


def _than(present: dict[UpdateComponent, str], part: UpdatePart) -> str:
    return present.get(part.component, "")


def _version_after(release: Release, present: dict[UpdateComponent, str], parts: tuple[UpdatePart, ...]) -> str:
    """The reader's whole version when the parts are installed; only the release knows what an increment leads to."""
    if any(part.component is UpdateComponent.INCREMENTAL for part in parts):
        return release.version
    after = present | {part.component: part.version for part in parts}
    return "-".join(after[track] for track in SOFTWARE_PARTS if track in after)
