"""The `View`. `View.apply(event)` is pure and cheap (some microseconds).

What no event tells (the clock, the log's own state, the faults in force) is put in with `dataclasses.replace()` by
whoever draws.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from terminal_kit.events import ConnectionStatus, Event, RadioName
from terminal_kit.reader import Reader
from terminal_kit.view.changes import changes
from terminal_kit.view.records import Drop, Notice, Point, Reconnecting, Update


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything on screen. Immutable; a change gives a new one. Times are UTC microseconds.

    `reader` is the one being connected, connected or reconnected; `readers` the last discovery's list.
    `next_restart_us` is None where nobody knows (R2). `drops` and `notices` have the newest last. `log` names where it
    is recorded, None where nowhere; `log_fault` says why recording stopped. `faults` are those in force on the
    simulated air. `update_fault` says why nobody knows what waits for this reader (U13).
    """

    radio: RadioName = "simulated"
    now_us: int = 0
    started_us: int | None = None
    log: str | None = None
    log_fault: str | None = None
    host_fault: str | None = None
    internet: bool | None = None
    status: ConnectionStatus = ConnectionStatus.NOT_CONNECTED
    since_us: int | None = None
    readers: tuple[Reader, ...] = ()
    reader: Reader | None = None
    location_id: str | None = None
    next_restart_us: int | None = None
    busy: bool = False
    card_inserted: bool = False
    false_battery_us: int | None = None
    reconnecting: Reconnecting | None = None
    auto_reconnect: bool = True
    notices: tuple[Notice, ...] = ()
    drops: tuple[Drop, ...] = ()
    update: Update | None = None
    update_fault: str | None = None
    signals: MappingProxyType[str, tuple[Point, ...]] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[Any, ...] = ()
    listed: bool = False
    """Whole lists come (`with_readers`): until the next discovery single events
    touch nothing of `readers` but a battery's level."""

    def apply(self, event: Event) -> "View":
        """The view after this event. Unknown kinds only move the time."""
        return replace(
            self,
            now_us=max(self.now_us, event.t_us),
            started_us=event.t_us if self.started_us is None else self.started_us,
            **changes(self, event),
        )

    def with_readers(self, readers: Iterable[Reader]) -> "View":
        """The view with a discovery's whole current list (D1)."""
        return replace(self, readers=tuple(readers), listed=True)

    def returns(self) -> list[tuple[float, bool]]:
        """How long each awaited reader was gone, in seconds, and whether it came back.

        One that did not counts until it was given up, or until now: its return is censored, not missing.
        """
        return [
            (drop.back_after_s, True)
            if drop.back_by == "itself" and drop.back_after_s is not None
            else (((drop.over_us or self.now_us) - drop.t_us) / 1e6, False)
            for drop in self.drops
            if drop.awaited
        ]
