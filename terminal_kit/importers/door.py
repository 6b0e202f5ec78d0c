"""Where files come in: they are sniffed, put together by phone, read, and handed to the log."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from terminal_kit.errors import CanceledError, CaptureFormatError, EventLogError, InvalidParameterError, TerminalError
from terminal_kit.eventlog import EventLog
from terminal_kit.importers import alignment, app_logs
from terminal_kit.importers.alignment import Settled
from terminal_kit.importers.app_logs import OnLack
from terminal_kit.importers.captures.reading import CaptureReading
from terminal_kit.importers.content import Content
from terminal_kit.importers.finding_files import Found, holds_log, look
from terminal_kit.importers.grouping import Span, grouped, span_of
from terminal_kit.importers.import_report import Clock, ImportReport, Progress
from terminal_kit.importers.report import Report
from terminal_kit.importers.sdk_logs import LogReading
from terminal_kit.importers.storing import Redacts, Tally, Work, take_in


def import_files(
    paths: Iterable[str | Path | Content],
    log: EventLog,
    *,
    year: int | None = None,
    time_zone: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_lack: OnLack | None = None,
    redactor: Redacts | None = None,
) -> list[ImportReport]:
    """Takes captures and logs of apps into a log; gives a report for each, in their order.

    A folder stands for its files, an archive for its members, a `Content` for a file that lies nowhere (an upload);
    what they are is told by their content. The captures of one phone become one run. A file that the log has adds
    nothing; of one that has grown, only what is new is added. Each run is stored whole or not at all. `year` and
    `time_zone` (`Europe/Berlin`, `+02:00`) are for logs that lack them; else they are taken from a capture that
    overlaps, or asked for (`on_lack`), or assumed; which, is said. `redactor` replaces names before they are stored: it
    is shown all files first, since a name that one line gives away may stand in an earlier one. The advertisements of
    captures, which are full of names, are not kept then.

    A file that cannot be imported hinders no other: its report has an `error`. Raises `InvalidParameterError` for a
    log that is open for reading only, `EventLogError` where the log cannot be written.
    """
    if log.read_only:
        raise InvalidParameterError(f"{log.path} is open for reading only", parameter="log", value=str(log.path))
    found = list(look(map(_place, paths), log.sources()))
    fresh = list({each.sha256: each for each in reversed(found) if isinstance(each, Found)}.values())[::-1]
    to_read = [each for each in fresh if each.known is None]
    passes = 1 if redactor is None else 2
    work = Work(log, on_progress, redactor, passes * sum(each.size_bytes for each in to_read))
    reports: dict[str, ImportReport] = {}
    logs = [each for each in to_read if each.role == "log"]
    phones, doubles = _phones([each for each in fresh if each.role == "capture"])
    for each, fuller in doubles:
        if each.known is None and _holds_log(each):
            logs.append(each)
        else:
            finding = (
                f"Left out: {fuller.name} has the time that they share in full. What else it has is seen where it is "
                f"imported by itself."
            )
            reports[each.sha256] = _known(each, finding)
    if redactor is not None:
        for group in (*phones, *([each] for each in logs)):
            _learn(work, redactor, group)
    for group in phones:
        _try(reports, group, lambda group=group: _store_captures(work, group))
    for each in logs:
        _try(reports, [each], lambda each=each: app_logs.store(work, each, Clock(year, time_zone), on_lack))
    alignment.correct_known(log, list(reports.values()))
    return _in_order(found, reports)


def _place(path: str | Path | Content) -> Path | Content:
    return path if isinstance(path, Content) else Path(path).expanduser()


def _phones(captures: Sequence[Found]) -> tuple[list[list[Found]], list[tuple[Found, Found]]]:
    """The captures by phone, where one of it is new; and those that another one has in full, each with that."""
    if len(captures) < 2 or all(each.known for each in captures):
        return [[each] for each in captures if each.known is None], []
    spans: list[Span] = []
    placed: list[Found] = []
    phones: list[list[Found]] = []
    for each in captures:
        with each.open() as content:
            span = span_of(content, each.archive)
        if span is None:
            phones.append([each])
        else:
            spans.append(span)
            placed.append(each)
    groups, doubles = grouped(spans)
    phones += ([placed[place] for place in group] for group in groups)
    fresh = [phone for phone in phones if any(each.known is None for each in phone)]
    return fresh, [(placed[place], placed[fuller]) for place, fuller in doubles.items()]


def _holds_log(found: Found) -> bool:
    """Whether there are lines of an SDK in what is a capture: a bug report has the phone's log, too."""
    with found.open() as content:
        return holds_log(content)


