"""The log's writer: a thread that gathers events and commits them, off everybody's event loop."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog.schema import NAMES, as_row
from terminal_kit.events import URGENT_KINDS, Event, Kind

BATCH = 100
BATCH_S = 0.2
"""About a hundred events or 200 ms a commit: 59,000 events/s with FULL durability, where one by one gives 2,900."""

QUEUE = 100_000
"""Events that may wait for a slow disk, about 100 MB; further ones are counted, not kept."""

RETRY_S = 1.0
"""How soon a full disk is tried again."""

INSERT = f"INSERT INTO events ({', '.join(NAMES)}) VALUES ({', '.join('?' * len(NAMES))})"  # noqa: S608 - our names


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and the run that it belongs to."""

    event: Event
    run: str


@dataclass(slots=True)
class _Flush:
    """A request to say when everything before it is durable."""

    done: threading.Event


@dataclass(frozen=True, slots=True)
class Statement:
    """Something besides an event to write, in order with the events."""

    sql: str
    values: tuple[Any, ...]


class Writer:
    """Owns the connection that writes. `fault` holds the error while the disk does not take what it is given."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], path: str) -> None:
        self.fault: EventLogError | None = None
        self._connect = connect
        self._path = path
        self._queue: queue.Queue[Entry | Statement | _Flush | None] = queue.Queue(QUEUE)
        self._lost = 0
        self._last: Entry | None = None
        self._thread = threading.Thread(target=self._work, name="terminal_kit log", daemon=True)
        self._thread.start()

    def put(self, item: Entry | Statement) -> None:
        """Takes an item and returns at once; when the queue is full it is counted as lost."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._lost += 1

    def flush(self, timeout_s: float) -> None:
        """Returns when everything put before is durable. Raises `EventLogError` where it is not in time."""
        request = _Flush(threading.Event())
        deadline_s = time.monotonic() + timeout_s
        try:
            self._queue.put(request, timeout=timeout_s)
        except queue.Full:
            pass
        else:
            while not request.done.wait(min(0.05, max(0.0, deadline_s - time.monotonic()))):
                if self.fault is not None or time.monotonic() >= deadline_s:
                    break
            else:
                return
        raise self.fault or EventLogError(f"{self._path} was not written within {timeout_s:g} s", path=self._path)

    def close(self, timeout_s: float) -> None:
        """Writes what waits and ends the thread. Safe to repeat."""
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=timeout_s)
            except queue.Full:
                return
            self._thread.join(timeout_s)

    def _work(self) -> None:
        db = self._connect()
        closing = False
        while not closing:
            items, flushes, closing = self._gather()
            while items or self._lost:
                if self._write(db, items):
                    break
                if closing:
                    break
                time.sleep(RETRY_S)
            if self.fault is None:
                for flush in flushes:
                    flush.done.set()
        db.close()

    def _gather(self) -> tuple[list[Entry | Statement], list[_Flush], bool]:
        items: list[Entry | Statement] = []
        flushes: list[_Flush] = []
        deadline_s: float | None = None
        while len(items) < BATCH:
            try:
                item = self._queue.get(timeout=None if deadline_s is None else max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                return items, flushes, True
            if isinstance(item, _Flush):
                flushes.append(item)
                break
            items.append(item)
            if isinstance(item, Entry) and item.event.kind in URGENT_KINDS:
                break
            deadline_s = deadline_s or time.monotonic() + BATCH_S
        return items, flushes, False

    def _write(self, db: sqlite3.Connection, items: list[Entry | Statement]) -> bool:
        lost = self._lost
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                seq = int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
                entries = [item for item in items if isinstance(item, Entry)]
                if lost and (before := entries[-1] if entries else self._last):
                    gap = Event(kind=Kind.GAP, t_us=before.event.t_us, count=lost, text="events that were not stored")
                    entries.append(Entry(gap, before.run))
                db.executemany(INSERT, [as_row(entry.event, seq + n, entry.run) for n, entry in enumerate(entries, 1)])
                for item in items:
                    if isinstance(item, Statement):
                        db.execute(item.sql, item.values)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            self.fault = EventLogError(
                f"{self._path} cannot be written: {error}",
                path=self._path,
                hint="Free some disk space or check the folder's permissions; recording resumes by itself.",
            )
            return False
        self.fault = None
        self._lost -= lost
        self._last = entries[-1] if entries else self._last
        return True
