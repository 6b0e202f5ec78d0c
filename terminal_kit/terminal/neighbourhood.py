"""Who is near: one scan, kept as a list of readers with their signal and age (D1, D3, D8)."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from terminal_kit import profile
from terminal_kit.events import Kind, RssiSource
from terminal_kit.profile import AdvertisedState
from terminal_kit.radio import Radio
from terminal_kit.radio.translation import check_host, translate
from terminal_kit.reader import DeviceType, Reader, device_type_of
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder

SMOOTHING = 0.5
"""One advertisement may fade by 10 dB: the order goes by the medians of the last two seconds or three."""


@dataclass(slots=True)
class _Heard:
    """What one device's advertisements said so far. Changed in place: this is the hot path."""

    device: BLEDevice
    advertisement: AdvertisementData
    heard_s: float
    reader: Reader
    level_dbm: float
    second: list[int] = field(default_factory=list[int])
    second_from_s: float = 0.0
    paired_in_host: bool = False


class Neighbourhood:
    """The readers that one scan hears.

    `changed` is set when a reader joins or leaves; `readers()` is the whole current list, nearest first. One `signal`
    event a second and reader carries median, extremes and count of what was heard.
    """

    def __init__(
        self,
        radio: Radio,
        recorder: Recorder,
        limits: Limits,
        *,
        show_others: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._radio = radio
        self._recorder = recorder
        self._limits = limits
        self._show_others = show_others
        self._labels = labels or {}
        self._heard: dict[str, _Heard] = {}
        self._unchecked: list[_Heard] = []
        self._foreign: dict[str, str] = {}  # address → the name it was judged by
        self._now_s = radio.clock.monotonic_s
        self.changed = asyncio.Event()

    @asynccontextmanager
    async def scanning(self) -> AsyncGenerator[None]:
        """Scans while the block runs. Raises the host's fault where there is one (D5)."""
        scanner = self._radio.scanner(self._on_advertisement)
        try:
            await scanner.start()
        except Exception as error:
            raise translate(error) from error
        self._recorder.emit(Kind.SCAN_STARTED)
        try:
            yield
        finally:
            try:
                await scanner.stop()
            except Exception as error:  # a radio that went away cannot be stopped
                self._recorder.emit(Kind.ERROR, error_code=translate(error).code, text=str(error))
            self._flush_signals(everything=True)
            self._recorder.emit(Kind.SCAN_STOPPED, count=len(self._heard))

    def readers(self) -> list[Reader]:
        """The whole current list, the strongest signal of the last second or two first (D7)."""
        utc_us, now_s = self._radio.clock.utc_us(), self._now_s()
        return [
            replace(
                heard.reader,
                rssi_dbm=float(heard.advertisement.rssi),
                last_heard_us=utc_us - round((now_s - heard.heard_s) * 1e6),
                paired_in_host=heard.paired_in_host,
                label=self._labels.get(heard.reader.serial),
            )
            for heard in sorted(self._heard.values(), key=lambda heard: (-heard.level_dbm, heard.reader.serial))
        ]

    def find(self, serial: str) -> Reader | None:
        """The reader with this serial, if it is being heard."""
        return next((reader for reader in self.readers() if reader.serial == serial), None)

    async def tick(self) -> None:
        """Waits for a change or for the next quarter of a second, then ages the list and writes signal rows.

        Raises the host's fault where there is one: a radio that was switched off meanwhile has ended the scan (D5).
        """
        try:
            async with asyncio.timeout(self._limits.list_every_s):
                await self.changed.wait()
        except TimeoutError:
            pass
        self.changed.clear()
        check_host(self._radio.host_state())
        while self._unchecked:
            heard = self._unchecked.pop()
            heard.paired_in_host = await self._radio.held_by_host(heard.device)
        now_s = self._now_s()
        for address, heard in list(self._heard.items()):
            if now_s - heard.heard_s >= self._limits.reader_lost_after_s:
                self._flush_signal(heard)
                del self._heard[address]
                self._recorder.emit(Kind.READER_LOST, reader=heard.reader.serial)
        self._flush_signals()

    def _on_advertisement(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        # Called for every advertisement: no tasks, no records, no clock but one.
        heard = self._heard.get(device.address)
        if heard is None:
            self._on_first(device, advertisement)
            return
        heard.heard_s = self._now_s()
        heard.second.append(advertisement.rssi)
        before, heard.advertisement = heard.advertisement, advertisement
        if before.manufacturer_data != advertisement.manufacturer_data or before.local_name != advertisement.local_name:
            reader = _describe(device, advertisement, heard.reader)
            if reader.serial != heard.reader.serial:
                self.changed.set()
            heard.reader = reader

    def _on_first(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        name = advertisement.local_name
        if self._foreign.get(device.address) == (name or ""):
            return
        reader = _describe(device, advertisement, None)
        if not (self._show_others or is_reader(reader)):
            self._foreign[device.address] = name or ""
            return
        now_s = self._now_s()
        heard = _Heard(device, advertisement, now_s, reader, float(advertisement.rssi), [advertisement.rssi], now_s)
        self._heard[device.address] = heard
        self._unchecked.append(heard)
        self._recorder.emit(
            Kind.READER_FOUND,
            reader=reader.serial,
            rssi_dbm=float(advertisement.rssi),
            rssi_source=RssiSource.ADVERTISEMENT,
            battery=reader.battery,
            device_type=reader.device_type,
            extra={"address": reader.address, "is_ours": reader.is_ours},
        )
        self.changed.set()

    def _flush_signals(self, *, everything: bool = False) -> None:
        now_s = self._now_s()
        for heard in self._heard.values():
            if everything or now_s - heard.second_from_s >= 1.0:
                self._flush_signal(heard)
                heard.second_from_s = now_s

    def _flush_signal(self, heard: _Heard) -> None:
        if not heard.second:
            return
        ordered = sorted(heard.second)
        median_dbm = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        heard.level_dbm += (median_dbm - heard.level_dbm) * SMOOTHING
        self._recorder.emit(
            Kind.SIGNAL,
            reader=heard.reader.serial,
            rssi_dbm=median_dbm,
            rssi_min_dbm=float(ordered[0]),
            rssi_max_dbm=float(ordered[-1]),
            count=len(ordered),
            rssi_source=RssiSource.ADVERTISEMENT,
            battery=heard.reader.battery,
        )
        heard.second.clear()


def is_reader(reader: Reader) -> bool:
    """D8: our service, an SMP server, or a name with a known serial prefix."""
    return reader.is_ours or reader.device_type is not DeviceType.UNKNOWN


def _describe(device: BLEDevice, advertisement: AdvertisementData, before: Reader | None) -> Reader:
    name = advertisement.local_name or device.name
    state = AdvertisedState.decode(advertisement.manufacturer_data.get(profile.COMPANY_ID, b""))
    offers = advertisement.service_uuids
    is_ours = profile.READER in offers or profile.SMP in offers or bool(before and before.is_ours)
    serial = name or f"addr:{device.address}"
    known = device_type_of(serial)
    return Reader(
        serial=serial,
        address=device.address,
        device_type=state.device_type if known is DeviceType.UNKNOWN and state and is_ours else known,
        battery=state.battery if state and is_ours else None,
        charging=bool(state.flags & profile.StateFlag.CHARGING) if state and is_ours else None,
        standby=bool(state and is_ours and state.flags & profile.StateFlag.STANDBY),
        is_ours=is_ours,
        details=device,
    )
