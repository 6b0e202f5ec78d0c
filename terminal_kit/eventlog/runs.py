"""Runs: who recorded, with which radio; every event belongs to one."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from terminal_kit.events import Event, Kind

if TYPE_CHECKING:
    from terminal_kit.eventlog.log import EventLog


class Stamp(Protocol):
    """What tells a run's time: a radio's clock."""

    def utc_us(self) -> int:
        """UTC, microseconds."""
        ...


class Truth(Protocol):
    """What a simulation did: the air's record of it."""

    @property
    def t_us(self) -> int: ...  # noqa: D102
    @property
    def reader(self) -> str: ...  # noqa: D102
    @property
    def what(self) -> str: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run of a recorder, or one import."""

    id: str
    radio: str
    host: str | None
    app: str | None
    time_zone: str | None
    seed: int | None


class Run:
    """One run of a recorder. `append` stamps events with it."""

    def __init__(self, log: "EventLog", run_id: str, clock: Stamp | None) -> None:
        self.id = run_id
        self._log = log
        self._clock = clock

    def append(self, event: Event) -> None:
        """Takes one event of this run; from any thread, at once."""
        self._log.append(event, run=self.id)

    def tell(self, kind: Kind) -> None:
        """A row about the run itself."""
        t_us = self._clock.utc_us() if self._clock else time.time_ns() // 1000
        self.append(Event(kind=kind, t_us=t_us))

    def write_truth(self, truth: Truth) -> None:
        """Stores what a simulation did to whom and when, apart from the events."""
        facts = json.dumps(truth.facts, ensure_ascii=False, default=str)
        self._log.write_truth(t_us=truth.t_us, run=self.id, reader=truth.reader, what=truth.what, facts=facts)

    def finish(self) -> None:
        """Ends the run; one that dies leaves this row out."""
        self.tell(Kind.RUN_FINISHED)
