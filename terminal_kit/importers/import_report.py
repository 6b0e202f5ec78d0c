"""What an import tells of each file, and how far it has come."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from terminal_kit.errors import TerminalError
from terminal_kit.eventlog.sources import TimeRule
from terminal_kit.importers.report import Damage


class Progress(NamedTuple):
    """How far an import has come. `file` is being read; the bytes are those of all files that are to be read."""

    file: str
    done_bytes: int
    total_bytes: int


class Clock(NamedTuple):
    """What a log of an app may lack: its year, and its time zone (`Europe/Berlin`, `+02:00`). None: not known."""

    year: int | None = None
    time_zone: str | None = None


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of one file. `records` (lines, of a log) are `understood`, `foreign` or `damaged`.

    `events`: how many rows the log gained. `foreign_reasons`: why, and how many. `damages`: the places, up to a limit.
    `findings` are sentences about the file that people should read. `already_there`: the log has the file, nothing was
    added. `clock_offset_us` is added to the file's times when they are read. `source`, `run`: ids in the log, once
    stored. `error`: why the file was not imported; it is none for all others.
    """

    file: str
    container: str = ""
    records: int = 0
    understood: int = 0
    foreign: int = 0
    damaged: int = 0
    events: int = 0
    foreign_reasons: Counter[str] = field(default_factory=Counter[str])
    damages: list[Damage] = field(default_factory=list[Damage])
    findings: list[str] = field(default_factory=list[str])
    time_rule: TimeRule = "exact"
    time_zone: str | None = None
    already_there: bool = False
    first_us: int | None = None
    last_us: int | None = None
    clock_offset_us: int = 0
    source: int | None = None
    run: str | None = None
    error: TerminalError | None = None

    def as_json(self) -> dict[str, Any]:
        """The contract's object: file, container, records, understood, foreign, damaged, events; and all the rest."""
        return {
            "file": self.file,
            "container": self.container,
            "records": self.records,
            "understood": self.understood,
            "foreign": self.foreign,
            "damaged": self.damaged,
            "events": self.events,
            "foreign_reasons": dict(self.foreign_reasons.most_common()),
            "damages": [
                {"text": damage.text, "offset": damage.offset, "record": damage.record} for damage in self.damages
            ],
            "findings": list(self.findings),
            "time_rule": self.time_rule,
            "time_zone": self.time_zone,
            "already_there": self.already_there,
            "first_us": self.first_us,
            "last_us": self.last_us,
            "clock_offset_us": self.clock_offset_us,
            "source": self.source,
            "run": self.run,
            "error": self.error and {"code": self.error.code, "text": str(self.error), "hint": self.error.hint},
        }
