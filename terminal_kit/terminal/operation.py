"""One thing a terminal does, from start to end, and the discovery handle that people iterate over."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Self, TypeVar

from terminal_kit.errors import TerminalError
from terminal_kit.reader import Reader

T = TypeVar("T")
Outcome = BaseException | None


class Operation(Generic[T]):
    """Work in a task of its own, with exactly one end.

    `on_done(error)` runs once, synchronously and before anybody who awaits the result goes on; a cancelled operation
    ends with `ended_by`, the reason that the canceler gave.
    """

    def __init__(self, name: str, work: Coroutine[Any, Any, T], on_done: Callable[[Outcome], None]) -> None:
        self.name = name
        self.ended_by: TerminalError | None = None
        self._on_done = on_done
        self._ended = asyncio.Event()
        self.task = asyncio.create_task(work, name=f"terminal_kit: {name}")
        self.task.add_done_callback(self._done)

    def cancel(self, why: TerminalError) -> None:
        """Asks it to end, because of `why`. Once: a second request would break off the cleaning up of the first."""
        if self.ended_by is None:
            self.ended_by = why
            self.task.cancel()

    async def stopped(self) -> None:
        """Waits until it has ended, however it ended, and `on_done` has run."""
        await self._ended.wait()

    async def result(self) -> T:
        """The work's result. Raises its error, or `ended_by` where it was canceled. Dies with whoever awaits it."""
        try:
            return await self.task
        except asyncio.CancelledError:
            awaiting = asyncio.current_task()
            if self.ended_by is None or (awaiting and awaiting.cancelling()):
                raise
            raise self.ended_by from None

    @property
    def outcome(self) -> Outcome:
        """What it ended with: an error, or None for success or while it runs."""
        if not self.task.done():
            return None
        if self.task.cancelled():
            return self.ended_by or asyncio.CancelledError()
        return self.task.exception()

    def _done(self, _task: asyncio.Task[T]) -> None:
        try:
            self._on_done(self.outcome)
        finally:
            self._ended.set()


async def to_the_end(work: Awaitable[None]) -> None:
    """Does `work`, which must be bounded in time, to its end; a cancellation waits until then.

    For cleaning up: a link that was only half closed would stay up with nobody to know of it.
    """
    task = asyncio.ensure_future(work)
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            canceled = error
    if canceled is not None:
        raise canceled from task.exception()
    task.result()


class Discovery:
    """A running scan. Iterate over it for the whole current list, again and again; await it for the last one (D1).

    It goes on until it times out, is canceled, superseded, or a connection starts, whether anybody listens or not.
    Iterating ends quietly at a time-out with readers or when a connection starts, and raises otherwise:
    `ScanTimeoutError`, `CanceledError`, `SupersededError` or the host's fault.
    """

    def __init__(self) -> None:
        self._list: Callable[[], list[Reader]] = list
        self._news = asyncio.Event()
        self._is_unseen = False
        self._over = False
        self._error: Outcome = None
        self._cancel: Callable[[], None] | None = None

    def attach(self, cancel: Callable[[], None]) -> None:
        """Gives the handle the way to end its scan."""
        self._cancel = cancel

    @property
    def readers(self) -> list[Reader]:
        """The list as it stands."""
        return self._list()

    def hand_over(self, readers: Callable[[], list[Reader]]) -> None:
        """Says that there is a newer list. It is made when somebody fetches it, so that nobody's list costs nothing."""
        self._list = readers
        self._is_unseen = True
        self._news.set()

    def finish(self, error: Outcome) -> None:
        """Ends the iteration, with an error or quietly."""
        last = self._list()
        self._list = lambda: list(last)
        self._over, self._error = True, error
        self._news.set()

    def cancel(self) -> None:
        """Ends the scan. Safe to repeat."""
        if self._cancel is not None and not self._over:
            self._cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Reader]:
        await self._news.wait()
        if self._over and not self._is_unseen:
            if self._error is not None:
                raise self._error
            raise StopAsyncIteration
        self._is_unseen = False
        if not self._over:
            self._news.clear()
        return self._list()

    def __await__(self) -> Generator[Any, None, list[Reader]]:
        return self._last().__await__()

    async def _last(self) -> list[Reader]:
        while not self._over:
            self._news.clear()
            await self._news.wait()
        if self._error is not None:
            raise self._error
        return self._list()
