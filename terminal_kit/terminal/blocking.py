"""The same verbs for people who do not write `await`."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from terminal_kit.errors import InvalidParameterError, TerminalError

Waiter = Callable[[Callable[[], Awaitable[Any]]], Any]
"""Runs an async function to its end while the caller waits."""


_PLAIN = frozenset({"subscribe", "list_locations", "in_use"})
"""Methods that wait for nothing."""


class Blocking:
    """A terminal whose verbs wait for their result: `terminal.blocking.connect_reader(reader, "tml_…")`.

    `discover_readers(timeout_s=…)` gives the last list, and needs a limit. Attributes that are no verbs pass through,
    both ways. Beside a session the verbs run in its thread; elsewhere on the kernel's own loop (see `on_kernel_loop`).
    """

    _terminal: object
    _wait: Waiter

    def __init__(self, terminal: object, wait: Waiter | None) -> None:
        self.__dict__.update(_terminal=terminal, _wait=wait or on_kernel_loop)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._terminal, name, value)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._terminal, name)
        if not inspect.ismethod(attribute) or name in _PLAIN:
            return attribute
        if name == "monitor":
            raise TerminalError(
                "a watch has no end to wait for", hint="Iterate over terminal.monitor(), or look at a session's view."
            )

        def verb(*args: Any, **kwargs: Any) -> Any:
            if name == "discover_readers" and _is_endless(attribute, *args, **kwargs):
                raise InvalidParameterError(
                    "a discovery without a limit has no end to wait for",
                    parameter="timeout_s",
                    hint="Pass timeout_s, for instance 5.",
                )

            async def run() -> Any:
                result = attribute(*args, **kwargs)
                return await result if inspect.isawaitable(result) else result

            return self._wait(run)

        verb.__doc__ = attribute.__doc__
        return verb

    def __dir__(self) -> list[str]:
        return dir(self._terminal)


def _is_endless(discover: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    given = inspect.signature(discover).bind(*args, **kwargs).arguments
    return not given.get("timeout_s") and given.get("discovery_method") != "bluetooth_proximity"


def on_kernel_loop(function: Callable[[], Awaitable[Any]]) -> Any:
    """Runs an async function on the notebook's own, already running loop, by nest-asyncio.

    nest-asyncio replaces the loop's inner step, so it is applied on first use only, in the main thread only, and
    never to a loop with a simulated clock. Raises `TerminalError` where it cannot be used.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is None or threading.current_thread() is not threading.main_thread() or hasattr(loop, "skip"):
        raise TerminalError(
            "blocking calls need a notebook's own loop, or a session",
            hint="In a script: `with Session() as session: session.terminal.blocking…`.",
        )
    import nest_asyncio  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415 - only who blocks needs it

    nest_asyncio.apply(loop)  # pyright: ignore[reportUnknownMemberType]

    async def run() -> Any:
        return await function()

    return loop.run_until_complete(run())
