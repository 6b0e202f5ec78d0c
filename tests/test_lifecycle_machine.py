"""Random commands, faults and clock steps: the promises that hold in every order (hypothesis' state machine)."""

import asyncio
import contextlib
import math
import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from stage import DESK, M2, TERRACE, WISEPAD, Stage

from terminal_kit.errors import TerminalError
from terminal_kit.events import ConnectionStatus
from terminal_kit.reader import Reader
from terminal_kit.simulator import FAULTS, SimulatorLoop
from terminal_kit.simulator.outcomes import OUTCOMES

EXAMPLES = int(os.environ.get("TERMINAL_KIT_EXAMPLES", "30"))
"""The short form for every day; 2,000 before an issue is closed."""

FINISHES = {
    "discovery_started": ("discovery_finished",),
    "connect_started": ("connect_succeeded", "connect_failed"),
    "reconnect_started": ("reconnect_succeeded", "reconnect_failed"),
    "scan_started": ("scan_stopped",),
    "busy_started": ("busy_ended",),
    "update_started": ("update_finished",),
}

LINK_ENDS = ("link_connected", "link_disconnected")

SERIALS = (M2, WISEPAD)


class Lifecycle(RuleBasedStateMachine):
    """One terminal, two readers, and everything that can be done to them at once."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = SimulatorLoop(math.inf)
        self.running: list[asyncio.Task[Any]] = []
        self.faults: list[Any] = []
        self.watches: list[Any] = []

        async def make() -> Stage:
            on = Stage(seed=3)
            for number, serial in enumerate(SERIALS):
                on.air.add_reader(serial, distance_m=1.0 + 3 * number)
            return on

        self.on = self.loop.run_until_complete(make())

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def spawn(self, verb: Any) -> None:
        """Starts a verb and does not wait for it; it may be refused or fail, but only with errors of the tree."""

        async def act() -> None:
            with contextlib.suppress(TerminalError):
                result = verb()
                if hasattr(result, "__await__"):
                    await result

        async def start() -> None:
            self.running.append(asyncio.create_task(act()))
            await asyncio.sleep(0)

        self.run(start())

    @rule(timeout_s=st.sampled_from([0.5, 5.0, 30.0]))
    def discover(self, timeout_s: float) -> None:
        self.spawn(lambda: self.on.terminal.discover_readers(timeout_s))

    @rule()
    def discover_and_forget(self) -> None:
        async def act() -> None:
            with contextlib.suppress(TerminalError):
                self.on.terminal.discover_readers()

        self.run(act())

    @rule(
        serial=st.sampled_from([*SERIALS, None]), location=st.sampled_from([DESK, TERRACE, "nowhere"]), on=st.booleans()
    )
    def easy_connect(self, serial: str | None, location: str, on: bool) -> None:
        self.spawn(
            lambda: self.on.terminal.easy_connect(location, serial=serial, auto_reconnect_on_unexpected_disconnect=on)
        )

    @rule()
    def reconnect_last(self) -> None:
        self.spawn(self.on.terminal.reconnect_last_reader)

    @rule(
        verb=st.sampled_from(
            [
                "cancel_discovering",
                "cancel_connecting",
                "disconnect_reader",
                "reboot_reader",
                "cancel_reader_reconnection",
                "install_available_update",
                "cancel_installing_update",
                "close",
            ]
        )
    )
    def command(self, verb: str) -> None:
        self.spawn(getattr(self.on.terminal, verb))

    @rule(verb=st.sampled_from(["disconnect_reader", "reboot_reader", "close"]))
    def insist(self, verb: str) -> None:
        self.spawn(lambda: getattr(self.on.terminal, verb)(force=True))

    @rule(serial=st.sampled_from(SERIALS), outcome=st.sampled_from(sorted(OUTCOMES)))
    def offer(self, serial: str, outcome: str) -> None:
        async def act() -> None:
            self.faults.append(self.on.air.faults.start("update", serial, outcome=outcome))

        self.run(act())

    @rule()
    def give_up_waiting(self) -> None:
        async def act() -> None:
            for task in self.running:
                task.cancel()
            await asyncio.sleep(0)

        self.run(act())

    @rule(fault=st.sampled_from([fault.name for fault in FAULTS]), serial=st.sampled_from(SERIALS))
    def fault(self, fault: str, serial: str) -> None:
        async def act() -> None:
            self.faults.append(self.on.air.faults.start(fault, serial))

        self.run(act())

    @rule(which=st.integers(0, 20))
    def undo(self, which: int) -> None:
        async def act() -> None:
            if self.faults:
                self.faults.pop(which % len(self.faults)).undo()

        self.run(act())

    @rule(on=st.booleans())
    def toggle_auto_reconnect(self, on: bool) -> None:
        self.on.terminal.auto_reconnect = on

    @rule()
    def monitor(self) -> None:
        async def act() -> None:
            with contextlib.suppress(TerminalError):
                self.watches.append(self.on.terminal.monitor())

        self.run(act())

    @rule()
    def end_a_watch(self) -> None:
        async def act() -> None:
            if self.watches:
                self.watches.pop().cancel()

        self.run(act())

    @rule(seconds=st.sampled_from([60.0, 86400.0]))
    def skip_time(self, seconds: float) -> None:
        listening = self.watches or self.on.terminal.status is ConnectionStatus.DISCOVERING
        # A day of advertisements takes a while even at this pace.
        self.run(self.on.air.skip_time(min(seconds, 60.0) if listening else seconds))

    @rule()
    def forget(self) -> None:
        readers = self.on.terminal.memory.readers()
        if readers:
            self.spawn(lambda: self.on.terminal.forget_reader(Reader(serial=readers[0].serial)))

    @rule(seconds=st.sampled_from([0.01, 0.3, 2.0, 20.0, 400.0, 2000.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @invariant()
    def status_and_reader_agree(self) -> None:
        """Complaint 6."""
        terminal = self.on.terminal
        assert (terminal.connected_reader is not None) == (terminal.status is ConnectionStatus.CONNECTED)
        changes = [event.status for event in self.on.events if event.kind == "status_changed"]
        assert (changes[-1] if changes else "not_connected") == terminal.status

    @invariant()
    def no_link_is_up_that_the_terminal_does_not_know(self) -> None:
        """A leaked link would keep its reader from ever being heard again (complaint 3)."""
        if self.on.terminal.status in (ConnectionStatus.NOT_CONNECTED, ConnectionStatus.DISCOVERING):
            assert not [serial for serial, reader in self.on.air.readers.items() if reader.link is not None]

    @invariant()
    def no_start_has_two_finishes(self) -> None:
        """Complaint 8."""
        for kinds in FINISHES.values():
            finishes = Counter(event.attempt_id for event in self.on.events if event.kind in kinds)
            assert all(count == 1 for count in finishes.values())

    @invariant()
    def no_progress_goes_back(self) -> None:
        """U4."""
        seen: dict[str, float] = {}
        for event in self.on.events:
            if event.kind == "update_progress":
                assert event.progress >= seen.get(event.attempt_id, 0.0)
                seen[event.attempt_id] = event.progress

    async def every_reader_starts(self) -> None:
        """U10: whatever was done to it in an update."""
        for reader in self.on.air.readers.values():
            with reader.handled() as model:
                model.set_charging(True)
                model.set_battery(1.0)
                model.switch_on()
        await asyncio.sleep(300)
        for reader in self.on.air.readers.values():
            reader.settle()
            assert reader.model.is_on
            assert not reader.model.is_booting

    def teardown(self) -> None:
        async def end() -> None:
            await asyncio.sleep(60)
            with contextlib.suppress(TerminalError):
                await self.on.terminal.cancel_discovering()  # like a watch it may last for ever
            for watch in self.watches:
                watch.cancel()
            await asyncio.sleep(3 * 3600)  # longer than any bound: what still runs then hangs
            hanging = [task for task in self.running if not task.done()]
            async with asyncio.timeout(60):
                await self.on.terminal.close(force=True)
            assert not hanging
            await self.every_reader_starts()
            self.on.air.close()
            await asyncio.sleep(1)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left
            for task in self.running:
                if not task.cancelled():
                    task.result()

        try:
            self.run(end())
        finally:
            self.loop.close()
        assert self.on.terminal.status is ConnectionStatus.NOT_CONNECTED
        for start, finishes in FINISHES.items():
            started = [event.attempt_id for event in self.on.events if event.kind == start]
            finished = [event.attempt_id for event in self.on.events if event.kind in finishes]
            assert sorted(started) == sorted(finished), start
        links = Counter(event.kind for event in self.on.events)
        assert links["link_connecting"] == links["link_connected"] + links["link_failed"]
        # A session outlives the restarts that belong to an update (U12), and ends like any other.
        ended = {event.session: event.kind for event in self.on.events if event.kind in LINK_ENDS}
        assert set(ended.values()) <= {"link_disconnected"}


TestLifecycle = pytest.mark.timeout(0)(Lifecycle.TestCase)
TestLifecycle.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
