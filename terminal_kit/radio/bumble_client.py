# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""bleak's client backend over a Bumble host."""

import asyncio
import struct
from contextlib import AsyncExitStack, ExitStack
from typing import Any, ClassVar

from bleak import BleakScanner
from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble import hci
from bumble.gatt import ClientCharacteristicConfigurationBits

from terminal_kit.radio.bumble_discovery import CLIENT_CONFIGURATION, discover
from terminal_kit.radio.bumble_host import BumbleHost
from terminal_kit.radio.bumble_link import HostLink


class VirtualClient(BaseBleakClient):
    """A bleak client backend; `virtual_radio` derives one that knows its host."""

    host: ClassVar[BumbleHost]
    scanner: ClassVar[type[BaseBleakScanner]]

    def __init__(self, address_or_ble_device: BLEDevice | str, services: set[str] | None = None, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        is_device = isinstance(address_or_ble_device, BLEDevice)
        self._device = address_or_ble_device if is_device else None
        self._wanted = services
        self._link: HostLink | None = None

    @property
    def name(self) -> str:
        """The name that the peer advertised, else its address."""
        return (self._device and self._device.name) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """The ATT MTU agreed on, bytes."""
        return self._required.connection.att_mtu

    @property
    def is_connected(self) -> bool:
        """Whether the link stands."""
        return self._link is not None and self._link.is_up

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connects, agrees on the MTU, resumes encryption with a bonded peer, and discovers services.

        Raises `BleakDeviceNotFoundError`, `TimeoutError` or another `BleakError`; then no link is left.
        """
        if self.is_connected:
            raise BleakError("Client is already connected")
        timeout_s: float = kwargs.get("timeout", self._timeout)
        if self._device is None:
            found = await BleakScanner.find_device_by_address(self.address, timeout_s, backend=self.scanner)
            if found is None:
                raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
            self._device = found
        peer: hci.Address = self._device.details
        async with asyncio.timeout(timeout_s), AsyncExitStack() as undo:
            link = await self.host.connect(peer)
            undo.push_async_callback(link.close)
            await self.host.exchange_mtu(link)
            await self.host.resume_encryption(link)
            if pair:
                await self.host.secure(link)
            services = await link.run(discover(link.connection.gatt_client, self._wanted))
            undo.pop_all()
        self._link, self.services = link, services
        link.lost.add_done_callback(self._on_lost)

    async def disconnect(self) -> None:
        """Ends the link and waits for its end; safe to repeat."""
        if self._link is not None:
            await self._link.close()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Encrypts the link, by pairing where there is no bond; raises `BleakError`."""
        await self.host.secure(self._required)

    async def unpair(self) -> None:
        """Deletes the bond and ends the link."""
        await self.host.forget(self.address)
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """A value, of up to 512 bytes; the last one heard, where `use_cached` and there is one."""
        return await self._read(characteristic.handle, use_cached)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """A value, as above."""
        return await self._read(descriptor.handle, use_cached)

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Writes; values that do not fit into one packet are queued and then executed."""
        room = characteristic.max_write_without_response_size
        if not response and len(data) > room:
            raise BleakError(f"{len(data)} bytes do not fit into a write without response of {room}")
        await self._write(characteristic.handle, bytes(data), response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Writes, and waits for the answer."""
        await self._write(descriptor.handle, bytes(data), response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """Asks for notifications, else indications; `callback` replaces an earlier one."""
        client = self._required.connection.gatt_client
        configuration = characteristic.get_descriptor(CLIENT_CONFIGURATION)
        if "notify" in characteristic.properties:
            bits, subscribers = ClientCharacteristicConfigurationBits.NOTIFICATION, client.notification_subscribers
        else:
            bits, subscribers = ClientCharacteristicConfigurationBits.INDICATION, client.indication_subscribers
        if configuration is None or not {"notify", "indicate"} & set(characteristic.properties):
            raise BleakError(f"Characteristic {characteristic.uuid} does not notify or indicate")

        def hand_over(value: bytes) -> None:
            # Through the loop: a callback that raises must not disturb the link.
            asyncio.get_running_loop().call_soon(callback, bytearray(value))

        with ExitStack() as undo:
            # Before the write: a peripheral may notify before it answers.
            subscribers[characteristic.handle] = {hand_over}
            undo.callback(subscribers.pop, characteristic.handle, None)
            await self._write(configuration.handle, struct.pack("<H", bits), response=True)
            undo.pop_all()

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Undoes `start_notify`."""
        client = self._required.connection.gatt_client
        configuration = characteristic.get_descriptor(CLIENT_CONFIGURATION)
        if configuration is not None:
            await self._write(configuration.handle, bytes(2), response=True)
        client.notification_subscribers.pop(characteristic.handle, None)
        client.indication_subscribers.pop(characteristic.handle, None)

    @property
    def _required(self) -> HostLink:
        if self._link is None or not self._link.is_up:
            raise BleakError("Not connected")
        return self._link

    async def _read(self, handle: int, use_cached: bool) -> bytearray:
        link = self._required
        client = link.connection.gatt_client
        if use_cached and handle in client.cached_values:
            return bytearray(client.cached_values[handle][1])
        return bytearray(await link.run(client.read_value(handle)))

    async def _write(self, handle: int, value: bytes, response: bool) -> None:
        link = self._required
        await link.run(link.connection.gatt_client.write_value(handle, value, with_response=response))

    def _on_lost(self, _code: asyncio.Future[int]) -> None:
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()
