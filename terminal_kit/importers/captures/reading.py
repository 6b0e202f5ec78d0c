"""The captures of one phone, read as one timeline."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from terminal_kit.eventlog import Columns
from terminal_kit.events import Kind
from terminal_kit.importers.captures import containers
from terminal_kit.importers.captures.decoding import Decoder
from terminal_kit.importers.captures.records import Records
from terminal_kit.importers.captures.rows import Moment
from terminal_kit.importers.content import Content
from terminal_kit.importers.reading import OnProgress
from terminal_kit.importers.report import Report

ROWS = 10_000
"""Rows of a batch."""

SHORT_US = 15 * 60 * 1_000_000
"""Android keeps 65,535 packets a file: minutes where much is heard. A capture that short may have missed the story."""

FULL_RECORDS = 65_535
"""What Android writes into one file before it begins the next (`persist.bluetooth.btsnoopsize`)."""


class CaptureReading:
    """Some captures of one phone, in any order: they are read in that of their times (see `importers/reading.py`).

    Raises `CaptureFormatError`, while it is iterated, for a file that is no capture or is refused.
    """

    def __init__(self, contents: Sequence[Content], *, on_progress: OnProgress | None = None) -> None:
        self.reports = [Report(container="") for _ in contents]
        self.app: str | None = None
        self.decoder = Decoder(len(contents))
        self._contents = contents
        self._on_progress = on_progress
        self._first: Moment | None = None
        self._last: Moment | None = None

    def batches(self) -> Iterator[Columns]:
        """The events, and at the end the signal of each second."""
        rows = self.decoder.timeline.rows
        for source in self._in_time():
            report = self.reports[source]
            for chunk in containers.read(self._contents[source], report, source, on_progress=self._on_progress):
                self._begin(chunk)
                self.decoder.read(chunk, report)
                if len(rows) >= ROWS:
                    yield rows.take()
            self._finish(report)
        self.decoder.finish()
        if self._last is not None:
            rows.add(Kind.RUN_FINISHED, self._last)
        if len(rows):
            yield rows.take()
        devices = self.decoder.timeline.devices
        readers = [
            device.reader if device.is_reader or device.connected or device.attempts else None
            for device in map(devices.of, range(len(devices)))
        ]
        for source in range(len(self._contents)):
            yield from self.decoder.advertisements.signals(source, readers, devices.roots())

    def aliases(self) -> Mapping[str, str]:
        """Addresses of readers, and private addresses of whatever was connected."""
        return self.decoder.timeline.devices.aliases()

    def write_advertisements(self, index: int, path: Path) -> None:
        """Writes all advertisements of a file as Parquet; see `Advertisements.write()`."""
        self.decoder.advertisements.write(index, path, self.decoder.timeline.devices.labels())

    def close(self) -> None:
        """Lets go of what was laid aside on the disk. Safe to repeat."""
        self.decoder.close()

    def _in_time(self) -> list[int]:
        """The files by their first record's time: each is opened for that once, as far as its first chunk."""
        if len(self._contents) == 1:
            return [0]
        first: list[tuple[int, int]] = []
        for number, content in enumerate(self._contents):
            chunk = next((chunk for chunk in containers.read(content, Report(container="")) if len(chunk)), None)
            first.append((int(chunk.t_us[0]) if chunk is not None else 0, number))
        return [number for _, number in sorted(first)]

    def _begin(self, chunk: Records) -> None:
        if not len(chunk):
            return
        if self._first is None:
            self._first = Moment(chunk.source, int(chunk.t_us[0]), int(chunk.number[0]), int(chunk.adapter[0]), 0)
            self.decoder.timeline.rows.add(Kind.RUN_STARTED, self._first)
        last = int(np.argmax(chunk.t_us))
        if self._last is None or int(chunk.t_us[last]) >= self._last.t_us:
            self._last = Moment(
                chunk.source, int(chunk.t_us[last]), int(chunk.number[last]), int(chunk.adapter[last]), last
            )

    def _finish(self, report: Report) -> None:
        """What people should know of a file."""
        if report.first_us is None or report.last_us is None:
            return
        span_us = report.last_us - report.first_us
        if report.records >= FULL_RECORDS and span_us < SHORT_US:
            report.findings.append(
                f"It holds {span_us / 60e6:.1f} minutes and is full: the phone keeps this much and the file before. "
                "Pull the log within that time of a drop, or what led to it is gone."
            )
        if self.decoder.is_filtered:
            report.findings.append(
                "The phone filtered this log: what was said on some links is left out. Choose the full log, not the "
                "filtered one, in the developer options."
            )
        if self.decoder.timeline.filtered_duplicates:
            report.findings.append(
                "The phone's controller left out repeated advertisements: their number says nothing about the signal."
            )
