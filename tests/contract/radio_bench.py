"""What a contract case stands on: a radio, readers near it, and a hand on the readers.

A bench for another radio is an async context manager `open_bench(*models)` that gives a `Bench` and leaves no bond
behind; name it with `--radio native --bench module:function`. The BlueZ machine does so.
"""

import asyncio
import contextlib
import functools
import inspect
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from bleak import BleakClient
from bleak.backends.device import BLEDevice

from terminal_kit.radio import HostFault, Radio
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.radio.virtual import virtual_radio
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.clock import SimulatorLoop
from terminal_kit.simulator.firmware import ReaderModel

NEAR_M = 1.0
"""So near that nothing is lost: these cases are about backends, not about the air."""

PATIENCE_S = 10.0
"""For whatever should happen soon; a scan through a real stack takes a second or two."""


@dataclass(frozen=True)
class Bench:
    """`touch(serial)` follows anything done to a model; `skip(seconds)` lets the readers' time pass.

    `set_fault(fault)` breaks and mends the host's radio, where the radio has such faults.
    """

    radio: Radio
    models: dict[str, ReaderModel]
    touch: Callable[[str], None]
    skip: Callable[[float], Awaitable[None]]
    set_fault: Callable[[HostFault | None], Awaitable[None]] | None = None

    async def find(self, serial: str, timeout_s: float = PATIENCE_S) -> BLEDevice | None:
        """The reader, if it is heard."""
        found = asyncio.get_running_loop().create_future()

        def on_advertisement(device, data):
            if data.local_name == serial and not found.done():
                found.set_result(device)

        async with self.radio.scanner(on_advertisement):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(found, timeout_s)

    @contextlib.asynccontextmanager
    async def connected(self, serial: str, on_disconnect=lambda _client: None) -> AsyncGenerator[BleakClient]:
        """A client with a link to the reader, while the block runs."""
        device = await self.find(serial)
        assert device is not None, f"{serial} was not found"
        async with self.radio.client(device, on_disconnect=on_disconnect, timeout_s=PATIENCE_S) as client:
            yield client


@contextlib.asynccontextmanager
async def simulated(*models: ReaderModel) -> AsyncGenerator[Bench]:
    air = Air(1)
    for model in models:
        air.add(model.serial, model, distance_m=NEAR_M)

    async def set_fault(fault: HostFault | None) -> None:
        air.host.fault = fault

    try:
        yield Bench(
            simulated_radio(air),
            {model.serial: model for model in models},
            lambda serial: air.readers[serial].settle(),
            asyncio.sleep,
            set_fault,
        )
    finally:
        air.close()


@contextlib.asynccontextmanager
async def virtual(*models: ReaderModel) -> AsyncGenerator[Bench]:
    async with virtual_radio(*models) as radio:

        async def skip(seconds: float) -> None:
            for reader in radio.readers.values():
                reader.skip(seconds)

        by_serial = {model.serial: model for model in models}
        yield Bench(radio, by_serial, lambda serial: radio.readers[serial].touch(), skip)


BENCHES = {"simulated": simulated, "virtual": virtual}
LOOPS = {"simulated": lambda: SimulatorLoop(math.inf)}
"""The simulated radio runs on a clock that jumps, the others in real time."""


def on_every_radio(case):
    """Makes a test of a coroutine function whose first argument is a bench."""

    def test(run_on_bench, **given):
        run_on_bench(functools.partial(case, **given))

    others = list(inspect.signature(case).parameters)[1:]
    test.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("run_on_bench", *others)]
    )
    test.__name__, test.__doc__, test.__module__ = case.__name__, case.__doc__, case.__module__
    return test
