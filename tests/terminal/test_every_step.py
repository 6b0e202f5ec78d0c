"""Something happens at every single step of an operation: nothing hangs, nothing is left, every start has one end.

The loop counts its turns, and at the n-th one the thing is done; then the next n, until the operation is over first.
"""

import asyncio
import math
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from stage import DESK, M2, Stage

from terminal_kit.errors import TerminalError
from terminal_kit.events import ConnectionStatus
from terminal_kit.simulator import SimulatorLoop

EVERY = int(os.environ.get("TERMINAL_KIT_EVERY_STEP", "3"))
"""Every third step on ordinary days, each one (1) before an issue is closed."""

ENDS = {
    "discovery_started": {"discovery_finished"},
    "connect_started": {"connect_succeeded", "connect_failed"},
    "reconnect_started": {"reconnect_succeeded", "reconnect_failed"},
    "scan_started": {"scan_stopped"},
    "busy_started": {"busy_ended"},
}

Deed = Callable[[Stage, "asyncio.Task[Any]"], Awaitable[None] | None]


class SteppingLoop(SimulatorLoop):
    """A jumping loop that does something at a turn of its own."""

    def __init__(self) -> None:
        super().__init__(math.inf)
        self.turns_left = -1
        self.deed: Callable[[], None] = lambda: None

    def _run_once(self) -> None:
        self.turns_left -= 1
        if self.turns_left == 0:
            self.deed()  # before anything else of this turn
        super()._run_once()


async def one(loop: SteppingLoop, turn: int, prepare: Any, operate: Any, deed: Deed) -> bool:
    """One run with the deed at this turn; gives whether the operation still ran then."""
    on = Stage(seed=1)
    on.air.add_reader(M2, distance_m=2.0)
    given = await prepare(on)
    operation = asyncio.create_task(operate(on, given))
    in_time, doing = [], []

    def act() -> None:
        in_time.append(not operation.done())
        result = deed(on, operation)
        if asyncio.iscoroutine(result):
            doing.append(asyncio.create_task(result))

    loop.deed, loop.turns_left = act, turn
    await asyncio.wait({operation}, timeout=900)
    assert operation.done(), f"turn {turn}: the operation hangs, {on.terminal}"
    loop.turns_left = -1
    await asyncio.sleep(400)
    for task in [operation, *doing]:
        assert task.done(), f"turn {turn}: {task} hangs"
        error = None if task.cancelled() else task.exception()
        assert error is None or isinstance(error, TerminalError), f"turn {turn}: {error!r}"
    linked = on.air.readers[M2].link is not None
    assert linked == (on.terminal.status is ConnectionStatus.CONNECTED), f"turn {turn}: {on.terminal}, linked: {linked}"
    await on.terminal.close()
    assert on.air.readers[M2].link is None, f"turn {turn}: the link is still up"
    on.air.close()
    await asyncio.sleep(1)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"turn {turn}: {left}"
    for start, ends in ENDS.items():
        begun = sorted(event.attempt_id for event in on.of(start))
        ended = sorted(event.attempt_id for event in on.events if event.kind in ends)
        assert begun == ended, f"turn {turn}: {start}"
    told = Counter(event.kind for event in on.events)
    assert told["link_connected"] == told["link_disconnected"]
    assert told["link_connecting"] == told["link_connected"] + told["link_failed"]
    return bool(in_time and in_time[0])


def sweep(prepare: Any, operate: Any, deed: Deed) -> int:
    """Every turn (or every third) until the operation is over before it; gives how many were tried."""
    turn, tried = 1, 0
    while True:
        with asyncio.Runner(loop_factory=SteppingLoop) as runner:
            if not runner.run(one(runner.get_loop(), turn, prepare, operate, deed)):
                return tried
        turn, tried = turn + EVERY, tried + 1


async def found(on: Stage) -> Any:
    return (await on.terminal.discover_readers(timeout_s=2))[0]


async def connected(on: Stage) -> Any:
    return await on.connect()


async def discover(on: Stage, _: Any) -> None:
    await on.terminal.discover_readers(timeout_s=3)


async def connect(on: Stage, reader: Any) -> None:
    await on.terminal.connect_reader(reader, DESK)


async def find_and_connect(on: Stage, _: Any) -> None:
    await on.terminal.easy_connect(DESK, serial=M2)


async def disconnect(on: Stage, _: Any) -> None:
    await on.terminal.disconnect_reader()


async def restart(on: Stage, _: Any) -> None:
    on.air.faults.start("reboot", M2)
    await on.terminal.until(ConnectionStatus.RECONNECTING)
    await on.terminal.until(ConnectionStatus.CONNECTED)


def fault(name: str, seconds: float) -> Deed:
    async def deed(on: Stage, _: Any) -> None:
        active = on.air.faults.start(name, M2)
        await asyncio.sleep(seconds)
        active.undo()

    return deed


async def close(on: Stage, _: Any) -> None:
    await on.terminal.close()
    await asyncio.sleep(100)
    assert on.terminal.status is ConnectionStatus.NOT_CONNECTED


async def cancel(on: Stage, _: Any) -> None:
    """Cancels what runs; where that is admitted, nothing is connected afterwards."""
    verbs = {
        ConnectionStatus.DISCOVERING: on.terminal.cancel_discovering,
        ConnectionStatus.CONNECTING: on.terminal.cancel_connecting,
    }
    if verb := verbs.get(on.terminal.status):
        await verb()
        await asyncio.sleep(100)
        assert on.terminal.status is ConnectionStatus.NOT_CONNECTED


OPERATIONS = {
    "discover": (None, discover),
    "connect": (found, connect),
    "find and connect": (None, find_and_connect),
    "disconnect": (connected, disconnect),
}
DEEDS: dict[str, Deed] = {
    "the caller gives up": lambda on, operation: operation.cancel() and None,
    "close": close,
    "cancel": cancel,
    "the link breaks": lambda on, _: on.air.readers[M2].link and on.air.readers[M2].link.end(0x13),
    "restart": lambda on, _: on.air.faults.start("reboot", M2) and None,
    "off for a while": fault("switch_off", 20),
    "Bluetooth off for a while": fault("bluetooth_off", 20),
    "stolen for a while": fault("steal", 20),
    "hung for a while": fault("hang", 60),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation(operation: str, deed: str) -> None:
    prepare, operate = OPERATIONS[operation]

    async def nothing(_on: Stage) -> None:
        return None

    assert sweep(prepare or nothing, operate, DEEDS[deed]) > 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("verb", ["cancel_reader_reconnection", "disconnect_reader", "close"])
def test_a_wish_to_part_during_a_restart(verb: str) -> None:
    """X3, X5: whenever it comes, it is the end; where it is refused, the reader comes back."""

    async def operate(on: Stage, given: Any) -> None:
        try:
            async with asyncio.timeout(60):
                await restart(on, given)
        except TimeoutError:
            assert on.terminal.status is ConnectionStatus.NOT_CONNECTED

    assert sweep(connected, operate, lambda on, _: getattr(on.terminal, verb)()) > 1
