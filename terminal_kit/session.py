"""`Session`: one thread with one loop that owns a radio, a terminal and its log.

Panels and commands live beside it: a blocking cell cannot starve a link, and simulated time may be scaled or jump.
"""

import asyncio
import atexit
import concurrent.futures
import logging
import math
import threading
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import tzlocal

import terminal_kit
from terminal_kit.errors import CanceledError, InvalidParameterError, RadioUnavailableError, TerminalError
from terminal_kit.eventlog import EventLog, Run
from terminal_kit.events import URGENT_KINDS, Event, Kind, RadioName
from terminal_kit.memory import Locations, Memory
from terminal_kit.radio import HostState, Radio, Undo
from terminal_kit.radio.updates import OnlyOnline, UpdateSource
from terminal_kit.reader import Location, Reader
from terminal_kit.simulator import Air, SimulatorLoop, shop
from terminal_kit.simulator.air import Truth
from terminal_kit.terminal import Terminal
from terminal_kit.updates.source import open_source, trusted_keys
from terminal_kit.view import View

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FLUSH_S = 0.25
"""A view is handed out at most four times a second: more than eyes need, and what a page can draw."""

_STARTS_S = 0.2
"""A thread that is still starting is asked again after this to end."""

RADIOS: tuple[RadioName, ...] = ("simulated", "native", "virtual")


