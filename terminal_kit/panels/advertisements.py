"""All advertisements of one reader in a span, from the Parquet files that an import of captures lays beside the log."""

# pyarrow ships no types: what it returns is unknown to the checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false

import dataclasses
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terminal_kit.charts.timeline import Readings
from terminal_kit.charts.timeline.samples import Times, Values, within
from terminal_kit.eventlog import EventLog, Source

GROUPS_KEPT = 64
"""Row groups whose advertisements of the reader stay in memory: 32 bytes each, a quarter of a million a group."""

_UNREADABLE = (OSError, pa.ArrowException, KeyError)


class Group(NamedTuple):
    """One row group of one source's file, and the times that it holds (corrected, UTC microseconds)."""

    source: Source
    path: Path
    number: int
    first_us: int
    last_us: int


class Heard(NamedTuple):
    """One advertisement: when (corrected, UTC microseconds), how strong (dBm), which record of which file."""

    t_us: int
    rssi_dbm: float
    record: int
    source: Source


class Advertisements:
    """A reader's advertisements in the captures of a log; `names` are all that it goes by (serial, addresses).

    Only the row groups whose statistics reach into a span are read, and each but once while it is looked at. Files that
    are not there any more, or cannot be read, hold none.
    """

    def __init__(self, log: EventLog, names: Sequence[str]) -> None:
        self._names = pa.array(sorted(set(names)), pa.string())
        self._groups = [group for source in log.sources() for group in _groups(log.advertisements_path(source), source)]
        self._kept: OrderedDict[tuple[int, int], Readings] = OrderedDict()

    @property
    def sources(self) -> frozenset[int]:
        """The files, by their numbers in the log, whose advertisements are at hand."""
        return frozenset(group.source.id for group in self._groups)

    def between(self, since_us: int, until_us: int) -> Readings:
        """Those of a span, and one on either side of it in its row groups, in the order of time."""
        return joined([_part(self._of(group), since_us, until_us) for group in self._within(since_us, until_us)])

    def nearest(self, t_us: int, within_us: int) -> Heard | None:
        """The one that was heard next to a moment, if not further off than `within_us`."""
        best: Heard | None = None
        for group in self._within(t_us - within_us, t_us + within_us):
            readings = self._of(group)
            place = int(np.searchsorted(readings.t_us, t_us))
            for near in range(max(0, place - 1), min(place + 1, len(readings))):
                off_us = abs(int(readings.t_us[near]) - t_us)
                if off_us <= (within_us if best is None else abs(best.t_us - t_us) - 1):
                    best = Heard(
                        int(readings.t_us[near]), float(readings.median[near]), int(readings.record[near]), group.source
                    )
        return best

    def _within(self, since_us: int, until_us: int) -> Iterator[Group]:
        return (group for group in self._groups if group.first_us <= until_us and group.last_us >= since_us)

    def _of(self, group: Group) -> Readings:
        key = group.source.id, group.number
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = _read(group, self._names)
            while len(self._kept) > GROUPS_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def _groups(path: Path, source: Source) -> list[Group]:
    """A file's row groups; those without statistics may hold any time."""
    found: list[Group] = []
    with suppress(*_UNREADABLE), pq.ParquetFile(path) as file:
        column = file.schema_arrow.names.index("t_us") if "t_us" in file.schema_arrow.names else None
        for number in range(file.num_row_groups if column is not None else 0):
            told = file.metadata.row_group(number).column(column).statistics
            known = (told.min, told.max) if told is not None and told.has_min_max else (-(2**62), 2**62)
            first_us, last_us = map(int, known)
            found.append(
                Group(source, path, number, first_us + source.clock_offset_us, last_us + source.clock_offset_us)
            )
    return found


def _read(group: Group, names: Any) -> Readings:
    """The advertisements of these names in a row group that tell their signal."""
    try:
        with pq.ParquetFile(group.path, read_dictionary=["device"]) as file:
            rows = file.read_row_group(group.number, columns=["t_us", "device", "rssi_dbm", "record"])
        device = rows["device"].combine_chunks()
        # Names are looked up once each, and not once an advertisement.
        known = pc.and_(pc.is_in(device.dictionary, names).take(device.indices), pc.is_valid(rows["rssi_dbm"]))
        rows = rows.filter(known)
    except _UNREADABLE:
        return joined([])
    t_us = rows["t_us"].to_numpy() + group.source.clock_offset_us
    found = _readings(t_us, rows["rssi_dbm"].to_numpy().astype(np.float64), rows["record"].to_numpy())
    return joined([found])


def _part(readings: Readings, since_us: int, until_us: int) -> Readings:
    begin, end = within(readings.t_us, since_us, until_us)
    return Readings(*(getattr(readings, field.name)[begin:end] for field in dataclasses.fields(Readings)))


def joined(parts: Sequence[Readings]) -> Readings:
    """Several as one in the order of time: files may overlap, and a phone's clock may have been set back."""
    if not parts:
        return _readings(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
    names = [field.name for field in dataclasses.fields(Readings)]
    fields = [getattr(parts[0], name) for name in names]
    if len(parts) > 1:
        fields = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    if (np.diff(fields[0]) < 0).any():
        order = np.argsort(fields[0], kind="stable")
        fields = [field[order] for field in fields]
    return Readings(*fields)


def _readings(t_us: Times, rssi_dbm: Values, record: Times) -> Readings:
    return Readings(t_us, rssi_dbm, rssi_dbm, rssi_dbm, np.ones(len(t_us)), record)
