"""bleak's client over a simulated air."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from terminal_kit import profile
from terminal_kit.radio import HostFault
from terminal_kit.simulator.air import HOST_ADDRESS, Air, SimulatedReader
from terminal_kit.simulator.gatt import CCCD, AttributeFault, CharacteristicSpec, Peripheral
from terminal_kit.simulator.link import ESTABLISHING_EVENTS, FAILED_TO_ESTABLISH, LOCAL_HOST, Link

T = TypeVar("T")
Reader = SimulatedReader[Peripheral]

PIN_OR_KEY_MISSING = 0x06
"""A link-layer code (Core Vol 1 Part F, 2)."""

ERROR, READ, WRITE, NOTIFICATION, WRITE_COMMAND = 0x01, 0x0A, 0x12, 0x1B, 0x52
"""Opcodes; an answer's is its request's and one (Core Vol 3 Part F, 3.4.8)."""

ATT_HEADER_BYTES = 3
"""Opcode and handle of a write or a notification (Core Vol 3 Part F, 3.4.5, 3.4.7)."""

DISCOVERY_EXCHANGES = 8
"""Round trips to discover a handful of services: groups, characteristics, descriptors."""

_Reason = BleakBluetoothNotAvailableReason

_REASONS: dict[HostFault, BleakBluetoothNotAvailableReason] = {
    "radio_off": _Reason.POWERED_OFF,
    "permission_denied": _Reason.DENIED_BY_USER,
    "le_unsupported": _Reason.NO_BLE_CENTRAL_ROLE,
    "no_adapter": _Reason.NO_BLUETOOTH,
    "no_service": _Reason.NO_BLUETOOTH,
}


def check_host(air: Air) -> None:
    """Raises what bleak raises where the host cannot (D5)."""
    fault = air.host.fault
    if fault is not None:
        raise BleakBluetoothNotAvailableError(f"Bluetooth is not available: {fault}", _REASONS[fault])


class SimulatedClient(BaseBleakClient):
    """bleak's client over an air."""

    air: ClassVar[Air]

    def __init__(self, address_or_ble_device: BLEDevice | str, *_: Any, **options: Any) -> None:
        super().__init__(
            address_or_ble_device,
            disconnected_callback=options.get("disconnected_callback"),
            timeout=options.get("timeout", 10.0),
        )
        found = address_or_ble_device.details if isinstance(address_or_ble_device, BLEDevice) else self._by_address()
        self._reader: Reader | None = found
        self._name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        self._callbacks: dict[str, NotifyCallback] = {}
        self._cached: dict[str, bytes] = {}
        self._encrypted = False
        self._taking = set[asyncio.Future[None]]()
        self.link: Link | None = None
        self.end_code: int | None = None

    @property
    def name(self) -> str:
        """The name that the device advertised, else its address."""
        return self._name or self.address

    @property
    def mtu_size(self) -> int:
        """The ATT MTU, bytes."""
        return self._live.parameters.mtu_bytes

    @property
    def is_connected(self) -> bool:
        """Whether the link stands."""
        return self.link is not None

    async def connect(self, pair: bool, **_: Any) -> None:
        """Waits for an advertisement, asks for a link, and discovers the services."""
        if self.is_connected:
            raise BleakError("Client is already connected")
        check_host(self.air)
        reader = self._found
        async with asyncio.timeout(self._timeout):
            for tap in self.air.taps:
                tap.connecting(reader)
            try:
                await self._wait_for_advertisement(reader)
            except BaseException:
                for tap in self.air.taps:
                    tap.gave_up(reader)
                raise
            link = reader.open_link(self.air.parameters)
            self.link, self.end_code, self._encrypted = link, None, False
            reader.on_notify = self._notified
            link.ended.add_done_callback(self._ended)
            try:
                if (1 - reader.channel.success(reader.now_s())) ** ESTABLISHING_EVENTS > reader.rng.random():
                    link.end(FAILED_TO_ESTABLISH)
                await self._cross(DISCOVERY_EXCHANGES)
                for tap in self.air.taps:
                    tap.discovered(reader)
                self.services = self._describe(reader)
                if pair:
                    await self.pair()
            except BaseException:
                link.end(LOCAL_HOST)
                raise

    async def disconnect(self) -> None:
        """Ends the link. Safe to repeat."""
        if self.link is not None:
            link = self.link
            link.end(LOCAL_HOST)
            await asyncio.wait({link.ended})

    async def pair(self, *_: Any, **__: Any) -> None:
        """Encrypts with the keys of a bond, or makes one."""
        link, reader, bonds = self._live, self._found, self.air.host.bonds
        for tap in self.air.taps:
            tap.encrypting(reader, bonded=reader.address in bonds)
        await self._cross(4)
        if reader.address in bonds:
            if not reader.model.has_bond(HOST_ADDRESS):
                for tap in self.air.taps:
                    tap.encrypted(reader, PIN_OR_KEY_MISSING)
                link.end(PIN_OR_KEY_MISSING)
                raise BleakError("authentication failed: the peer has no key")
        elif not reader.model.pair(HOST_ADDRESS):
            raise BleakError("authentication rejected")
        bonds.add(reader.address)
        self._encrypted = True
        for tap in self.air.taps:
            tap.encrypted(reader, 0)

    async def unpair(self) -> None:
        """Forgets the bond on the host's side."""
        self.air.host.bonds.discard(self._found.address)

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """Reads a value; with `use_cached` the last one heard, if there is one."""
        spec: CharacteristicSpec = characteristic.obj
        if use_cached and spec.key in self._cached:
            return bytearray(self._cached[spec.key])
        return await self._read(spec.key, encryption=spec.read_needs_encryption)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """Reads a descriptor; whether notifications are on is the client's own to know."""
        key, uuid = descriptor.obj
        if not uuid:
            await self._cross()
            return bytearray((key in self._callbacks, 0))
        if use_cached and f"{key}/{uuid}" in self._cached:
            return bytearray(self._cached[f"{key}/{uuid}"])
        return await self._read(f"{key}/{uuid}", encryption=False)

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Writes a value; without response nobody learns whether it was taken."""
        spec: CharacteristicSpec = characteristic.obj
        if spec.write_needs_encryption and not self._encrypted and self._found.address in self.air.host.bonds:
            await self.pair()
        await self._write(spec.key, bytes(data), response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Writes a descriptor."""
        key, uuid = descriptor.obj
        await self._write(f"{key}/{uuid}", bytes(data), response=True)

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any) -> None:
        """Subscribes."""
        key = characteristic.obj.key
        self._asked(WRITE, f"{key}/{CCCD}", b"\x01\x00")
        await self._cross()
        self._told(WRITE + 1, f"{key}/{CCCD}")
        self._callbacks[key] = callback
        self._act(lambda model: model.subscribe(key, True))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribes."""
        key = characteristic.obj.key
        await self._cross()
        self._callbacks.pop(key, None)
        self._act(lambda model: model.subscribe(key, False))

    # ---- inside

    @property
    def _found(self) -> Reader:
        if self._reader is None:
            raise BleakDeviceNotFoundError(self.address, f"no device with address {self.address}")
        return self._reader

    @property
    def _live(self) -> Link:
        if self.link is None:
            raise BleakError("Not connected")
        return self.link

    def _by_address(self) -> Reader | None:
        return next((reader for reader in self.air.readers.values() if reader.address == self.address), None)

    async def _wait_for_advertisement(self, reader: Reader) -> None:
        """A host connects at the moment it hears an advertisement, and the reader must hear the answer."""
        while True:
            await asyncio.sleep(self.air.advertising_interval_s * reader.rng.uniform(0.1, 1.0))
            check_host(self.air)
            reader.settle()
            advertisement = reader.advertisement()
            if advertisement is None or not advertisement.connectable:
                continue
            now_s = reader.now_s()
            if reader.channel.receive(now_s) is not None and reader.channel.receive(now_s) is not None:
                return

    def _describe(self, reader: Reader) -> BleakGATTServiceCollection:
        services = BleakGATTServiceCollection()
        handle = 1
        for spec in reader.model.services:
            service = BleakGATTService(spec, handle, spec.uuid)
            services.add_service(service)
            for offered in spec.characteristics:
                handle += 2
                characteristic = BleakGATTCharacteristic(
                    offered,
                    handle,
                    offered.uuid,
                    list(offered.properties),  # pyright: ignore[reportArgumentType]
                    lambda: self.mtu_size - 3,
                    service,
                )
                services.add_characteristic(characteristic)
                notifies = {"notify", "indicate"} & set(offered.properties)
                for uuid in (*offered.descriptors, *(("",) if notifies else ())):  # "": the client's own to know
                    handle += 1
                    descriptor = BleakGATTDescriptor((offered.key, uuid), handle, uuid or CCCD, characteristic)
                    services.add_descriptor(descriptor)
            handle += 1
        return services

    async def _during(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`, unless the link ends first."""
        link = self._live
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, link.ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if link.ended.done() and (task.cancelled() or task.exception()):
            raise BleakError("disconnected")
        return task.result()

    async def _cross(self, exchanges: int = 1) -> None:
        """Some requests and their answers, as long as the air and the reader take."""
        delay_s = self._found.model.response_delay_s

        async def cross() -> None:
            await self._live.up.drained()  # what was written before arrives before
            await self._live.exchange(exchanges)
            if delay_s == float("inf"):
                await asyncio.get_running_loop().create_future()
            await asyncio.sleep(delay_s)

        await self._during(cross())

    def _packets(self, size: int) -> int:
        return 1 + max(0, size - 1) // (self.mtu_size - 1)

    async def _read(self, key: str, *, encryption: bool) -> bytearray:
        if encryption and not self._encrypted:
            await self.pair()
        self._asked(READ, key)
        await self._cross()
        value = await self._result(
            lambda model: model.read(key, peer=HOST_ADDRESS, encrypted=self._encrypted), READ, key
        )
        self._told(READ + 1, key, value[: self.mtu_size - 1])
        if (more := self._packets(len(value)) - 1) > 0:
            await self._cross(more)
        self._cached[key] = value
        return bytearray(value)

    async def _write(self, key: str, data: bytes, *, response: bool) -> None:
        if response:
            self._asked(WRITE, key, data)
            await self._cross(self._packets(len(data)))
            await self._result(
                lambda model: model.write(key, data, peer=HOST_ADDRESS, encrypted=self._encrypted), WRITE, key
            )
            self._told(WRITE + 1, key)
        else:
            await self._during(self._live.up.room())
            self._asked(WRITE_COMMAND, key, data)
            self._live.up.put(len(data) + ATT_HEADER_BYTES, lambda: self._arrived(key, data))

    def _arrived(self, key: str, data: bytes) -> None:
        """A write without response is there: nobody learns whether it was taken."""
        with suppress(BleakGATTProtocolError):
            result = self._act(lambda model: model.write(key, data, peer=HOST_ADDRESS, encrypted=self._encrypted))
            if inspect.isawaitable(result):
                taking = asyncio.ensure_future(_quietly(result))
                self._taking.add(taking)
                taking.add_done_callback(self._taking.discard)

    async def _result(self, act: Callable[[Peripheral], Awaitable[T] | T], opcode: int, key: str) -> T:
        try:
            result = self._act(act)
        except BleakGATTProtocolError as error:
            self._told(ERROR, key, bytes((opcode, error.code)))
            raise
        if not inspect.isawaitable(result):
            return result

        async def wait() -> T:
            return await result

        try:
            return await self._during(wait())
        except AttributeFault as fault:
            self._told(ERROR, key, bytes((opcode, fault.att_code)))
            raise BleakGATTProtocolError(fault.att_code) from fault

    def _asked(self, opcode: int, key: str, value: bytes = b"") -> None:
        for tap in self.air.taps:
            tap.asked(self._found, opcode, key, value)

    def _told(self, opcode: int, key: str, value: bytes = b"") -> None:
        for tap in self.air.taps:
            tap.told(self._found, opcode, key, value)

    def _act(self, act: Callable[[Peripheral], T]) -> T:
        """Does something to the model, at the model's present time, and carries out what follows."""
        _ = self._live
        try:
            with self._found.handled() as model:
                return act(model)
        except AttributeFault as fault:
            raise BleakGATTProtocolError(fault.att_code) from fault

    def _notified(self, key: str, value: bytes) -> None:
        link = self.link
        if link is None:
            return
        # A server cuts what is longer than the MTU; the Simple Management Protocol goes on in the next notification.
        step = link.parameters.mtu_bytes - ATT_HEADER_BYTES
        pieces = range(0, len(value), step) if key == profile.SMP_CHARACTERISTIC else (0,)
        for start in pieces:
            piece = value[start : start + step]
            link.down.put(len(piece) + ATT_HEADER_BYTES, partial(self._heard, key, piece), joins=link.up)

    def _heard(self, key: str, value: bytes) -> None:
        self._told(NOTIFICATION, key, value)
        if callback := self._callbacks.get(key):
            self._cached[key] = value
            callback(bytearray(value))

    def _ended(self, ended: asyncio.Future[int]) -> None:
        self.end_code, self.link = ended.result(), None
        for taking in self._taking:
            taking.cancel()
        self._callbacks.clear()
        self._cached.clear()
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()


async def _quietly(taking: Awaitable[object]) -> None:
    with suppress(AttributeFault):
        await taking
