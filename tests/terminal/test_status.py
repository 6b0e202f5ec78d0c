"""The table of verbs and the table of moves (C3)."""

import inspect

import pytest

from terminal_kit.errors import AlreadyConnectedError, BusyError, CancelFailedError, NotConnectedError
from terminal_kit.events import ConnectionStatus
from terminal_kit.terminal import Terminal
from terminal_kit.terminal.status import MOVES, VERBS, NotConnected, Status, refusal

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
