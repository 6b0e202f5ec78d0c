"""All advertisements of a phone's captures: kept as a few columns, and laid aside on the disk where they are many."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terminal_kit.eventlog import Columns
from terminal_kit.events import Kind, RssiSource
from terminal_kit.importers.captures.hci import RSSI_UNKNOWN

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

HELD = 1_000_000
"""Advertisements held in memory, 22 bytes each; more go to the disk, so that a day's capture takes no more."""

LARGE = 250_000
"""Rows of a row group: a timeline reads one to show its seconds, which takes a million of them a fifth of a second."""

SECOND_US = 1_000_000

_LAID_ASIDE = pa.schema([("t_us", pa.int64()), ("device", pa.int32()), ("rssi", pa.int8()), ("record", pa.int64())])
_WRITTEN = pa.schema(
    [
        ("t_us", pa.int64()),
        ("device", pa.dictionary(pa.int32(), pa.string())),
        ("rssi_dbm", pa.float32()),
        ("record", pa.int64()),
    ]
)


class Part(NamedTuple):
    """Some advertisements of one file: when, whose (a device's id), how strong (127: not told), and which record."""

    t_us: NDArray[np.int64]
    device: NDArray[np.int32]
    rssi: NDArray[np.int8]
    record: NDArray[np.int64]

    def take(self, places: NDArray[Any]) -> "Part":
        """Some of them."""
        return Part(self.t_us[places], self.device[places], self.rssi[places], self.record[places])


class Advertisements:
    """The advertisements of some files, each in its order. `close()` takes away what was laid aside."""

    def __init__(self, files: int, *, held: int = HELD) -> None:
        self._parts: list[list[Part]] = [[] for _ in range(files)]
        self._limit = held
        self._held = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._writers: dict[int, pq.ParquetWriter] = {}

    def add(self, source: int, part: Part) -> None:
        """More of a file's."""
        self._parts[source].append(part)
        self._held += len(part.t_us)
        if self._held > self._limit:
            self._lay_aside()

    def parts(self, source: int) -> Iterator[Part]:
        """All of a file's, some at a time, in their order."""
        writer = self._writers.pop(source, None)
        if writer is not None:
            writer.close()
        path = self._path(source)
        if path is not None and path.exists():
            with pq.ParquetFile(path) as file:
                for number in range(file.num_row_groups):
                    group = file.read_row_group(number)
                    yield Part(*(group[name].to_numpy() for name in _LAID_ASIDE.names))
        yield from self._parts[source]

    def write(self, source: int, path: Path, names: Sequence[str]) -> None:
        """Writes a file's as Parquet, whole or not at all; `names` are the devices', by id.

        Columns: `t_us` (UTC, microseconds), `device`, `rssi_dbm` (missing where it was not told), `record`.
        """
        part_path = path.with_suffix(".part")
        dictionary = pa.array(names, pa.string())
        try:
            with pq.ParquetWriter(
                part_path,
                _WRITTEN,
                compression="zstd",
                compression_level=1,
                use_dictionary=["device", "rssi_dbm"],  # pyright: ignore[reportArgumentType] - the stub is wrong
                column_encoding={"t_us": "DELTA_BINARY_PACKED", "record": "DELTA_BINARY_PACKED"},
            ) as writer:
                for part in _larger(self.parts(source)):
                    writer.write_table(_table(part, dictionary))
            part_path.replace(path)
        finally:
            part_path.unlink(missing_ok=True)

    def signals(self, source: int, readers: Sequence[str | None], roots: NDArray[np.int32]) -> Iterator[Columns]:
        """One `signal` row a second for some devices: median, lowest, highest, and how many.

        `readers` names those that are wanted, by id, and is None for the others; `roots` says which ids are one device.
        """
        wanted = np.array([reader is not None for reader in readers], bool)
        if not wanted.any():
            return
        rest: Part | None = None  # of the last second, which the next part may go on with
        for part in _larger(self.parts(source)):
            taken = part.take(np.flatnonzero(wanted[part.device] & (part.rssi != RSSI_UNKNOWN)))
            taken = taken._replace(device=roots[taken.device])
            taken = taken if rest is None else _joined((rest, taken))
            last = taken.t_us // SECOND_US == (taken.t_us[-1:] // SECOND_US)
            rest = taken.take(np.flatnonzero(last))
            if not last.all():
                yield _by_second(source, taken.take(np.flatnonzero(~last)), readers)
        if rest is not None and len(rest.t_us):
            yield _by_second(source, rest, readers)

    def close(self) -> None:
        """Forgets everything. Safe to repeat."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._parts = [[] for _ in self._parts]
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _lay_aside(self) -> None:
        self._held = 0
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="terminal_kit-")
        for source, parts in enumerate(self._parts):
            if not parts:
                continue
            path = self._path(source)
            if source not in self._writers and path is not None:
                self._writers[source] = pq.ParquetWriter(path, _LAID_ASIDE, compression="zstd", compression_level=1)
            for part in _larger(iter(parts)):
                self._writers[source].write_table(pa.table(list(part), schema=_LAID_ASIDE))
            parts.clear()

    def _path(self, source: int) -> Path | None:
        return Path(self._folder.name) / f"{source}.parquet" if self._folder else None


def _larger(parts: Iterator[Part]) -> Iterator[Part]:
    """The same in fewer pieces: as large as a row group should be."""
    waiting: list[Part] = []
    count = 0
    for part in parts:
        waiting.append(part)
        count += len(part.t_us)
        if count >= LARGE:
            yield _joined(waiting)
            waiting, count = [], 0
    if count:
        yield _joined(waiting)


def _joined(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Part(
        np.concatenate([part.t_us for part in parts]),
        np.concatenate([part.device for part in parts]),
        np.concatenate([part.rssi for part in parts]),
        np.concatenate([part.record for part in parts]),
    )


def _table(part: Part, names: Any) -> Any:
    rssi_dbm = pa.array(part.rssi.astype(np.float32), mask=part.rssi == RSSI_UNKNOWN)
    device = pa.DictionaryArray.from_arrays(pa.array(part.device), names)
    return pa.table([pa.array(part.t_us), device, rssi_dbm, pa.array(part.record)], schema=_WRITTEN)


def _by_second(source: int, part: Part, readers: Sequence[str | None]) -> Columns:
    """Each device's seconds, in the order of time; a row stands at the first reading of its second."""
    second = part.t_us // SECOND_US
    order = np.lexsort((part.rssi, part.device, second))
    device, second, rssi = part.device[order], second[order], part.rssi[order].astype(np.float32)
    new = np.flatnonzero(np.diff(device, prepend=-1) | np.diff(second, prepend=second[0] - 1))
    count = np.diff(new, append=len(order))
    middle = (rssi[new + (count - 1) // 2] + rssi[new + count // 2]) / 2
    record = part.record[order]
    return {
        "t_us": np.minimum.reduceat(part.t_us[order], new),
        "kind": [Kind.SIGNAL] * len(new),
        "reader": [readers[number] for number in device[new].tolist()],
        "source": [source] * len(new),
        "record": np.minimum.reduceat(record, new),
        "record_end": np.maximum.reduceat(record, new),
        "rssi_dbm": middle,
        "rssi_min_dbm": rssi[new],
        "rssi_max_dbm": rssi[new + count - 1],
        "count": count,
        "rssi_source": [RssiSource.ADVERTISEMENT] * len(new),
    }
