"""`import`: captures and logs of apps into a log. `sources`: what was imported, and its clocks."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, UsageError, command
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.share_bar import ShareBar
from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog, Source
from terminal_kit.eventlog.sources import check_clock_offset, whole_files
from terminal_kit.events import is_capture
from terminal_kit.words import TIME_RULES

if TYPE_CHECKING:
    from terminal_kit.importers import Clock, ImportReport, Lack

T = TypeVar("T")

_EPOCH = datetime.fromtimestamp(0, UTC)

DAMAGES_SHOWN = 5
"""Places of damage that are printed for a file; `--json` has them all."""

FORMATS = """what can be imported, told by its content and not by its name:
  Bluetooth HCI captures: btsnoop (Android, btmon), PacketLogger, pcap and pcapng, btsnooz in a bug report
  logs of apps with the SDK: Android (logcat, Android Studio), iOS, React Native, Capacitor; pasted, mixed, cut
  zip, tar and gz archives of these (a bug report, a sysdiagnose), and folders of them

example: terminal-kit import bugreport.zip app.log --log field.db"""


def add_to(commands: Commands) -> None:
    """Adds the commands."""
    parser = command(commands, "import", "takes captures and logs of apps into a log", "")
    parser.epilog = FORMATS
    parser.add_argument("files", nargs="+", metavar="FILE", help="a capture, a log of an app, an archive or a folder")
    parser.add_argument("--log", required=True, help="the log's file, made where there is none")
    parser.add_argument("--year", type=values.year, metavar="YYYY", help="of the first line of logs that tell none")
    parser.add_argument(
        "--time-zone", type=values.zone, metavar="ZONE", help="of logs that tell none: Europe/Berlin, +02:00 (=-05:00)"
    )
    parser.add_argument("--redact", action="store_true", help="replace addresses, serials and names by pseudonyms")
    parser.add_argument(
        "--key", help="with --redact: makes the pseudonyms the same as in an earlier import with this key"
    )
    parser.add_argument("--json", action="store_true", help="one list, with an object a file")
    parser.set_defaults(run=run)

    sources = command(
        commands,
        "sources",
        "lists what was imported, and corrects clocks",
        "terminal-kit sources field.db --offset 2 -1.5",
    )
    sources.add_argument("log", help="the log's file")
    sources.add_argument(
        "--offset",
        nargs=2,
        metavar=("ID", "SECONDS"),
        help="correct a file's clock: so much is added to its times, in place of the correction before",
    )
    sources.add_argument("--json", action="store_true", help="one list, with an object a file")
    sources.set_defaults(run=run_sources)


def run(chosen: argparse.Namespace) -> int:
    """Imports, and says of each file what was read, understood, foreign and damaged."""
    from terminal_kit.importers import import_files  # noqa: PLC0415 - numpy only for who imports

    if chosen.key is not None and not chosen.redact:
        raise UsageError("--key goes with --redact")
    redactor = None
    if chosen.redact:
        from terminal_kit.redaction import Redactor  # noqa: PLC0415

        redactor = Redactor(chosen.key)
    with ShareBar() as bar:
        reports = import_files(
            chosen.files,
            chosen.log,
            year=chosen.year,
            time_zone=chosen.time_zone,
            on_progress=lambda progress: bar.show(progress.done_bytes, progress.total_bytes, progress.file),
            on_lack=_asker(bar) if sys.stdin.isatty() and sys.stderr.isatty() else None,
            redactor=redactor,
        )
    if chosen.json:
        print(json.dumps([report.as_json() for report in reports]))
    for report in reports:
        if report.error is not None:
            say(printable(f"{report.file}: {report.error.line()}"), error=True)
        elif not chosen.json:
            for line in lines(report):
                say(line)
    return 1 if any(report.error for report in reports) else 0


def run_sources(chosen: argparse.Namespace) -> int:
    """Lists the files that were imported; or corrects the clock of one, and lists that."""
    offset = _offset(chosen.offset)
    with EventLog(chosen.log, read_only=offset is None) as log:
        if offset is not None:
            log.set_clock_offset(*offset)
        sources = log.sources()
    sources = whole_files(sources) if offset is None else [source for source in sources if source.id == offset[0]]
    if chosen.json:
        print(json.dumps([_as_json(source) for source in sources]))
        return 0
    for source in sources:
        say(
            f"{source.id:>3}  {printable(source.name)}  {printable(source.container)}  {source.records} records, "
            f"{TIME_RULES[source.time_rule]}, clock {source.clock_offset_us / 1e6:+.3f} s"
        )
    return 0


def lines(report: "ImportReport") -> list[str]:
    """What is said of a file that was imported."""
    if report.already_there:
        told = [f"{printable(report.file)}: the log has it already; nothing was added"]
        return told + [f"  {printable(finding)}" for finding in report.findings]
    what = "records" if is_capture(report.container) else "lines"
    told = [
        f"{printable(report.file)}: {printable(report.container)}, {_span(report)}",
        f"  {report.records:,} {what}: {_counts(report)}; {report.events:,} events",
    ]
    told += [f"  foreign: {count:,} {printable(reason)}" for reason, count in report.foreign_reasons.most_common()]
    for damage in report.damages[:DAMAGES_SHOWN]:
        places = (
            *((f"byte {damage.offset:,}",) if damage.offset is not None else ()),
            *((f"{what.removesuffix('s')} {damage.record:,}",) if damage.record is not None else ()),
        )
        told.append(f"  damaged at {', '.join(places) or 'an unknown place'}: {printable(damage.text)}")
    if (more := report.damaged - DAMAGES_SHOWN) > 0 and len(report.damages) >= DAMAGES_SHOWN:
        told.append(f"  and {more:,} more")
    return told + [f"  {printable(finding)}" for finding in report.findings]


def _asker(bar: ShareBar) -> "Callable[[str, Lack], Clock]":
    """What asks a person for a year or a time zone; an empty answer, or none, leaves it to be assumed."""
    from terminal_kit.importers import Clock  # noqa: PLC0415

    def ask(name: str, lack: "Lack") -> Clock:
        bar.end()
        return Clock(
            _answer(f"{name} tells no year. Its first line's year (empty: assume):", values.year)
            if lack.year
            else None,
            _answer(
                f"{name} tells no time zone. Its zone, as +02:00 or Europe/Berlin (empty: assume UTC):", values.zone
            )
            if lack.zone
            else None,
        )

    return ask


def _answer(question: str, kind: Callable[[str], T]) -> T | None:
    while True:
        print(f"{printable(question)} ", end="", file=sys.stderr, flush=True)
        text = sys.stdin.readline().strip()
        if not text:
            return None
        try:
            return kind(text)
        except argparse.ArgumentTypeError as error:
            say(printable(str(error)), error=True)


def _offset(given: list[str] | None) -> tuple[int, int] | None:
    if given is None:
        return None
    try:
        source, seconds = int(given[0]), float(given[1])
    except ValueError as error:
        raise UsageError(f"--offset: {' '.join(given)!r} is no id and number of seconds") from error
    try:
        check_clock_offset(seconds * 1e6)
    except InvalidParameterError as error:
        raise UsageError(f"--offset: {error}. {error.hint.rstrip('.')}") from error
    return source, round(seconds * 1e6)


def _as_json(source: Source) -> "dict[str, object]":
    from dataclasses import asdict  # noqa: PLC0415

    return asdict(source)


def _counts(report: "ImportReport") -> str:
    return f"{report.understood:,} understood, {report.foreign:,} foreign, {report.damaged:,} damaged"


def _span(report: "ImportReport") -> str:
    if report.first_us is None or report.last_us is None:
        return "no times"
    span = f"{_time(report.first_us)} to {_time(report.last_us)} UTC"
    if report.time_rule == "exact":
        return span
    before_zone = ": " if report.time_rule == "zone_assumed" else ", time zone "
    return f"{span} ({TIME_RULES[report.time_rule]}{before_zone + report.time_zone if report.time_zone else ''})"


def _time(t_us: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=t_us)).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return f"{t_us} µs"
