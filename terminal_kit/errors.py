"""Everything that can go wrong, in one tree.

::

    TerminalError                    UNEXPECTED_SDK_ERROR
    ├─ InvalidParameterError         also a ValueError
    ├─ BusyError
    ├─ CanceledError
    │  └─ SupersededError
    ├─ CancelFailedError
    ├─ SessionExpiredError
    ├─ RadioUnavailableError         no adapter, no service
    │  ├─ BluetoothDisabledError
    │  ├─ BluetoothPermissionError
    │  └─ BluetoothUnsupportedError
    ├─ InternetUnavailableError
    │  ├─ ReaderOfflineError
    │  └─ LocationOfflineError
    ├─ ScanTimeoutError              also a TimeoutError
    ├─ ReaderNotFoundError           also a LookupError
    ├─ LinkError                     BLUETOOTH_ERROR
    │  ├─ ConnectTimeoutError        also a TimeoutError
    │  ├─ LinkLostError
    │  │  └─ ReconnectFailedError
    │  ├─ ReconnectStartedError
    │  ├─ NotConnectedError          also a RuntimeError
    │  ├─ AlreadyConnectedError      also a RuntimeError
    │  ├─ PairingLostError
    │  ├─ TakenByAnotherHostError
    │  ├─ CommunicationError
    │  └─ GattError
    ├─ ReaderFaultError              READER_TAMPERED, keys missing, battery
    │  ├─ BatteryCriticallyLowError
    │  └─ MissingEncryptionKeysError
    ├─ UpdateError
    │  ├─ UpdateRequiredError
    │  ├─ UpdateNotAvailableError
    │  ├─ UpdateBatteryLowError
    │  ├─ UpdateInterruptedError
    │  ├─ UpdateReaderError
    │  └─ UpdateServerError
    │     └─ ManifestError           also a ValueError
    └─ DataError
       ├─ CaptureFormatError        also a ValueError; INVALID_REQUIRED_PARAMETER
       └─ EventLogError

Each class carries the vendor's code (`code`), its iOS numbers where they are known (`numbers`) and one sentence of
advice (`hint`): rule E of the lifecycle. Facts are fields, so nobody needs to read them out of a message.
`ERRORS` is the whole table; `error_class()` looks a code up, in any of the spellings that apps log.
"""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar


class TerminalError(Exception):
    """Any failure of the kit. `str()` gives what happened; `hint` what to do about it."""

    code: ClassVar[str] = "UNEXPECTED_SDK_ERROR"
    numbers: ClassVar[tuple[int, ...]] = (5000,)
    advice: ClassVar[str] = "Look at the cause chained below; if it is ours, please report it."

    def __init__(self, message: str, *, hint: str | None = None, **facts: Any) -> None:
        """`hint` replaces the class's advice; `facts` become attributes (each class names its own)."""
        super().__init__(message)
        self.hint = hint or self.advice
        unknown = facts.keys() - _annotated(type(self))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no fact {', '.join(sorted(unknown))}")
        for name, value in facts.items():
            setattr(self, name, value)

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return str(self)

    def line(self) -> str:
        """The form for a terminal window: `CODE: text. hint`."""
        return f"{self.code}: {str(self).rstrip('.')}. {self.hint}"


class InvalidParameterError(TerminalError, ValueError):
    """A parameter is missing or malformed; refused before any radio work (C1)."""

    code = "INVALID_REQUIRED_PARAMETER"
    numbers = (1590, 1591, 1910)
    advice = "Correct the parameter and call again."
    parameter: str = ""
    value: Any = None


class BusyError(TerminalError):
    """Another operation runs; one at a time (C3)."""

    code = "READER_BUSY"
    numbers = (3010,)
    advice = "Wait for it to end, or cancel it first."
    running: str = ""


class CanceledError(TerminalError):
    """The operation was canceled by the app."""

    code = "CANCELED"
    numbers = (2020,)
    advice = "Start it again when you want it."


class SupersededError(CanceledError):
    """The operation was ended by a newer one of its kind (D4)."""

    code = "CANCELED_DUE_TO_INTEGRATION_ERROR"
    numbers = (1961,)
    advice = "Start one discovery at a time; the newer one goes on."


class CancelFailedError(TerminalError):
    """There was nothing to cancel, or it cannot be canceled (U6)."""

    code = "CANCEL_FAILED"
    numbers = (1010, 1011)
    advice = "Nothing needs to be done; look at the status for what runs now."


class SessionExpiredError(TerminalError):
    """The session with the vendor's service ended."""

    code = "SESSION_EXPIRED"
    numbers = (9060,)
    advice = "Connect again."


class RadioUnavailableError(TerminalError):
    """The host has no usable Bluetooth radio (D5)."""

    code = "RADIO_UNAVAILABLE"
    numbers = ()
    advice = "Run `terminal-kit doctor`; without an adapter use the simulated radio."
    reason: str = ""