class Session:
    """A radio, a terminal and a log in a thread of their own.

    `radio`: "simulated" (the default), "native" or "virtual". On the simulated radio `air` may bring its own readers
    (a function that fills a fresh `Air`), `seed` repeats a run, `rate` scales time (1 real, `math.inf` as fast as it
    goes while a call is waited for, and standing still otherwise). `log` is an `EventLog` that the caller closes, a
    path, or None for no log. `trainee` keeps stored readers apart on a shared machine (C7). `feed` is where updates
    come from: a `Feed`, or its address with the file of its public key; by default what a trainer gives the simulated
    readers. Use it as a context manager, or call `start()` and `close()`; both safe to repeat.
    """

    def __init__(
        self,
        radio: RadioName = "simulated",
        *,
        air: Callable[[Air], None] | None = None,
        seed: int = 0,
        rate: float = 1.0,
        log: EventLog | str | Path | None = None,
        trainee: str | None = None,
        memory: Memory | None = None,
        locations: Locations | None = None,
        feed: UpdateSource | str | Path | None = None,
        feed_key: str | Path | None = None,
    ) -> None:
        if radio not in RADIOS:
            raise InvalidParameterError(
                f"{radio!r} is no radio", parameter="radio", value=radio, hint=f"Choose one of {', '.join(RADIOS)}."
            )
        self.seed = seed
        self.rate = rate
        self.air: Air | None = None
        self.log: EventLog | None = None
        self.run: Run | None = None
        self.radio: Radio
        self.terminal: Terminal
        self.view = View(radio=radio)
        self._radio_name: RadioName = radio
        self._furnish = air or shop
        self._log_given = log
        self._memory = memory or Memory.of_user(trainee)
        self._locations = locations or Locations.of_user()
        state = self._memory.path.parent / "feeds" if trainee and self._memory.path else None
        self.feed: UpdateSource | None = open_source(feed, key=feed_key, state=state)
        self._feed_keys = trusted_keys(self.feed) if self.feed else ()
        self._time_zone: str | None = None
        self._listeners: list[Callable[[View], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._at_exit: Callable[[], None] = _nothing
        self._failure: BaseException | None = None
        self._ready: concurrent.futures.Future[None] | None = None
        self._dirty = asyncio.Event()
        self._awaited = 1  # starting and closing

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def labels(self) -> Mapping[str, str]:
        """The user's labels of readers, by serial number (L1)."""
        return self._locations.labels

    @property
    def locations(self) -> list[Location]:
        """The places that the picker shows, as the user's file has them now."""
        self._locations.refresh()
        return self._locations.list_locations()

    def start(self) -> None:
        """Starts the thread and waits until the terminal is ready. Raises what kept it from being so."""
        if self._thread is not None:
            if self._ready is not None:
                self._ready.result()  # another thread may just be starting it
            return
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._ready = ready
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="terminal_kit session", daemon=True)
        self._thread.start()
        # A kernel that ends runs this and no `finally`: the run gets its last row, the reader its disconnect.
        self._at_exit = atexit.register(partial(_close, weakref.ref(self)))
        try:
            ready.result()
        except BaseException:
            self.close()  # what was interrupted may be under way
            raise

    def close(self) -> None:
        """Ends what runs, disconnects, closes the log if the session opened it, and joins the thread.

        Raises `EventLogError` where the log could not store everything.
        """
        thread = self._thread
        if thread is None:
            return
        if thread is threading.current_thread():
            raise TerminalError("a session cannot be closed from its own thread", hint="Close it where you made it.")
        while thread.is_alive():
            if self._loop is not None and self._stop is not None:
                with suppress(RuntimeError):  # it has just ended
                    self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(_STARTS_S)
        self._thread = None
        atexit.unregister(self._at_exit)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def call(
        self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> concurrent.futures.Future[T]:
        """Runs an async function on the session's loop; from any thread. Cancelling the future cancels it."""
        loop = self._running_loop()

        async def run() -> T:
            self._wait_for(1)
            try:
                return await function(*args, **kwargs)
            finally:
                self._wait_for(-1)

        return asyncio.run_coroutine_threadsafe(run(), loop)

    def post(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs a plain function on the session's loop, soon; from any thread."""
        self._running_loop().call_soon_threadsafe(lambda: function(*args, **kwargs))

    def subscribe(self, callback: Callable[[View], None]) -> Undo:
        """Calls `callback(view)` in the session's thread when something changed, at most four times a second."""
        self._listeners.append(callback)

        def undo() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return undo

    async def scan(self, timeout_s: float | None = None, *, show_others: bool = False) -> list[Reader]:
        """Runs a discovery to its end and keeps `view.readers` current meanwhile; a cancel ends it quietly."""
        discovery = self.terminal.discover_readers(timeout_s, show_others=show_others)
        try:
            async for readers in discovery:
                self._show(self.view.with_readers(readers))
        except CanceledError:
            pass
        finally:
            discovery.cancel()
        return discovery.readers

    def tell(self, kind: Kind, **columns: Any) -> None:
        """Logs a fact about the host, or a person's remark (`Kind.NOTE`, `text=…`). On the session's loop."""
        clock = self.radio.clock
        mono_us = round(clock.monotonic_s() * 1e6)
        self._on_event(Event(kind=kind, t_us=clock.utc_us(), mono_us=mono_us, **columns))

    # ---- in the session's thread

    def _serve(self, ready: concurrent.futures.Future[None]) -> None:
        def new_loop() -> asyncio.AbstractEventLoop:
            if self._radio_name == "simulated":
                return SimulatorLoop(rate=self.rate, give_way=True)
            return asyncio.new_event_loop()

        try:
            with ExitStack() as undo:
                self._open_log(undo)  # before there is a loop that it could block
                with asyncio.Runner(loop_factory=new_loop) as runner:
                    runner.run(self._live(ready))
        except BaseException as error:
            if ready.done():
                self._failure = error
            else:
                ready.set_exception(error)
        finally:
            self._loop = None

    async def _live(self, ready: concurrent.futures.Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with AsyncExitStack() as undo:
            self.radio = await self._open_radio(undo)
            self._start_run(undo)
            undo.callback(self.radio.watch_host(self._host_changed))
            self._host_changed(self.radio.host_state())
            feed = self.feed
            if feed is not None and (air := self.air) is not None:
                feed = OnlyOnline(feed, lambda: air.host.internet)
            self.terminal = Terminal(
                self.radio,
                name="terminal",
                sink=self._on_event,
                memory=self._memory,
                locations=self._locations,
                updates=feed,
                seed=self.seed,
                wait=self._wait,
            )
            undo.push_async_callback(self.terminal.close, force=True)
            flushing = asyncio.create_task(self._flush(), name="terminal_kit: session flush")
            undo.push_async_callback(_end, flushing)
            self._wait_for(-1)
            ready.set_result(None)
            await self._stop.wait()
            self._wait_for(1)

    async def _open_radio(self, undo: AsyncExitStack) -> Radio:
        if self._radio_name == "native":
            from terminal_kit.radio.native import native_radio  # noqa: PLC0415 - loads the host's backend

            return await undo.enter_async_context(native_radio())
        if self._radio_name == "virtual":
            try:
                from terminal_kit.radio.virtual import virtual_radio  # noqa: PLC0415 - needs the extra `virtual`
            except ModuleNotFoundError as error:
                raise RadioUnavailableError(
                    "the virtual radio needs Bumble", hint="Install it with: pip install 'terminal-kit[virtual]'"
                ) from error

            return await undo.enter_async_context(virtual_radio(trusted_keys=self._feed_keys))
        from terminal_kit.radio.simulated import simulated_radio  # noqa: PLC0415 - beside its siblings

        self.air = Air(self.seed)
        undo.callback(self.air.close)
        self._furnish(self.air)
        for key in self._feed_keys:
            self.air.trust(key)
        self.air.on_clock_jump(lambda seconds: self.tell(Kind.CLOCK_JUMPED, duration_s=seconds))
        return simulated_radio(self.air)

    def _open_log(self, undo: ExitStack) -> None:
        given = self._log_given
        self._time_zone = tzlocal.get_localzone_name()
        if given is None or isinstance(given, EventLog):
            self.log = given
        else:
            self.log = undo.enter_context(EventLog(given))

    def _start_run(self, undo: AsyncExitStack) -> None:
        if self.log is None:
            return
        self.run = self.log.start_run(
            radio=self._radio_name,
            app=f"terminal_kit {terminal_kit.__version__}",
            time_zone=self._time_zone,
            seed=self.seed if self._radio_name == "simulated" else None,
            clock=self.radio.clock,
        )
        undo.callback(self._finish_run)
        if self.air is not None:
            self.air.on_truth(self._note_truth)

    def _wait_for(self, calls: int) -> None:
        """A clock that jumps does so only while somebody waits for a call."""
        self._awaited += calls
        if isinstance(self._loop, SimulatorLoop):
            self._loop.stands_still = self._awaited == 0

    def _host_changed(self, state: HostState) -> None:
        self.tell(Kind.HOST_CHANGED, extra={"fault": state.fault, "internet": state.internet})

    def _on_event(self, event: Event) -> None:
        self._record(event)
        self.view = self.view.apply(event)
        self._dirty.set()
        if event.kind in URGENT_KINDS:
            self._publish()

    def _record(self, event: Event) -> None:
        """Logs it. A log that takes nothing more (its owner closed it) must not stop what is going on."""
        if self.run is None or self.log is None:
            return
        try:
            self.run.append(event)
            name = str((event.extra or {}).get("name") or "")
            namesakes = sum(reader.name == name for reader in self.view.readers)
            if event.kind == Kind.READER_INFO and name not in ("", event.reader) and namesakes <= 1:
                self.log.add_alias(name, event.reader)  # what it is called and what it is, are one reader
        except TerminalError as error:
            _log.warning("not recorded: %s", error.line())

    def _note_truth(self, truth: Truth) -> None:
        if self.run is not None:
            with suppress(TerminalError):  # as in `_record`, which says so
                self.run.write_truth(truth)

    def _finish_run(self) -> None:
        if self.run is not None:
            with suppress(TerminalError):
                self.run.finish()

    def _show(self, view: View) -> None:
        self.view = view
        self._dirty.set()

    def _publish(self) -> None:
        self._dirty.clear()
        for listener in list(self._listeners):
            try:
                listener(self.view)
            except Exception:
                _log.exception("a listener of the session failed")

    async def _flush(self) -> None:
        while True:
            await self._dirty.wait()
            self._publish()
            await asyncio.sleep(FLUSH_S * self.rate if math.isfinite(self.rate) else FLUSH_S)

    def _wait(self, function: Callable[[], Awaitable[Any]]) -> Any:
        if threading.current_thread() is self._thread:
            raise TerminalError(
                "a blocking call would wait for itself in the session's own thread",
                hint="Use the awaitable verbs there: `session.call(…)` or a task.",
            )
        future = self.call(function)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()  # who interrupts a cell means the verb too
            raise
        except concurrent.futures.CancelledError as error:
            raise CanceledError("the session was closed meanwhile") from error

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            raise TerminalError("the session is not running", hint="Call start(), or run the bench's cell again.")
        return self._loop


def _nothing() -> None:
    pass


def _close(session: "weakref.ref[Session]") -> None:
    if (alive := session()) is not None:
        try:
            alive.close()
        except TerminalError as error:
            _log.error("%s", error.line())


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
