# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
"""A reader model served by Bumble as a real peripheral: over a virtual link, a VHCI or TCP transport, a USB dongle.

On a dongle it is on the air, and any machine can discover it. The reader's time is the loop's; its bonds last as long
as the model and the service both do.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

from bumble import att, hci
from bumble.device import AdvertisingType, Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.keys import MemoryKeyStore, PairingKeys
from bumble.transport.common import Transport

from terminal_kit import profile
from terminal_kit.radio.bumble_advertising import encode
from terminal_kit.radio.bumble_host import just_works
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.gatt import Advertisement, AttributeFault, CharacteristicSpec, Leave, Notify, Output

ADVERTISING_INTERVAL_MS = 100
"""A host that listens a tenth of the time still hears it within about a second."""

ATT_HEADER_BYTES = 3
"""Opcode and handle of a notification (Core Vol 3 Part F, 3.4.7.1): what a piece of a frame leaves room for."""

LARGEST_VALUE_BYTES = 512
"""No attribute's value is longer, whatever the MTU (Core Vol 3 Part F, 3.2.9); Bumble drops what is."""


def static_address(serial: str) -> hci.Address:
    """A reader's own random static address, the same every time (Vol 6 Part B, 1.3.2.1): hosts remember it."""
    digest = hashlib.sha256(serial.encode()).digest()[:6]
    return hci.Address(digest[:5] + bytes([digest[5] | 0b1100_0000]), hci.Address.RANDOM_DEVICE_ADDRESS)


