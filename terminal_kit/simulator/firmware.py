"""The reader's firmware as a host meets it: what it broadcasts, and what can be read, written and asked of it.

Bytes in, bytes out; what it does by itself is its `Life`. It is served twice: in the simulated air, and by Bumble.
"""

import random
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit import profile
from terminal_kit.errors import InvalidParameterError
from terminal_kit.image import Image
from terminal_kit.profile import AdvertisedState, BatteryState, CommandCode, LastStop, StateFlag
from terminal_kit.reader import DeviceType, SoftwareUpdate, check_location_id, device_type_of
from terminal_kit.simulator import figures
from terminal_kit.simulator.flash import Flash, PowerLoss
from terminal_kit.simulator.gatt import (
    BATTERY,
    INFORMATION,
    READER,
    Advertisement,
    AttributeFault,
    ServiceSpec,
    smp_service,
)
from terminal_kit.simulator.life import Life
from terminal_kit.simulator.smp_images import ImageGroup
from terminal_kit.simulator.smp_server import SmpServer
from terminal_kit.simulator.software import Software


class ReaderModel(Life):
    """One reader. `closed` models a vendor's own: no service of ours, only a name and Device Information (D8).

    Its software is updated over SMP: `trusted_key` is the key whose signatures it accepts (the demo key by default),
    `flash_bytes_per_s` the speed of its flash. A board with Zephyr's own server asks for no pairing there
    (`smp_needs_pairing`). `corrupt_next_chunk` is how many chunks more arrive with a wrong bit in them.
    """

    def __init__(
        self,
        serial: str,
        *,
        device_type: DeviceType | None = None,
        battery: float = 1.0,
        charging: bool = False,
        firmware: str = "2.01.01.00-SZZZ_Prod_US_v12-481001",
        location_id: str | None = None,
        uptime_s: float = 0.0,
        rng: random.Random | None = None,
        name: str | None = None,
        closed: bool = False,
        trusted_key: Ed25519PublicKey | None = None,
        flash_bytes_per_s: float | None = None,
        smp_needs_pairing: bool = True,
        smp_buffer_bytes: int = figures.SMP_BUFFER_BYTES,
        smp_buffers: int = figures.SMP_BUFFERS,
    ) -> None:
        known = device_type_of(serial)
        super().__init__(
            device_type or (DeviceType.STRIPE_M2 if known is DeviceType.UNKNOWN else known),
            battery=battery,
            charging=charging,
            uptime_s=uptime_s,
            rng=rng or random.Random(serial),
        )
        self.serial = serial
        self.name = name or serial
        self.closed = closed
        self.location_id = location_id
        self.pending_update: SoftwareUpdate | None = None
        self.pending_images: tuple[Image, ...] = ()
        self.smp_needs_pairing = smp_needs_pairing
        self.corrupt_next_chunk = 0
        self._bonds: set[str] = set()
        self._software = Software(
            self.device_type, firmware, trusted_key=trusted_key, flash_bytes_per_s=flash_bytes_per_s
        )
        self._images = ImageGroup(self._software, self._disturb)
        self._smp = SmpServer(
            buffer_bytes=smp_buffer_bytes, buffers=smp_buffers, images=self._images.handle, reset=self._reset_soon
        )
        self._handlers |= {"answer": self._answer, "reset": self.reboot}

    @property
    def firmware(self) -> str:
        """The software that it runs: `FIRMWARE-CONFIG-KEYPROFILE` (Words)."""
        return self._software.version

    @property
    def flash(self) -> Flash:
        """The chip with its images; `flash.cut_after(size)` makes the power fail in the middle of what it does."""
        return self._software.flash

    def trust(self, key: Ed25519PublicKey) -> None:
        """Lets it accept software that this key has signed, beside its own."""
        self._software.trust(key)

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """What it offers."""
        ours = (INFORMATION, BATTERY, READER, smp_service(needs_pairing=self.smp_needs_pairing))
        return (INFORMATION,) if self.closed else ours

    def advertisement(self) -> Advertisement | None:
        """What it broadcasts now; None while off, booting or connected."""
        if not self.is_on or self.is_booting or self._peer is not None:
            return None
        if self.closed:
            return Advertisement(self.name)
        state = AdvertisedState(self.device_type, self.battery, self._all_flags())
        return Advertisement(self.name, (profile.READER,), {profile.COMPANY_ID: state.encode()})

    def pair(self, peer: str) -> bool:
        """Pairs by Just Works and keeps the bond."""
        self._bonds.add(peer)
        return True

    def has_bond(self, peer: str) -> bool:
        """Whether it still knows this host."""
        return peer in self._bonds

    def read(self, uuid: str, *, peer: str, encrypted: bool) -> bytes:
        """A characteristic's value. Raises `AttributeFault`."""
        texts = {
            profile.MANUFACTURER_NAME: "terminal_kit simulator",
            profile.MODEL_NUMBER: self.device_type.value,
            profile.SERIAL_NUMBER: self.serial,
            profile.FIRMWARE_REVISION: self.firmware.split("-")[0],
            profile.HARDWARE_REVISION: "simulated",
            profile.SOFTWARE_REVISION: self.firmware,
            profile.REGISTRATION: self.location_id or "",
        }
        if uuid in texts:
            return texts[uuid].encode()
        match uuid:
            case profile.BATTERY_LEVEL:
                return profile.encode_battery_level(self.battery)
            case profile.BATTERY_LEVEL_STATUS:
                return BatteryState(self.battery, self.charging).encode()
            case profile.STATE:
                return self._state().encode()
            case profile.LAST_STOP:
                return LastStop(self._stop_reason, self._boots, self._link_code).encode()
            case _:
                raise AttributeFault(figures.ATTRIBUTE_NOT_FOUND)

    def write(self, uuid: str, data: bytes, *, peer: str, encrypted: bool) -> None:
        """Registers at a location or takes a command, over an encrypted link only (C8). Raises `AttributeFault`."""
        if uuid == profile.SMP_CHARACTERISTIC and not self.closed:
            self._take_smp(data, encrypted=encrypted)
            return
        if uuid not in (profile.REGISTRATION, profile.COMMAND):
            raise AttributeFault(figures.WRITE_NOT_PERMITTED)
        if not encrypted:
            raise AttributeFault(figures.INSUFFICIENT_AUTHENTICATION)
        self._wake()
        if uuid == profile.REGISTRATION:
            try:
                self.location_id = check_location_id(data.decode("utf-8", "replace"))
            except InvalidParameterError as error:
                raise AttributeFault(figures.VALUE_NOT_ALLOWED) from error
        elif data[:1] == bytes([CommandCode.REBOOT]):
            self.reboot()
        else:
            raise AttributeFault(figures.VALUE_NOT_ALLOWED)

    def lose_bonds(self) -> Callable[[], None]:
        """Forgets every host; gives the way to remember them."""
        lost, self._bonds = self._bonds, set[str]()
        return lambda: self._bonds.update(lost)

    def link_opened(self, peer: str) -> None:
        """A host with this address is connected."""
        self._forget_requests()
        super().link_opened(peer)

    def link_closed(self, hci_code: int) -> None:
        """The link is over, as the reader's own controller saw it; an upload under way can be taken up again."""
        self._forget_requests()
        super().link_closed(hci_code)

    # ---- updates

    def _take_smp(self, data: bytes, *, encrypted: bool) -> None:
        if self.smp_needs_pairing and not encrypted:
            raise AttributeFault(figures.INSUFFICIENT_AUTHENTICATION)
        if not self.is_hung:
            self._wake()
            self._smp.hear(data)
            self._serve()

    def _serve(self) -> None:
        """Works on the next request; the answer waits until the flash has done its part."""
        try:
            if self._smp.begin():
                busy_s = self._software.work_s() + figures.SMP_ANSWERS_IN_S + self.delay_s
                self._deadlines.set("answer", busy_s)
        except PowerLoss:
            self._software.flash.cut_after(None)
            self.cut_power()

    def _answer(self) -> None:
        self._notify(profile.SMP_CHARACTERISTIC, self._smp.finish())
        self._serve()

    def _reset_soon(self) -> None:
        self._deadlines.set("reset", figures.SMP_RESETS_IN_S)

    def _disturb(self, chunk: bytes) -> bytes:
        if not self.corrupt_next_chunk or not chunk:
            return chunk
        self.corrupt_next_chunk -= 1
        middle = len(chunk) // 2
        return chunk[:middle] + bytes([chunk[middle] ^ 1]) + chunk[middle + 1 :]

    def _forget_requests(self) -> None:
        self._smp.forget()
        self._deadlines.drop("answer")

    def _all_flags(self) -> StateFlag:
        flags = super()._all_flags()
        return flags | StateFlag.ON_TRIAL if self._software.is_on_trial else flags

    def _is_updating(self) -> bool:
        return self._images.is_uploading or self._software.is_changing

    def _run_bootloader(self) -> tuple[float, bool | None]:
        return self._software.start()

    def _booted(self) -> None:
        self._software.started()
        super()._booted()

    def _lose_memory(self) -> None:
        self._forget_requests()
        self._images.restart()
        self._software.interrupt(self.uptime_s)
