"""The simulated radio for bleak's tests: what they know as a Bumble device is a peripheral of the simulated air."""

import asyncio
import contextlib
import math

from bumble.att import ATT_Error
from bumble.device import Advertisement as HeardAdvertisement
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, Characteristic
from bumble.hci import Address

from terminal_kit.events import DisconnectReason
from terminal_kit.radio.bumble_discovery import uuid_text
from terminal_kit.radio.bumble_scanner import parse
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.gatt import Advertisement, AttributeFault, CharacteristicSpec, Leave, Notify, ServiceSpec

REMOTE_USER_TERMINATED = 0x13


@contextlib.asynccontextmanager
async def open_radio():
    air = Air()
    try:
        yield simulated_radio(air).backends, air
    finally:
        air.close()


def create_peripheral(air):
    return InProcessDevice(air)


class InProcessConnection:
    """What Bumble's attributes and the tests want to know of a connection."""

    encryption = 0
    authenticated = False

    def __init__(self, device):
        self._device = device

    async def disconnect(self):
        self._device.emit(Leave(REMOTE_USER_TERMINATED, DisconnectReason.UNKNOWN, 0.0))


class InProcessDevice:
    """A Bumble `Device` as far as bleak's tests use it, and a `Peripheral` of the air. The attributes are Bumble's."""

    name = "Bleak"
    response_delay_s = 0.0
    host_rssi_dbm = None

    def __init__(self, air):
        self.static_address = Address.generate_static_address()
        self.advertising_data = b""
        self.connections = {}
        self._air = air
        self._reader = None
        self._is_advertising = False
        self._services = []
        self._attributes = {}
        self._configurations = {}
        self._subscribed = set()
        self._outputs = []
        self._tasks = set()

    # ---- as the tests see it

    def add_services(self, services):
        for service in services:
            offered = [self._add(characteristic) for characteristic in service.characteristics]
            self._services.append(ServiceSpec(uuid_text(service.uuid), tuple(offered)))

    async def power_on(self):
        self._reader = self._air.add(self.name, self, address=self.static_address.to_string())

    async def start_advertising(self):
        self._is_advertising = True

    async def stop_advertising(self):
        self._is_advertising = False

    async def notify_subscribers(self, characteristic, value, force=False):
        key = uuid_text(characteristic.uuid)
        if force or key in self._subscribed:
            self.emit(Notify(key, value, 0.0))

    async def indicate_subscriber(self, _connection, characteristic, value):
        await self.notify_subscribers(characteristic, value)

    def emit(self, output):
        self._outputs.append(output)
        self._reader.settle()

    # ---- as the air sees it

    @property
    def services(self):
        return tuple(self._services)

    def advertisement(self):
        if not self._is_advertising:
            return None
        said = parse(HeardAdvertisement(self.static_address, data_bytes=self.advertising_data))
        uuids, service_data = tuple(said.service_uuids), said.service_data
        return Advertisement(said.local_name, uuids, said.manufacturer_data, service_data, said.tx_power)

    def link_opened(self, _peer):
        self._is_advertising = False
        self.connections[1] = InProcessConnection(self)

    def link_closed(self, _hci_code):
        self.connections.clear()
        self._subscribed.clear()

    def pair(self, _peer):
        return True

    def has_bond(self, _peer):
        return True

    def subscribe(self, key, on):
        (self._subscribed.add if on else self._subscribed.discard)(key)
        if key in self._configurations:
            writing = self._configurations[key].write_value(self.connections[1], bytes((on, 0)))
            task = asyncio.ensure_future(writing)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def read(self, key, *, peer, encrypted):
        try:
            return await self._attributes[key].read_value(self.connections[1])
        except ATT_Error as error:
            raise AttributeFault(error.error_code) from error

    async def write(self, key, data, *, peer, encrypted):
        try:
            await self._attributes[key].write_value(self.connections[1], data)
        except ATT_Error as error:
            raise AttributeFault(error.error_code) from error

    def advance(self, _seconds):
        pass

    def next_deadline_s(self):
        return math.inf

    def take_outputs(self):
        outputs, self._outputs = self._outputs, []
        return outputs

    def _add(self, characteristic):
        key = uuid_text(characteristic.uuid)
        self._attributes[key] = characteristic
        flags = [flag for flag in Characteristic.Properties if flag in characteristic.properties]
        words = tuple(flag.name.lower().replace("_", "-") for flag in flags)
        others = []
        for descriptor in characteristic.descriptors:
            if descriptor.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR and "notify" in words:
                self._configurations[key] = descriptor
                continue
            others.append(uuid_text(descriptor.type))
            self._attributes[f"{key}/{others[-1]}"] = descriptor
        return CharacteristicSpec(key, words, descriptors=tuple(others))
