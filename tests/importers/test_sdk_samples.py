"""Every log of the field that is at hand imports, and what it says is in the events."""

from pathlib import Path

import pytest
from reading_rows import of_kind, read_log

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "samples" / "sdk_logs"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not at hand")

SAID: dict[str, dict[str, list[object]]] = {
    "android_138": {"discovery_finished.error_code": ["CANCELED"], "connect_started.device_type": ["wisepad_3"]},
    "android_187": {"reader_found.device_type": ["stripe_m2"] * 3},
    "android_193": {"disconnected.reason": ["unknown"], "error.error_code": ["BLUETOOTH_DISCONNECTED"]},
    "android_208": {"link_failed.hci_code": [0x16]},
    "android_32_": {"error.error_code": ["READER_SOFTWARE_UPDATE_FAILED"]},
    "android_324": {"update_started.components": [4], "update_progress.progress": [0.6663265, 0.6785714, 0.678]},
    "android_350": {"update_started.kind": ["update_started"], "update_progress.stage": ["download", "firmware"]},
    "android_353": {"disconnected.reason": ["disconnect_requested"]},
    "android_583": {"update_progress.progress": [0.0066326526, 0.033163264, 0.04642857, 0.05306122]},
    "android_605": {"status_changed.status": ["discovering"]},
    "android_70_error": {"error.error_code": ["BLUETOOTH_DISCONNECTED"]},
    "android_70_not": {"error.error_code": ["NOT_CONNECTED_TO_READER", "BLUETOOTH_DISCONNECTED"]},
    "capacitor_84": {"discovery_started.kind": ["discovery_started"]},
    "ios_143": {"status_changed.status": ["connecting"], "connect_started.device_type": ["wisepad_3"]},
    "ios_171": {"discovery_started.kind": ["discovery_started"]},
    "ios_17_nserror": {"connect_failed.kind": ["connect_failed"] * 2},
    "ios_17_verbose_2018_a": {"status_changed.status": ["connected"]},
    "ios_17_verbose_2018_b": {"scan_started.kind": ["scan_started"], "link_connecting.kind": ["link_connecting"]},
    "ios_93": {"error.error_code": ["BLUETOOTH_DISABLED", "UNEXPECTED_SDK_ERROR"]},
    "rn_1003": {"connect_failed.error_code": ["READER_SOFTWARE_UPDATE_FAILED_SERVER_ERROR"]},
    "rn_361": {"update_progress.progress": [number / 100 for number in range(26, 41)]},
    "rn_373": {
        "connect_failed.error_code": ["BLUETOOTH_DISCONNECTED"],
        "disconnected.error_code": ["UNEXPECTED_SDK_ERROR"],
    },
    "rn_404": {"discovery_started.kind": ["discovery_started"]},
}
"""Of each sample some facts that it states: kind and column, and the values in their order."""


def samples() -> list[Path]:
    return sorted(SAMPLES.glob("*.txt"))


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_it_imports_and_every_line_is_counted(path: Path) -> None:
    data = path.read_bytes()
    rows, reading = read_log(data)
    assert reading.reports[0].records == len(data.decode().splitlines())
    assert all(1 <= row["record"] <= row["record_end"] <= reading.reports[0].records for row in rows)


@pytest.mark.parametrize("start", sorted(SAID))
def test_what_it_says_is_in_the_events(start: str) -> None:
    (path,) = (path for path in samples() if path.stem.startswith(start))
    rows, _ = read_log(path.read_bytes())
    for fact, expected in SAID[start].items():
        kind, column = fact.split(".")
        assert [row[column] for row in of_kind(rows, kind) if column in row] == expected


@pytest.mark.parametrize("path", samples()[::4], ids=lambda path: path.stem)
def test_it_may_be_cut_at_any_byte(path: Path) -> None:
    data = path.read_bytes()
    for end in range(0, len(data), 7):
        read_log(data[:end])


def test_all_of_them_in_one_file() -> None:
    """Pasted one after the other, as a thread has them."""
    text = "\n".join(path.read_text("utf-8") for path in samples())
    rows, reading = read_log(text)
    assert reading.reports[0].records == len(text.splitlines())
    assert len({row["kind"] for row in rows}) > 15
