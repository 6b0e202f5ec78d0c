"""The rows that a capture becomes, gathered until there are enough for a batch."""

from typing import Any, NamedTuple

from terminal_kit.eventlog import Columns
from terminal_kit.events import Kind


class Moment(NamedTuple):
    """Where a capture stands: file, time, record, adapter, and the place in the chunk."""

    source: int
    t_us: int
    record: int
    adapter: int
    at: int


class Rows:
    """Rows as dictionaries, given away as columns."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, kind: Kind, now: Moment, reader: str = "", **columns: Any) -> None:
        """A row of that moment; the columns are those of `events.COLUMNS`, None where they do not apply."""
        row = {"t_us": now.t_us, "kind": kind, "reader": reader, "source": now.source, "record": now.record}
        self._rows.append(row | columns)

    def take(self) -> Columns:
        """All rows since the last time."""
        rows, self._rows = self._rows, []
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: [row.get(name) for row in rows] for name in names}
