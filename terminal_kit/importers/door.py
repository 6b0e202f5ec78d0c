"""Where files come in: they are sniffed, put together by phone, read, and handed to the log."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from terminal_kit.errors import CanceledError, DataError, EventLogError, InvalidParameterError, TerminalError
from terminal_kit.eventlog import EventLog
from terminal_kit.importers import alignment, app_logs
from terminal_kit.importers.alignment import Settled
from terminal_kit.importers.app_logs import OnLack
from terminal_kit.importers.captures.reading import CaptureReading
from terminal_kit.importers.content import Content
from terminal_kit.importers.finding_files import Found, holds_log, look
from terminal_kit.importers.import_report import Clock, ImportReport, Progress
from terminal_kit.importers.known import clock_finding, first_timed, known_report, names_finding
from terminal_kit.importers.phones import add_hints, joined_finding, phones
from terminal_kit.importers.report import Report
from terminal_kit.importers.sdk_logs import LogReading
from terminal_kit.importers.sdk_logs.lines import chunks
from terminal_kit.importers.storing import Redacts, Tally, Work, take_in


class Asked(NamedTuple):
    """What one call of the door is asked for, as `import_files()` tells it."""

    clock: Clock
    on_progress: Callable[[Progress], None] | None
    on_lack: OnLack | None
    redactor: Redacts | None


def import_files(
    paths: Iterable[str | Path | Content],
    log: EventLog | str | Path,
    *,
    year: int | None = None,
    time_zone: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_lack: OnLack | None = None,
    redactor: Redacts | None = None,
) -> list[ImportReport]:
    """Takes captures and logs of apps into a log; gives a report for each, in their order.

    `log` is open, or the path of one; where there is none, it is made if there is something to import.

    A folder stands for its files, an archive for its members, a `Content` for a file that lies nowhere (an upload);
    what they are is told by their content. The captures of one phone become one run, also with one that was imported
    before and ends where they begin, as long as it lies where it lay. A file that the log has adds nothing; of one that
    has grown, only what is new is added. Each run is stored whole or not at all. `year` and `time_zone`
    (`Europe/Berlin`, `+02:00`) are for logs that lack them; else they are taken from a capture that overlaps, or asked
    for (`on_lack`), or assumed; which, is said. `redactor` replaces names before they are stored: it is shown all files
    first, since a name that one line gives away may stand in an earlier one. The advertisements of captures, which are
    full of names, are not kept then. What is asked in vain of a file that the log has (another year, other names) is
    said in its report.

    A file that cannot be imported hinders no other: its report has an `error`. Raises `InvalidParameterError` for a
    log that is open for reading only, `EventLogError` where the log cannot be written.
    """
    asked = Asked(Clock(year, time_zone), on_progress, on_lack, redactor)
    places = map(_place, paths)
    if isinstance(log, EventLog):
        if log.read_only:
            raise InvalidParameterError(f"{log.path} is open for reading only", parameter="log", value=str(log.path))
        return _take(list(look(places, log.sources())), log, asked)
    path = Path(log).expanduser()
    if path.exists():
        with EventLog(path) as opened:
            return _take(list(look(places, opened.sources())), opened, asked)
    found = list(look(places, ()))
    refused = [each for each in found if isinstance(each, ImportReport)]
    if len(refused) == len(found):
        return refused
    with EventLog(path) as made:
        return _take(found, made, asked)


def learn_names(paths: Iterable[str | Path | Content], redactor: Redacts) -> None:
    """Shows a redactor all lines of the logs among some files, of which an `EventLog` has those that became rows.

    One that becomes no row may be the only one that tells what a name is. What cannot be read is passed over: the
    import says so.
    """
    for each in look(map(_place, paths), ()):
        if isinstance(each, Found) and (each.role == "log" or _holds_log(each)):
            with suppress(TerminalError):
                _learn_lines(each, redactor)


def _take(found: Sequence[Found | ImportReport], log: EventLog, asked: Asked) -> list[ImportReport]:
    fresh = list({each.sha256: each for each in reversed(found) if isinstance(each, Found)}.values())[::-1]
    given = {each.sha256 for each in fresh}
    known = partial(_known, log, asked)
    reports: dict[str, ImportReport] = {}
    logs = [each for each in fresh if each.known is None and each.role == "log"]
    captures = [each for each in fresh if each.role == "capture"]
    of_phones = phones(log, captures, with_stored=asked.redactor is None)
    for each, fuller in of_phones.doubles:
        if each.known is None and _holds_log(each):
            logs.append(each)
        else:
            finding = (
                f"Left out: {fuller.name} has the time that they share in full. What else it has is seen where it is "
                f"imported by itself."
            )
            reports[each.sha256] = known(each, finding)
    groups = [*of_phones.groups, *([each] for each in logs)]
    passes = 1 if asked.redactor is None else 2
    total_bytes = passes * sum(each.size_bytes for group in groups for each in group)
    work = Work(log, asked.on_progress, asked.redactor, total_bytes)
    if asked.redactor is not None:
        for group in of_phones.groups:
            _learn(work, asked.redactor, group)
        for each in logs:
            _learn(work, asked.redactor, [each], as_log=True)
    for group in of_phones.groups:
        _try(reports, group, lambda group=group: _store_captures(work, group, given))
    for each in logs:
        _try(reports, [each], lambda each=each: app_logs.store(work, each, asked.clock, asked.on_lack))
    alignment.correct_known(log, list(reports.values()))
    add_hints(log, reports.values(), of_phones.looked_at)
    return _in_order(found, reports, known)


def _place(path: str | Path | Content) -> Path | Content:
    return path if isinstance(path, Content) else Path(path).expanduser()


def _holds_log(found: Found) -> bool:
    """Whether there are lines of an SDK in what is a capture: a bug report has the phone's log, too."""
    with found.open() as content:
        return holds_log(content)


