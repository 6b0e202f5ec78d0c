"""The virtual radio for bleak's tests: a host and a peripheral, both Bumble devices on one virtual link."""

import contextlib

from bumble.device import Device, DeviceConfiguration
from bumble.hci import Address
from bumble.link import LocalLink

from terminal_kit.radio.bumble_controller import controller_on
from terminal_kit.radio.bumble_host import open_host
from terminal_kit.radio.virtual import bumble_backends


@contextlib.asynccontextmanager
async def open_radio():
    link = LocalLink()
    with controller_on(link, "host") as near, controller_on(link, "peripheral") as far:
        async with open_host(near) as host:
            yield bumble_backends(host), far


def create_peripheral(transport):
    # The advertising interval is in milliseconds: short, so that the suite does not wait for it.
    config = DeviceConfiguration(
        name="Bleak",
        address=Address.generate_static_address(),
        advertising_interval_min=100,
        advertising_interval_max=100,
    )
    return Device.from_config_with_hci(config, transport.source, transport.sink)
