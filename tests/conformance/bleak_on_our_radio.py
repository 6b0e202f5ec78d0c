"""A pytest plugin for bleak's own integration tests: it puts one of our radios where they expect the system's.

It runs in the child pytest that `test_bleak_integration.py` starts, with `--our-radio=simulated` or `virtual`. Two
functions of bleak's `tests/integration/conftest.py` are replaced: `create_hci_transport`, which opens the radio, and
`create_bumble_peripheral`, which makes the peripheral that the tests describe with Bumble's GATT classes. `BleakScanner`
and `BleakClient` are called without `backend=` there, so bleak's choice of the platform's backend is replaced as well.
"""

import contextlib
import importlib
import sys

import bleak
import pytest


def pytest_addoption(parser):
    parser.addoption("--our-radio", choices=("simulated", "virtual"), required=True)


def pytest_sessionstart(session):
    # By now bleak's conftest is loaded, and its test modules, which import from it, are not.
    theirs = sys.modules["tests.integration.conftest"]
    ours = importlib.import_module(f"on_{session.config.getoption('--our-radio')}")
    theirs.create_hci_transport = lambda _request: opened(ours)
    theirs.create_bumble_peripheral = ours.create_peripheral


@contextlib.asynccontextmanager
async def opened(radio):
    """Opens the radio and makes its backends bleak's own while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        async with radio.open_radio() as (backends, transport):
            # An id that is none of bleak's: its tests expect quirks from the ones it knows.
            patch.setattr(bleak, "get_platform_scanner_backend_type", lambda: (backends.scanner, "ours"))
            patch.setattr(bleak, "get_platform_client_backend_type", lambda: (backends.client, "ours"))
            yield transport