def _learn(work: Work, redactor: Redacts, group: Sequence[Found], *, as_log: bool = False) -> None:
    """Shows a redactor the names in some files, before the first row of any file is stored.

    Of a log it sees all lines: one that becomes no row may be the only one that tells what a name is.
    """
    with ExitStack() as stack:
        try:
            reading = _log(work, group[0], stack) if as_log else _captures(work, group, stack)
            for batch in reading.batches():
                redactor.learn_columns(batch)
            redactor.aliases(reading.aliases())
            if as_log:
                _learn_lines(group[0], redactor)
        except CanceledError:
            raise
        except Exception:  # noqa: S110 - what cannot be read now cannot be read when it is stored, where it is told
            pass


def _learn_lines(found: Found, redactor: Redacts) -> None:
    with found.open() as content:
        for chunk in chunks(content):
            redactor.learn_texts(chunk.lines)


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


def _store_captures(work: Work, group: Sequence[Found], given: Collection[str]) -> list[ImportReport]:
    with ExitStack() as stack:
        reading = _captures(work, group, stack)

        def settle(reports: Sequence[Report], tally: Tally) -> Settled:
            return alignment.settle(work.log, tally.links, captures=False)

        reports = take_in(work, group, reading, settle)
    if finding := joined_finding(group, given):
        next(report for report in reports if not report.already_there).findings.append(finding)
    return reports


def _try(reports: dict[str, ImportReport], group: Sequence[Found], store: Callable[[], list[ImportReport]]) -> None:
    """Stores a group, or says in its reports why not: what is wrong with some files keeps no others out."""
    try:
        told = store()
    except (CanceledError, EventLogError):
        raise
    except TerminalError as error:
        told = [ImportReport(file=each.name, error=error) for each in group]
    except Exception as error:
        fault = DataError(
            f"{group[0].name} could not be read ({type(error).__name__}: {error})",
            path=group[0].name,
            hint="This is a fault of the kit: please report it.",
        )
        fault.__cause__ = error
        told = [ImportReport(file=each.name, error=fault) for each in group]
    reports.update((each.sha256, report) for each, report in zip(group, told, strict=True))


def _known(log: EventLog, asked: Asked, found: Found, finding: str | None = None) -> ImportReport:
    """The report of a file that adds nothing; what is asked of it in vain is said."""
    if (source := found.known) is None:
        return known_report(found, finding)
    names = names_finding(source, replacing=asked.redactor is not None)
    return known_report(found, finding, names, clock_finding(log, first_timed(found) or source, asked.clock))


def _in_order(
    found: Sequence[Found | ImportReport], reports: dict[str, ImportReport], known: Callable[..., ImportReport]
) -> list[ImportReport]:
    """A report for each file; for one that was given twice, the second time that it is there already."""
    told = list[ImportReport]()
    given = set[str]()
    for each in found:
        if isinstance(each, ImportReport):
            told.append(each)
        elif each.sha256 in given:
            told.append(known_report(each, "The same file was given before."))
        else:
            given.add(each.sha256)
            told.append(reports.get(each.sha256) or known(each))
    return told
