"""What diagnosis gives: findings, each with ranked causes, the facts for and against them, and what to do next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any, Literal

from terminal_kit.events import Cause, is_dated

IncidentKind = Literal["disconnect", "connect_failed"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clock(t_us: int) -> str:
    """A time as `2025-03-01 14:05:09 UTC`; a number of microseconds where no calendar has it."""
    if not is_dated(t_us):
        return "no date"
    try:
        return f"{_EPOCH + timedelta(microseconds=t_us):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{t_us} µs"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact in words, with where it stands: the file and the record or line in it, else the time of its row.

    `t_us` is the row's time; `in_capture` tells that the record is one of a capture (Wireshark's frame is record + 1).
    """

    text: str
    file: str | None = None
    record: int | None = None
    t_us: int | None = None
    in_capture: bool = False

    @property
    def place(self) -> str:
        """Where it stands, in words: `phone.btsnoop, frame 812`, `app.log, line 40`, or the time."""
        if self.record is None:
            return "" if self.t_us is None else f"at {clock(self.t_us)}"
        number = f"frame {self.record + 1}" if self.in_capture else f"line {self.record}"
        return number if self.file is None else f"{PurePath(self.file.rpartition('!')[2]).name}, {number}"

    def as_json(self) -> dict[str, Any]:
        """As the contract has it. What no field holds is said in the text: Wireshark's frame, or the time."""
        if self.record is None:
            more = "" if self.t_us is None else f" ({self.place})"
        else:
            more = f" (Wireshark's frame {self.record + 1})" if self.in_capture else ""
        return {"text": self.text + more, "file": self.file, "record": self.record}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cause. `confidence` 0…1 is calibrated: of the verdicts given at 0.9, about nine in ten are right.

    `for_` and `against` are what speaks for it and against it, the weightiest first.
    """

    cause: Cause
    confidence: float
    for_: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {
            "cause": str(self.cause),
            "confidence": round(self.confidence, 3),
            "for": [evidence.as_json() for evidence in self.for_],
            "against": [evidence.as_json() for evidence in self.against],
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One incident with its causes, the likeliest first. `reason` and `hci_code` are what the rows say of it.

    `run`, `session` and `source` lead back to its first row; `row` is that row's `seq`.
    """

    t_us: int
    reader: str
    kind: IncidentKind
    reason: str | None
    hci_code: int | None
    causes: tuple[Verdict, ...]
    next_steps: tuple[str, ...] = ()
    run: str = ""
    session: int | None = None
    source: int | None = None
    file: str | None = None
    record: int | None = None
    seq: int | None = None

    @property
    def cause(self) -> Cause:
        """The likeliest cause."""
        return self.causes[0].cause

    @property
    def confidence(self) -> float:
        """How sure that is, 0…1."""
        return self.causes[0].confidence

    def as_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {
            "t_us": self.t_us,
            "reader": self.reader,
            "kind": self.kind,
            "reason": self.reason,
            "hci_code": self.hci_code,
            "causes": [verdict.as_json() for verdict in self.causes],
            "next_steps": list(self.next_steps),
        }


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that lies behind many drops: what it is, where it shows, and what to change.

    `name` is a short key, `readers` whom it concerns (none: all of the host's).
    """

    name: str
    text: str
    advice: str
    evidence: tuple[Evidence, ...] = ()
    readers: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "habit": self.name,
            "text": self.text,
            "advice": self.advice,
            "readers": list(self.readers),
            "evidence": [evidence.as_json() for evidence in self.evidence],
        }
