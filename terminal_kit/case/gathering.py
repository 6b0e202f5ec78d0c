"""What a case holds: rows, findings and sources of one log, under pseudonyms unless asked otherwise."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from terminal_kit.analysis import disconnects
from terminal_kit.diagnosis import Finding, Habit, diagnose, habits
from terminal_kit.diagnosis.finding import clock
from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.filters import Among
from terminal_kit.eventlog.readers import known_reader
from terminal_kit.eventlog.sources import whole_files
from terminal_kit.events import Kind, is_dated
from terminal_kit.redaction import Redactor, learn_log, redact
from terminal_kit.words import counted, words

READERS = 4
"""Timelines on one page: those with the most incidents, or else the most rows. More than that nobody reads."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the page tells. `readers` are those with a timeline; `is_redacted` whether names are pseudonyms."""

    title: str
    frame: pd.DataFrame
    findings: Sequence[Finding]
    habits: Sequence[Habit]
    sources: Sequence[Source]
    notes: Sequence[str]
    readers: Sequence[str]
    is_redacted: bool

    def sentences(self) -> list[str]:
        """The summary: what was recorded, what dropped, and why, as far as that can be said."""
        rows: Any = self.frame
        if not len(rows):
            return ["Nothing is recorded."]
        spans: Any = rows[rows["t_us"].map(is_dated)].groupby("run")["t_us"].agg(["min", "max"])
        hours = float((spans["max"] - spans["min"]).sum()) / 3.6e9
        drops = [finding for finding in self.findings if finding.kind == "disconnect"]
        told = [
            f"{len(rows):,} events, {hours:.1f} hours recorded, from {_count(len(self.sources), 'imported file')}.",
            f"{_count(len(drops), 'drop')} and {_count(len(self.findings) - len(drops), 'failed connection')}.",
        ]
        causes = Counter(words(finding.cause) for finding in self.findings)
        told += [f"{count} of {len(self.findings)}: {cause}." for cause, count in causes.most_common()]
        returned = disconnects(self.frame)["returned_s"].dropna()
        if len(returned):
            told.append(
                f"{_count(len(returned), 'time')} the reader was there again, half of them within "
                f"{returned.median():.1f} s."
            )
        return told

    def days(self) -> list[tuple[str, str, int, int, str]]:
        """By reader and day (UTC): drops, failed connections, and the cause that was found most often."""
        groups: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault((finding.reader, clock(finding.t_us)[:10]), []).append(finding)
        return [
            (
                reader,
                day,
                sum(finding.kind == "disconnect" for finding in found),
                sum(finding.kind != "disconnect" for finding in found),
                words(Counter(finding.cause for finding in found).most_common(1)[0][0]),
            )
            for (reader, day), found in sorted(groups.items())
        ]


def gather(
    log: EventLog,
    *,
    title: str | None = None,
    reader: str | None = None,
    notes: Sequence[str] = (),
    redacted: bool = True,
    key: bytes | str | None = None,
    redactor: Redactor | None = None,
    radio: Among = None,
) -> Case:
    """Takes a case from a log; `reader` chooses one. Notes of people in the log (`note` rows) come with `notes`.

    Under pseudonyms, and without a title, unless `redacted` is false: stable ones under `key`, which is random unless
    given, or those of a `redactor`, which may know names that no row tells. `title` is the log's file name unless
    given. Raises `EventLogError` where simulated and real rows would be mixed unasked (`radio`),
    `InvalidParameterError` for a reader that the log does not know.
    """
    frame: Any = log.frame(radio=radio)
    named = frame["reader"].fillna("")
    wanted = named.isin(named.unique() if reader is None else ["", known_reader(log, reader, radio=radio)])
    sources, told, title = whole_files(log.sources()), list(notes), log.path.name if title is None else title
    if redacted:
        door = redactor or Redactor(key)
        # All names of the whole log are learned, those of readers that are left out too: notes may tell of them.
        learn_log(log, door)
        frame = redact(frame, redactor=door)
        sources = [door.source(source) for source in sources]
        # A log's own name says whose it is, as often as not.
        told, title = [door.text(note) for note in told], ""
    frame = frame[wanted].reset_index(drop=True)
    findings = diagnose(frame)
    told += [str(text) for text in frame.loc[frame["kind"] == Kind.NOTE.value, "text"].dropna()]
    return Case(
        title=title,
        frame=frame,
        findings=findings,
        habits=habits(frame, findings),
        sources=sources,
        notes=told,
        readers=_readers(frame, findings),
        is_redacted=redacted,
    )


def _count(number: int, what: str) -> str:
    return counted(number, what) if number else f"no {what}s"


def _readers(frame: Any, findings: Sequence[Finding]) -> list[str]:
    named = frame.loc[frame["reader"].fillna("") != "", "reader"]
    incidents = Counter(finding.reader for finding in findings if finding.reader)
    by_rows = [str(name) for name in named.value_counts().index]
    wanted = [name for name, _ in incidents.most_common()] or by_rows
    return [name for name in wanted if name in set(by_rows)][:READERS]