class BluetoothDisabledError(RadioUnavailableError):
    """The host's radio is switched off (D5)."""

    code = "BLUETOOTH_DISABLED"
    numbers = (2320,)
    advice = "Turn Bluetooth on in the host's settings."


class BluetoothPermissionError(RadioUnavailableError):
    """The host does not let this program use Bluetooth (D5)."""

    code = "BLUETOOTH_PERMISSION_DENIED"
    numbers = (2321,)
    advice = "Allow Bluetooth for this program in the host's privacy settings."


class BluetoothUnsupportedError(RadioUnavailableError):
    """The host's radio cannot do Bluetooth LE (D5)."""

    code = "BLUETOOTH_LOW_ENERGY_UNSUPPORTED"
    numbers = (2340,)
    advice = "Use an adapter with Bluetooth 4.0 or later."


class InternetUnavailableError(TerminalError):
    """The host has no internet, and the operation needs it."""

    code = "INTERNET_UNAVAILABLE"
    numbers = ()
    advice = "Check the host's network and try again."


class ReaderOfflineError(InternetUnavailableError):
    """Offline, and this reader was not connected online in the last 30 days."""

    code = "READER_CONNECTION_NOT_AVAILABLE_OFFLINE"
    numbers = (2870, 2871)
    advice = "Connect this reader once while the host is online."


class LocationOfflineError(InternetUnavailableError):
    """Offline, and no reader of this type was connected online at this location in the last 30 days."""

    code = "LOCATION_CONNECTION_NOT_AVAILABLE_OFFLINE"
    numbers = (2872, 2873)
    advice = "Connect a reader of this type at this location once while the host is online."


class ScanTimeoutError(TerminalError, TimeoutError):
    """A scan reached its limit and found no reader (D2)."""

    code = "BLUETOOTH_SCAN_TIMED_OUT"
    numbers = (2330,)
    advice = "Check that the reader is on, near, and not paired in the system's Bluetooth settings."
    timeout_s: float = 0.0


class ReaderNotFoundError(TerminalError, LookupError):
    """A named reader did not appear within the limit (C6, C7). `seen` lists the serials that did."""

    code = "READER_NOT_FOUND"
    numbers = ()
    advice = "Check that the reader is on, near, and not paired in the system's Bluetooth settings."
    serial: str = ""
    timeout_s: float = 0.0
    seen: Sequence[str] = ()


class LinkError(TerminalError):
    """Something about one reader's link. `hci_code` is the link-layer code of its end, where there is one."""

    code = "BLUETOOTH_ERROR"
    numbers = (3200,)
    advice = "Try again; if it persists, switch the reader off and on, or forget it and pair it anew."
    reader: str = ""
    status: str = ""
    hci_code: int | None = None


class ConnectTimeoutError(LinkError, TimeoutError):
    """The reader did not answer in time. `timeout_s` in seconds."""

    code = "REQUEST_TIMED_OUT"
    numbers = (3210,)
    advice = "Bring the reader closer and check that no other device holds it."
    timeout_s: float = 0.0


class LinkLostError(LinkError):
    """The link ended while it was needed. `reason` is a `DisconnectReason`."""

    code = "BLUETOOTH_DISCONNECTED"
    numbers = (3230,)
    advice = "Bring the reader closer and discover again."
    reason: str = "unknown"


class ReconnectFailedError(LinkLostError):
    """Automatic reconnection gave up (X6). `attempts` counts the tries."""

    attempts: int = 0


class ReconnectStartedError(LinkError):
    """The operation ended because an automatic reconnection began (X2)."""

    code = "BLUETOOTH_RECONNECT_STARTED"
    numbers = (3890,)
    advice = "Wait for the reconnection to succeed, then repeat the call."


class NotConnectedError(LinkError, RuntimeError):
    """The call needs a connected reader; `status` says what there is instead."""

    code = "NOT_CONNECTED_TO_READER"
    numbers = (1100,)
    advice = "Connect a reader first."


class AlreadyConnectedError(LinkError, RuntimeError):
    """A reader is connected; the call needs there to be none (D4)."""

    code = "ALREADY_CONNECTED_TO_READER"
    numbers = (1110,)
    advice = "Disconnect the reader first; `monitor()` watches the neighbourhood while connected."


class PairingLostError(LinkError):
    """The reader no longer knows this host (its bond is gone). `att_code` where an access was refused with one."""

    code = "BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION"
    numbers = (3240,)
    att_code: int | None = None
    advice = "Press Forget in the list of readers (or use `terminal-kit forget`), then connect, which pairs it anew."


class TakenByAnotherHostError(LinkError):
    """Another device holds the reader, or the system's own settings do (D6)."""

    code = "READER_CONNECTED_TO_ANOTHER_DEVICE"
    numbers = (3241, 4020)
    advice = "Remove the reader from the system's Bluetooth settings, and disconnect it from the other device."


class CommunicationError(LinkError):
    """The reader answered, but not as its profile says, or not at all."""

    code = "READER_COMMUNICATION_ERROR"
    numbers = (3060,)
    advice = "Switch the reader off and on, then connect again."


