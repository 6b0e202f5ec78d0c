"""What a reading gives goes into the log: rows, sources, names and advertisements, all or none."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import Columns, EventLog, Outcome, Source
from terminal_kit.importers import alignment
from terminal_kit.importers.aliases import joined
from terminal_kit.importers.alignment import Settled
from terminal_kit.importers.finding_files import Found
from terminal_kit.importers.growth import Growth
from terminal_kit.importers.import_report import ImportReport, Progress
from terminal_kit.importers.known import NAMED, has_pseudonyms, names_finding
from terminal_kit.importers.reading import Reading
from terminal_kit.importers.report import Report

UNKEPT = (
    "Not all of its advertisements are kept, since every device that was near is in them: import it without "
    "replacing names, and make a redacted copy of the log, to have them under pseudonyms."
)
"""Said of captures whose names are replaced on the way in."""


class Redacts(Protocol):
    """Replaces what names somebody before it is stored: a `redaction.Redactor` does."""

    def learn_columns(self, batch: Columns) -> None:
        """Takes the names that stand in rows, which are to be replaced wherever they stand."""
        ...

    def learn_texts(self, texts: Iterable[str]) -> None:
        """Takes the names that lines tell, also lines of which no row is made."""
        ...

    def columns(self, batch: Columns) -> Columns:
        """Rows without names."""
        ...

    def source(self, source: Source) -> Source:
        """A source without names."""
        ...

    def text(self, text: str, *, is_version: bool = False) -> str:
        """A text without names."""
        ...

    def aliases(self, aliases: Mapping[str, str]) -> Mapping[str, str]:
        """Aliases without names."""
        ...


@runtime_checkable
class HasAdvertisements(Protocol):
    """A reading that has all advertisements of its captures, too."""

    def write_advertisements(self, index: int, path: Path) -> None:
        """Writes those of one file as Parquet."""
        ...


@dataclass(slots=True)
class Work:
    """One call of the door: the log, and how far it has come."""

    log: EventLog
    on_progress: Callable[[Progress], None] | None
    redactor: Redacts | None
    total_bytes: int
    done_bytes: int = 0

    def tell(self, name: str, read_bytes: int) -> None:
        """So many more bytes were read of a file."""
        self.done_bytes = min(self.done_bytes + read_bytes, self.total_bytes)
        if self.on_progress is not None:
            self.on_progress(Progress(name, self.done_bytes, self.total_bytes))


class Tally:
    """Counts the rows of each file as they pass, and remembers what clocks are compared by."""

    def __init__(self, files: int) -> None:
        self.events = [0] * files
        self.links: list[tuple[int, str, str]] = []

    def watched(self, batches: Iterator[Columns]) -> Iterator[Columns]:
        """The batches, as they are."""
        for batch in batches:
            for source, count in Counter(_list(batch["source"])).items():
                self.events[source] += count
            kinds = _list(batch["kind"])
            if places := [place for place, kind in enumerate(kinds) if kind in alignment.LINK_KINDS]:
                times, readers = _list(batch["t_us"]), _list(batch["reader"])
                self.links += [(times[place], str(kinds[place]), readers[place]) for place in places]
            yield batch


Settle = Callable[[Sequence[Report], Tally], Settled]
"""Called when everything is read: says of its clock, and of its names, what other sources tell."""


def take_in(work: Work, group: Sequence[Found], reading: Reading, settle: Settle) -> list[ImportReport]:
    """Stores what is read of some files of one phone; gives a report for each.

    Raises `EventLogError`, and `InvalidParameterError` where a file has grown whose names another key replaced.
    """
    tally = Tally(len(group))
    batches = reading.batches()
    parts = [found.beginnings for found in group]
    growth = Growth(work.log, parts) if any(parts) else None
    if growth is not None:
        batches = growth.fresh(batches)
    if (redactor := work.redactor) is not None:
        batches = map(redactor.columns, batches)
    conflicts: list[tuple[str, str, str]] = []
    written: list[Path] = []

    def outcome() -> Outcome:
        if growth is not None and redactor is not None:
            _check_key(group, growth, redactor)
        settled = settle(reading.reports, tally)
        reading.reports[0].findings += settled.findings
        if growth is not None and growth.named:
            reading.reports[0].findings.append(NAMED.format(rows=growth.named))
        told = reading.aliases() if redactor is None else redactor.aliases(reading.aliases())
        names = joined(work.log.aliases(), {**told, **settled.aliases})
        conflicts.extend(names.conflicts)
        sources = [
            _source(found, report, growth.run if growth else "", settled.offset_us or found.offset_us, redactor)
            for found, report in zip(group, reading.reports, strict=True)
        ]
        if isinstance(reading, HasAdvertisements) and redactor is not None:
            reading.reports[0].findings.append(UNKEPT)
        elif isinstance(reading, HasAdvertisements):
            # Before the rows are committed: advertisements without rows are overwritten by the next import of the
            # file, rows without their advertisements would stay so.
            for index, source in enumerate(sources):
                if group[index].known is None:
                    path = work.log.advertisements_path(source)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    written.append(path)
                    reading.write_advertisements(index, path)
        zone = next((report.time_zone for report in reading.reports if report.time_zone), None)
        app = reading.app
        if app is not None and redactor is not None:
            app = redactor.text(app, is_version=True)
        return Outcome(sources, names.aliases, app, zone)

    try:
        stored = work.log.store_import([found.sha256 for found in group], tally.watched(batches), outcome)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    by_hash = {source.sha256: source for source in stored}
    reports = [
        _account(found, report, by_hash.get(found.sha256), events, replacing=redactor is not None)
        for found, report, events in zip(group, reading.reports, tally.events, strict=True)
    ]
    reports[0].findings += [
        f"{alias} is said to be {other} here; the log knows it as {reader}, and keeps that."
        for alias, reader, other in conflicts
    ]
    return reports


def _check_key(group: Sequence[Found], growth: Growth, redactor: Redacts) -> None:
    """Raises `InvalidParameterError` where one reader would have two pseudonyms in one run."""
    grown = next((found for found in group if any(map(has_pseudonyms, found.beginnings))), None)
    if grown is None or not growth.readers:
        return
    names = list(growth.readers)
    now = redactor.columns({"source": [0] * len(names), "reader": names})["reader"]
    if not any(map(str.__eq__, now, growth.readers.values())):
        raise InvalidParameterError(
            f"the log has the beginning of {grown.name} under the pseudonyms of another key",
            parameter="key",
            hint="Give the key with which it was imported (`--key`), or import the whole into a new log.",
        )


def _source(found: Found, report: Report, run: str, offset_us: int, redactor: Redacts | None) -> Source:
    source = Source(
        sha256=found.sha256,
        name=found.name,
        container=report.container,
        time_rule=report.time_rule,
        size_bytes=found.size_bytes,
        records=report.records,
        understood=report.understood,
        foreign=report.foreign,
        damaged=report.damaged,
        run=run,
        clock_offset_us=offset_us,
        grown_from=found.grown_from.sha256 if found.grown_from else "",
    )
    return source if redactor is None else redactor.source(source)


def _account(found: Found, report: Report, stored: Source | None, events: int, *, replacing: bool) -> ImportReport:
    told = {field.name: getattr(report, field.name) for field in fields(Report)}
    if found.grown_from is not None:
        known = found.grown_from.records
        told["findings"] = [*report.findings, f"The log has its first {known} records: only what is new was added."]
    if (before := found.known or found.grown_from) and (names := names_finding(before, replacing=replacing)):
        told["findings"] = [*told["findings"], names]
    return ImportReport(
        file=found.name,
        foreign=report.foreign,
        events=0 if stored is None else events,
        already_there=stored is None,
        clock_offset_us=0 if stored is None else stored.clock_offset_us,
        source=stored and stored.id,
        run=stored and stored.run,
        **told,
    )


def _list(column: Any) -> list[Any]:
    return column.tolist() if hasattr(column, "tolist") else list(column)
