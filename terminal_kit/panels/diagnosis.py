"""`DiagnosisPanel`: each drop and failed connection of a recording with its causes; one opens to its evidence."""

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from terminal_kit.diagnosis import Evidence, Finding, Habit, Verdict, diagnose, habits
from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.events import is_dated
from terminal_kit.panels.panel import Picture, script
from terminal_kit.panels.record_panel import RecordPanel
from terminal_kit.words import hci_words, reason_words, visible, words

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

SHOWN = 500
"""Incidents in the list; of more, the newest: nobody reads through so many, and a page draws them at ease."""


class DiagnosisPanel(RecordPanel):
    """What lies behind the drops of a log, or of a frame as `EventLog.frame()` gives it.

    Of a log it looks again when **Look again** is pressed: what was recorded or imported meanwhile. Simulated and real
    rows are not mixed: a log that has both needs its frame passed (`log.frame(radio=…)`).
    """

    _esm = script("diagnosis")
    name = "diagnosis"

    def __init__(self, recording: "EventLog | pd.DataFrame") -> None:
        self._log = recording if isinstance(recording, EventLog) else None
        self._frame = None if isinstance(recording, EventLog) else recording
        self._findings: Sequence[Finding] = ()
        self._habits: Sequence[Habit] = ()
        self._chosen: int | None = None
        self._has_looked = False
        super().__init__(about=self._log.path if self._log is not None else None)
        self.work(self._look)

    def draw(self) -> Picture:
        """The incidents, newest first, the chosen one whole, and the habits behind many of them."""
        shown = list(enumerate(self._findings))[-SHOWN:]
        chosen = self._chosen
        return {
            "looking": self.is_working or not self._has_looked,
            "again": self._log is not None,
            "count": len(self._findings),
            "incidents": {str(number): _line(finding) for number, finding in shown},
            "chosen": None if chosen is None else str(chosen),
            "whole": None if chosen is None else _whole(self._findings[chosen]),
            "habits": [_habit(habit) for habit in self._habits],
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """`choose` an incident (or none), `look` again."""
        match command, facts:
            case "choose", {"incident": str(number)} if number.isdigit() and int(number) < len(self._findings):
                self._chosen = int(number)
            case "choose", {"incident": None}:
                self._chosen = None
            case "look", _:
                self.work(self._look)
            case _:
                raise InvalidParameterError(f"the panel has no command {visible(command)!r}", parameter="command")

    def _look(self, _stop: Event) -> None:
        frame = self._log.frame() if self._log is not None else self._frame
        assert frame is not None
        findings = diagnose(frame)
        found = habits(frame, findings)
        self._findings, self._habits, self._chosen, self._has_looked = findings, found, None, True
        self.redraw()


def _line(finding: Finding) -> Picture:
    code = "" if finding.hci_code is None else hci_words(finding.hci_code)
    return {
        "t_us": finding.t_us if is_dated(finding.t_us) else None,
        "reader": visible(finding.reader) or "a reader",
        "what": "dropped" if finding.kind == "disconnect" else "did not connect",
        "said": visible(", ".join(filter(None, (finding.reason and reason_words(finding.reason), code)))),
        "cause": words(finding.cause),
        "confidence": finding.confidence,
    }


def _whole(finding: Finding) -> Picture:
    return {
        "causes": [_verdict(verdict) for verdict in finding.causes],
        "steps": list(map(visible, finding.next_steps)),
    }


def _verdict(verdict: Verdict) -> Picture:
    return {
        "cause": words(verdict.cause),
        "confidence": verdict.confidence,
        "for": [_evidence(one) for one in verdict.for_],
        "against": [_evidence(one) for one in verdict.against],
    }


def _evidence(one: Evidence) -> Picture:
    return {"text": visible(one.text), "place": visible(one.place)}


def _habit(habit: Habit) -> Picture:
    return {"text": visible(habit.text), "advice": visible(habit.advice)}
