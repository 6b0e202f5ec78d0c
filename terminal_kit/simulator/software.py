"""What a reader runs: four images in a flash, which is made when it is first needed, and the bootloader before them."""

import math
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.errors import UpdateError
from terminal_kit.events import UpdateComponent
from terminal_kit.image import IMAGE_NUMBERS, Image, UpdateFault, is_older, make_image
from terminal_kit.reader import DeviceType
from terminal_kit.simulator import figures
from terminal_kit.simulator.bootloader import boot
from terminal_kit.simulator.demo_key import DEMO_KEY
from terminal_kit.simulator.flash import Flash, PowerLoss
from terminal_kit.simulator.slots import Pair, SwapType, make_pairs


class Software:
    """The images of one reader. `version` as it left the factory: `FIRMWARE-CONFIG-KEYPROFILE` (Words).

    It lets in what `trusted_key` has signed, or the demo key where none is given; `trust` adds one. `flash_bytes_per_s`
    is the speed of erasing and of programming alike, None for the speeds in the figures.
    """

    def __init__(
        self,
        device_type: DeviceType,
        version: str,
        *,
        trusted_key: Ed25519PublicKey | None = None,
        flash_bytes_per_s: float | None = None,
    ) -> None:
        self.version = version
        self._device_type = device_type
        self._keys = [trusted_key or DEMO_KEY.public_key()]
        self._erases_bytes_per_s = flash_bytes_per_s or figures.ERASES_BYTES_PER_S
        self._programs_bytes_per_s = flash_bytes_per_s or figures.PROGRAMS_BYTES_PER_S
        self._made: tuple[Flash, tuple[Pair, ...]] | None = None
        self._counted = (0, 0)
        self._trial = (-1, False)  # as of so much work of the flash
        self._swapping: tuple[dict[int, bytes], int, float] | None = None

    @property
    def flash(self) -> Flash:
        """The chip."""
        return self._make()[0]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The slots of each image, by its number."""
        return self._make()[1]

    @property
    def is_changing(self) -> bool:
        """Whether an image waits to be started, or runs on trial."""
        return self._made is not None and any(pair.swap_type() is not SwapType.NONE for pair in self.pairs)

    @property
    def is_on_trial(self) -> bool:
        """Whether an image runs that was not confirmed."""
        if self._made is None:
            return False
        if self._trial[0] != self._worked():
            self._trial = self._worked(), any(pair.swap_type() is SwapType.REVERT for pair in self.pairs)
        return self._trial[1]

    def trust(self, key: Ed25519PublicKey) -> None:
        """Lets in what this key has signed too."""
        self._keys.append(key)

    def work_s(self) -> float:
        """Seconds that the flash was busy since this was last asked."""
        if self._made is None:
            return 0.0
        now = (self.flash.erased_bytes, self.flash.programmed_bytes)
        erased, programmed = now[0] - self._counted[0], now[1] - self._counted[1]
        self._counted = now
        return erased / self._erases_bytes_per_s + programmed / self._programs_bytes_per_s

    def start(self) -> tuple[float, bool | None]:
        """Runs the bootloader: the seconds it takes, and whether there is something to start; None: the power failed.

        All of it is done at once; `interrupt` tells it afterwards if it did not have the time.
        """
        if self._made is None:
            return 0.0, True
        self.work_s()
        before, worked = self.flash.snapshot(), self._worked()
        try:
            is_good = boot(self.pairs, self.judge)
        except PowerLoss:
            self.flash.cut_after(None)
            return self.work_s(), None
        if is_good:
            self.version = self._version()
        took_s = self.work_s()
        if self._worked() > worked:
            self._swapping = before, self._worked() - worked, took_s
        return took_s, is_good

    def interrupt(self, after_s: float) -> None:
        """The power failed so long after the bootloader had started: undoes what it had no time for."""
        swapping, self._swapping = self._swapping, None
        if swapping is None or after_s >= swapping[2]:
            return
        before, size, took_s = swapping
        self.flash.restore(before)
        self.flash.cut_after(math.floor(size * after_s / took_s))
        with suppress(PowerLoss):
            boot(self.pairs, self.judge)
        self.flash.cut_after(None)
        self.work_s()

    def started(self) -> None:
        """The bootloader has had its time."""
        self._swapping = None

    def judge(self, pair: Pair, image: Image) -> UpdateFault | None:
        """What is wrong with an image that wants to be started (U13); asked by the bootloader."""
        if image.signature is None:
            return "unsigned"
        if not any(_is_signed(image, key) for key in self._keys):
            return "signature"
        present = pair.primary.image()
        if present is not None and _is_older(image, present):
            return "downgrade"
        return self.misfit(pair, image)

    def misfit(self, pair: Pair, image: Image) -> UpdateFault | None:
        """Whether an image belongs to another component or device type, or is too large to be swapped."""
        if IMAGE_NUMBERS[image.component or UpdateComponent.FIRMWARE] != pair.number:
            return "component"
        if image.device_types and self._device_type not in image.device_types:
            return "device_type"
        return "malformed" if len(image.data) > pair.primary.capacity_bytes else None

    def _make(self) -> tuple[Flash, tuple[Pair, ...]]:
        """The flash as it left the factory. An incremental update begins at the firmware's own version."""
        if self._made is None:
            flash = Flash()
            self._made = flash, make_pairs(flash, list(figures.SLOT_SECTORS.values()))
            firmware, config, keys = [*self.version.split("-", 2), "", ""][:3]
            versions = dict(zip(figures.SLOT_SECTORS, (firmware, config, keys, firmware), strict=True))
            for (component, version), pair in zip(versions.items(), self._made[1], strict=True):
                image = make_image(b"factory", component=component, version=version, key=DEMO_KEY)
                pair.primary.program(0, image.data)
                pair.settle()
            self.work_s()
        return self._made

    def _version(self) -> str:
        """What the images that run say. An incremental update raises the firmware's version, and never lowers it."""
        texts = [image.shown_version for pair in self.pairs if (image := pair.primary.image())]
        firmware, config, keys, incremental = texts
        return "-".join((incremental if is_older(firmware, incremental) else firmware, config, keys))

    def _worked(self) -> int:
        return self.flash.erased_bytes + self.flash.programmed_bytes


def _is_signed(image: Image, key: Ed25519PublicKey) -> bool:
    try:
        image.check_signature(key)
    except UpdateError:
        return False
    return True


def _is_older(image: Image, than: Image) -> bool:
    if image.version_text and than.version_text:
        return is_older(image.version_text, than.version_text)
    return image.version < than.version
