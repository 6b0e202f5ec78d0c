"""Rows of events from entries of a log: the time, line, words and reader that every row has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from terminal_kit.events import Kind
from terminal_kit.importers.sdk_logs.envelopes import Line
from terminal_kit.reader import device_type_of

TEXT_CHARACTERS = 500
"""What is kept of a line's words; its number leads to the rest."""

WAIT_US = 10_000_000
WAIT_ENTRIES = 60
"""How long the better line is waited for: an SDK writes the status first, and a moment later why."""

HOST_KINDS = frozenset(
    {Kind.HOST_CHANGED, Kind.SCAN_STARTED, Kind.SCAN_STOPPED, Kind.DISCOVERY_STARTED, Kind.DISCOVERY_FINISHED}
)
"""Kinds that are about no reader."""

RUN_KINDS = frozenset({Kind.RUN_STARTED, Kind.RUN_FINISHED})

UNTIED_KINDS = HOST_KINDS | {Kind.READER_FOUND, Kind.READER_LOST}
"""Kinds that belong to no session."""

_FIELD_CHARACTERS = 200


@dataclass(slots=True)
class Entry:
    """A line with those that belong to it. `first` and `last` count from 1; `is_real` where it told its own time."""

    line: Line
    first: int
    last: int
    body: str
    t_us: int = 0
    is_real: bool = False
    cut: bool = False
    lost: str = ""
    """Why nothing may be taken from it: the file ends within it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One discovery, connection, reconnection or update that is under way."""

    id: str
    t_us: int
    is_real: bool


@dataclass(slots=True)
class Unsettled:
    """A row that waits for a better line. Any of `better` makes it needless; `written` is called where none came."""

    row: dict[str, Any]
    better: frozenset[str]
    written: Callable[[], None]
    until_us: int
    is_sure: bool
    """Whether it happened, whatever comes: only how it is told is open."""
    entries_left: int = WAIT_ENTRIES


