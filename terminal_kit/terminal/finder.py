"""Finding readers: discovery, its time-outs, and watching without touching the status (D)."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

from terminal_kit.errors import (
    CanceledError,
    InvalidParameterError,
    ReaderNotFoundError,
    ScanTimeoutError,
    SupersededError,
    TerminalError,
)
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


class Choice(Protocol):
    """Picks a reader and its location from a list; `settled` tells that its neighbours had time to be heard."""

    def __call__(self, readers: list[Reader], *, settled: bool) -> tuple[Reader, str] | None:
        """The choice, or None to wait."""
        ...


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

    async def find(
        self, choose: Choice, *, wanted: str, timeout_s: float | None, settle_s: float
    ) -> tuple[Reader, str]:
        """Scans until `choose` has chosen, and gives its choice. Raises `ReaderNotFoundError` at the limit (C6, C7)."""
        settled_at_s = self._state.now_s() + settle_s

        def until(neighbourhood: Neighbourhood) -> bool:
            return choose(neighbourhood.readers(), settled=self._state.now_s() >= settled_at_s) is not None

        work = partial(self.scan, until, timeout_s=timeout_s)
        cancellations = self._state.cancellations
        readers: list[Reader] = []
        cause: ScanTimeoutError | None = None
        try:
            readers = await self.begin("easy_connect", work, lambda _: None, timeout_s=timeout_s).result()
        except ScanTimeoutError as error:
            cause = error
        if self._state.cancellations != cancellations:
            raise CanceledError("finding and connecting a reader was canceled")
        chosen = choose(readers, settled=True)
        if chosen is None:
            raise ReaderNotFoundError(
                f"{wanted} did not appear within {timeout_s or 0.0:g} s",
                serial=wanted,
                timeout_s=timeout_s or 0.0,
                seen=[reader.serial for reader in readers],
            ) from cause
        return chosen

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


def checked_timeout(timeout_s: float | None) -> float | None:
    """Seconds; None for no limit, which 0 says too (D2)."""
    if timeout_s is not None and not 0 <= timeout_s < math.inf:
        raise InvalidParameterError(
            f"{timeout_s} is no time limit",
            parameter="timeout_s",
            value=timeout_s,
            hint="Seconds; 0 or None for no limit.",
        )
    return timeout_s or None
