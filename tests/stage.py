"""A stage for tests: an air with readers, a terminal, and everything it told, on a clock that jumps."""

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from terminal_kit.events import ConnectionStatus, Event
from terminal_kit.memory import Memory
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.reader import Reader
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.clock import run_virtual
from terminal_kit.terminal import Limits, ReconnectPolicy, Terminal

M2 = "STRM26138003393"
WISEPAD = "WPC323105002323"
CHIPPER = "CHB204909005931"
DESK = "tml_front_desk"
TERRACE = "tml_terrace"


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an async test on the jumping clock; fails it if a task survives or it takes more than a simulated month."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(31 * 86400):
                await test(*args, **kwargs)
            mine = asyncio.current_task()
            left = [task for task in asyncio.all_tasks() if task is not mine]
            assert not left, f"still running: {left}"

        run_virtual(bounded())

    # pytest asks the wrapper, not the coroutine function, for its fixtures.
    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


class Stage:
    """An air, a terminal on it, and the events that the terminal told."""

    def __init__(
        self,
        seed: int = 1,
        *,
        memory: Memory | None = None,
        policy: ReconnectPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.air = Air(seed)
        self.events: list[Event] = []
        self.waiting: asyncio.Future[Any] | None = None
        self.radio = simulated_radio(self.air)
        self.terminal = Terminal(
            self.radio, sink=self.events.append, memory=memory, policy=policy, limits=limits, seed=seed
        )

    def kinds(self, *among: str) -> list[str]:
        """The kinds told so far, in order; only those of `among` if any are named."""
        return [event.kind for event in self.events if not among or event.kind in among]

    def of(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event.kind == kind]

    def last(self, kind: str) -> Event:
        """The last event of one kind."""
        return self.of(kind)[-1]

    async def connect(self, serial: str = M2, **options: Any) -> Reader:
        """Discovers and connects."""
        return await self.terminal.easy_connect(DESK, serial=serial, **options)

    async def until(self, status: ConnectionStatus, timeout_s: float = 600.0) -> None:
        """Waits for a status."""
        async with asyncio.timeout(timeout_s):
            await self.terminal.until(status)


@asynccontextmanager
async def stage(seed: int = 1, *, readers: tuple[str, ...] = (M2,), **options: Any) -> AsyncGenerator[Stage]:
    """A stage with readers two metres away, closed at the end."""
    set_up = Stage(seed, **options)
    for serial in readers:
        set_up.air.add_reader(serial, distance_m=2.0)
    try:
        yield set_up
    finally:
        await set_up.terminal.close(force=True)
        set_up.air.close()
