"""Finding readers: discovery, its time-outs, and watching without touching the status (D)."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeVar

from terminal_kit.errors import CanceledError, ScanTimeoutError, SupersededError, TerminalError
from terminal_kit.events import ConnectionStatus, Kind
from terminal_kit.reader import BatteryStatus, Reader
from terminal_kit.terminal.neighbourhood import Neighbourhood
from terminal_kit.terminal.operation import Discovery, Operation, Outcome, to_the_end
from terminal_kit.terminal.state import State, code_of
from terminal_kit.terminal.status import Discovering, NotConnected

T = TypeVar("T")

DiscoveryMethod = Literal["bluetooth_scan", "bluetooth_proximity"]
"""The SDK's words: the whole list, or the nearest reader alone (D1, D7)."""

NEAREST_SETTLES_S = 2.0
"""The nearest reader is known only when its neighbours were heard too: two seconds cover slow advertisers."""


class Finder:
    """The discoveries of one terminal: `labels` and `serials` as a `Neighbourhood` takes them."""

    def __init__(
        self, state: State, labels: Callable[[], Mapping[str, str]], serials: Callable[[], Mapping[str, str]]
    ) -> None:
        self._state = state
        self._labels = labels
        self._serials = serials
        self._monitors: set[Operation[None]] = set()

    def discover(self, timeout_s: float | None, *, method: DiscoveryMethod, show_others: bool) -> Discovery:
        """Starts a discovery and gives its handle."""
        discovery = Discovery()
        settled_at_s = self._state.now_s() + NEAREST_SETTLES_S
        steps: list[Reader] = []

        def hand_over(neighbourhood: Neighbourhood) -> bool:
            discovery.hand_over(neighbourhood.readers)
            return False

        def hand_over_nearest(neighbourhood: Neighbourhood) -> bool:
            """Two steps: the nearest reader, and in a moment the same one with its battery (D7)."""
            if self._state.now_s() < settled_at_s or (found := nearest(neighbourhood.readers())) is None:
                return False
            steps.append(found if steps else replace(found, battery=None, charging=None))
            discovery.hand_over(lambda: steps[-1:])
            return len(steps) == 2

        until = hand_over_nearest if method == "bluetooth_proximity" else hand_over
        work = partial(self.scan, until, timeout_s=timeout_s, show_others=show_others)
        operation = self.begin("discover_readers", work, discovery.finish, timeout_s=timeout_s)
        discovery.attach(lambda: operation.cancel(CanceledError("the discovery was canceled")))
        return discovery

    def monitor(self, *, show_others: bool) -> Discovery:
        """Starts a watch that no status knows of (D4)."""
        discovery = Discovery()

        async def watch() -> None:
            neighbourhood = self.neighbourhood(show_others=show_others)
            async with neighbourhood.scanning():
                while True:
                    discovery.hand_over(neighbourhood.readers)
                    await neighbourhood.tick()

        def done(outcome: Outcome) -> None:
            self._monitors.discard(operation)
            discovery.finish(None if isinstance(outcome, CanceledError) else outcome)

        operation = Operation("monitor", watch(), done)
        self._monitors.add(operation)
        discovery.attach(lambda: operation.cancel(CanceledError("the watch was canceled")))
        return discovery

    async def close(self) -> None:
        """Ends every watch."""
        for monitor in list(self._monitors):
            monitor.cancel(CanceledError("the terminal was closed"))
            await monitor.stopped()

    def neighbourhood(self, *, show_others: bool = False) -> Neighbourhood:
        """A fresh list of who is near."""
        state = self._state
        return Neighbourhood(
            state.radio,
            state.recorder,
            state.limits,
            show_others=show_others,
            labels=self._labels(),
            serials=self._serials(),
        )

    async def scan(
        self, until: Callable[[Neighbourhood], bool], *, timeout_s: float | None, show_others: bool = False
    ) -> list[Reader]:
        """Scans until `until(neighbourhood)`. At the time-out: what there is, or `ScanTimeoutError` (D2)."""
        neighbourhood = self.neighbourhood(show_others=show_others)
        try:
            async with asyncio.timeout(timeout_s), neighbourhood.scanning():
                while not until(neighbourhood):
                    await neighbourhood.tick()
        except TimeoutError as error:
            if isinstance(error, TerminalError):
                raise
            if not neighbourhood.has_heard_a_reader:
                raise ScanTimeoutError(
                    f"no reader was heard within {timeout_s:g} s", timeout_s=timeout_s or 0.0
                ) from error
        return neighbourhood.readers()

    def begin(
        self,
        name: str,
        work: Callable[[], Coroutine[Any, Any, T]],
        on_done: Callable[[Outcome], None],
        *,
        timeout_s: float | None,
    ) -> Operation[T]:
        """Makes a discovery the running operation. An older one ends as superseded, before the new scan starts (D4)."""
        state, before = self._state, self._state.operation
        status = Discovering(state.recorder.next_attempt_id())
        started_s = state.now_s()

        def done(outcome: Outcome) -> None:
            if state.operation is operation:
                state.operation = None
            if isinstance(outcome, SupersededError) and state.status is ConnectionStatus.CONNECTING:
                outcome = None  # a connection that starts is a discovery's natural end (D1)
            if state.now is status:
                state.enter(NotConnected())
            state.tell(
                Kind.DISCOVERY_FINISHED,
                reader="",
                attempt_id=status.attempt_id,
                error_code=code_of(outcome),
                text=str(outcome) if outcome else None,
                duration_s=state.now_s() - started_s,
            )
            if isinstance(outcome, ScanTimeoutError):
                state.notice("scan_timed_out", "", text=outcome.hint)
            on_done(outcome)

        operation = Operation(name, after(before, work), done)
        state.operation = operation
        state.enter(status)
        state.tell(Kind.DISCOVERY_STARTED, reader="", attempt_id=status.attempt_id, extra={"timeout_s": timeout_s})
        if before is not None:
            before.cancel(SupersededError(f"{before.name} was superseded by {name}"))
        return operation


def nearest(readers: list[Reader]) -> Reader | None:
    """The first that can be connected, of a list with the nearest first (D7, D6, C4, D8)."""
    return next((reader for reader in readers if can_connect(reader)), None)


def can_connect(reader: Reader) -> bool:
    """Whether nothing that is known of a reader keeps it from being connected and registered."""
    held = reader.paired_in_host or reader.is_taken
    return reader.is_ours and not held and reader.battery_status is not BatteryStatus.CRITICAL


async def after(before: Operation[Any] | None, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """`work()`, once the operation before it has let go of the radio: hosts run one scan at a time."""
    if before is not None:
        await to_the_end(before.stopped())
    return await work()