class Teller:
    """Writes rows. `serial` is the reader in force, `session` the number of the link, `sure` of what is known."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.entry = Entry(Line("", None, "", "", None, ""), 0, 0, "")
        self.about: dict[str, Any] = {}
        self.serial = ""
        self.session = 0
        self.in_session = False
        self.connection = 0
        """The number of the connection that is being made, or is there: the next one may be to another reader."""
        self.sdk_pid: int | None = None
        self.aliases: dict[str, str] = {}
        self.told = 0
        self._attempts = 0
        self._waiting: list[Unsettled] = []

    def begin(self, entry: Entry, about: Mapping[str, Any]) -> None:
        """Sets the entry that the next rows are of; rows that have waited long enough are written."""
        self.entry, self.about = entry, {key: value for key, value in about.items() if value not in ("", None)}
        self.told = 0
        if self._waiting:
            self._wait()

    def row(self, kind: str, extra: Mapping[str, Any] | None = None, **cells: Any) -> dict[str, Any]:
        """A row of the present entry, not yet written."""
        entry = self.entry
        row: dict[str, Any] = {
            "t_us": entry.t_us,
            "kind": str(kind),
            "reader": "" if kind in HOST_KINDS else self.serial,
            "record": entry.first,
            "record_end": entry.last,
            "text": entry.body[:TEXT_CHARACTERS],
            "extra": {**self.about, **bounded(extra or {})},
        }
        if self.in_session and kind not in UNTIED_KINDS:
            row["session"] = self.session
        row.update((name, cell) for name, cell in cells.items() if cell is not None)
        if entry.cut:
            row["extra"]["cut"] = True
        return row

    def tell(self, kind: str, extra: Mapping[str, Any] | None = None, **cells: Any) -> None:
        """Writes a row of the present entry."""
        self.write(self.row(kind, extra, **cells))

    def write(self, row: dict[str, Any]) -> None:
        """Writes a row; those that it makes needless wait no longer."""
        self.told += 1
        self._waiting = [waiting for waiting in self._waiting if row["kind"] not in waiting.better]
        self.rows.append(row)

    def wait(
        self, row: dict[str, Any], *better: str, written: Callable[[], None] = lambda: None, is_sure: bool = True
    ) -> None:
        """Keeps a row until a better one comes, or the wait is over."""
        self.told += 1
        until_us = self.entry.t_us + WAIT_US
        self._waiting.append(Unsettled(row, frozenset(map(str, better)), written, until_us, is_sure))

    def waiting_for(self, kind: str) -> dict[str, Any] | None:
        """The row of a kind that waits."""
        return next((waiting.row for waiting in self._waiting if waiting.row["kind"] == kind), None)

    def assure(self, kind: str) -> None:
        """The row of a kind that waits, if there is one, is certain from now on."""
        for waiting in self._waiting:
            waiting.is_sure |= waiting.row["kind"] == kind

    def settle(self) -> None:
        """Writes all rows that wait."""
        waiting, self._waiting = self._waiting, []
        for unsettled in waiting:
            self.rows.append(unsettled.row)
            unsettled.written()

    def finish(self, end_us: int) -> None:
        """The log ends: of the rows that wait, those are written that no line after its end could take back."""
        self._waiting = [waiting for waiting in self._waiting if waiting.is_sure or end_us > waiting.until_us]
        self.settle()

    def forget(self) -> None:
        """Takes all rows back but that of the run's beginning, and what was known."""
        self._waiting.clear()
        del self.rows[1:]
        self.aliases.clear()
        self.session = self.connection = self._attempts = 0

    def attempt(self, *, is_seen: bool = True) -> Attempt:
        """A new attempt that begins now; its name is unique in this log, and the same at every reading.

        `is_seen`: the line tells its beginning; else that lies before, and nobody knows how long it lasts.
        """
        self._attempts += 1
        return Attempt(f"log-{self._attempts}", self.entry.t_us, self.entry.is_real and is_seen)

    def lasted_s(self, attempt: Attempt | None) -> float | None:
        """Seconds since an attempt began, where both lines told their own time."""
        if attempt is None or not (attempt.is_real and self.entry.is_real):
            return None
        return max(self.entry.t_us - attempt.t_us, 0) / 1e6

    def know(self, serial: str | None, address: str | None = None) -> None:
        """Sets the reader in force, and joins an address to it."""
        if serial:
            self.serial = serial
        if address and self.serial and "*" not in self.serial and not self.serial.startswith("addr:"):
            self.aliases[f"addr:{address}"] = self.serial

    def name_before(self, serial: str) -> None:
        """Says whose the rows before are that name no reader, back to where somebody began to connect another one."""
        if self.serial:
            return
        for row in reversed([*self.rows, *(waiting.row for waiting in self._waiting)]):
            if row["kind"] in (Kind.CONNECT_STARTED, Kind.DISCOVERY_STARTED):
                return
            if row["reader"] == "" and row["kind"] not in HOST_KINDS and row["kind"] not in RUN_KINDS:
                row["reader"] = serial

    def device_type(self, serial: str | None = None) -> str | None:
        """The device type that a serial number tells."""
        found = device_type_of(serial or self.serial)
        return None if found == "unknown" else str(found)

    def _wait(self) -> None:
        going: list[Unsettled] = []
        for waiting in self._waiting:
            waiting.entries_left -= 1
            if self.entry.t_us > waiting.until_us or waiting.entries_left <= 0:
                self.rows.append(waiting.row)
                waiting.written()
            else:
                going.append(waiting)
        self._waiting = going


def bounded(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into `extra`: nothing empty, nothing long."""
    return {
        key[:_FIELD_CHARACTERS]: value[:_FIELD_CHARACTERS] if isinstance(value, str) else value
        for key, value in extra.items()
        if value is not None and value != ""
    }
