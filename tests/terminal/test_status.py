"""The table of verbs and the table of moves (C3)."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

import pytest
from stage import DESK, M2, Stage, stage, virtual

from terminal_kit.errors import (
    AlreadyConnectedError,
    BusyError,
    CancelFailedError,
    NotConnectedError,
    TerminalError,
)
from terminal_kit.events import ConnectionStatus
from terminal_kit.reader import Reader
from terminal_kit.terminal import Terminal
from terminal_kit.terminal.status import MOVES, VERBS, NotConnected, Status, refusal

S = ConnectionStatus

REFUSALS = {
    "busy": BusyError,
    "connected": AlreadyConnectedError,
    "not_connected": NotConnectedError,
    "nothing_to_cancel": CancelFailedError,
}


@pytest.mark.parametrize("status", ConnectionStatus)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_in_every_status(verb: str, status: ConnectionStatus) -> None:
    error = refusal(verb, status, "connect_reader", "STRM26138003393")
    answer = VERBS[verb][status]
    if answer in ("run", "supersede"):
        assert error is None
    else:
        assert type(error) is REFUSALS[answer]


DOES: dict[str, Callable[[Stage], Awaitable[object]]] = {
    "connect_reader": lambda on: on.terminal.connect_reader(Reader(serial=M2), DESK),
    "easy_connect": lambda on: on.terminal.easy_connect(DESK, serial=M2),
    "forget_reader": lambda on: on.terminal.forget_reader(Reader(serial=M2)),
}


async def brought_to(status: ConnectionStatus, on: Stage) -> None:
    """Does what leads to a status, and stays there."""
    if status is S.DISCOVERING:
        on.terminal.discover_readers()
    elif status is S.CONNECTING:
        on.waiting = asyncio.ensure_future(on.terminal.connect_reader(Reader(serial=M2), DESK))
        await asyncio.sleep(0)
    elif status in (S.CONNECTED, S.RECONNECTING):
        await on.connect()
        if status is S.RECONNECTING:
            on.air.faults.start("switch_off", M2)
            await on.until(status)
    assert on.terminal.status is status


@pytest.mark.parametrize("status", ConnectionStatus)
@pytest.mark.parametrize("verb", VERBS)
def test_the_terminal_does_as_the_table_says(verb: str, status: ConnectionStatus) -> None:
    """C3: each verb in each status, on a terminal that is really there."""

    @virtual
    async def check() -> None:
        async with stage() as on:
            await brought_to(status, on)
            answer = VERBS[verb][status]
            failed = None
            try:
                result = DOES.get(verb, lambda on: getattr(on.terminal, verb)())(on)
                if verb == "monitor" or verb == "discover_readers":
                    result.cancel()
                else:
                    await result
            except TerminalError as error:
                failed = error
            if verb == "cancel_installing_update":
                assert type(failed) is CancelFailedError  # none runs here; test_updates cancels some
            elif answer in ("run", "supersede"):
                assert type(failed) not in REFUSALS.values(), failed
            else:
                assert type(failed) is REFUSALS[answer]
                assert on.terminal.status is status
            await on.terminal.close()
            if on.waiting is not None:
                await asyncio.wait({on.waiting})
                on.waiting.exception()

    check()


def test_every_verb_is_a_method_with_words() -> None:
    for verb in VERBS:
        assert inspect.getdoc(getattr(Terminal, verb)), verb


def test_busy_names_what_runs() -> None:
    """Complaint 5: "SDK is busy with another command: discoverReaders" says neither what to do nor why."""
    error = refusal("reboot_reader", ConnectionStatus.RECONNECTING, "an automatic reconnection", "")
    assert isinstance(error, BusyError)
    assert error.running == "an automatic reconnection"
    assert "cancel_reader_reconnection" in error.hint


def test_every_status_can_be_left_and_nothing_is_unreachable() -> None:
    statuses = set(Status.__args__)
    assert {source for source, _ in MOVES} == statuses
    assert {target for _, target in MOVES} == statuses
    assert {(status, NotConnected) for status in statuses - {NotConnected}} <= MOVES
