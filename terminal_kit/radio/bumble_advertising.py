"""A reader's advertisement as bytes: 31 of them, and 31 more in the scan response (Vol 6 Part B, 2.3.1)."""

import struct

from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData

from terminal_kit.simulator.gatt import Advertisement

ROOM_BYTES = 31
"""The data of a legacy advertisement, and again of a scan response."""

HEADER_BYTES = 2
"""Length and type of each field."""

_Type = AdvertisingData.Type
_FLAGS = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED


def encode(advertisement: Advertisement) -> tuple[bytes, bytes]:
    """Advertisement and scan response. What fits goes into the first; a name too long for both is shortened.

    Raises `ValueError` where something else does not fit.
    """
    rooms = [ROOM_BYTES, ROOM_BYTES]
    fields: tuple[list[tuple[int, bytes]], ...] = ([], [])

    def put(kind: int, data: bytes) -> None:
        at = 0 if HEADER_BYTES + len(data) <= rooms[0] else 1
        rooms[at] -= HEADER_BYTES + len(data)
        if rooms[at] < 0:
            raise ValueError(f"the advertisement's field 0x{kind:02x} does not fit")
        fields[at].append((kind, data))

    put(_Type.FLAGS, bytes([_FLAGS]))
    for kind, uuids in _by_size(advertisement.service_uuids).items():
        put(kind, b"".join(uuids))
    for company, data in advertisement.manufacturer_data.items():
        put(_Type.MANUFACTURER_SPECIFIC_DATA, struct.pack("<H", company) + data)
    for uuid, data in advertisement.service_data.items():
        put(_SERVICE_DATA[len(_wire(uuid))], _wire(uuid) + data)
    if advertisement.tx_power_dbm is not None:
        put(_Type.TX_POWER_LEVEL, struct.pack("<b", advertisement.tx_power_dbm))
    if advertisement.local_name:
        name = advertisement.local_name.encode()
        room = max(rooms) - HEADER_BYTES
        whole = len(name) <= room
        put(
            _Type.COMPLETE_LOCAL_NAME if whole else _Type.SHORTENED_LOCAL_NAME,
            name if whole else name[:room].decode("utf-8", "ignore").encode(),
        )
    first, second = (bytes(AdvertisingData(list(part))) for part in fields)
    return first, second


_LISTS = {2: _Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, 16: _Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS}
_SERVICE_DATA = {2: _Type.SERVICE_DATA_16_BIT_UUID, 16: _Type.SERVICE_DATA_128_BIT_UUID}


def _wire(uuid: str) -> bytes:
    """A UUID as it travels: two bytes where it is the SIG's, else sixteen."""
    whole = UUID(normalize_uuid_str(uuid))
    short = UUID.from_16_bits(int(whole.to_hex_str()[4:8], 16))
    return bytes(short if short == whole else whole)


def _by_size(uuids: tuple[str, ...]) -> dict[int, list[bytes]]:
    lists: dict[int, list[bytes]] = {}
    for uuid in map(_wire, uuids):
        lists.setdefault(_LISTS[len(uuid)], []).append(uuid)
    return lists