def _learn(work: Work, redactor: Redacts, group: Sequence[Found]) -> None:
    """Shows a redactor the names in some files, before the first row of any file is stored."""
    with ExitStack() as stack:
        try:
            reading = _captures(work, group, stack) if group[0].role == "capture" else _log(work, group[0], stack)
            for batch in reading.batches():
                redactor.learn_columns(batch)
            redactor.aliases(reading.aliases())
        except CanceledError:
            raise
        except Exception:  # noqa: S110 - what cannot be read now cannot be read when it is stored, where it is told
            pass


def _captures(work: Work, group: Sequence[Found], stack: ExitStack) -> CaptureReading:
    contents = [stack.enter_context(each.open()) for each in group]
    reading = CaptureReading(contents, on_progress=lambda read_bytes: work.tell(group[0].name, read_bytes))
    stack.callback(reading.close)
    return reading


def _log(work: Work, found: Found, stack: ExitStack) -> LogReading:
    """A log of an app with whatever clock: only its names are asked for."""
    return LogReading(
        stack.enter_context(found.open()), on_progress=lambda read_bytes: work.tell(found.name, read_bytes)
    )


def _store_captures(work: Work, group: Sequence[Found]) -> list[ImportReport]:
    with ExitStack() as stack:
        reading = _captures(work, group, stack)

        def settle(reports: Sequence[Report], tally: Tally) -> Settled:
            return alignment.settle(work.log, tally.links, captures=False)

        return take_in(work, group, reading, settle)


def _try(reports: dict[str, ImportReport], group: Sequence[Found], store: Callable[[], list[ImportReport]]) -> None:
    """Stores a group, or says in its reports why not: what is wrong with some files keeps no others out."""
    try:
        told = store()
    except (CanceledError, EventLogError):
        raise
    except TerminalError as error:
        told = [ImportReport(file=each.name, error=error) for each in group]
    except Exception as error:
        fault = CaptureFormatError(
            f"{group[0].name} could not be read ({type(error).__name__}: {error})",
            path=group[0].name,
            hint="This is a fault of the kit: please report it.",
        )
        fault.__cause__ = error
        told = [ImportReport(file=each.name, error=fault) for each in group]
    reports.update((each.sha256, report) for each, report in zip(group, told, strict=True))


def _in_order(found: Sequence[Found | ImportReport], reports: dict[str, ImportReport]) -> list[ImportReport]:
    """A report for each file; for one that was given twice, the second time that it is there already."""
    told = list[ImportReport]()
    given = set[str]()
    for each in found:
        if isinstance(each, ImportReport):
            told.append(each)
        elif each.sha256 in given:
            told.append(_known(each, "The same file was given before."))
        else:
            given.add(each.sha256)
            told.append(reports.get(each.sha256) or _known(each))
    return told


def _known(found: Found, finding: str | None = None) -> ImportReport:
    """The report of a file that adds nothing, with what the log knows of it."""
    report = ImportReport(file=found.name, already_there=True, findings=[finding] if finding else [])
    if (source := found.known) is not None:
        report.container, report.records, report.understood = source.container, source.records, source.understood
        report.damaged, report.time_rule = source.damaged, source.time_rule
        report.foreign, report.clock_offset_us = source.foreign, source.clock_offset_us
        report.source, report.run = source.id, source.run
    return report