class GattError(LinkError):
    """An attribute operation was refused. `att_code` as in Core Specification Vol 3 Part F, 3.4.1.1."""

    characteristic: str = ""
    att_code: int | None = None


class ReaderFaultError(TerminalError):
    """The reader itself is unfit: its tamper switch has tripped."""

    code = "READER_TAMPERED"
    numbers = (4100,)
    advice = "Take the reader out of service; a tampered reader must be replaced."
    reader: str = ""


class BatteryCriticallyLowError(ReaderFaultError):
    """The battery is too low to connect (C4). `battery` is 0…1."""

    code = "READER_BATTERY_CRITICALLY_LOW"
    numbers = (2680,)
    advice = "Charge the reader, then connect again."
    battery: float | None = None


class MissingEncryptionKeysError(ReaderFaultError):
    """The reader has lost its keys."""

    code = "READER_MISSING_ENCRYPTION_KEYS"
    numbers = (3980,)
    advice = "Connect it again at its location, which renews the keys."


class UpdateError(TerminalError):
    """An update failed. `stage` says where, `fault` what is wrong with an image: an `image.UpdateFault` (U13)."""

    code = "READER_SOFTWARE_UPDATE_FAILED"
    numbers = (2670, 3800)
    advice = "Keep the reader near and charged, and try the update again."
    reader: str = ""
    stage: str = ""
    fault: str = ""


class UpdateRequiredError(UpdateError):
    """The reader needs an update before it can be used (U3, U6). `required_at_us` is UTC microseconds."""

    code = "UNSUPPORTED_READER_VERSION"
    numbers = (3850,)
    advice = "Connect again and let the update finish."
    version: str = ""
    required_at_us: int | None = None


class UpdateNotAvailableError(UpdateError):
    """No update is pending (U7)."""

    code = "UPDATE_NOT_AVAILABLE"
    numbers = ()
    advice = "Nothing needs to be done: the reader is up to date."


class UpdateBatteryLowError(UpdateError):
    """The battery is too low to begin an update (U2). `battery` and `needed` are 0…1."""

    code = "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW"
    numbers = (2650,)
    advice = "Charge the reader above 50 %, then try again."
    battery: float | None = None
    needed: float = 0.5


class UpdateInterruptedError(UpdateError):
    """The update was cut off; the reader keeps a bootable image (U10)."""

    code = "READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED"
    numbers = (2660,)
    advice = "Connect again; the update resumes or starts over."


class UpdateReaderError(UpdateError):
    """The reader refused a part of the update (U13). `smp_code` as in the Simple Management Protocol."""

    code = "READER_SOFTWARE_UPDATE_FAILED_READER_ERROR"
    numbers = (3830,)
    smp_code: int | None = None
    sent_bytes: int | None = None


class UpdateServerError(UpdateError):
    """The update feed is unreachable or broken (U13)."""

    code = "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR"
    numbers = (3840,)
    advice = "Check the host's network and the feed's address."


class ManifestError(UpdateServerError, ValueError):
    """A feed's manifest or image is refused (U13); the last good one stays in force. `where` is the fault's place."""

    where: str = ""
    advice = "Mend the feed with `terminal-kit feed check`; the last good one stays in force."


class DataError(TerminalError):
    """Stored data cannot be used as it is. `path` names the file."""

    advice = "Check the file; nothing in it was changed."
    path: str = ""


class CaptureFormatError(DataError, ValueError):
    """A file is none, or no capture and no log that can be imported. `offset` or `line_number` says where."""

    code = InvalidParameterError.code
    numbers = InvalidParameterError.numbers
    advice = "Import a Bluetooth HCI capture or a log of the SDK; `terminal-kit import --help` lists the formats."
    offset: int | None = None
    line_number: int | None = None


class EventLogError(DataError):
    """An event log cannot be opened, written or read."""

    advice = "Choose another file or folder; what is stored stays as it is."


def _annotated(cls: type) -> set[str]:
    return {name for base in cls.__mro__ for name in inspect.get_annotations(base)}


def _tree(cls: type[TerminalError]) -> list[type[TerminalError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in _tree(child))]


ERRORS: tuple[type[TerminalError], ...] = tuple(_tree(TerminalError))
"""Every class of the tree, parents first: class ↔ `code` ↔ `numbers` ↔ `advice` in one table."""

# The first class that carries a code stands for it: a subclass that only adds facts repeats its parent's code.
_BY_CODE = {cls.code: cls for cls in reversed(ERRORS)}


def error_class(code: str) -> type[TerminalError] | None:
    """The class for a code as apps write it, or None.

    Folds what older logs add: a class before a dot (`READER_ERROR.BLUETOOTH_DISCONNECTED`), lower case, and the
    iOS prefix `SCPError` is left to the importers. Source: lifecycle, E.
    """
    return _BY_CODE.get(code.rsplit(".", 1)[-1].strip().upper())
