"""A day with one reader, as a capture and an app's log tell it: made up, with everything that a timeline shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from terminal_kit.eventlog import EventLog, Outcome, Source

READER = "STRM26138003393"
ADDRESS = "addr:C0:11:22:33:44:55"
HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b]0;x\x07"
BEGIN_US = 1_764_061_200_000_000  # 2025-11-25 09:00:00 UTC
S = 1_000_000

Row = dict[str, Any]


def row(at_s: float, kind: str, **columns: Any) -> Row:
    return {"t_us": BEGIN_US + round(at_s * S), "kind": kind, "reader": READER, **columns}


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for each in rows for name in each)
    found: dict[str, list[Any]] = {name: [each.get(name) for each in rows] for name in names}
    found["reader"] = [reader or "" for reader in found["reader"]]
    return found


def capture_rows(minutes: int = 30) -> list[Row]:
    """A scan, a link with its parameters, a fade into a supervision timeout, and the way back."""
    heard = [
        row(second, "signal", reader=ADDRESS, rssi_dbm=-55.0 - second % 5, rssi_min_dbm=-60.0 - second % 5,
            rssi_max_dbm=-50.0 - second % 5, count=4, rssi_source="advertisement", record=10 * second, record_end=10 * second + 5)
        for second in range(minutes * 60)
        if not 600 <= second < 660
    ]  # fmt: skip
    link = {"session": 1, "interval_ms": 30.0, "peripheral_latency": 0, "supervision_timeout_s": 5.0}
    return sorted([
        *heard,
        row(0, "scan_started", reader="", record=1, extra={"filter_duplicates": True, "active": True}),
        row(5, "link_connecting", reader=ADDRESS, record=40),
        row(6, "link_connected", reader=ADDRESS, record=44, extra={"address": ADDRESS[5:], "role": "central"}, **link),
        row(7, "link_updated", reader=ADDRESS, record=60, session=1, interval_ms=45.0, supervision_timeout_s=5.0),
        row(8, "att_error", reader=ADDRESS, record=66, session=1, att_code=5, extra={"request": 18, "handle": 3}),
        row(601, "link_disconnected", reader=ADDRESS, record=6020, session=1, hci_code=8, rssi_dbm=-93.0,
            extra={"address": ADDRESS[5:], "silence_s": 5.0, "other_links": 0, "scanning": True}),
        row(640, "link_connecting", reader=ADDRESS, record=6400),
        row(641, "link_failed", reader=ADDRESS, record=6410, hci_code=0x3E),
        row(660, "link_connecting", reader=ADDRESS, record=6600),
        row(661, "link_connected", reader=ADDRESS, record=6610, session=2, interval_ms=30.0, supervision_timeout_s=5.0),
        row(900, "host_changed", reader="", record=9000, extra={"fault": "radio_off", "internet": True}),
    ], key=lambda each: each["t_us"])  # fmt: skip


def log_rows() -> list[Row]:
    """What the app says of the same day."""
    return [
        row(
            4,
            "connect_started",
            attempt_id="c1",
            location="tml_front_desk",
            record=1,
            text="connectReader serial_number=…",
        ),
        row(7, "connect_succeeded", attempt_id="c1", duration_s=3.0, record=2, firmware="2.01.00.24-PROD"),
        row(8, "battery", battery=0.83, charging=False, record=3),
        row(20, "app_message", record=4, text=f"name={HOSTILE} and {READER} at 192.168.17.44"),
        row(30, "update_available", firmware_from="2.01", firmware_to="2.02", components=6, record=5),
        row(40, "update_started", attempt_id="u1", firmware_from="2.01", firmware_to="2.02", components=6, record=6),
        row(60, "update_progress", attempt_id="u1", progress=0.5, stage="uploading", record=7),
        row(
            90, "update_finished", attempt_id="u1", duration_s=50.0, firmware_from="2.01", firmware_to="2.02", record=8
        ),
        row(601, "disconnected", reason="bluetooth_signal_lost", reason_source="backend", record=9, session=1),
        row(602, "reconnect_started", attempt_id="r1", reason="bluetooth_signal_lost", record=10),
        row(640, "reconnect_attempted", attempt_id="r1", attempt=1, record=11),
        row(661, "reconnect_succeeded", attempt_id="r1", duration_s=59.0, record=12),
        row(700, "error", error_code="READER_ERROR", text="READER_ERROR.X: text", record=13),
        row(1200, "battery", battery=0.61, charging=False, record=14),
        row(1300, "reconnect_started", attempt_id="r2", reason="unknown", record=15),
    ]


def story_log(path: Path, *, minutes: int = 30) -> EventLog:
    """A log with both files, joined by an alias; file names, notes and names are what a stranger would send."""
    log = EventLog(path)
    capture = Source(
        "c1" * 32, f"/home/kate/bug.zip!{HOSTILE}/btsnoop_hci.log", "btsnoop", "exact", 5_000_000, records=90_000
    )
    app = Source("a1" * 32, "/home/kate/app.txt", "sdk log", "zone_assumed", 9_000, records=15, understood=15)
    for source, rows in ((capture, capture_rows(minutes)), (app, log_rows())):
        batch = columns(rows)
        batch["source"] = [0] * len(rows)
        outcome = Outcome([source], {ADDRESS: READER}, "4.7.0", "Europe/Berlin")
        log.store_import([source.sha256], [batch], lambda outcome=outcome: outcome)
    return log
