"""What may wait for a simulated reader (U11): each outcome in one call."""

import hashlib
import random
import re
from typing import TYPE_CHECKING, Literal

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import make_image
from terminal_kit.reader import GRACE_US, MINIMUM_BATTERY, EstimatedUpdateTime, SoftwareUpdate, UpdatePart
from terminal_kit.simulator.demo_key import DEMO_KEY

if TYPE_CHECKING:
    from terminal_kit.simulator.firmware import ReaderModel

UpdateOutcome = Literal[
    "none",
    "available",
    "required",
    "required_for_offline",
    "low_battery",
    "low_battery_succeed_connect",
    "random",
]
"""What becomes of a reader's next connection (U11)."""

OUTCOMES: dict[UpdateOutcome, str] = {
    "none": "none",
    "available": "due in 7 days",
    "required": "required now",
    "required_for_offline": "required now, for use offline",
    "low_battery": "required, battery too low: cannot connect",
    "low_battery_succeed_connect": "required, battery too low: connects all the same",
    "random": "any of these",
}
"""The outcomes in words."""

_DAY_US = 24 * 3600 * 1_000_000
DUE_IN_US = 7 * _DAY_US
"""How long an optional update may wait (U11)."""

LOW_BATTERY, ENOUGH_BATTERY = 0.3, 0.8
"""Levels that keep an update from beginning (U2) and that let it begin: an outcome must not hang on the battery."""

_FIRMWARE, _CONFIG, _KEYS = UpdateComponent.FIRMWARE, UpdateComponent.CONFIG, UpdateComponent.KEYS
_IN_VERSION = (_FIRMWARE, _CONFIG, _KEYS)
"""A reader's version is `FIRMWARE-CONFIG-KEYPROFILE` (lifecycle, Words)."""

_SIZES = {_FIRMWARE: 2_200_000, _CONFIG: 60_000}
"""Bytes, so that an update lasts about a minute (U11): 58 to 65 s on the default link, with the reader's restart."""


def simulate_update(model: "ReaderModel", outcome: UpdateOutcome, *, now_us: int, seed: int = 0) -> None:
    """Lets an update of this outcome wait for a reader, in place of any other; `now_us` is UTC, microseconds.

    - `none`: nothing waits.
    - `available`: an optional update, required in 7 days.
    - `required`: the next connection installs it, in about a minute of the reader's clock.
    - `required_for_offline`: the same. The vendor tells apart what a reader must have before it may be used offline;
      here any required update is installed while the host is online, and offline use goes by the last 30 days (E).
    - `low_battery`: required, with a battery below 50 % and software that was superseded more than 30 days ago: the
      next connection fails (U5).
    - `low_battery_succeed_connect`: the same within the 30 days: the next connection succeeds and tells of it (U5).
    - `random`: one of the others; the same seed and reader give the same one.

    The battery is set to what the outcome needs. The images are newer than what the reader runs, made for its device
    type, and signed with the simulator's own key. Raises `InvalidParameterError` for another outcome.
    """
    if outcome not in OUTCOMES:
        raise InvalidParameterError(
            f"there is no outcome {outcome!r}",
            parameter="outcome",
            value=outcome,
            hint=f"Choose one of {', '.join(OUTCOMES)}.",
        )
    if outcome == "random":
        outcome = random.Random(f"{seed} {model.serial}").choice([each for each in OUTCOMES if each != "random"])
    low = outcome.startswith("low_battery")
    if low or model.battery <= MINIMUM_BATTERY:
        model.set_battery(LOW_BATTERY if low else ENOUGH_BATTERY)
    model.pending_update, model.pending_images = None, ()
    if outcome != "none":
        optional = outcome == "available"
        has_grace = optional or outcome == "low_battery_succeed_connect"
        _offer(
            model,
            required_at_us=now_us + DUE_IN_US if optional else now_us - _DAY_US,
            superseded_at_us=now_us - _DAY_US if has_grace else now_us - GRACE_US - _DAY_US,
        )


def _offer(model: "ReaderModel", *, required_at_us: int, superseded_at_us: int) -> None:
    present = dict(zip(_IN_VERSION, model.firmware.split("-", 2), strict=False))
    # What the new firmware reads comes before it.
    newer = {part: _next(present[part]) for part in (_CONFIG, _FIRMWARE) if part in present}
    version = "-".join((present | newer).values())
    release = f"{model.device_type}-{version}"
    model.pending_images = tuple(
        make_image(
            random.Random(f"{release} {part.name}").randbytes(_SIZES[part]),  # the same again: an upload can resume
            component=part,
            version=new,
            device_types=(model.device_type,),
            key=DEMO_KEY,
        )
        for part, new in newer.items()
    )
    model.pending_update = SoftwareUpdate(
        version=version,
        components=UpdateComponent(sum(newer)),
        estimated_time=EstimatedUpdateTime.ONE_TO_TWO_MINUTES,
        required_at_us=required_at_us,
        release_id=release,
        superseded_at_us=superseded_at_us,
        parts=tuple(
            UpdatePart(
                component=part,
                version=new,
                size_bytes=len(image.data),
                sha256=hashlib.sha256(image.data).hexdigest(),
            )
            for (part, new), image in zip(newer.items(), model.pending_images, strict=True)
        ),
    )


def _next(version: str) -> str:
    """The version after this one: its last number is one higher, with as many digits."""
    return re.sub(r"\d+(?=\D*$)", lambda found: f"{int(found[0]) + 1:0{len(found[0])}}", version)
