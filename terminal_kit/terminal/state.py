"""The terminal's state: its status, the running operation, and the telling of what changes."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from terminal_kit.errors import BusyError, TerminalError
from terminal_kit.events import ConnectionStatus, DisconnectReason, Kind
from terminal_kit.radio import Radio
from terminal_kit.radio.translation import check_host
from terminal_kit.reader import Reader
from terminal_kit.terminal.operation import Operation, Outcome
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder
from terminal_kit.terminal.status import (
    ALONE,
    MOVES,
    Connected,
    Connecting,
    NotConnected,
    Reconnecting,
    Status,
    Verb,
    refusal,
)


class State:
    """Where a terminal stands. `enter()` is the only writer of the status."""

    def __init__(self, radio: Radio, recorder: Recorder, limits: Limits) -> None:
        self.radio = radio
        self.recorder = recorder
        self.limits = limits
        self.operation: Operation[Any] | None = None
        self._now: Status = NotConnected()
        self._doing: Verb | None = None
        self.cancellations = 0
        self._moved = asyncio.Event()

    @property
    def now(self) -> Status:
        """The status with its facts."""
        return self._now

    @property
    def status(self) -> ConnectionStatus:
        """The status in one word."""
        return self._now.status

    @property
    def serial(self) -> str:
        """The reader concerned, empty where there is none."""
        match self._now:
            case Connected(reader=reader):
                return reader.serial
            case Connecting(serial=serial) | Reconnecting(serial=serial):
                return serial
            case _:
                return ""

    def now_s(self) -> float:
        """The monotonic clock, in seconds."""
        return self.radio.clock.monotonic_s()

    def enter(self, status: Status) -> None:
        """Moves to `status` if `MOVES` allows it, tells so, and wakes whoever waits for it."""
        move = (type(self._now), type(status))
        if move not in MOVES:
            raise AssertionError(f"a terminal cannot go from {move[0].__name__} to {move[1].__name__}")
        before, self._now = self._now, status
        if before.status is not status.status:
            self.tell(Kind.STATUS_CHANGED)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def until(self, condition: Callable[[Status], bool]) -> None:
        """Waits until the status meets `condition`."""
        while not condition(self._now):
            await self._moved.wait()

    def admit(self, verb: Verb, *, alone: bool = True) -> None:
        """Raises what `VERBS` says where `verb` may not run now (C3); not `alone`: beside what else is being done."""
        running = self.operation.name if self.operation else "an automatic reconnection"
        if error := refusal(verb, self.status, running, self.serial):
            raise error
        if alone and self._doing is not None and verb in ALONE:
            raise BusyError(f"{verb} must wait: {self._doing} runs", running=self._doing)

    @contextmanager
    def doing(self, verb: Verb) -> Generator[None]:
        """Admits a verb that acts on the connected reader, and keeps others like it out while the block runs."""
        self.admit(verb)
        self.occupy(verb)
        try:
            yield
        finally:
            self.leave(verb)

    def occupy(self, verb: Verb) -> None:
        """Keeps other verbs that act on the reader out until `leave(verb)`."""
        self._doing = verb

    def leave(self, verb: Verb) -> None:
        """Lets others in again."""
        if self._doing == verb:
            self._doing = None

    def check_host(self) -> None:
        """Raises the host's fault where there is one (D5)."""
        check_host(self.radio.host_state())

    async def cancel(self, why: TerminalError) -> None:
        """Ends the running operation and waits for its end; `cancellations` tells whoever goes on after one."""
        self.cancellations += 1
        operation = self.operation
        if operation is not None:
            operation.cancel(why)
            await operation.stopped()

    def tell(self, kind: Kind, **columns: Any) -> None:
        """One event about this terminal, with the status as it now is."""
        columns.setdefault("reader", self.serial)
        self.recorder.emit(kind, status=self.status, **columns)

    def notice(self, what: str, reader: str, reason: DisconnectReason | None = None, text: str | None = None) -> None:
        """Something that people are told (X9). `what` is one of the notices that `words` puts in plain English."""
        self.tell(Kind.NOTICE, reader=reader, stage=what, reason=reason, text=text)

    def reader_changed(self, reader: Reader) -> None:
        """Takes newer facts about the connected reader; while it is not connected they wait in the relation."""
        if isinstance(self._now, Connected):
            self.enter(Connected(reader, self._now.session))


def code_of(outcome: Outcome) -> str | None:
    """The error code of how an operation ended; None for success."""
    if outcome is None:
        return None
    if isinstance(outcome, asyncio.CancelledError):
        return "CANCELED"
    return outcome.code if isinstance(outcome, TerminalError) else TerminalError.code
