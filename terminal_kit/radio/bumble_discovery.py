# Bumble's types are partly unknown.
# pyright: reportUnknownMemberType=false
"""What a peripheral offers, as bleak's records (Vol 3 Part G, 4.4-4.7)."""

import struct
from contextlib import suppress

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.uuids import normalize_uuid_str
from bumble import att, gatt
from bumble.core import UUID
from bumble.gatt_client import Client, ServiceProxy

CLIENT_CONFIGURATION = normalize_uuid_str("2902")

ATT_WRITE_OVERHEAD_BYTES = 3
"""Opcode and handle of a write (Vol 3 Part F, 3.4.5)."""


def uuid_text(uuid: UUID) -> str:
    """A Bumble UUID in bleak's spelling."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


async def discover(client: Client, wanted: set[str] | None) -> BleakGATTServiceCollection:
    """All services, or those wanted, with their characteristics and descriptors.

    Like every host it also asks to be told of changes; a reader that changes its services is read anew at the next
    connection.
    """
    collection = BleakGATTServiceCollection()
    for found in await client.discover_services():
        if found.uuid == gatt.GATT_GENERIC_ATTRIBUTE_SERVICE:
            await _follow_changes(client, found)
        if not wanted or uuid_text(found.uuid) in wanted:
            await _add_service(collection, client, found)
    return collection


async def _add_service(collection: BleakGATTServiceCollection, client: Client, found: ServiceProxy) -> None:
    service = BleakGATTService(found, found.handle, uuid_text(found.uuid))
    collection.add_service(service)
    for value in await client.discover_characteristics((), found):
        properties = list(gatt_char_props_to_strs(value.properties))
        characteristic = BleakGATTCharacteristic(
            value,
            value.handle,
            uuid_text(value.uuid),
            properties,
            lambda: client.mtu - ATT_WRITE_OVERHEAD_BYTES,
            service,
        )
        collection.add_characteristic(characteristic)
        for descriptor in await client.discover_descriptors(value):
            kind = uuid_text(descriptor.type)
            collection.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, kind, characteristic))


async def _follow_changes(client: Client, service: ServiceProxy) -> None:
    """Subscribes to Service Changed (Vol 3 Part G, 7.1), where there is one."""
    for changed in await client.discover_characteristics((gatt.GATT_SERVICE_CHANGED_CHARACTERISTIC,), service):
        for descriptor in await client.discover_descriptors(changed):
            if descriptor.type == gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
                client.indication_subscribers[changed.handle] = {_ignore}
                with suppress(att.ATT_Error):
                    bits = struct.pack("<H", gatt.ClientCharacteristicConfigurationBits.INDICATION)
                    await client.write_value(descriptor.handle, bits, with_response=True)


def _ignore(_value: bytes) -> None:
    """The range of handles that changed: the records of this connection stay as they are."""
