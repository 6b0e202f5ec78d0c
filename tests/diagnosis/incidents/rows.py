"""Events and importers' columns as the frame that `EventLog.frame()` gives, without a database between."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from terminal_kit.eventlog.frames import CONTAINER, FILE, JOINED, RADIO, as_pandas, schema
from terminal_kit.eventlog.schema import NAMES
from terminal_kit.events import Event
from terminal_kit.importers.reading import Reading

COLUMNS = (*NAMES, *JOINED)
SCHEMA = schema(COLUMNS)


def of_events(events: Sequence[Event], *, run: str = "run-1", radio: str = "simulated") -> pd.DataFrame:
    """The frame of a live recording."""
    cells: dict[str, list[Any]] = {name: [getattr(event, name) for event in events] for name in NAMES}
    count = len(events)
    cells["seq"] = list(range(1, count + 1))
    cells["run"] = [run] * count
    cells["extra"] = [None if event.extra is None else json.dumps(dict(event.extra)) for event in events]
    cells[RADIO], cells[FILE], cells[CONTAINER] = [radio] * count, [None] * count, [None] * count
    return _frame(cells)


def of_reading(reading: Reading, files: Sequence[str]) -> pd.DataFrame:
    """The frame of an import; what its aliases and its reports say is known when the batches are through."""
    cells: dict[str, list[Any]] = {name: [] for name in NAMES}
    count = 0
    for batch in reading.batches():
        length = len(batch["t_us"])
        count += length
        for name in NAMES:
            values = batch.get(name)
            cells[name] += [None] * length if values is None else [_plain(value) for value in values]
    cells["seq"] = list(range(1, count + 1))
    cells["run"] = ["import-1"] * count
    cells["extra"] = [json.dumps(value) if isinstance(value, dict) else value for value in cells["extra"]]
    names = reading.aliases()
    cells["reader"] = [names.get(reader or "", reader or "") for reader in cells["reader"]]
    cells[RADIO] = ["import"] * count
    containers = [report.container for report in reading.reports]
    for name, of_source in ((FILE, files), (CONTAINER, containers)):
        cells[name] = [None if source is None else of_source[source] for source in cells["source"]]
    return _frame(cells)


def _plain(value: Any) -> Any:
    """A cell as Python's own; NaN is no value."""
    if hasattr(value, "item"):
        value = value.item()
    return None if value is None or value is pd.NA or (isinstance(value, float) and value != value) else value


def _frame(cells: dict[str, list[Any]]) -> pd.DataFrame:
    arrays = [pa.array(cells[name], SCHEMA.field(name).type) for name in COLUMNS]
    return as_pandas(pa.table(arrays, schema=SCHEMA))
