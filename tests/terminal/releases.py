"""Updates for tests: small images, signed by the key that simulated readers trust, waiting at a model."""

import hashlib
import random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from terminal_kit.events import UpdateComponent
from terminal_kit.image import Image, make_image
from terminal_kit.reader import EstimatedUpdateTime, SoftwareUpdate, UpdatePart
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.firmware import ReaderModel

DAY_US = 24 * 3600 * 1_000_000
OLD = "2.01.01.00-SZZZ_Prod_US_v12-481001"
NEW = {
    UpdateComponent.FIRMWARE: "2.02.00.00",
    UpdateComponent.CONFIG: "SZZZ_Prod_US_v13",
    UpdateComponent.KEYS: "481002",
    UpdateComponent.INCREMENTAL: "2.01.02.00",
}


def image_of(
    component: UpdateComponent,
    *,
    version: str | None = None,
    size_bytes: int = 12_000,
    key: Ed25519PrivateKey | None = DEMO_KEY,
    device_types: tuple[str, ...] = ("stripe_m2",),
) -> Image:
    body = random.Random(int(component)).randbytes(size_bytes)
    return make_image(body, component=component, version=version or NEW[component], device_types=device_types, key=key)


def offer(
    model: ReaderModel,
    *components: UpdateComponent,
    images: tuple[Image, ...] | None = None,
    **facts: Any,
) -> SoftwareUpdate:
    """Lets an update with these components wait for a model; `facts` as in `SoftwareUpdate`."""
    components = components or (UpdateComponent.CONFIG, UpdateComponent.FIRMWARE)
    images = images or tuple(image_of(component) for component in components)
    present = dict(
        zip((UpdateComponent.FIRMWARE, UpdateComponent.CONFIG, UpdateComponent.KEYS), OLD.split("-", 2), strict=True)
    )
    for component, image in zip(components, images, strict=True):
        present[UpdateComponent.FIRMWARE if component is UpdateComponent.INCREMENTAL else component] = (
            image.version_text
        )
    update = SoftwareUpdate(
        **{
            "version": "-".join(present.values()),
            "components": UpdateComponent(sum(components)),
            "estimated_time": EstimatedUpdateTime.LESS_THAN_1_MINUTE,
            "release_id": "test",
            "parts": tuple(
                UpdatePart(
                    component=component,
                    version=image.version_text,
                    size_bytes=len(image.data),
                    sha256=hashlib.sha256(image.data).hexdigest(),
                )
                for component, image in zip(components, images, strict=True)
            ),
        }
        | facts
    )
    model.pending_update, model.pending_images = update, images
    return update
