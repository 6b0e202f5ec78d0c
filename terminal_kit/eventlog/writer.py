"""The log's writer: a thread that gathers events and commits them, off everybody's event loop."""

import contextlib
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from terminal_kit.errors import EventLogError
from terminal_kit.eventlog.opening import FileId, connect_writer, file_id
from terminal_kit.eventlog.place import translated
from terminal_kit.eventlog.storing import Entry, Item, Statement, store
from terminal_kit.events import URGENT_KINDS

BATCH = 100
BATCH_S = 0.2
"""About a hundred events or 200 ms a commit: 59,000 events/s with FULL durability, where one by one gives 2,900."""

QUEUE = 100_000
"""Events that may wait for a slow disk, about 100 MB; further ones are counted, not kept."""

RETRY_S = 1.0
"""How soon a full disk is tried again."""

IDLE_S = 1.0
"""How soon it is seen, while nothing is recorded, that the file is gone."""


@dataclass(slots=True)
class _Flush:
    """A request to say when everything before it is durable."""

    done: threading.Event


class Writer:
    """Owns the connection that writes. `fault` holds the error while the disk does not take what it is given."""

    def __init__(self, path: Path, file: FileId | None) -> None:
        """`file` is the one that was opened: another one in its place is not written to."""
        self.fault: EventLogError | None = None
        self._path = path
        self._file = file
        self._db: sqlite3.Connection | None = None
        self._queue: queue.Queue[Item | _Flush | None] = queue.Queue(QUEUE)
        self._taken: list[Item] = []
        self._lost = 0
        self._counting = threading.Lock()
        self._last: Entry | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="terminal_kit log", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Takes an item and returns at once; when the queue is full an event is counted as lost.

        Raises `EventLogError` for a statement that finds the queue full: what it says has no second chance.
        """
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            if isinstance(item, Statement):
                raise EventLogError(
                    f"{self._path} takes nothing more: {QUEUE} events wait to be written", path=str(self._path)
                ) from None
            with self._counting:
                self._lost += 1

    def flush(self, timeout_s: float) -> None:
        """Returns when everything put before is durable. Raises `EventLogError` where it is not in time."""
        request = _Flush(threading.Event())
        deadline_s = time.monotonic() + timeout_s
        if self._thread.is_alive():
            try:
                self._queue.put(request, timeout=timeout_s)
            except queue.Full:
                raise self.fault or self._unwritten_error(f"not within {timeout_s:g} s") from None
            while not request.done.wait(min(0.05, max(0.0, deadline_s - time.monotonic()))):
                if self.fault is not None:
                    raise self.fault
                if not self._thread.is_alive():
                    break
                if time.monotonic() >= deadline_s:
                    raise self._unwritten_error(f"not within {timeout_s:g} s")
            else:
                return
        if self.unwritten:
            raise self.fault or self._unwritten_error("it is closed")

    def close(self, timeout_s: float) -> None:
        """Writes what waits and ends the thread. Safe to repeat.

        Raises `EventLogError` where that cannot be done, now or within `timeout_s`: `unwritten` says of how many.
        """
        self._closing.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)  # wakes it
        self._thread.join(timeout_s)
        if self.unwritten:
            raise self._unwritten_error(str(self.fault or f"not within {timeout_s:g} s"))

    @property
    def unwritten(self) -> int:
        """How many items were put and are not stored, now."""
        with self._queue.mutex:
            waiting = sum(isinstance(item, Entry | Statement) for item in self._queue.queue)
        return waiting + len(self._taken) + self._lost

    def _unwritten_error(self, why: str) -> EventLogError:
        return EventLogError(
            f"{self.unwritten} events could not be stored in {self._path}: {why}",
            path=str(self._path),
            hint=self.fault.hint if self.fault else None,
        )

    def _work(self) -> None:
        try:
            self._record()
        except BaseException as error:
            # It cannot be mended, so it must be seen.
            self.fault = EventLogError(f"the recording into {self._path} broke off: {error!r}", path=str(self._path))
        finally:
            if self._db is not None:
                self._db.close()

    def _record(self) -> None:
        while not (self._closing.is_set() and self._queue.empty()):
            flushes = self._gather()
            while True:
                last_try = self._closing.is_set()
                if self._store():
                    break
                if last_try:
                    return
                self._closing.wait(RETRY_S)
            for flush in flushes:
                flush.done.set()

    def _gather(self) -> list[_Flush]:
        flushes: list[_Flush] = []
        deadline_s: float | None = None
        while len(self._taken) < BATCH:
            wait_s = IDLE_S if deadline_s is None else max(0.0, deadline_s - time.monotonic())
            try:
                item = self._queue.get(timeout=0.0 if self._closing.is_set() else wait_s)
            except queue.Empty:
                break
            if item is None:
                continue
            if isinstance(item, _Flush):
                flushes.append(item)
                break
            self._taken.append(item)
            if isinstance(item, Entry) and _is_urgent(item):
                break
            deadline_s = deadline_s or time.monotonic() + BATCH_S
        return flushes

    def _store(self) -> bool:
        lost = self._lost
        try:
            self._look()
            if self._taken or lost:
                self._db = self._db or connect_writer(self._path)
                self._last = store(self._db, self._taken, lost, self._last)
        except Exception as error:
            self.fault = translated(error, self._path)
            return False
        self.fault = None
        self._taken = []
        if lost:
            with self._counting:
                self._lost -= lost
        return True

    def _look(self) -> None:
        """Raises where the file is another now. A commit costs a hundred times as much as this look."""
        there = file_id(self._path)
        if there != self._file:
            raise EventLogError(
                f"{self._path} was {'replaced' if there else 'deleted'} while it was recorded",
                path=str(self._path),
                hint="Put it back, and recording resumes; or close the log and open a new one.",
            )


def _is_urgent(entry: Entry) -> bool:
    try:
        return entry.event.kind in URGENT_KINDS
    except TypeError:  # a kind that is no text
        return False
