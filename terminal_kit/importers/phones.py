"""Which captures are read as one timeline: those of one phone, among them what the log has of it already.

A phone's captures are of a piece: who advertised in the first one has a name in the second, and a link that begins in
one ends in the other. So a capture that goes on where a stored one ends is read together with that, where it still
lies; the rows of the stored one are passed over. It is then the same whether both came in one import or in two.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from terminal_kit.eventlog import EventLog, Source
from terminal_kit.importers.finding_files import Found, look
from terminal_kit.importers.grouping import ADJOINING_US, ONE_PHONE_US, OVERLAP_US, Span, grouped, span_of
from terminal_kit.importers.import_report import ImportReport


class Phones(NamedTuple):
    """`groups` are read together, in the order of time; one of each is new. `doubles`: captures that another one has
    in full, each with that. `looked_at`: ids of stored sources that were compared, and need no hint.
    """

    groups: list[list[Found]]
    doubles: list[tuple[Found, Found]]
    looked_at: frozenset[int]


def phones(log: EventLog, captures: Sequence[Found], *, with_stored: bool = True) -> Phones:
    """The captures by phone, where one of it is new, `with_stored` ones on which they go on.

    Without those where names are replaced: what lies where the log says stands there under its own names, and one run
    would have a reader under two.
    """
    if all(each.known for each in captures):
        return Phones([], [], frozenset())
    given = {each.sha256 for each in captures}
    known = given | {each.grown_from.sha256 for each in captures if each.grown_from}
    stored = [source for source in log.sources() if with_stored and source.is_capture and source.sha256 not in known]
    if len(captures) < 2 and not stored:
        return Phones([[each] for each in captures], [], frozenset())
    spans = [(each, _span(each)) for each in captures]
    alone = [[each] for each, span in spans if span is None and each.known is None]
    placed = [(each, span) for each, span in spans if span is not None]
    earlier = _stored_before([span for each, span in placed if each.known is None], stored, log)
    placed += [(each, span) for each in earlier if (span := _span(each)) is not None]
    found, doubles = grouped([span for _, span in placed])
    groups = (_of_one_run([placed[place][0] for place in group], given) for group in found)
    return Phones(
        alone + [group for group in groups if any(each.known is None for each in group)],
        [(placed[place][0], placed[fuller][0]) for place, fuller in doubles.items()],
        frozenset(each.known.id for each in earlier if each.known),
    )


def joined_finding(group: Sequence[Found], given: Collection[str]) -> str | None:
    """What is said of a capture that was read together with stored ones which nobody gave."""
    if not (earlier := [each.name for each in group if each.sha256 not in given]):
        return None
    return f"It goes on where {earlier[-1]} ends, which the log has: both are one run."


def add_hints(log: EventLog, reports: Iterable[ImportReport], looked_at: Collection[int]) -> None:
    """Says in the reports of new captures which stored ones could be of the same run, and how they come to be."""
    fresh = [each for each in reports if each.events and each.source is not None]
    sources = [source for source in log.sources() if source.is_capture and source.id not in looked_at]
    if not fresh or len(sources) < 2:
        return
    ends = _ends(log, sources)
    for report in fresh:
        if report.first_us is None or report.last_us is None:
            continue
        for source in sources:
            if source.run == report.run or source.container != report.container or source.id not in ends:
                continue
            first_us, last_us = ends[source.id]
            if _adjoin(last_us, report.first_us) or _adjoin(report.last_us, first_us):
                report.findings.append(
                    f"It may be one timeline with {source.name}, which was imported by itself: to have them as one "
                    f"run, import both together into a new log."
                )


def _span(found: Found) -> Span | None:
    try:
        with found.open() as content:
            return span_of(content, found.archive)
    except Exception:
        return None  # what cannot be read now cannot be read when it is stored, where it is told


def _stored_before(spans: Sequence[Span], stored: Sequence[Source], log: EventLog) -> list[Found]:
    """Stored captures that one of these may go on from, where they still lie as they were.

    By their rows, which begin and end within the records: so those of the day before are looked at, too.
    """
    ends = _ends(log, stored)
    near = [
        source
        for source in stored
        if source.id in ends
        and any(
            ends[source.id][0] <= span.first_us and ends[source.id][1] >= span.first_us - 2 * ONE_PHONE_US
            for span in spans
        )
    ]
    ids = {source.id for source in near}
    paths = (Path(source.name.partition("!")[0]) for source in near)
    found = look([path for path in dict.fromkeys(paths) if path.is_file()], near)
    return [each for each in found if isinstance(each, Found) and each.known is not None and each.known.id in ids]


def _of_one_run(group: list[Found], given: Collection[str]) -> list[Found]:
    """A phone's captures without stored ones that nobody gave, but those before the first new one, and of its run."""
    place = next((place for place, each in enumerate(group) if each.known is None), len(group))
    parts = [each.grown_from or each.known for each in reversed(group[: place + 1])]
    run = next((part.run for part in parts if part is not None), None)
    return [
        each
        for at, each in enumerate(group)
        if each.sha256 in given or (at < place and each.known is not None and each.known.run == run)
    ]


def _ends(log: EventLog, sources: Sequence[Source]) -> dict[int, tuple[int, int]]:
    """When the first and the last row of each source are, by its own clock."""
    marks = ", ".join("?" * len(sources))
    rows = log.query(
        f"SELECT source, min(t_us), max(t_us) FROM events WHERE source IN ({marks}) GROUP BY source",  # noqa: S608
        [source.id for source in sources],
    )
    return {source: (first_us, last_us) for source, first_us, last_us in rows}


def _adjoin(last_us: int, first_us: int) -> bool:
    return -OVERLAP_US <= first_us - last_us <= ADJOINING_US
