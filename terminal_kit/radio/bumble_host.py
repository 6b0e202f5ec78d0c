# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
"""The host side of the virtual radio: one Bumble device as the central of every scanner and client."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration
from bumble.keys import KeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import Transport

from terminal_kit.radio.bumble_link import HostLink

ATT_MTU = 517
"""What hosts ask for: the longest attribute value of 512 bytes and its overhead in one packet (Vol 3 Part F, 3.2.9)."""

ListenCallback = Callable[[Advertisement], None]


def just_works(_connection: Connection) -> PairingConfig:
    """LE Secure Connections with bonding; no display, no keys, so "just works" (C8; Vol 3 Part H, 2.3.5.1)."""
    no_io = PairingDelegate(PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT)
    return PairingConfig(sc=True, mitm=False, bonding=True, delegate=no_io)


class BumbleHost:
    """A powered-on central: it shares one scan among scanners and makes one connection at a time, as hosts do."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._listeners: list[ListenCallback] = []
        self._scanning = asyncio.Lock()
        self._connecting = asyncio.Lock()
        self.links: dict[str, HostLink] = {}
        device.pairing_config_factory = just_works
        device.on(device.EVENT_ADVERTISEMENT, self._on_advertisement)

    @property
    def keys(self) -> KeyStore:
        """The bonds of this host."""
        assert self._device.keystore is not None
        return self._device.keystore

    async def listen(self, callback: ListenCallback) -> None:
        """Hands each advertisement to `callback`, until `ignore`. The scan is active."""
        async with self._scanning:
            self._listeners.append(callback)
            if len(self._listeners) == 1:
                await self._device.start_scanning()

    async def ignore(self, callback: ListenCallback) -> None:
        """Undoes `listen`; safe to repeat."""
        async with self._scanning:
            if callback not in self._listeners:
                return
            self._listeners.remove(callback)
            if not self._listeners:
                await self._device.stop_scanning()

    async def connect(self, address: hci.Address) -> HostLink:
        """A new link; waits as long as it takes: the caller sets the limit."""
        async with self._connecting:
            attempt = asyncio.create_task(self._device.connect_le(address, timeout=None), name="terminal_kit connect")
            try:
                link = HostLink(await asyncio.shield(attempt))
            except asyncio.CancelledError:
                await self._abandon(attempt)
                raise
            except (core.BaseBumbleError, hci.HCI_Error) as error:
                raise BleakError(f"connecting to {address} failed: {error}") from error
        self.links[address.to_string(False)] = link
        return link

    async def exchange_mtu(self, link: HostLink) -> None:
        """Agrees on the longest packets; a peer that knows only 23 bytes may refuse."""

        async def ask() -> None:
            with suppress(att.ATT_Error):
                await link.connection.gatt_client.request_mtu(ATT_MTU)

        await link.run(ask())

    async def secure(self, link: HostLink) -> None:
        """Encrypts the link: with the stored keys where there are some, else by pairing (and storing the keys)."""
        if not link.connection.is_encrypted:
            bonded = await self._is_bonded(link.connection.peer_address)
            await link.run(link.connection.encrypt() if bonded else link.connection.pair())

    async def resume_encryption(self, link: HostLink) -> None:
        """Encrypts a new link to a bonded peer; one that lost its keys stays plain, and refuses later (X2)."""
        if await self._is_bonded(link.connection.peer_address):
            with suppress(BleakGATTProtocolError):
                await self.secure(link)

    async def forget(self, address: str) -> None:
        """Deletes the keys for a peer, if there are any."""
        for name, _ in await self.keys.get_all():
            if name.removesuffix("/P") == address:
                await self.keys.delete(name)

    async def _is_bonded(self, address: hci.Address) -> bool:
        return await self.keys.get(str(address)) is not None

    async def _abandon(self, attempt: asyncio.Task[Connection]) -> None:
        # The controller has the last word: it may have connected while it was being told to stop.
        with suppress(core.BaseBumbleError, hci.HCI_Error):
            await self._device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
        with suppress(core.BaseBumbleError, hci.HCI_Error):
            await HostLink(await attempt).close()

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        for callback in tuple(self._listeners):
            callback(advertisement)


@asynccontextmanager
async def open_host(transport: Transport, *, name: str = "terminal_kit") -> AsyncGenerator[BumbleHost]:
    """A host on a Bumble transport (for instance `controller_on(link, "host")`), powered on while the block runs."""
    config = DeviceConfiguration(name=name, address=hci.Address.generate_static_address())
    device = Device.from_config_with_hci(config, transport.source, transport.sink)
    await device.power_on()
    host = BumbleHost(device)
    try:
        yield host
    finally:
        for link in host.links.values():
            await link.close()
        await device.power_off()
