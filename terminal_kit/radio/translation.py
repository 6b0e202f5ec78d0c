"""Foreign errors → ours, in one place: what bleak's backends raise, by type and field, never by message."""

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from terminal_kit.errors import (
    BluetoothDisabledError,
    BluetoothPermissionError,
    BluetoothUnsupportedError,
    CommunicationError,
    ConnectTimeoutError,
    GattError,
    LinkError,
    PairingLostError,
    RadioUnavailableError,
    ReaderNotFoundError,
    TerminalError,
)
from terminal_kit.radio import HostFault, HostState

_Reason = BleakBluetoothNotAvailableReason

_UNAVAILABLE: dict[BleakBluetoothNotAvailableReason, HostFault] = {
    _Reason.POWERED_OFF: "radio_off",
    _Reason.NO_BLUETOOTH: "no_adapter",
    _Reason.NO_BLE_CENTRAL_ROLE: "le_unsupported",
    _Reason.DENIED_BY_USER: "permission_denied",
    _Reason.DENIED_BY_SYSTEM: "permission_denied",
    _Reason.DENIED_BY_UNKNOWN: "permission_denied",
}

_DBUS: dict[str, HostFault] = {
    "org.bluez.Error.NotReady": "radio_off",
    "org.freedesktop.DBus.Error.AccessDenied": "permission_denied",
    "org.freedesktop.DBus.Error.ServiceUnknown": "no_service",
}

_PAIRING_DBUS = {
    "org.bluez.Error.AuthenticationFailed": None,
    "org.bluez.Error.AuthenticationRejected": None,
    "org.bluez.Error.NotPermitted": 0x05,  # "Not paired": BlueZ's words for insufficient authentication
}

INSUFFICIENT = frozenset({0x05, 0x08, 0x0F})
"""ATT codes for a missing authentication, authorisation or encryption (Vol 3 Part F, 3.4.1.1)."""


def host_error(fault: HostFault | None) -> RadioUnavailableError:
    """The error for a fault of the host (D5)."""
    match fault:
        case "radio_off":
            return BluetoothDisabledError("the host's Bluetooth is switched off", reason=fault)
        case "permission_denied":
            return BluetoothPermissionError("the host does not let this program use Bluetooth", reason=fault)
        case "le_unsupported":
            return BluetoothUnsupportedError("the host's radio cannot do Bluetooth LE", reason=fault)
        case "no_adapter":
            return RadioUnavailableError("the host has no Bluetooth adapter", reason=fault)
        case "no_service":
            return RadioUnavailableError(
                "the system's Bluetooth service does not run",
                reason=fault,
                hint="Start it (`systemctl start bluetooth`) or install BlueZ; `terminal-kit doctor` says more.",
            )
        case None:
            return RadioUnavailableError("the host's Bluetooth cannot be used, and does not say why", reason="unknown")


def check_host(state: HostState) -> None:
    """Raises the host's fault where it has one (D5)."""
    if state.fault is not None:
        raise host_error(state.fault)


def translate(error: Exception, *, reader: str = "", timeout_s: float = 0.0) -> TerminalError:
    """Our error for one that bleak, its backends or asyncio raised; ours pass as they are.

    `reader` and `timeout_s` become facts where the error has them. The caller raises it `from` the original.
    """
    match error:
        case TerminalError():
            return error
        case BleakBluetoothNotAvailableError():
            return host_error(_UNAVAILABLE.get(error.reason))
        case BleakDBusError() if error.dbus_error in _DBUS:
            return host_error(_DBUS[error.dbus_error])
        case BleakDBusError() if error.dbus_error in _PAIRING_DBUS:
            code = _PAIRING_DBUS[error.dbus_error]
            return PairingLostError(f"pairing with {reader} failed: {error}", reader=reader, att_code=code)
        case BleakGATTProtocolError() if error.code in INSUFFICIENT:
            code = int(error.code)
            return PairingLostError(f"{reader} does not accept this host's pairing", reader=reader, att_code=code)
        case BleakGATTProtocolError():
            return GattError(f"{reader} refused: {error}", reader=reader, att_code=int(error.code))
        case BleakCharacteristicNotFoundError():
            return CommunicationError(f"{reader} lacks {error.char_specifier}", reader=reader)
        case BleakDeviceNotFoundError():
            return ReaderNotFoundError(f"{reader} is not known to the host any more", serial=reader)
        case TimeoutError():
            text = f"{reader} did not answer within {timeout_s:g} s"
            return ConnectTimeoutError(text, reader=reader, timeout_s=timeout_s)
        case BleakError() | OSError() | EOFError():
            what = f"the link to {reader}" if reader else "the scan"
            return LinkError(f"{what} failed: {error}", reader=reader)
        case _:
            return TerminalError(f"{type(error).__name__}: {error}")
