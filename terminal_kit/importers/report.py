"""What an importer tells of one file: how much was understood, what is foreign, and where it is damaged."""

from collections import Counter
from dataclasses import dataclass, field

from terminal_kit.eventlog.sources import TimeRule

DAMAGES_KEPT = 100
"""Places that are remembered one by one; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One place that could not be read. `offset`: byte of the file; `record`: number of the record, or of the line.

    In an archive the text names what is damaged, and says where the byte is not one of the archive itself.
    """

    text: str
    offset: int | None = None
    record: int | None = None


@dataclass(slots=True)
class Report:
    """One file's account, kept while it is read. Records are the lines, in a log.

    `records` = `understood` + `foreign` + `damaged`. `foreign_reasons` say why: of another protocol, app or layer.
    `findings` are sentences about the file that people should read (a pull that came too late, filtered payloads).
    """

    container: str
    time_rule: TimeRule = "exact"
    time_zone: str | None = None
    records: int = 0
    understood: int = 0
    foreign_reasons: Counter[str] = field(default_factory=Counter[str])
    damaged: int = 0
    damages: list[Damage] = field(default_factory=list[Damage])
    findings: list[str] = field(default_factory=list[str])
    first_us: int | None = None
    last_us: int | None = None

    @property
    def foreign(self) -> int:
        """How many records are whole, and none of ours."""
        return self.foreign_reasons.total()

    def damage(self, text: str, *, offset: int | None = None, record: int | None = None) -> None:
        """Counts a record that cannot be read, and remembers the place."""
        self.damaged += 1
        if len(self.damages) < DAMAGES_KEPT:
            self.damages.append(Damage(text, offset, record))
