"""The error tree: one table, codes as the rules list them (E)."""

import re
from pathlib import Path

import pytest

from terminal_kit import errors
from terminal_kit.errors import ERRORS, BusyError, LinkLostError, TerminalError, error_class

CODES_OF_THE_RULES = [
    "CANCEL_FAILED",
    "NOT_CONNECTED_TO_READER",
    "ALREADY_CONNECTED_TO_READER",
    "INVALID_REQUIRED_PARAMETER",
    "CANCELED_DUE_TO_INTEGRATION_ERROR",
    "CANCELED",
    "BLUETOOTH_DISABLED",
    "BLUETOOTH_PERMISSION_DENIED",
    "BLUETOOTH_LOW_ENERGY_UNSUPPORTED",
    "BLUETOOTH_SCAN_TIMED_OUT",
    "READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW",
    "READER_SOFTWARE_UPDATE_FAILED_INTERRUPTED",
    "READER_SOFTWARE_UPDATE_FAILED",
    "READER_SOFTWARE_UPDATE_FAILED_READER_ERROR",
    "READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR",
    "READER_BATTERY_CRITICALLY_LOW",
    "READER_CONNECTION_NOT_AVAILABLE_OFFLINE",
    "LOCATION_CONNECTION_NOT_AVAILABLE_OFFLINE",
    "READER_BUSY",
    "READER_COMMUNICATION_ERROR",
    "BLUETOOTH_ERROR",
    "REQUEST_TIMED_OUT",
    "BLUETOOTH_DISCONNECTED",
    "BLUETOOTH_PEER_REMOVED_PAIRING_INFORMATION",
    "READER_CONNECTED_TO_ANOTHER_DEVICE",
    "UNSUPPORTED_READER_VERSION",
    "BLUETOOTH_RECONNECT_STARTED",
    "READER_MISSING_ENCRYPTION_KEYS",
    "READER_TAMPERED",
    "SESSION_EXPIRED",
    "UNEXPECTED_SDK_ERROR",
    "UPDATE_NOT_AVAILABLE",
    "RADIO_UNAVAILABLE",
    "READER_NOT_FOUND",
    "INTERNET_UNAVAILABLE",
]


@pytest.mark.parametrize("code", CODES_OF_THE_RULES)
def test_every_code_of_the_rules_has_a_class(code: str) -> None:
    assert error_class(code).code == code


def test_no_number_stands_for_two_codes() -> None:
    owner: dict[int, str] = {}
    for cls in ERRORS:
        for number in cls.numbers:
            assert owner.setdefault(number, cls.code) == cls.code, number


def test_every_class_advises_and_ends_in_error() -> None:
    for cls in ERRORS:
        assert cls.__name__.endswith("Error")
        assert cls.advice.endswith(".")
        assert cls.__doc__


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"\b(\w+Error)\b", errors.__doc__.split("Each class")[0])
    assert sorted({name for name in drawn if hasattr(errors, name)}) == sorted(cls.__name__ for cls in ERRORS)


def test_facts_are_fields_and_unknown_ones_are_refused() -> None:
    error = LinkLostError("gone", reader="STRM2", reason="powered_off", hci_code=0x15)
    assert (error.reason, error.hci_code, error.reader) == ("powered_off", 0x15, "STRM2")
    with pytest.raises(TypeError, match="speed"):
        BusyError("busy", speed=3)


def test_a_line_for_the_terminal_window() -> None:
    assert BusyError("a scan runs", hint="Wait.").line() == "READER_BUSY: a scan runs. Wait."


def test_older_logs_put_a_class_before_the_code() -> None:
    assert error_class("READER_ERROR.BLUETOOTH_DISCONNECTED") is LinkLostError
    assert error_class("no such code") is None


def test_builtin_parents_for_newcomers() -> None:
    assert issubclass(errors.ConnectTimeoutError, TimeoutError)
    assert issubclass(errors.InvalidParameterError, ValueError)
    assert issubclass(errors.NotConnectedError, RuntimeError)
    assert issubclass(errors.ReaderNotFoundError, LookupError)
    assert all(issubclass(cls, TerminalError) for cls in ERRORS)


def test_only_this_file_names_codes_twice() -> None:
    """A code is written once in the package: in the class that carries it."""
    source = Path(errors.__file__).read_text("utf-8")
    for code in CODES_OF_THE_RULES:
        assert source.count(f'code = "{code}"') + source.count(f'code: ClassVar[str] = "{code}"') == 1, code
