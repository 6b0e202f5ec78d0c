"""`EventLog`: append-only, durable, readable by many while one writes."""

import asyncio
import atexit
import platform
import sqlite3
import sys
import threading
import uuid
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from terminal_kit.errors import EventLogError, InvalidParameterError
from terminal_kit.eventlog import reading
from terminal_kit.eventlog.cells import door
from terminal_kit.eventlog.filters import RADIOS, Filters, condition, integer, one_of
from terminal_kit.eventlog.importing import Columns, Outcome, shift, store_import
from terminal_kit.eventlog.opening import file_id, open_to_read, open_to_write
from terminal_kit.eventlog.place import translated
from terminal_kit.eventlog.runs import Run, RunFacts, Stamp
from terminal_kit.eventlog.schema import identity
from terminal_kit.eventlog.sources import Source, check_clock_offset, read_sources
from terminal_kit.eventlog.storing import Entry, Statement
from terminal_kit.eventlog.writer import Writer
from terminal_kit.events import Event, Kind, RadioName

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

CLOSE_S = 10.0
"""How long closing waits for a slow disk, seconds."""


class EventLog:
    """A log of events in one SQLite file, in WAL mode with FULL durability.

    Opening makes the file where there is none. `append()` returns at once, from any thread; what was appended is
    durable when `flush()` has returned, and disconnects and updates are committed at once. Any process may read while
    one or several write. Raises `EventLogError` for a file that is no log, a newer one, a folder that cannot be
    written, a network drive; nothing that is stored is ever changed or lost by that.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path).expanduser()
        self.read_only = read_only
        self._writer: Writer | None = None
        self._opening = threading.Lock()
        self._runs = set[str]()
        self._closed = False
        self.connection = open_to_read(self.path) if read_only else open_to_write(self.path)
        self._file = file_id(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes. What could not be stored is raised; beside an error on its way it is a note on that."""
        try:
            self.close()
        except EventLogError as unwritten:
            if error is None:
                raise
            error.add_note(unwritten.line())

    @property
    def fault(self) -> EventLogError | None:
        """Why recording does not work now, or None."""
        return self._writer.fault if self._writer else None

    @property
    def is_recording(self) -> bool:
        """Whether what is appended reaches the disk."""
        return not self._closed and not self.read_only and self.fault is None

    @property
    def identity(self) -> str:
        """What tells this log from every other, wherever its file is moved: 32 hexadecimal digits."""
        try:
            return identity(self.connection, str(self.path))
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def start_run(
        self,
        *,
        radio: RadioName,
        app: str | None = None,
        time_zone: str | None = None,
        seed: int | None = None,
        clock: Stamp | None = None,
    ) -> Run:
        """Begins a run; its `append` is the sink for terminals. `clock` stamps the run's own rows.

        Raises `InvalidParameterError` for a radio that there is not or a seed beyond 64 bits, `EventLogError` where
        nothing can be written.
        """
        one_of(radio, RADIOS, "radio")
        run = Run(self, uuid.uuid4().hex[:12], clock)
        values = (radio, platform.node(), door(app, "app"), door(time_zone, "time_zone"), door(seed, "seed"))
        self._write(
            Statement(
                "INSERT INTO runs (id, radio, host, app, time_zone, seed) VALUES (?, ?, ?, ?, ?, ?)", (run.id, *values)
            )
        )
        self._runs.add(run.id)
        run.tell(Kind.RUN_STARTED)
        return run

    def append(self, event: Event, *, run: str | None = None) -> None:
        """Takes one event of the run it names, or of `run`; `seq` is given when it is stored.

        Values are stored as far as their columns hold them, the others in `extra` under `unfit`; an event that cannot
        be stored at all becomes an `error` row. Raises `InvalidParameterError` for a run that the log does not know,
        `EventLogError` for a log that is closed or only read.
        """
        if not isinstance(event, Event):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody checks types
            raise InvalidParameterError("append() takes an Event", parameter="event", value=event)
        of = run or event.run
        if of not in self._runs:
            self._check_open()
            self._learn(of)
        self._write(Entry(event, of))

    def flush(self, timeout_s: float = 10.0) -> None:
        """Returns when everything appended so far is durable.

        Raises `EventLogError` where it cannot be, at once after `close()`, else within `timeout_s` seconds.
        """
        if self._writer is not None:
            self._writer.flush(timeout_s)

    def close(self) -> None:
        """Writes what waits and closes. Safe to repeat; also done at exit.

        Raises `EventLogError` where events could not be stored (a full disk), which says how many; it is closed then,
        too. A disk that takes nothing is tried once more, a slow one for `CLOSE_S`.
        """
        if self._closed:
            return
        self._closed = True
        _RECORDING.discard(self)
        try:
            if self._writer is not None:
                self._writer.close(CLOSE_S)
        finally:
            self.connection.close()

    # ---- reading

    def events(self, *, after_seq: int = 0, limit: int = -1, **filters: Unpack[Filters]) -> Iterator[Event]:
        """The events that there are now, in the log's order; at most `limit`, with numbers above `after_seq`.

        They are fetched as they are wanted. For the filters see `Filters`. Raises `EventLogError` where simulated and
        real rows would be mixed unasked, and `InvalidParameterError` for a filter that is none.
        """
        where, values = condition(self, filters)
        after_seq, limit = integer(after_seq, "after_seq"), integer(limit, "limit")
        return reading.events(self, where, values, after_seq=after_seq, limit=limit)

    def read_after(self, seq: int, *, limit: int = 10_000, **filters: Unpack[Filters]) -> list[Event]:
        """The next events after `seq`, whichever process wrote them; filters and errors as for `events()`."""
        return list(self.events(after_seq=seq, limit=limit, **filters))

    async def follow(
        self, *, after_seq: int | None = None, poll_s: float = 0.25, **filters: Unpack[Filters]
    ) -> AsyncGenerator[Event]:
        """New events as they come, from any process; from now on, or after `after_seq`.

        Filters and errors as for `events()`: without `radio`, it ends with an error when simulated events come to real
        ones.
        """
        seq = await asyncio.to_thread(self.last_seq) if after_seq is None else after_seq
        while True:
            # Reading takes a moment: not on the loop.
            for event in await asyncio.to_thread(self.read_after, seq, **filters):
                seq = event.seq
                yield event
            await asyncio.sleep(poll_s)

    def last_seq(self) -> int:
        """The number of the last row, 0 for an empty log."""
        return int(self.query("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def frame(self, *, columns: Collection[str] | None = None, **filters: Unpack[Filters]) -> "pd.DataFrame":
        """The events as a pandas frame: the columns of `events.COLUMNS`, typed, and `time` (UTC), `radio`
        (of the run), `file` and `container` (of the imported file).

        For the filters see `Filters`. Raises `EventLogError` where simulated and real rows would be mixed unasked, and
        `InvalidParameterError` for a column or a filter that there is not.
        """
        from terminal_kit.eventlog.frames import frame  # noqa: PLC0415 - pandas only for who wants frames

        return frame(self, *condition(self, filters), columns=columns)

    def to_parquet(self, folder: str | Path, *, day: str | None = None) -> list[Path]:
        """Archives the events (of one UTC day, `2026-11-24`, or all) as Parquet, by day and reader; gives the files.

        A day that was archived before is replaced; what other logs have in the folder stays. Raises
        `InvalidParameterError` for a day that is none, `EventLogError` for a folder that cannot be written.
        """
        from terminal_kit.eventlog.parquet import archive  # noqa: PLC0415

        return archive(self, Path(folder), day)

    def runs(self) -> list[RunFacts]:
        """The runs in this log."""
        return [RunFacts(*row) for row in self.query("SELECT id, radio, host, app, time_zone, seed FROM runs")]

    def sources(self) -> list[Source]:
        """The files that were imported into this log, in the order of their import."""
        try:
            return read_sources(self.connection)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def store_import(
        self, hashes: Sequence[str], batches: Iterable[Columns], outcome: Callable[[], Outcome]
    ) -> list[Source]:
        """Stores the events of some files of one phone, all or none; see `eventlog.importing`."""
        self._check_open()
        self.flush()
        return store_import(self.path, hashes, batches, outcome)

    def set_clock_offset(self, source: int, clock_offset_us: int) -> None:
        """Corrects the clock of an imported file by so many microseconds, whenever its rows are read.

        Of a file that has grown, all parts are corrected. Rows never change. Raises `InvalidParameterError` for a
        source that there is not, and for more than `sources.CLOCK_OFFSET_YEARS` either way.
        """
        self._check_open()
        offset_us = integer(clock_offset_us, "clock_offset_us")
        check_clock_offset(offset_us)
        if not shift(self.path, integer(source, "source"), offset_us):
            raise InvalidParameterError(f"{self.path.name} has no source {source}", parameter="source", value=source)

    def advertisements_path(self, source: Source) -> Path:
        """Where all advertisements of a capture lie, as Parquet beside the log; there may be none."""
        return self.path.with_name(f"{self.path.name}.advertisements") / f"{source.sha256[:16]}.parquet"

    def aliases(self) -> dict[str, str]:
        """Names that were found to be a reader's."""
        return dict(self.query("SELECT alias, reader FROM aliases"))

    def add_alias(self, alias: str, reader: str) -> None:
        """Says that `alias` (an address, say) is `reader`. Applied in `frame()`; rows never change."""
        values = (door(alias, "alias"), door(reader, "reader"))
        self._write(Statement("INSERT OR REPLACE INTO aliases (alias, reader) VALUES (?, ?)", values))

    def truth(self) -> list[tuple[int, str, str, str, str]]:
        """What simulations did: time (µs), run, reader, what, facts as JSON. Never part of `frame()`."""
        return self.query("SELECT t_us, run, reader, what, facts FROM truth ORDER BY t_us")

    def write_truth(self, *, t_us: int, run: str, reader: str, what: str, facts: str) -> None:
        """Stores what a simulation did, apart from the events."""
        values = (
            door(t_us, "t_us"),
            door(run, "run"),
            door(reader, "reader"),
            door(what, "what"),
            door(facts, "facts"),
        )
        self._write(Statement("INSERT INTO truth (t_us, run, reader, what, facts) VALUES (?, ?, ?, ?, ?)", values))

    # ---- inside

    def query(self, sql: str, values: Collection[Any] = ()) -> list[Any]:
        """All rows of a query. Raises `EventLogError`."""
        try:
            return self.connection.execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        except UnicodeEncodeError:
            return []  # a name that no row can hold

    def _learn(self, run: str) -> None:
        """A run that another recorder began. Raises where there is none: its rows would be neither real nor not."""
        self._check_open()
        if not self.query("SELECT 1 FROM runs WHERE id = ?", (run,)):
            raise InvalidParameterError(
                f"{self.path.name} knows no run {run!r}",
                parameter="run",
                value=run,
                hint="Begin one with start_run(radio=…), and append to that.",
            )
        self._runs.add(run)

    def _check_open(self) -> None:
        if self.read_only or self._closed:
            state = "closed" if self._closed else "open for reading only"
            raise EventLogError(f"{self.path} is {state}", path=str(self.path))

    def _write(self, item: Entry | Statement) -> None:
        self._check_open()
        if self._writer is None:
            with self._opening:
                self._writer = self._writer or Writer(self.path, self._file)
                _RECORDING.add(self)
        self._writer.put(item)


_RECORDING = set[EventLog]()
"""The logs that may hold events which are not stored yet: what was appended is kept even where its log was dropped."""


@atexit.register
def _close_all() -> None:
    """Closes at exit what is open, and says on standard error what could not be stored: nobody is left to catch it."""
    for log in list(_RECORDING):
        try:
            log.close()
        except EventLogError as error:
            sys.stderr.write(f"{error.line()}\n")
