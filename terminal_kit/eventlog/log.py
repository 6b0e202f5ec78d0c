"""`EventLog`: append-only, durable, readable by many while one writes."""

import asyncio
import atexit
import json
import platform
import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, Unpack

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog.filters import Filters, condition
from terminal_kit.eventlog.place import check_place, translated
from terminal_kit.eventlog.schema import NAMES, as_event, check, prepare
from terminal_kit.eventlog.writer import Entry, Statement, Writer
from terminal_kit.events import Event, Kind, RadioName

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]


class Stamp(Protocol):
    """What tells a run's time: a radio's clock."""

    def utc_us(self) -> int:
        """UTC, microseconds."""
        ...


class Truth(Protocol):
    """What a simulation did: the air's record of it."""

    @property
    def t_us(self) -> int: ...  # noqa: D102
    @property
    def reader(self) -> str: ...  # noqa: D102
    @property
    def what(self) -> str: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102


BUSY_S = 10.0
"""How long to wait for another writer's commit, which takes milliseconds."""

CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run of a recorder, or one import."""

    id: str
    radio: str
    host: str | None
    app: str | None
    time_zone: str | None
    seed: int | None


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
        if read_only and not self.path.exists():
            raise EventLogError(f"there is no log {self.path}", path=str(self.path))
        if not read_only:
            check_place(self.path)
        try:
            self._db = self._connect()
            if read_only:
                check(self._db, str(self.path))
            else:
                prepare(self._db, str(self.path))
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        self._closed = False
        atexit.register(_close, weakref.ref(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fault(self) -> EventLogError | None:
        """Why recording does not work now, or None."""
        return self._writer.fault if self._writer else None

    @property
    def is_recording(self) -> bool:
        """Whether what is appended reaches the disk."""
        return not self._closed and not self.read_only and self.fault is None

    def start_run(
        self,
        *,
        radio: RadioName,
        app: str | None = None,
        time_zone: str | None = None,
        seed: int | None = None,
        clock: Stamp | None = None,
    ) -> "Run":
        """Begins a run; its `append` is the sink for terminals. `clock` stamps the run's own rows."""
        run = Run(self, uuid.uuid4().hex[:12], clock)
        self._write(
            Statement(
                "INSERT INTO runs (id, radio, host, app, time_zone, seed) VALUES (?, ?, ?, ?, ?, ?)",
                (run.id, radio, platform.node(), app, time_zone, seed),
            )
        )
        run.tell(Kind.RUN_STARTED)
        return run

    def append(self, event: Event, *, run: str | None = None) -> None:
        """Takes one event of the run it names, or of `run`; `seq` is given when it is stored."""
        self._write(Entry(event, run or event.run))

    def flush(self, timeout_s: float = 10.0) -> None:
        """Returns when everything appended so far is durable. Raises `EventLogError` where it cannot be."""
        if self._writer is not None:
            self._writer.flush(timeout_s)

    def close(self) -> None:
        """Writes what waits and closes. Safe to repeat; also done at exit."""
        if self._closed:
            return
        self._closed = True
        if self._writer is not None:
            self._writer.close(CLOSE_S)
        self._db.close()

    # ---- reading

    def events(self, *, after_seq: int = 0, limit: int = -1, **filters: Unpack[Filters]) -> Iterator[Event]:
        """The events in the log's order; at most `limit` of them, with numbers above `after_seq`."""
        where, values = condition(self, filters)
        sql = f"SELECT {', '.join(NAMES)} FROM events WHERE {where} AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        yield from map(as_event, self.query(sql, [*values, after_seq, limit]))

    def read_after(self, seq: int, *, limit: int = 10_000) -> list[Event]:
        """The next events after `seq`, whichever process wrote them."""
        return list(self.events(after_seq=seq, limit=limit, radio="all"))

    async def follow(self, *, after_seq: int | None = None, poll_s: float = 0.25) -> AsyncGenerator[Event]:
        """New events as they come, from any process; from now on, or after `after_seq`."""
        seq = await asyncio.to_thread(self.last_seq) if after_seq is None else after_seq
        while True:
            # Reading takes a moment: not on the loop.
            for event in await asyncio.to_thread(self.read_after, seq):
                seq = event.seq
                yield event
            await asyncio.sleep(poll_s)

    def last_seq(self) -> int:
        """The number of the last row, 0 for an empty log."""
        return int(self.query("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def frame(self, *, columns: Collection[str] | None = None, **filters: Unpack[Filters]) -> "pd.DataFrame":
        """The events as a pandas frame: the columns of `events.COLUMNS`, typed, and `time` (UTC) and `radio`.

        For the filters see `Filters`. Raises `EventLogError` where simulated and real rows would be mixed unasked, and
        `InvalidParameterError` for a column that there is not.
        """
        from terminal_kit.eventlog.frames import frame  # noqa: PLC0415 - pandas only for who wants frames

        return frame(self, *condition(self, filters), columns=columns)

    def to_parquet(self, folder: str | Path, *, day: str | None = None) -> list[Path]:
        """Archives the events (of one UTC day, `2026-11-24`, or all) as Parquet, by day and reader; gives the files."""
        from terminal_kit.eventlog.parquet import archive  # noqa: PLC0415

        return archive(self, Path(folder), day)

    def runs(self) -> list[RunFacts]:
        """The runs in this log."""
        return [RunFacts(*row) for row in self.query("SELECT id, radio, host, app, time_zone, seed FROM runs")]

    def aliases(self) -> dict[str, str]:
        """Names that were found to be a reader's."""
        return dict(self.query("SELECT alias, reader FROM aliases"))

    def add_alias(self, alias: str, reader: str) -> None:
        """Says that `alias` (an address, say) is `reader`. Applied in `frame()`; rows never change."""
        self._write(Statement("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (alias, reader)))

    def truth(self) -> list[tuple[int, str, str, str, str]]:
        """What simulations did: time (µs), run, reader, what, facts as JSON. Never part of `frame()`."""
        return self.query("SELECT t_us, run, reader, what, facts FROM truth ORDER BY t_us")

    def write_truth(self, *, t_us: int, run: str, reader: str, what: str, facts: str) -> None:
        """Stores what a simulation did, apart from the events."""
        self._write(Statement("INSERT INTO truth VALUES (?, ?, ?, ?, ?)", (t_us, run, reader, what, facts)))

    # ---- inside

    def query(self, sql: str, values: Collection[Any] = ()) -> list[Any]:
        """All rows of a query. Raises `EventLogError`."""
        try:
            return self._db.execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def cursor(self, sql: str, values: Collection[Any] = ()) -> sqlite3.Cursor:
        """The same, to be fetched piece by piece."""
        try:
            return self._db.execute(sql, tuple(values))
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rwc"
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            if not self.read_only:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
            else:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _write(self, item: Entry | Statement) -> None:
        if self.read_only or self._closed:
            state = "closed" if self._closed else "open for reading only"
            raise EventLogError(f"{self.path} is {state}", path=str(self.path))
        if self._writer is None:
            with self._opening:
                self._writer = self._writer or Writer(self._connect, str(self.path))
        self._writer.put(item)


class Run:
    """One run of a recorder. `append` stamps events with it."""

    def __init__(self, log: EventLog, run_id: str, clock: Stamp | None) -> None:
        self.id = run_id
        self._log = log
        self._clock = clock

    def append(self, event: Event) -> None:
        """Takes one event of this run; from any thread, at once."""
        self._log.append(event, run=self.id)

    def tell(self, kind: Kind) -> None:
        """A row about the run itself."""
        t_us = self._clock.utc_us() if self._clock else time.time_ns() // 1000
        self.append(Event(kind=kind, t_us=t_us))

    def write_truth(self, truth: Truth) -> None:
        """Stores what a simulation did to whom and when, apart from the events."""
        facts = json.dumps(truth.facts, ensure_ascii=False, default=str)
        self._log.write_truth(t_us=truth.t_us, run=self.id, reader=truth.reader, what=truth.what, facts=facts)

    def finish(self) -> None:
        """Ends the run; one that dies leaves this row out."""
        self.tell(Kind.RUN_FINISHED)


def _close(log: "weakref.ref[EventLog]") -> None:
    if (alive := log()) is not None:
        alive.close()
