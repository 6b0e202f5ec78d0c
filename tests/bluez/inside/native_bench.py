"""Inside the machine: the bench on which the contract cases run over BlueZ."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from radio_bench import Bench
from vhci import air, forget, power

from terminal_kit.memory import Bonds
from terminal_kit.radio import HostFault
from terminal_kit.radio.native import native_radio
from terminal_kit.simulator.firmware import ReaderModel


@asynccontextmanager
async def open_bench(*models: ReaderModel) -> AsyncGenerator[Bench]:
    """Readers on the air around the kernel's controller; the bonds that they leave in the system go with them."""
    async with AsyncExitStack() as undo:
        around = await undo.enter_async_context(air())
        served = {model.serial: await undo.enter_async_context(around.reader(model)) for model in models}
        native = await undo.enter_async_context(native_radio(Bonds()))
        # The controllers are Bumble's: their link has no supervision timeout, and their signal is constant.
        can = replace(native.capabilities, supervision_timeout=False, varying_signal=False)
        radio = replace(native, capabilities=can)

        async def skip(seconds: float) -> None:
            for reader in served.values():
                reader.skip(seconds)

        async def set_fault(fault: HostFault | None) -> None:
            told = asyncio.Event()
            undo_watch = radio.watch_host(lambda _state: told.set())
            await power(on=fault is None)
            while radio.host_state().fault != fault:
                await told.wait()
                told.clear()
            undo_watch()

        by_serial = {model.serial: model for model in models}
        try:
            yield Bench(radio, by_serial, lambda serial: served[serial].touch(), skip, set_fault)
        finally:
            await asyncio.gather(*(forget(reader.address) for reader in served.values()))
