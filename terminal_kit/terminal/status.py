"""What a terminal can be doing, which moves are allowed, and what each verb does in each status (C3).

Each status is a small frozen type with only the fields that exist in it, so that "connected, but to no reader" cannot
be written down (complaint 6: status and connected reader disagree).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from terminal_kit.errors import (
    AlreadyConnectedError,
    BusyError,
    CancelFailedError,
    NotConnectedError,
    TerminalError,
)
from terminal_kit.events import ConnectionStatus, DisconnectReason
from terminal_kit.reader import Reader


@dataclass(frozen=True, slots=True)
class NotConnected:
    """Nothing runs."""

    status: ClassVar = ConnectionStatus.NOT_CONNECTED


@dataclass(frozen=True, slots=True)
class Discovering:
    """A discovery runs; `attempt_id` tells which."""

    status: ClassVar = ConnectionStatus.DISCOVERING
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Connecting:
    """A connection is being made to `reader` (its serial)."""

    status: ClassVar = ConnectionStatus.CONNECTING
    serial: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Connected:
    """`reader` is connected; `session` numbers the link."""

    status: ClassVar = ConnectionStatus.CONNECTED
    reader: Reader
    session: int


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The link to `serial` was lost for `reason` and is being made again."""

    status: ClassVar = ConnectionStatus.RECONNECTING
    serial: str
    reason: DisconnectReason
    attempt_id: str


Status = NotConnected | Discovering | Connecting | Connected | Reconnecting

MOVES: frozenset[tuple[type[Status], type[Status]]] = frozenset(
    {
        (NotConnected, Discovering),
        (NotConnected, Connecting),
        (Discovering, NotConnected),
        (Discovering, Discovering),  # superseded (D4)
        (Discovering, Connecting),
        (Connecting, NotConnected),
        (Connecting, Connected),
        (Connected, Connected),  # the same reader, with newer facts
        (Connected, Reconnecting),
        (Connected, NotConnected),
        (Reconnecting, Connected),
        (Reconnecting, NotConnected),
    }
)
"""The allowed moves. Anything else is a mistake of ours and raises at once."""

Verb = Literal[
    "discover_readers",
    "cancel_discovering",
    "connect_reader",
    "cancel_connecting",
    "easy_connect",
    "disconnect_reader",
    "reboot_reader",
    "cancel_reader_reconnection",
    "look_for_update",
    "install_available_update",
    "install_images",
    "cancel_installing_update",
    "forget_reader",
    "monitor",
    "close",
]

Answer = Literal["run", "supersede", "busy", "connected", "not_connected", "nothing_to_cancel"]
"""What a verb meets: it runs, it ends the running discovery and runs, or it is refused with a code."""

_S = ConnectionStatus
_ORDER = (_S.NOT_CONNECTED, _S.DISCOVERING, _S.CONNECTING, _S.CONNECTED, _S.RECONNECTING)


def _row(*answers: Answer) -> dict[ConnectionStatus, Answer]:
    return dict(zip(_ORDER, answers, strict=True))


_NONE: Answer = "nothing_to_cancel"

VERBS: dict[Verb, dict[ConnectionStatus, Answer]] = {
    # in status:               not_connected    discovering      connecting  connected    reconnecting
    "discover_readers": _row("run", "supersede", "busy", "connected", "busy"),
    "cancel_discovering": _row(_NONE, "run", _NONE, _NONE, _NONE),
    "connect_reader": _row("run", "supersede", "busy", "connected", "busy"),
    "cancel_connecting": _row(_NONE, _NONE, "run", _NONE, _NONE),
    "easy_connect": _row("run", "supersede", "busy", "connected", "busy"),
    "disconnect_reader": _row("not_connected", "not_connected", "busy", "run", "busy"),
    "reboot_reader": _row("not_connected", "not_connected", "busy", "run", "busy"),
    "cancel_reader_reconnection": _row(_NONE, _NONE, _NONE, _NONE, "run"),
    "look_for_update": _row("not_connected", "not_connected", "busy", "run", "busy"),
    "install_available_update": _row("not_connected", "not_connected", "busy", "run", "busy"),
    "install_images": _row("not_connected", "not_connected", "busy", "run", "busy"),
    "cancel_installing_update": _row(_NONE, _NONE, "run", "run", "run"),  # where one runs
    "forget_reader": _row("run", "run", "busy", "connected", "busy"),
    "monitor": _row("run", "run", "run", "run", "run"),
    "close": _row("run", "run", "run", "run", "run"),
}
"""What each verb does in each status (C3). A test walks it."""


ALONE: frozenset[Verb] = frozenset(
    {
        "forget_reader",
        "disconnect_reader",
        "reboot_reader",
        "install_available_update",
        "install_images",
        "discover_readers",
        "connect_reader",
        "easy_connect",
    }
)
"""Verbs that wait for one another even in a status that admits them: one operation at a time (C3)."""


def refusal(verb: Verb, status: ConnectionStatus, running: str, serial: str) -> TerminalError | None:
    """The error with which `verb` is refused in `status`, or None where it may run.

    `running` names the operation that is under way, `serial` the reader concerned.
    """
    match VERBS[verb][status]:
        case "run" | "supersede":
            return None
        case "busy":
            way_out = {
                ConnectionStatus.RECONNECTING: "Wait for it, or call cancel_reader_reconnection().",
                ConnectionStatus.CONNECTING: "Wait for it, or call cancel_connecting().",
            }
            return BusyError(f"{verb} must wait: {running} runs", running=running, hint=way_out.get(status))
        case "connected":
            return AlreadyConnectedError(f"{serial} is connected", reader=serial, status=status)
        case "not_connected":
            return NotConnectedError(f"{verb} needs a connected reader; status is {status}", status=status)
        case "nothing_to_cancel":
            return CancelFailedError(f"{verb}: there is nothing to cancel in status {status}")
