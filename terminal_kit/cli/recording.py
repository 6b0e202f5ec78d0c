"""A session for a command: it says whether its readers are real and its log takes them, and ends in order."""

import argparse
import asyncio
import math
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from terminal_kit.cli.options import feed_of, radio_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.progress import Bar
from terminal_kit.errors import EventLogError, LinkError, LinkLostError, PairingLostError, TerminalError
from terminal_kit.eventlog import EventLog
from terminal_kit.events import DisconnectReason, Event, Kind, RadioName
from terminal_kit.session import Session
from terminal_kit.words import advice, reason_words

NOT_REAL: dict[RadioName, str] = {
    "simulated": "simulated radio: these readers are not real; --radio native uses this computer's Bluetooth",
    "virtual": "virtual radio: these readers are not real; --radio native uses this computer's Bluetooth",
}
"""Said once, on standard error, so that nobody takes a simulation for a reader."""

FAULT_S = 1.0
"""How often the log is asked whether it still records."""

SAME_HANG_UP_S = 1.0
"""A closed window hangs up twice, the kernel and then the shell: the second must not break off the orderly end."""

_TOLD = frozenset(
    {"status_changed", "battery", "notice", "error", "reconnect_attempted", "connect_failed", "reason_learned"}
)
"""The kinds that people want to follow; the log has the rest."""

_RESTARTS = frozenset({DisconnectReason.REBOOT_REQUESTED, DisconnectReason.SECURITY_REBOOT})


@contextmanager
def session_of(chosen: argparse.Namespace) -> Generator[Session]:
    """The session that `--radio`, `--seed`, `--log` and `--feed` ask for, while the block runs.

    Being terminated or hung up is Ctrl-C here: the reader is disconnected and the run finished. What the log cannot
    store is said when that begins, and raised (`EventLogError`) where it still stands at the end.
    """
    radio = radio_of(chosen)
    if radio in NOT_REAL:
        say(NOT_REAL[radio], error=True)
    with hang_up_is_ctrl_c():
        session = Session(radio, seed=chosen.seed, log=getattr(chosen, "log", None), **feed_of(chosen))
        failure: BaseException | None = None
        try:
            session.start()
            if session.log is not None:
                session.call(_tell_faults, session.log)
            yield session
        except BaseException as error:
            failure = error
            raise
        finally:
            fault = _close(session)
            if fault is not None and isinstance(failure, TerminalError):
                say(printable(fault.line()), error=True)
            elif fault is not None:
                raise fault


@contextmanager
def hang_up_is_ctrl_c() -> Generator[None]:
    """SIGTERM and SIGHUP raise `KeyboardInterrupt` while the block runs. One that is ignored (nohup) stays so."""
    last_s = -math.inf

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal last_s
        before_s, last_s = last_s, time.monotonic()
        if last_s - before_s > SAME_HANG_UP_S:
            raise KeyboardInterrupt

    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():  # Python gives signals to no other
            for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
                if signal.getsignal(number) == signal.SIG_DFL:
                    before[number] = signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Follower:
    """A listener of a terminal: prints what people want to follow, and keeps how a reader was lost."""

    def __init__(self) -> None:
        self._end: Event | None = None

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        if event.kind == Kind.DISCONNECTED:
            self._end = event
        if event.kind in _TOLD:
            facts = (event.status, event.stage, event.reason, event.error_code, event.text)
            told = " ".join(printable(str(fact)) for fact in facts if fact)
            battery = "" if event.battery is None else f" {event.battery:.0%}"
            Bar.end_line()
            say(f"{printable(event.reader) or '–':<18} {event.kind:<20} {told}{battery}")

    def loss(self, text: str) -> LinkError:
        """The error for a reader that is gone for good: `text` and the reason."""
        end = self._end
        reason, reader = (end.reason, end.reader) if end else (None, "")
        facts: dict[str, Any] = {"reader": reader, "hci_code": end.hci_code if end else None}
        text = f"{text} ({reason_words(reason)})"
        if reason == DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION:
            return PairingLostError(text, **facts)
        # "It comes back" is no advice for one that did not.
        hint = None if reason in _RESTARTS else advice(reason) or None
        return LinkLostError(text, hint=hint, reason=reason or DisconnectReason.UNKNOWN, **facts)


def _close(session: Session) -> EventLogError | None:
    """Closes the session; gives what its log could not store."""
    try:
        session.close()
    except EventLogError as error:
        return error
    return session.log.fault if session.log is not None else None


async def _tell_faults(log: EventLog) -> None:
    told: EventLogError | None = None
    while True:
        fault = log.fault
        if fault is not None and told is None:
            say(f"not recording: {printable(fault.line())}", error=True)
        elif fault is None and told is not None:
            say("recording again", error=True)
        told = fault
        await asyncio.sleep(FAULT_S)
