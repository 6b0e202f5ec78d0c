"""What a command about recordings is given: a log, or files that are imported for as long as it takes."""

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from terminal_kit.cli.output import printable, say
from terminal_kit.eventlog import EventLog

if TYPE_CHECKING:
    from terminal_kit.redaction import Redactor

_SQLITE = b"SQLite format 3\0"


@contextmanager
def recorded(paths: Sequence[str], redactor: "Redactor | None" = None) -> Generator[EventLog]:
    """The log at the one path, or a passing one into which the files are imported; both to be read.

    `redactor` learns the names in all lines of the files, those that become no rows, too; nothing is replaced here.
    What is wrong with a file is said on standard error. Raises `TerminalError` where nothing is left to read.
    """
    if len(paths) == 1 and _is_database(Path(paths[0])):
        with EventLog(paths[0], read_only=True) as log:
            yield log
        return
    from terminal_kit.importers import import_files, learn_names  # noqa: PLC0415 - numpy only for who imports

    with tempfile.TemporaryDirectory(prefix="terminal_kit-") as folder, EventLog(Path(folder) / "import.db") as log:
        reports = import_files([Path(path) for path in paths], log)
        errors = [report.error for report in reports if report.error is not None]
        if errors and not log.sources():
            raise errors[0]
        for error in errors:
            say(printable(error.line()), error=True)
        if redactor is not None:
            learn_names(paths, redactor)
        yield log


def _is_database(path: Path) -> bool:
    """Whether it begins like a database: then it is a log, or `EventLog` says why not. A folder or none is neither."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
