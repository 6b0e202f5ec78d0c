"""The air's clock as an event loop: real time, scaled time, or time that jumps to the next deadline.

asyncio's timers do all the waiting, so that whatever runs on this loop (the air, the terminal, a test) shares one
simulated time, in order.
"""

import asyncio
import heapq
import math
import selectors
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from terminal_kit.errors import InvalidParameterError

T = TypeVar("T")

GIVE_WAY_EVERY_S = 0.003
GIVE_WAY_S = 0.001
"""Beside a page's own loop a jumping clock sleeps 1 ms in every 4: that kept the page's lag under 1.1 ms (p99)."""


class SimulatorLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` is simulated.

    `rate` is simulated seconds a real second; `math.inf` jumps: as soon as everything sleeps, time is the next
    deadline. It never jumps while work is under way in a thread pool or a file descriptor is being waited for.
    Deadlines that are equal keep the order in which they were set. While `stands_still` is set, time does not jump to
    a deadline by itself: whoever lets it jump says when, or a jumping clock would run through years while nobody looks.
    """

    def __init__(self, rate: float = 1.0, *, give_way: bool = False) -> None:
        super().__init__(_Selector(self))
        self._give_way = give_way
        self._base_s = 0.0
        self._base_real_s = time.monotonic()
        self._skip_until_s = -math.inf
        self._set_rate(rate)
        self._gave_way_s = self._base_real_s
        self._under_way = 0
        self._deadlines = 0
        self.stands_still = False

    @property
    def rate(self) -> float:
        """Simulated seconds a real second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._anchor(self.time())
        self._set_rate(rate)

    @property
    def is_jumping(self) -> bool:
        """Whether time now goes from deadline to deadline."""
        return self._base_s < self._skip_until_s

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        if self._base_s < self._skip_until_s:
            return self._base_s
        return self._base_s + (time.monotonic() - self._base_real_s) * self._rate

    async def skip(self, seconds: float) -> None:
        """Lets `seconds` pass at once: every deadline in between comes in order, at its own time."""
        until_s = self.time() + seconds
        self._anchor(self.time())
        self._skip_until_s = max(self._skip_until_s, until_s)
        await asyncio.sleep(max(0.0, until_s - self.time()))

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's, with deadlines that stay in order where they are equal."""
        self._deadlines += 1
        deadline = _Deadline(when, callback, args, self, context)
        deadline.order = self._deadlines
        # The loop's own heap: private, stable since asyncio began, and held by a test.
        heapq.heappush(self._scheduled, deadline)  # pyright: ignore
        deadline._scheduled = True  # pyright: ignore  # noqa: SLF001
        return deadline

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """As asyncio's; time does not jump until the work is done."""
        self._under_way += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._came_back)
        return future

    async def shutdown_default_executor(self, *timeout: Any, **limit: Any) -> None:
        """As asyncio's (its limit came with Python 3.12); time does not jump past the limit while threads end."""
        self._under_way += 1
        try:
            await super().shutdown_default_executor(*timeout, **limit)
        finally:
            self._under_way -= 1

    def wait_s(self, timeout_s: float | None, *, watching: bool) -> float | None:
        """How long the selector may really wait, when asyncio wants to wait `timeout_s` of simulated time."""
        if not self.is_jumping:
            return None if timeout_s is None else timeout_s / self._rate
        if self._under_way or watching:
            return 0.001 if timeout_s is None or timeout_s > 0 else 0
        if self.stands_still and math.isinf(self._rate) and timeout_s != 0:
            return None
        if timeout_s is None:
            # Nothing is due: only another thread can bring news.
            self._end_skip()
            return None
        if timeout_s > 0:
            self._jump(timeout_s)
        return self._breath()

    def _set_rate(self, rate: float) -> None:
        if not rate > 0:
            raise InvalidParameterError(
                f"time cannot pass {rate} times as fast",
                parameter="rate",
                value=rate,
                hint="1 is real time, math.inf as fast as it goes.",
            )
        self._rate = rate
        if math.isinf(rate):
            self._skip_until_s = math.inf
        elif math.isinf(self._skip_until_s):
            self._skip_until_s = -math.inf

    def _jump(self, timeout_s: float) -> None:
        self._anchor(min(self._base_s + timeout_s, self._skip_until_s))

    def _anchor(self, now_s: float) -> None:
        self._base_s, self._base_real_s = now_s, time.monotonic()

    def _end_skip(self) -> None:
        if not math.isinf(self._rate):
            self._anchor(max(self._base_s, self._skip_until_s))
            self._skip_until_s = -math.inf

    def _breath(self) -> float:
        now_s = time.monotonic()
        if self._give_way and now_s - self._gave_way_s >= GIVE_WAY_EVERY_S:
            self._gave_way_s = now_s + GIVE_WAY_S
            return GIVE_WAY_S
        return 0

    def _came_back(self, _future: object) -> None:
        self._under_way -= 1


class _Deadline(asyncio.TimerHandle):
    """A timer that knows when it was set."""

    order: int = 0

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, _Deadline)
        return (self.when(), self.order) < (other.when(), other.order)


class _Selector(selectors.DefaultSelector):
    """Asks the loop how long to wait."""

    def __init__(self, loop: SimulatorLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # One file descriptor is the loop's own, for news from other threads.
        return super().select(self._loop.wait_s(timeout, watching=len(self.get_map()) > 1))


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on a clock that jumps, and gives its result."""
    with asyncio.Runner(loop_factory=lambda: SimulatorLoop(math.inf)) as runner:
        return runner.run(main)