class ServedReader:
    """A model being served, by the task `serving`. Call `touch()` after anything was done to the model from outside."""

    serving: asyncio.Task[None]

    def __init__(self, model: ReaderModel, device: Device) -> None:
        self.model = model
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._synced_s = self._loop.time()
        self._touched = asyncio.Event()
        self._stopping = False
        self._advertised: Advertisement | None = None
        self._connection: Connection | None = None
        self._values: dict[str, Characteristic[bytes]] = {}
        for spec in model.services:
            device.add_service(Service(spec.uuid, [self._characteristic(each) for each in spec.characteristics]))
        device.keystore = _Bonds(model)
        device.pairing_config_factory = just_works
        device.on(device.EVENT_CONNECTION, self._on_connection)

    @property
    def address(self) -> str:
        """Its address, as bleak spells it."""
        return self._device.static_address.to_string(False)

    def touch(self) -> None:
        """Carries out, soon, whatever the model did by itself."""
        self._touched.set()

    def skip(self, seconds: float) -> None:
        """Lets time pass at once, for this reader alone ("+24 h")."""
        self._synced_s -= seconds
        self._catch_up()
        self.touch()

    async def run(self) -> None:
        """Serves until `stop`: brings the model up to now, carries out what it did, waits for its next deadline."""
        while not self._stopping:
            self._touched.clear()
            await self._measure()
            self._catch_up()
            for output in self.model.take_outputs():
                await self._carry_out(output)
            await self._advertise()
            wait_s = self.model.next_deadline_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                    await self._touched.wait()

    def stop(self) -> None:
        """Ends `run`, at its next turn."""
        self._stopping = True
        self.touch()

    async def leave(self) -> None:
        """Ends its link, if it has one, and its advertising."""
        if self._connection is not None:
            await self._connection.disconnect()
        await self._device.stop_advertising()

    def _catch_up(self) -> None:
        now_s = self._loop.time()
        self.model.advance(now_s - self._synced_s)
        self._synced_s = now_s

    async def _measure(self) -> None:
        """What it hears of the host, where the controller can tell (X8)."""
        if self._connection is not None:
            with suppress(hci.HCI_Error):
                self.model.host_rssi_dbm = await self._connection.get_rssi()

    async def _carry_out(self, output: Output) -> None:
        connection = self._connection
        if connection is None:
            return
        match output:
            case Notify(uuid=profile.SMP_CHARACTERISTIC as uuid, value=frame):
                step = min(connection.att_mtu - ATT_HEADER_BYTES, LARGEST_VALUE_BYTES)
                for start in range(0, len(frame), step):
                    piece = frame[start : start + step]
                    await self._device.notify_subscriber(connection, self._values[uuid], piece)
            case Notify(uuid=uuid, value=value):
                await self._device.notify_subscriber(connection, self._values[uuid], value)
            case Leave(hci_code=code):
                await connection.disconnect(code)
            case _:
                # A reset: the controller forgets its link and tells nobody. A host with a real controller then sees a
                # supervision timeout; on Bumble's virtual link there is none.
                await self._device.power_on()

    async def _advertise(self) -> None:
        wanted = None if self._connection else self.model.advertisement()
        if wanted == self._advertised:
            return
        self._advertised = wanted
        await self._device.stop_advertising()
        if wanted is not None:
            data, response = encode(wanted)
            connectable = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
            await self._device.start_advertising(
                connectable if wanted.connectable else AdvertisingType.UNDIRECTED_SCANNABLE,
                advertising_data=data,
                scan_response_data=response,
            )

    # ---- the host's doings

    def _on_connection(self, connection: Connection) -> None:
        peer = str(connection.peer_address)
        self._catch_up()
        self._connection = connection
        self.model.link_opened(peer)
        connection.on(connection.EVENT_PAIRING, partial(self._on_pairing, connection))
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)
        self.touch()

    def _on_pairing(self, connection: Connection, _keys: PairingKeys) -> None:
        # By now the peer's address is its identity, if it has one.
        self.model.pair(str(connection.peer_address))

    def _on_disconnection(self, reason: int) -> None:
        self._catch_up()
        self._connection = None
        # Bumble's 0 is a reset, after which the link can only time out.
        self.model.link_closed(reason or hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        self.touch()

    def _on_subscription(self, uuid: str, _connection: Connection, notify: bool, _indicate: bool) -> None:
        self._catch_up()
        self.model.subscribe(uuid, notify)
        self.touch()

    async def _read(self, uuid: str, connection: Connection) -> bytes:
        await self._think(connection)
        try:
            return self.model.read(uuid, peer=str(connection.peer_address), encrypted=connection.is_encrypted)
        except AttributeFault as fault:
            raise att.ATT_Error(fault.att_code) from fault

    async def _write(self, uuid: str, connection: Connection, value: bytes) -> None:
        await self._think(connection)
        try:
            self.model.write(uuid, value, peer=str(connection.peer_address), encrypted=connection.is_encrypted)
        except AttributeFault as fault:
            raise att.ATT_Error(fault.att_code) from fault
        finally:
            self.touch()

    async def _take(self, uuid: str, connection: Connection, value: bytes) -> None:
        """A write without response: it takes no time, and nobody learns whether it was refused."""
        self._catch_up()
        with suppress(AttributeFault):
            self.model.write(uuid, value, peer=str(connection.peer_address), encrypted=connection.is_encrypted)
        self.touch()

    async def _think(self, connection: Connection) -> None:
        """As long as the firmware takes to answer, which may be for ever; the end of the link ends it."""
        delay_s = self.model.response_delay_s
        if delay_s:
            never = self._loop.create_future()
            await connection.cancel_on_disconnection(never if math.isinf(delay_s) else asyncio.sleep(delay_s))
        self._catch_up()

    def _characteristic(self, spec: CharacteristicSpec) -> Characteristic[bytes]:
        properties = Characteristic.Properties(0)
        for word in spec.properties:
            properties |= Characteristic.Properties[word.replace("-", "_").upper()]
        # Who may do what is the model's to say: it knows the right code to refuse with.
        both = Characteristic.READABLE | Characteristic.WRITEABLE
        write = self._write if "write" in spec.properties else self._take
        value = CharacteristicValue[bytes](read=partial(self._read, spec.uuid), write=partial(write, spec.uuid))
        characteristic = Characteristic(spec.uuid, properties, both, value)
        characteristic.on(characteristic.EVENT_SUBSCRIPTION, partial(self._on_subscription, spec.uuid))
        self._values[spec.uuid] = characteristic
        return characteristic


class _Bonds(MemoryKeyStore):
    """The keys of the hosts that the model still knows."""

    def __init__(self, model: ReaderModel) -> None:
        super().__init__()
        self._model = model

    async def get(self, name: str) -> PairingKeys | None:
        """A host's keys; none after the model lost its bonds."""
        return await super().get(name) if self._model.has_bond(name) else None


@asynccontextmanager
async def serve_reader(
    model: ReaderModel, transport: Transport, *, interval_ms: float = ADVERTISING_INTERVAL_MS
) -> AsyncGenerator[ServedReader]:
    """Serves a model on a Bumble transport while the block runs; its serial decides its address.

    A controller that fails ends the service; the failure is raised when the block ends, or by whoever awaits `serving`.
    """
    config = DeviceConfiguration(name=model.name, address=static_address(model.serial))
    config.advertising_interval_min = config.advertising_interval_max = interval_ms
    device = Device.from_config_with_hci(config, transport.source, transport.sink)
    served = ServedReader(model, device)
    await device.power_on()
    served.serving = asyncio.create_task(served.run(), name=f"terminal_kit serve {model.serial}")
    try:
        yield served
    finally:
        served.stop()
        await served.serving
        await served.leave()
        await device.power_off()
