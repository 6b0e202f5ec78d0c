"""Inside the machine: a virtual controller under the kernel's Bluetooth, and readers on the same link."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from bumble import hci
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink
from bumble.transport import open_transport

from terminal_kit.radio.bumble_controller import VirtualController, controller_on
from terminal_kit.radio.serve import ServedReader, serve_reader
from terminal_kit.simulator.firmware import ReaderModel

SUPERVISION_TIMEOUT = 0x08


class Link(LocalLink):
    """Data travels under the address that its link was made with.

    Bumble's own goes by the sender's present address, which BlueZ changes for every scan, links or no links.
    """

    def send_acl_data(
        self, sender_controller: Controller, destination_address: hci.Address, transport: PhysicalTransport, data: bytes
    ) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)


class KernelsController(VirtualController):
    """The controller that the kernel drives. It lacks what Bumble does not do as BlueZ expects it.

    With LL privacy or extended advertising the kernel waits for the enhanced connection event, which Bumble does not
    send for the legacy command.
    """

    le_features = VirtualController.le_features & ~(
        hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    )

    def lose_links(self) -> None:
        """Every link breaks as by a supervision timeout: each end is told 0x08 by its own controller."""
        for controller in self.link.controllers:
            for connection in list(controller.le_connections.values()):
                controller.on_le_disconnected(connection, SUPERVISION_TIMEOUT)


class Air:
    """The kernel's controller and the readers around it."""

    def __init__(self, link: LocalLink, controller: KernelsController) -> None:
        self.link = link
        self.controller = controller

    @asynccontextmanager
    async def reader(self, model: ReaderModel) -> AsyncGenerator[ServedReader]:
        """A reader on the air while the block runs."""
        with controller_on(self.link, model.serial) as transport:
            async with serve_reader(model, transport) as served:
                yield served


@asynccontextmanager
async def air() -> AsyncGenerator[Air]:
    """An adapter appears (`hci0`), and is switched on; it goes when the block ends."""
    async with AsyncExitStack() as undo:
        transport = await undo.enter_async_context(await open_transport("vhci"))
        link = Link()
        controller = KernelsController("kernel", host_source=transport.source, host_sink=transport.sink, link=link)
        await power(on=True)
        try:
            yield Air(link, controller)
        finally:
            # A controller that is pulled out with links on it can crash the kernel (6.1, in hci_chan_del).
            await power(on=False)


async def power(*, on: bool) -> None:
    """Switches the adapter on or off, as a person does in the system's settings."""
    for _ in range(100):
        if "succeeded" in (said := await _bluetoothctl("power", "on" if on else "off")):
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"the adapter does not come: {said}")


async def forget(address: str) -> None:
    """Removes a device and its bond from the system."""
    await _bluetoothctl("remove", address)


async def _bluetoothctl(*arguments: str) -> str:
    child = await asyncio.create_subprocess_exec(
        "bluetoothctl", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    return said.decode("utf-8", "replace")
