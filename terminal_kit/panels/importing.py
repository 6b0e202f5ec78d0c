"""`ImportPanel`: takes files into a log, as the command `import` does: chosen in folders, or uploaded."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal_kit.errors import BusyError, CanceledError, CaptureFormatError, InvalidParameterError, TerminalError
from terminal_kit.eventlog import EventLog
from terminal_kit.events import is_capture
from terminal_kit.importers import Clock, Content, ImportReport, Lack, Progress, import_files
from terminal_kit.panels.panel import Picture, script
from terminal_kit.panels.record_panel import RecordPanel
from terminal_kit.panels.sources import set_offset, sources_picture
from terminal_kit.panels.uploading import UPLOAD_BYTES, Uploads
from terminal_kit.words import visible

ENTRIES_SHOWN = 1000
"""Of a folder with more files the rest is only counted: nobody looks through so many."""

DAMAGES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that is to be imported: where it lies, or what was uploaded."""

    name: str
    size_bytes: int | None
    what: Path | Content


class ImportPanel(RecordPanel):
    """Imports captures and logs of apps into a log; lists what was imported; corrects clocks.

    Files are chosen in the folders of the kernel's machine, by typing a path, or uploaded, up to `UPLOAD_BYTES`. What a
    log lacks of year and time zone is asked for. An import that is stopped leaves the log as it was, besides what was
    already stored whole. `on_import` is called with the reports after each import, on the panel's thread of work.
    """

    _esm = script("importing")
    name = "import"

    def __init__(
        self,
        log: EventLog,
        *,
        folder: str | Path = ".",
        on_import: Callable[[list[ImportReport]], object] | None = None,
    ) -> None:
        self._log = log
        self._on_import = on_import
        self._folder = Path(folder).expanduser().resolve()
        self._listing = 0  # counts the listings, so that a click on an older one opens nothing
        self._entries: list[Path] = []
        self._choices: dict[str, Choice] = {}
        self._made = 0
        self._uploads = Uploads()
        self._progress: Progress | None = None
        self._asking: tuple[str, Lack] | None = None
        self._answer = Clock()
        self._answered = threading.Event()
        self._reports: list[ImportReport] = []
        self._list_folder(self._folder)
        super().__init__(about=log.path)

    def draw(self) -> Picture:
        """The folder, what is chosen, the import that runs or its reports, and the sources in the log."""
        progress, asking = self._progress, self._asking
        return {
            "log": visible(self._log.path.name),
            "folder": visible(str(self._folder)),
            "listing": self._listing,
            "entries": [
                {"name": visible(path.name), "folder": is_folder, "size": size} for path, is_folder, size in self._shown
            ],
            "more": max(0, len(self._entries) - ENTRIES_SHOWN),
            "choices": {
                key: {"name": visible(choice.name), "size": choice.size_bytes} for key, choice in self._choices.items()
            },
            "upload_bytes": UPLOAD_BYTES,
            "upload": self._uploads.picture(),
            "working": self.is_working,
            "progress": progress
            and {"file": visible(progress.file), "share": progress.done_bytes / max(progress.total_bytes, 1)},
            "asking": asking and {"file": visible(asking[0]), "year": asking[1].year, "zone": asking[1].zone},
            "reports": [_told(report) for report in self._reports],
            "sources": sources_picture(self._log),
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """`browse`, `open`, `type`, `drop`; `upload`, `chunk`; `import`, `answer`, `stop`; `offset`."""
        match command, facts:
            case "browse", {"up": True}:
                self._list_folder(self._folder.parent)
            case "open", {"listing": int(listing), "place": int(place)}:
                if listing == self._listing and 0 <= place < len(self._entries):
                    self._open(self._entries[place])
            case "type", {"path": str(path)}:
                self._open(self._folder / Path(path.strip()).expanduser())
            case "drop", {"key": str(key)}:
                self._choices.pop(key, None)
            case "upload", {"name": str(name), "size": int(size)}:
                self._uploads.begin(name, size, sum(_uploaded_bytes(choice) for choice in self._choices.values()))
            case "chunk", {"at": int(at), "bytes": bytes(data)}:
                if (content := self._uploads.take(at, data)) is not None:
                    self._choose(Choice(content.name, len(content.data), content))
            case "cancel_upload", _:
                self._uploads.cancel()
            case "import", {"redact": bool(redact)}:
                self._begin(redact=redact)
            case "answer", {"year": year, "zone": zone}:
                self._take_answer(year, zone)
            case "stop", _:
                self.stop_work()
                self._answered.set()
            case "offset", {"source": str(source), "seconds": int() | float() as seconds}:
                set_offset(self._log, source, seconds)
            case _:
                raise InvalidParameterError(f"the panel knows no command {command!r}", parameter="command")

    def close(self) -> None:
        """Stops an import, waits for it, and takes the panel off the page. Safe to repeat."""
        self._stop.set()
        self._answered.set()
        super().close()

    # ---- inside

    def _on_command(self, _widget: object, content: Any, buffers: Any) -> None:
        match content:
            case {"do": "chunk", "at": at}:
                content = {"do": "chunk", "at": at, "bytes": bytes(buffers[0]) if buffers else b""}
            case _:
                pass
        super()._on_command(_widget, content, buffers)

    def _list_folder(self, folder: Path) -> None:
        try:
            found = [path for path in folder.iterdir() if not path.name.startswith(".")]
            shown = sorted(((path, path.is_dir()) for path in found), key=lambda each: (not each[1], each[0].name))
        except OSError as error:
            hint = "Check the path and its permissions."
            text = f"{folder} cannot be read: {error.strerror}"
            raise CaptureFormatError(text, path=str(folder), hint=hint) from error
        self._folder = folder.resolve()
        self._entries = [path for path, _ in shown]
        self._shown = [(path, is_folder, _size_of(path)) for path, is_folder in shown[:ENTRIES_SHOWN]]
        self._listing += 1

    def _open(self, path: Path) -> None:
        if path.is_dir():
            self._list_folder(path)
        elif (size := _size_of(path)) is not None:
            self._choose(Choice(str(path), size, path))
        else:
            raise CaptureFormatError(f"there is no file {path}", path=str(path), hint="Check the path.")

    def _choose(self, choice: Choice) -> None:
        if all(choice.what != other.what for other in self._choices.values()):
            self._made += 1
            self._choices[str(self._made)] = choice

    def _begin(self, *, redact: bool) -> None:
        if not self._choices:
            raise InvalidParameterError("no file is chosen", parameter="files", hint="Choose or upload some first.")
        if self._log.read_only:
            raise InvalidParameterError("the log is open for reading only", parameter="log")
        self.work(self._import, dict(self._choices), redact)

    def _import(self, stop: threading.Event, choices: dict[str, Choice], redact: bool) -> None:
        redactor = None
        if redact:
            from terminal_kit.redaction import Redactor  # noqa: PLC0415

            redactor = Redactor()

        def progressed(progress: Progress) -> None:
            if stop.is_set():
                raise CanceledError("the import was stopped")
            self._progress = progress
            self.redraw()

        try:
            reports = import_files(
                [choice.what for choice in choices.values()],
                self._log,
                on_progress=progressed,
                on_lack=lambda name, lack: self._ask(stop, name, lack),
                redactor=redactor,
            )
        finally:
            self._progress = self._asking = None
        self._reports = [*reports, *self._reports]
        for key in choices:
            self._choices.pop(key, None)
        if self._on_import is not None:
            self._on_import(reports)

    def _ask(self, stop: threading.Event, name: str, lack: Lack) -> Clock:
        """Waits for somebody to say what a log lacks."""
        self._answered.clear()
        self._asking = name, lack
        self.redraw()
        while not self._answered.wait(0.25):  # a Stop that came before it was asked is seen here
            if stop.is_set():
                break
        self._asking = None
        if stop.is_set():
            raise CanceledError("the import was stopped")
        return self._answer

    def _take_answer(self, year: Any, zone: Any) -> None:
        if self._asking is None:
            raise BusyError("nothing is asked now")
        from terminal_kit.importers.sdk_logs.clock import zone_of  # noqa: PLC0415

        if year is not None and not (isinstance(year, int) and 1970 <= year <= 2200):
            raise InvalidParameterError(f"{year} is no year", parameter="year", hint="Write one such as 2026.")
        if zone:
            zone_of(str(zone))
        self._answer = Clock(year, str(zone) if zone else None)
        self._answered.set()


def _told(report: ImportReport) -> Picture:
    """A report for the page."""
    error = report.error
    places = [
        {"text": visible(damage.text), "offset": damage.offset, "record": damage.record}
        for damage in report.damages[:DAMAGES_SHOWN]
    ]
    return {
        "file": visible(report.file),
        "container": visible(report.container),
        "lines": not is_capture(report.container),
        "records": report.records,
        "understood": report.understood,
        "foreign": report.foreign,
        "damaged": report.damaged,
        "events": report.events,
        "already": report.already_there,
        "reasons": [[visible(reason), count] for reason, count in report.foreign_reasons.most_common()],
        "damages": places,
        "findings": [visible(finding) for finding in report.findings],
        "error": visible(_line(error)) if error is not None else None,
    }


def _line(error: TerminalError) -> str:
    return f"{str(error).rstrip('.')}. {error.hint}"


def _size_of(path: Path) -> int | None:
    """A file's size; None for what is no file, or is gone."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _uploaded_bytes(choice: Choice) -> int:
    return len(choice.what.data) if isinstance(choice.what, Content) else 0
