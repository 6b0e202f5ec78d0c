"""Images in one's hand as an update: no feed says what they are, so they say it themselves."""

import hashlib
from collections.abc import Sequence

from terminal_kit.errors import InvalidParameterError, UpdateError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, UpdateFault, is_older
from terminal_kit.reader import SOFTWARE_PARTS, EstimatedUpdateTime, Reader, SoftwareUpdate, UpdatePart, software_parts


def update_of_images(reader: Reader, images: Sequence[Image]) -> SoftwareUpdate:
    """What installing these images is: firmware where an image does not name its component.

    Raises `UpdateError` for another device type, a downgrade, or two images of one component (U13).
    """
    present = software_parts(reader.firmware or "")
    parts: list[UpdatePart] = []
    for image in images:
        component = image.component or UpdateComponent.FIRMWARE
        if any(part.component is component for part in parts):
            raise _unfit(reader, "component", f"two images are for the reader's {_name(component)}")
        if image.device_types and reader.device_type not in image.device_types:
            raise _unfit(reader, "device_type", f"the image is for {', '.join(image.device_types)}")
        if is_older(image.shown_version, than := present.get(component, "")):
            raise _unfit(reader, "downgrade", f"{image.shown_version} is older than {than}, which it runs")
        sha256 = hashlib.sha256(image.data).hexdigest()
        parts.append(
            UpdatePart(component=component, version=image.shown_version, size_bytes=len(image.data), sha256=sha256)
        )
        present[UpdateComponent.FIRMWARE if component is UpdateComponent.INCREMENTAL else component] = (
            image.shown_version
        )
    if not parts:
        raise InvalidParameterError("there is no image to install", parameter="images")
    whole = "-".join(present[component] for component in SOFTWARE_PARTS if component in present)
    return SoftwareUpdate(
        version=whole,
        components=UpdateComponent(sum(part.component for part in parts)),
        estimated_time=EstimatedUpdateTime.TWO_TO_FIVE_MINUTES,
        parts=tuple(parts),
    )


def _unfit(reader: Reader, fault: UpdateFault, why: str) -> UpdateError:
    return UpdateError(
        f"not for {reader.serial}: {why}",
        reader=reader.serial,
        stage="checking",
        fault=fault,
        hint="Nothing was sent. Choose images of this device type, one for each component, that are newer.",
    )


def _name(component: UpdateComponent) -> str:
    return (component.name or "").lower()
