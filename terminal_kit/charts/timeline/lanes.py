"""Which lanes a timeline has, and what each kind of event is in them."""

from typing import Literal, NamedTuple

from terminal_kit.events import Kind

Tone = Literal["bad", "warn", "good", "plain"]
"""How a mark is meant; a sign goes with it, so that colour is not the only carrier."""

SIGNS: dict[Tone, str] = {"bad": "✕", "warn": "!", "good": "▲", "plain": "•"}


class Lane(NamedTuple):
    """One strip of the timeline."""

    name: str
    title: str


SIGNAL = Lane("signal", "Signal, dBm")
RATE = Lane("rate", "Advertisements a second")
PARAMETERS = Lane("parameters", "Link parameters")
BATTERY = Lane("battery", "Battery")
FINDINGS = Lane("findings", "Verdicts")
MARKED: tuple[Lane, ...] = (
    FINDINGS,
    Lane("attempts", "Connection attempts"),
    Lane("sessions", "Sessions"),
    Lane("reconnections", "Reconnections"),
    Lane("updates", "Updates"),
    Lane("errors", "Errors"),
    Lane("reader", "Reader"),
    Lane("app", "App and notes"),
    Lane("host", "Host and radio"),
)
"""The lanes of marks and bars, from top to bottom."""

LANES: tuple[Lane, ...] = (SIGNAL, RATE, *MARKED, PARAMETERS, BATTERY)


class Span(NamedTuple):
    """A bar from the row that starts something to the row that ends it, with the same value of `key`."""

    lane: str
    starts: frozenset[str]
    good: frozenset[str]
    bad: frozenset[str]
    key: str


SPANS: tuple[Span, ...] = (
    Span(
        "attempts",
        frozenset({Kind.CONNECT_STARTED}),
        frozenset({Kind.CONNECT_SUCCEEDED}),
        frozenset({Kind.CONNECT_FAILED}),
        "attempt_id",
    ),
    Span(
        "attempts",
        frozenset({Kind.LINK_CONNECTING}),
        frozenset({Kind.LINK_CONNECTED}),
        frozenset({Kind.LINK_FAILED}),
        "reader",
    ),
    Span(
        "sessions",
        frozenset({Kind.LINK_CONNECTED}),
        frozenset[str](),
        frozenset({Kind.LINK_DISCONNECTED}),
        "session",
    ),
    Span(
        "reconnections",
        frozenset({Kind.RECONNECT_STARTED}),
        frozenset({Kind.RECONNECT_SUCCEEDED}),
        frozenset({Kind.RECONNECT_FAILED}),
        "attempt_id",
    ),
    Span(
        "updates",
        frozenset({Kind.UPDATE_STARTED}),
        frozenset({Kind.UPDATE_FINISHED}),
        frozenset[str](),
        "attempt_id",
    ),
    Span("host", frozenset({Kind.SCAN_STARTED}), frozenset({Kind.SCAN_STOPPED}), frozenset[str](), "reader"),
    Span("host", frozenset({Kind.DISCOVERY_STARTED}), frozenset({Kind.DISCOVERY_FINISHED}), frozenset[str](), "reader"),
)

MARKS: dict[str, tuple[str, Tone]] = {
    Kind.LINK_FAILED: ("attempts", "bad"),
    Kind.CONNECT_FAILED: ("attempts", "bad"),
    Kind.LINK_DISCONNECTED: ("sessions", "bad"),
    Kind.DISCONNECTED: ("sessions", "bad"),
    Kind.REASON_LEARNED: ("sessions", "plain"),
    Kind.ENCRYPTION_CHANGED: ("sessions", "plain"),
    Kind.RECONNECT_ATTEMPTED: ("reconnections", "plain"),
    Kind.RECONNECT_SUCCEEDED: ("reconnections", "good"),
    Kind.RECONNECT_FAILED: ("reconnections", "bad"),
    Kind.UPDATE_AVAILABLE: ("updates", "plain"),
    Kind.UPDATE_PROGRESS: ("updates", "plain"),
    Kind.ERROR: ("errors", "bad"),
    Kind.ATT_ERROR: ("errors", "warn"),
    Kind.PAIRING_FAILED: ("errors", "bad"),
    Kind.BATTERY_FALSE_READING: ("errors", "warn"),
    Kind.LOW_BATTERY: ("errors", "warn"),
    Kind.READER_FOUND: ("reader", "plain"),
    Kind.READER_LOST: ("reader", "warn"),
    Kind.READER_STARTED: ("reader", "good"),
    Kind.READER_INFO: ("reader", "plain"),
    Kind.STANDBY_ENTERED: ("reader", "plain"),
    Kind.STANDBY_LEFT: ("reader", "plain"),
    Kind.BUSY_STARTED: ("reader", "plain"),
    Kind.BUSY_ENDED: ("reader", "plain"),
    Kind.CARD_INSERTED: ("reader", "plain"),
    Kind.CARD_REMOVED: ("reader", "plain"),
    Kind.REBOOT_REQUESTED: ("reader", "warn"),
    Kind.REGISTERED: ("reader", "plain"),
    Kind.NOTE: ("app", "plain"),
    Kind.NOTICE: ("app", "warn"),
    Kind.APP_MESSAGE: ("app", "plain"),
    Kind.HOST_CHANGED: ("host", "warn"),
    Kind.CLOCK_JUMPED: ("host", "warn"),
    Kind.GAP: ("host", "warn"),
    Kind.RUN_STARTED: ("host", "plain"),
    Kind.RUN_FINISHED: ("host", "plain"),
}
"""Kind → its lane and its tone. What only starts or ends a bar, and what has a lane of its own, is not among them."""
