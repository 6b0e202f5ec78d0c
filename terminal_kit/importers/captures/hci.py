"""The numbers of HCI that tell of links, and how their parameters lie: Core Specification Vol 4 Part E, 7.

Offsets count from the first parameter. All integers are little-endian.
"""

# Events (7.7)
CLASSIC_CONNECTION_COMPLETE = 0x03
DISCONNECTION_COMPLETE = 0x05
ENCRYPTION_CHANGE = 0x08
REMOTE_VERSION = 0x0C
COMMAND_COMPLETE = 0x0E
COMMAND_STATUS = 0x0F
HARDWARE_ERROR = 0x10
COMPLETED_PACKETS = 0x13
KEY_REFRESH = 0x30
LE_META = 0x3E
ENCRYPTION_CHANGE_V2 = 0x59
VENDOR = 0xFF

# LE Meta events (7.7.65)
CONNECTION_COMPLETE = 0x01
ADVERTISING_REPORT = 0x02
CONNECTION_UPDATE = 0x03
REMOTE_FEATURES = 0x04
LTK_REQUEST = 0x05
PARAMETER_REQUEST = 0x06
DATA_LENGTH = 0x07
ENHANCED_CONNECTION_COMPLETE = 0x0A
DIRECTED_REPORT = 0x0B
PHY_UPDATE = 0x0C
EXTENDED_REPORT = 0x0D
SET_TERMINATED = 0x12
CHANNEL_SELECTION = 0x14
PATH_LOSS = 0x20
TX_POWER = 0x21
SUBRATE = 0x23
ENHANCED_CONNECTION_COMPLETE_V2 = 0x29
RATE_CHANGE = 0x37

ANDROID_QUALITY_REPORT = 0x58
"""Android's vendor event: sub-event, report, packet type, handle u16, role, transmit power, RSSI (AOSP, HCI
requirements, Bluetooth Quality Report)."""

# Commands (7.1 to 7.8)
DISCONNECT = 0x0406
READ_REMOTE_VERSION = 0x041D
RESET = 0x0C03
READ_RSSI = 0x1405
SCAN_PARAMETERS = 0x200B
SCAN_ENABLE = 0x200C
CREATE_CONNECTION = 0x200D
CREATE_CANCEL = 0x200E
CLEAR_ACCEPT_LIST = 0x2010
ADD_TO_ACCEPT_LIST = 0x2011
REMOVE_FROM_ACCEPT_LIST = 0x2012
CONNECTION_UPDATE_COMMAND = 0x2013
READ_REMOTE_FEATURES = 0x2016
ENABLE_ENCRYPTION = 0x2019
SET_PHY = 0x2032
EXTENDED_SCAN_PARAMETERS = 0x2041
EXTENDED_SCAN_ENABLE = 0x2042
EXTENDED_CREATE_CONNECTION = 0x2043
SUBRATE_REQUEST = 0x207D
EXTENDED_CREATE_CONNECTION_V2 = 0x2085

PROCEDURES = {
    READ_REMOTE_VERSION: "version exchange",
    CONNECTION_UPDATE_COMMAND: "connection update",
    READ_REMOTE_FEATURES: "feature exchange",
    ENABLE_ENCRYPTION: "encryption start",
    SET_PHY: "PHY update",
    SUBRATE_REQUEST: "subrate change",
}
"""Commands that begin a procedure on a link (their first parameter is its handle), and what to call it."""

ANSWERS = {
    CONNECTION_UPDATE: "connection update",
    REMOTE_FEATURES: "feature exchange",
    PHY_UPDATE: "PHY update",
    SUBRATE: "subrate change",
}
"""LE Meta events that end one."""

HANDLE_AT = {
    CONNECTION_UPDATE: 2,
    REMOTE_FEATURES: 2,
    LTK_REQUEST: 1,
    PARAMETER_REQUEST: 1,
    DATA_LENGTH: 1,
    PHY_UPDATE: 2,
    CHANNEL_SELECTION: 1,
    PATH_LOSS: 1,
    TX_POWER: 2,
    SUBRATE: 2,
    RATE_CHANGE: 2,
}
"""LE Meta events of a link, and where its handle stands."""

COMMANDS = frozenset(
    {
        DISCONNECT,
        RESET,
        READ_RSSI,
        SCAN_PARAMETERS,
        SCAN_ENABLE,
        CREATE_CONNECTION,
        CREATE_CANCEL,
        CLEAR_ACCEPT_LIST,
        ADD_TO_ACCEPT_LIST,
        REMOVE_FROM_ACCEPT_LIST,
        EXTENDED_SCAN_PARAMETERS,
        EXTENDED_SCAN_ENABLE,
        EXTENDED_CREATE_CONNECTION,
        EXTENDED_CREATE_CONNECTION_V2,
        *PROCEDURES,
    }
)
"""Commands that are read one by one."""

EVENTS = frozenset(
    {
        CLASSIC_CONNECTION_COMPLETE,
        DISCONNECTION_COMPLETE,
        ENCRYPTION_CHANGE,
        REMOTE_VERSION,
        HARDWARE_ERROR,
        KEY_REFRESH,
        ENCRYPTION_CHANGE_V2,
    }
)
"""Events that are read one by one; those of commands and LE Meta events have tables of their own."""

META_EVENTS = frozenset(
    {
        CONNECTION_COMPLETE,
        ENHANCED_CONNECTION_COMPLETE,
        ENHANCED_CONNECTION_COMPLETE_V2,
        SET_TERMINATED,
        *HANDLE_AT,
    }
)
"""LE Meta events that are read one by one."""

RSSI_UNKNOWN = 127
"""An RSSI of 127 means "not available" (7.7.65.2)."""

HANDLE = 0x0FFF
"""A connection handle's bits; those above tell of fragments in data (5.4.2)."""


def u16(data: bytes, at: int) -> int:
    """Two bytes, little-endian; the missing ones of a cut packet are zero."""
    return int.from_bytes(data[at : at + 2], "little")
