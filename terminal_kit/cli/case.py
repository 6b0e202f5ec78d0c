"""`case`: the page to send on."""

import argparse
from pathlib import Path

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recorded import recorded
from terminal_kit.errors import InvalidParameterError

PAGE_BEGIN = b"<!doctype html>"


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "case",
        "makes a page of a log to send on: timeline, causes, frames, notes; names replaced",
        "terminal-kit case field.db --output case.html",
    )
    parser.add_argument("files", nargs="+", metavar="LOG|FILE", help="a log, or captures and logs of apps")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="the page to write")
    parser.add_argument("--reader", help="only this reader")
    parser.add_argument("--notes", type=Path, metavar="FILE", help="a text whose lines stand among the notes")
    parser.add_argument(
        "--time-zone", type=values.time_zone, default="UTC", help="an IANA name, for the charts (default: %(default)s)"
    )
    parser.add_argument("--key", help="makes the pseudonyms the same as in an earlier page with this key")
    parser.add_argument(
        "--redact",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="replace addresses, names and serial numbers (default: yes)",
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Writes the page, whole or not at all."""
    from terminal_kit.case import gather, render  # noqa: PLC0415 - plotly only for who needs it
    from terminal_kit.redaction import Redactor  # noqa: PLC0415

    notes = _notes(chosen.notes)
    _check_output(chosen.output)
    redactor = Redactor(chosen.key) if chosen.redact else None
    with recorded(chosen.files, redactor) as log:
        case = gather(
            log,
            title=", ".join(Path(path).name or path for path in chosen.files),
            reader=chosen.reader,
            notes=notes,
            redacted=chosen.redact,
            redactor=redactor,
        )
    page = render(case, time_zone=chosen.time_zone)
    part = chosen.output.with_name(f".{chosen.output.name}.part")
    try:
        part.write_text(page, "utf-8")
        part.replace(chosen.output)
    finally:
        part.unlink(missing_ok=True)
    for sentence in case.sentences():
        say(printable(sentence))
    say(f"{printable(str(chosen.output))}: {len(page) / 1e6:.1f} MB" + ("" if chosen.redact else ", names as recorded"))
    return 0


def _check_output(path: Path) -> None:
    """Raises `InvalidParameterError` where no page can be written, before anything is read.

    Only a page may be written over: a capture, a log or the notes may stand where the page is to go by mistake.
    """
    if path.is_dir():
        raise InvalidParameterError(
            f"{path} is a folder", parameter="output", value=str(path), hint="Name a file in it, such as case.html."
        )
    if not path.parent.is_dir():
        raise InvalidParameterError(
            f"there is no folder {path.parent}",
            parameter="output",
            value=str(path),
            hint="Make it first, or name a file in another one.",
        )
    if path.is_file():
        with path.open("rb") as file:
            is_page = file.read(len(PAGE_BEGIN)) == PAGE_BEGIN
        if not is_page:
            raise InvalidParameterError(
                f"{path} is there already, and is no page",
                parameter="output",
                value=str(path),
                hint="Name a file that is not there yet, or an earlier page.",
            )


def _notes(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise InvalidParameterError(
            f"{path} cannot be read: {error.strerror}", parameter="notes", value=str(path), hint="Check the path."
        ) from error
    except ValueError as error:
        raise InvalidParameterError(
            f"{path} is no text in UTF-8", parameter="notes", value=str(path), hint="Save it as UTF-8."
        ) from error
