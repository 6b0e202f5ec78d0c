"""Who is near: one scan, kept as a list of readers with their signal and age (D1, D3, D8)."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from terminal_kit import profile
from terminal_kit.errors import LinkError
from terminal_kit.events import Kind, RssiSource
from terminal_kit.profile import AdvertisedState, StateFlag
from terminal_kit.radio import Radio
from terminal_kit.radio.translation import check_host, translate
from terminal_kit.reader import DeviceType, Reader, device_type_of
from terminal_kit.terminal.operation import to_the_end
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


FOREIGN = 4096
"""Addresses of devices that are no readers. Phones change theirs every quarter of an hour: the oldest go."""


class Neighbourhood:
    """The readers that one scan hears.

    `changed` is set when a reader joins or leaves; `readers()` is the whole current list, nearest first. One `signal`
    event a second and reader carries median, extremes and count of what was heard. `has_heard_a_reader` stays true
    when the reader has left. `labels` are the user's, by serial; `serials` those of readers whose name is another, by
    their address.
    """

    def __init__(
        self,
        radio: Radio,
        recorder: Recorder,
        limits: Limits,
        *,
        show_others: bool = False,
        labels: Mapping[str, str] | None = None,
        serials: Mapping[str, str] | None = None,
    ) -> None:
        self._radio = radio
        self._recorder = recorder
        self._limits = limits
        self._show_others = show_others
        self._labels = labels or dict[str, str]()
        self._serials = serials or dict[str, str]()
        self._heard: dict[str, _Heard] = {}
        self._unchecked: list[_Heard] = []
        self._foreign: dict[str, tuple[str | None, list[str]]] = {}  # address → what it was judged by
        self._now_s = radio.clock.monotonic_s
        self.changed = asyncio.Event()
        self.has_heard_a_reader = False

    @asynccontextmanager
    async def scanning(self) -> AsyncGenerator[None]:
        """Scans while the block runs. Raises the host's fault where there is one (D5)."""
        scanner = self._radio.scanner(self._on_advertisement)
        try:
            await to_the_end(self._start(scanner))
        except asyncio.CancelledError:
            await to_the_end(self._stop(scanner))  # it may have started: nobody else would stop it
            raise
        scan_id = self._recorder.next_attempt_id()
        self._recorder.emit(Kind.SCAN_STARTED, attempt_id=scan_id)
        try:
            yield
        finally:
            try:
                await to_the_end(self._stop(scanner))
            finally:
                self._flush_signals(everything=True)
                self._recorder.emit(Kind.SCAN_STOPPED, attempt_id=scan_id, count=len(self._heard))

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

    def find(self, wanted: Reader) -> Reader | None:
        """The newest record of this reader, if it is heard: by serial number or address, else by a name of its own."""
        readers = self.readers()
        for reader in readers:
            if reader.is_same(wanted):
                return reader
        namesakes = [reader for reader in readers if wanted.name and wanted.name == reader.name]
        return namesakes[0] if len(namesakes) == 1 else None

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
        if (
            before.manufacturer_data != advertisement.manufacturer_data
            or before.local_name != advertisement.local_name
            or before.service_uuids != advertisement.service_uuids
        ):
            reader = self._describe(device, advertisement, heard.reader)
            if (reader.serial, reader.is_ours) != (heard.reader.serial, heard.reader.is_ours):
                self.has_heard_a_reader |= is_reader(reader)
                self.changed.set()
            if reader.serial != heard.reader.serial:
                self._recorder.emit(Kind.READER_LOST, reader=heard.reader.serial)
                self._tell_found(reader, advertisement)
            heard.reader = reader

    def _on_first(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        said = (advertisement.local_name, advertisement.service_uuids)
        if self._foreign.get(device.address) == said:
            return
        reader = self._describe(device, advertisement, None)
        if not (self._show_others or is_reader(reader)):
            self._foreign.pop(device.address, None)
            self._foreign[device.address] = said
            if len(self._foreign) > FOREIGN:
                del self._foreign[next(iter(self._foreign))]
            return
        self._foreign.pop(device.address, None)
        self.has_heard_a_reader |= is_reader(reader)
        now_s = self._now_s()
        heard = _Heard(device, advertisement, now_s, reader, float(advertisement.rssi), [advertisement.rssi], now_s)
        self._heard[device.address] = heard
        self._unchecked.append(heard)
        self._tell_found(reader, advertisement)
        self.changed.set()

    def _tell_found(self, reader: Reader, advertisement: AdvertisementData) -> None:
        self._recorder.emit(
            Kind.READER_FOUND,
            reader=reader.serial,
            rssi_dbm=float(advertisement.rssi),
            rssi_source=RssiSource.ADVERTISEMENT,
            battery=reader.battery,
            device_type=reader.device_type,
            charging=reader.charging,
            extra={
                "address": reader.address,
                "name": reader.name,
                "is_ours": reader.is_ours,
                "is_taken": reader.is_taken,
            },
        )

    def _flush_signals(self, *, everything: bool = False) -> None:
        now_s = self._now_s()
        for heard in self._heard.values():
            if everything or now_s - heard.second_from_s >= 1.0:
                self._flush_signal(heard)
                heard.second_from_s = now_s
                self._unchecked.append(heard)  # the system's settings may have changed meanwhile

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

    async def _start(self, scanner: BleakScanner) -> None:
        try:
            async with asyncio.timeout(self._limits.link_s):
                await scanner.start()
        except TimeoutError as error:
            raise LinkError(f"the scan did not start within {self._limits.link_s:g} s") from error
        except Exception as error:
            raise translate(error) from error

    async def _stop(self, scanner: BleakScanner) -> None:
        """Ends the scan, in bounded time. A radio that went away cannot be stopped: that is told and no more."""
        try:
            async with asyncio.timeout(self._limits.disconnect_s):
                await scanner.stop()
        except Exception as error:
            self._recorder.emit(Kind.ERROR, error_code=translate(error).code, text=str(error) or "the scan hangs")

    def _describe(self, device: BLEDevice, advertisement: AdvertisementData, before: Reader | None) -> Reader:
        name = advertisement.local_name or device.name or ""
        state = AdvertisedState.decode(advertisement.manufacturer_data.get(profile.COMPANY_ID, b""))
        offers = advertisement.service_uuids
        is_ours = profile.READER in offers or profile.SMP in offers or bool(before and before.is_ours)
        state = state if is_ours else None
        serial = self._serials.get(device.address) or name or f"addr:{device.address}"
        known = device_type_of(serial)
        return Reader(
            serial=serial,
            name=name,
            address=device.address,
            device_type=state.device_type if known is DeviceType.UNKNOWN and state else known,
            battery=state.battery if state else None,
            charging=bool(state.flags & StateFlag.CHARGING) if state else None,
            standby=bool(state and state.flags & StateFlag.STANDBY),
            is_taken=bool(state and state.flags & StateFlag.TAKEN),
            is_ours=is_ours,
            details=device,
        )


def is_reader(reader: Reader) -> bool:
    """D8: our service, an SMP server, or a name with a known serial prefix."""
    return reader.is_ours or reader.device_type is not DeviceType.UNKNOWN
