"""Hand-made recordings of one drop each, and what a diagnosis would say of them."""

from types import SimpleNamespace
from typing import Any

import pandas as pd

from terminal_kit.events import Cause, Kind

BEGAN_US = 1_790_000_000_000_000
READER = "STRM20000000042"


def at(seconds: float) -> int:
    return BEGAN_US + round(seconds * 1e6)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows with the columns that a passage is read from, in any order."""
    columns = {
        "t_us": "int64",
        "run": "str",
        "session": "Int32",
        "attempt_id": "str",
        "radio": "str",
        "reader": "str",
        "kind": "str",
        "rssi_dbm": "Float32",
        "interval_ms": "Float32",
        "peripheral_latency": "Int16",
        "supervision_timeout_s": "Float32",
        "hci_code": "Int16",
        "extra": "str",
    }
    return pd.DataFrame(
        [{"reader": READER, "run": "capture", "radio": "import", **row} for row in rows], columns=list(columns)
    ).astype(columns)


def fade(
    *,
    back_s: float = 4.0,
    timeout_s: float | None = 4.0,
    interval_ms: float = 30.0,
    latency: int | None = None,
    scanning: bool = True,
    automatic: bool = False,
) -> pd.DataFrame:
    """A link of 120 s at -60 dBm that falls silent; the drop is at 120 s, and the reader is heard `back_s` later."""
    link = {"interval_ms": interval_ms, "peripheral_latency": latency, "supervision_timeout_s": timeout_s}
    rows: list[dict[str, Any]] = [
        {"kind": Kind.LINK_CONNECTED, "t_us": at(0), **link},
        *({"kind": Kind.SIGNAL, "t_us": at(second), "rssi_dbm": -60.0} for second in range(1, 116)),
        {
            "kind": Kind.LINK_DISCONNECTED,
            "t_us": at(120),
            "hci_code": 8,
            "extra": f'{{"silence_s": {timeout_s or 4.0}}}',
        },
        {"kind": Kind.SIGNAL, "t_us": at(120 + back_s), "rssi_dbm": -62.0},
        {"kind": Kind.LINK_CONNECTED, "t_us": at(120 + back_s + 30)},
    ]
    if scanning:
        rows.append({"kind": Kind.SCAN_STARTED, "t_us": at(0), "reader": ""})
    if automatic:
        rows.append({"kind": Kind.RECONNECT_STARTED, "t_us": at(120)})
    return frame(*rows)


def finding(
    cause: Cause = Cause.BODY_OR_INTERFERENCE_FADE,
    *,
    hci_code: int | None = 8,
    kind: str = "disconnect",
    reader: str = READER,
) -> Any:
    """What `diagnose()` would say of the drop at 120 s, as far as a replay asks."""
    verdict = SimpleNamespace(cause=cause, confidence=0.9)
    return SimpleNamespace(kind=kind, t_us=at(120), reader=reader, hci_code=hci_code, causes=(verdict,))
