"""Where an incident's facts are looked for: its rows, its readers, and the spans of time before and after it."""

from dataclasses import dataclass
from functools import cached_property

from terminal_kit.analysis.readers import SAME_US
from terminal_kit.diagnosis.incidents import Incident
from terminal_kit.diagnosis.rows import Rows
from terminal_kit.events import Kind

AFTERMATH_US = 30 * 60 * 1_000_000
"""What comes later than half an hour after a drop says little about it."""


@dataclass
class Scope:
    """One incident among the rows. `next_us` is when the reader's next incident begins, or the aftermath's limit."""

    rows: Rows
    incident: Incident
    next_us: int

    same_us = SAME_US

    @property
    def t_us(self) -> int:
        """When it happened."""
        return self.incident.t_us

    @property
    def readers(self) -> tuple[str, ...]:
        """All names of its reader."""
        return self.incident.readers

    @cached_property
    def last_us(self) -> int:
        """Where what was recorded at that moment ends: nothing is known of what came later."""
        own = {self.rows.text("run", place) for place in self.incident.rows}
        spans = self.rows.run_spans
        return max(last for run, (first, last) in spans.items() if run in own or first <= self.t_us <= last)

    @cached_property
    def began_us(self) -> int:
        """When its link came up; for a connection that failed, when the reader was first looked for, at most 90 s."""
        if self.incident.kind == "disconnect":
            opened = self.rows.last(Kind.LINK_CONNECTED, self.readers, self.t_us)
            return int(self.rows.t_us[opened]) if opened is not None else self.t_us - AFTERMATH_US
        return self.t_us - 90_000_000
