"""What a reading gives, as plain rows."""

from typing import Any

from terminal_kit.importers.captures.reading import CaptureReading
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report
from terminal_kit.importers.sdk_logs import LogReading

Row = dict[str, Any]


def rows_of(reading: Any) -> list[Row]:
    """All rows, without what does not apply."""
    found: list[Row] = []
    for batch in reading.batches():
        columns = {name: cells.tolist() if hasattr(cells, "tolist") else list(cells) for name, cells in batch.items()}
        assert len({len(cells) for cells in columns.values()}) == 1
        found.extend(
            {name: cell for name, cell in zip(columns, row, strict=True) if cell is not None}
            for row in zip(*columns.values(), strict=True)
        )
    return found


def counted(report: Report) -> None:
    """Every record is one of three things."""
    assert report.records == report.understood + report.foreign + report.damaged, report


def read_capture(*files: bytes) -> tuple[list[Row], CaptureReading]:
    reading = CaptureReading([Content(f"{number}.btsnoop", data) for number, data in enumerate(files)])
    rows = rows_of(reading)
    for report in reading.reports:
        counted(report)
    return rows, reading


def read_log(text: str | bytes, **how: Any) -> tuple[list[Row], LogReading]:
    reading = LogReading(Content("app.log", text if isinstance(text, bytes) else text.encode()), **how)
    rows = rows_of(reading)
    counted(reading.reports[0])
    return rows, reading


def of_kind(rows: list[Row], *kinds: str) -> list[Row]:
    return [row for row in rows if row["kind"] in kinds]
