"""Which reader it is: what it advertises against what it tells when connected."""

from terminal_kit.errors import CommunicationError, TakenByAnotherHostError
from terminal_kit.reader import DeviceType, device_type_of


def checked_serial(advertised: str, told: str | None) -> str:
    """The serial number that a reader tells of itself. Raises `CommunicationError` where its name is another reader's.

    A board may advertise any name, and tell its serial number only when connected.
    """
    if not told or told == advertised:
        return advertised
    if device_type_of(advertised) is DeviceType.UNKNOWN:
        return told
    if device_type_of(told) is not DeviceType.UNKNOWN:
        raise CommunicationError(f"{advertised} says that its serial number is {told}", reader=advertised)
    return advertised  # what it tells is nonsense


def taken(serial: str) -> TakenByAnotherHostError:
    """The error for a reader that another host has (E, 3241)."""
    return TakenByAnotherHostError(f"{serial} is connected to another device", reader=serial)
