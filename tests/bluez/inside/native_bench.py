"""Inside the machine: the bench on which the contract cases run over BlueZ."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from radio_bench import Bench
from vhci import air, forget

from terminal_kit.radio.native import native_radio
from terminal_kit.simulator.firmware import ReaderModel


@asynccontextmanager
async def open_bench(*models: ReaderModel) -> AsyncGenerator[Bench]:
    """Readers on the air around the kernel's controller; the bonds that they leave in the system go with them."""
    async with AsyncExitStack() as undo:
        around = await undo.enter_async_context(air())
        served = {model.serial: await undo.enter_async_context(around.reader(model)) for model in models}
        radio = await undo.enter_async_context(native_radio(lambda: list(served)))

        async def skip(seconds: float) -> None:
            for reader in served.values():
                reader.skip(seconds)

        try:
            yield Bench(radio, {model.serial: model for model in models}, lambda serial: served[serial].touch(), skip)
        finally:
            await asyncio.gather(*(forget(reader.address) for reader in served.values()))
