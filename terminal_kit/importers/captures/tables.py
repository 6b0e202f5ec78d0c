"""A capture as tables, without a log: for notebooks, comparisons and benchmarks."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terminal_kit.events import Kind
from terminal_kit.importers.captures.advertisements import Part
from terminal_kit.importers.captures.devices import Devices
from terminal_kit.importers.captures.hci import RSSI_UNKNOWN
from terminal_kit.importers.captures.reading import CaptureReading
from terminal_kit.importers.content import opened
from terminal_kit.importers.report import Report


@dataclass(frozen=True, slots=True)
class CaptureTables:
    """What some captures of one phone hold. Times are UTC microseconds, `record` counts from 0 in its `source`.

    `advertisements`: `t_us`, `device` (categorical), `rssi_dbm` (missing where it was not told), `record`, `source`.
    `devices`: `device`, `address`, `address_type`, `name`, `serial`, `manufacturer`, `services`, `connected`.
    `events`: the rows that the log would get.
    """

    advertisements: pd.DataFrame
    devices: pd.DataFrame
    events: pd.DataFrame
    reports: Sequence[Report]

    def of_kind(self, *kinds: Kind) -> pd.DataFrame:
        """The events of some kinds, with the columns that any of them has."""
        chosen = [kind.value for kind in kinds]
        found: Any = self.events[self.events["kind"].isin(chosen)] if len(self.events) else self.events
        return found.dropna(axis="columns", how="all").reset_index(drop=True)


def read_tables(*paths: str | Path) -> CaptureTables:
    """Reads captures of one phone. Raises `CaptureFormatError` for a file that is none."""
    with ExitStack() as stack:
        reading = CaptureReading([stack.enter_context(opened(Path(path))) for path in paths])
        stack.callback(reading.close)
        events = [pd.DataFrame(dict(batch)) for batch in reading.batches()]
        devices = reading.decoder.timeline.devices
        parts = [
            (source, part) for source in range(len(paths)) for part in reading.decoder.advertisements.parts(source)
        ]
        codes, names = pd.factorize(np.array(devices.labels(), object))
        return CaptureTables(
            _advertisements(parts, codes, names),
            _devices(devices),
            pd.concat(events, ignore_index=True) if events else pd.DataFrame(columns=["t_us", "kind"]),
            tuple(reading.reports),
        )


def _advertisements(parts: Sequence[tuple[int, Part]], codes: Any, names: Any) -> pd.DataFrame:
    empty = Part(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.int64))
    columns = list(zip(*(part for _, part in parts), strict=True)) or [(column,) for column in empty]
    t_us, device, rssi, record = (np.concatenate(column) for column in columns)
    rssi_dbm = rssi.astype(np.float32)
    rssi_dbm[rssi == RSSI_UNKNOWN] = np.nan
    source = np.repeat([number for number, _ in parts], [len(part.t_us) for _, part in parts])
    return pd.DataFrame(
        {
            "t_us": t_us,
            "device": pd.Categorical.from_codes(codes[device] if len(device) else device, names),
            "rssi_dbm": rssi_dbm,
            "record": record,
            "source": source.astype(np.int32),
        },
        copy=False,
    )


def _devices(devices: Devices) -> pd.DataFrame:
    names = ("address", "address_type", "name", "serial", "manufacturer", "services", "connected")
    rows = [{"device": device.reader, **{name: getattr(device, name) for name in names}} for device in devices.all()]
    return pd.DataFrame(rows, columns=["device", *names])
