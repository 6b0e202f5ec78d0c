"""A log that was copied while it was being written: what its end says is certain, or is not told."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reading_rows import Row, of_kind, read_log
from sdk_log_writers import ENVELOPES, story

from terminal_kit.importers.sdk_logs.ending import CUT, CUT_RECORD, is_whole

SERIAL = "STRM26100000001"
CONNECT = f"class=Terminal message=connectReader serial_number={SERIAL}\n"
FACTS = ("reader", "battery", "charging", "progress", "reason", "error_code", "status", "firmware", "firmware_to")
RN = " LOG  [Stripe terminal]: "

HALVES = (
    "class=BbposAdapter reader_battery_level=0.9",
    "class=TerminalStatusManager message=reportReaderSoftwareUpdateProgress. progress=0.6",
    "class=Terminal message=connectReader serial_number=STRM261",
    "E/StripeTerminal: READER_ERROR.BLUETOOTH_DISC",
    "E/StripeTerminal: READER_ERROR.READER_SOFTWARE_UPDATE_FAILED",
    "class=ProxyReaderListener message=onDisconnect(BLUETOOTH_SI",
    "class=ProxyTerminalListener message=onConnectionStatusChange(CONNEC",
    f"{RN}didChangeConnectionStatus connec",
    f"{RN}didDisconnect bluetooth_signal",
    f'{RN}didReportReaderSoftwareUpdateProgress {{"progress": "0.4',
    f'{RN}didUpdateBatteryLevel {{"batteryLevel": 0.9',
    "2018-11-26 14:27:37.617691-0500 Till[2358:41] [StripeTerminal] l connectionStatus=connected event=state_change",
    "05-07 08:24:02.0",
    "Install progress 0.6",
)
WHOLE = (
    ("class=ProxyTerminalListener message=onConnectionStatusChange(CONNECTED)", "status_changed", "connected"),
    (f"{RN}didChangeConnectionStatus notConnected", "status_changed", "not_connected"),
    (f"{RN}didDisconnect POWERED_OFF", "disconnected", "powered_off"),
    (f'{RN}didUpdateBatteryLevel {{"batteryLevel": 0.95}}', "battery", 0.95),
    (f"{RN}didReportLowBatteryWarning undefined", "low_battery", None),
    ("class=BBPOSControllerListener message=onBTDisconnected", "link_disconnected", "unknown"),
    ("I/BluetoothGatt: onClientConnectionState() - status=8 device=CC:D3:1E:00:00:01", "link_disconnected", "unknown"),
    ("E/StripeTerminal: READER_ERROR.BLUETOOTH_DISCONNECTED", "error", "BLUETOOTH_DISCONNECTED"),
    ('"l scope=SCPTerminal event=state_change reader_status=connecting time=1649065225850"', "connect_started", None),
    ("l scope=SCPTerminal event=state_change reader_status=connecting time=1649065225850", "connect_started", None),
    ("class=Terminal message=connectReader serial_number=STRM26100000001\r", "connect_started", None),
)


@pytest.mark.parametrize("half", HALVES)
def test_half_a_line_tells_nothing(half: str) -> None:
    rows, reading = read_log("class=Terminal message=discoverReaders\n" + half)
    (report,) = reading.reports
    assert [row["kind"] for row in rows if row["record"] == 2] == ["run_finished"]
    assert (report.records, report.understood) == (2, 1)
    assert [(damage.text, damage.record) for damage in report.damages] == [(CUT, 2)]
    assert any("cut" in finding for finding in report.findings)


@pytest.mark.parametrize(("line", "kind", "fact"), WHOLE)
def test_a_line_that_only_lacks_its_end_tells_all(line: str, kind: str, fact: object) -> None:
    rows, reading = read_log(line)
    assert reading.reports[0].understood == 1
    (row,) = of_kind(rows, kind)
    assert fact is None or fact in [row.get(name) for name in FACTS]


@pytest.mark.parametrize("text", ["$ adb logcat", "    at com.example.Thing.run(Thing.k", "Der Leser antwortet ni"])
def test_nobodys_line_stays_foreign(text: str) -> None:
    _, reading = read_log(CONNECT + text)
    assert (reading.reports[0].foreign, reading.reports[0].damaged) == (1, 0)


def test_a_number_at_the_very_end_is_never_whole() -> None:
    assert not any(is_whole(f"progress {number}") for number in ("0.9", "95", "1e3", ".5"))


READERS = f"""[Stripe terminal]: didUpdateDiscoveredReaders Array [
  Object {{
    "serialNumber": "{SERIAL}",
    "batteryLevel": 0.5,
  }},
  Object {{
    "serialNumber": "STRM26100000002",
    "batteryLevel": 0.75,
  }},
]
"""


@pytest.mark.parametrize("end", range(1, len(READERS)))
def test_readers_that_were_whole_before_the_cut_are_found(end: int) -> None:
    rows, _ = read_log(READERS[:end])
    found = [(row["reader"], row["battery"]) for row in of_kind(rows, "reader_found")]
    closed = READERS[:end].count("}")
    assert found in (
        [(SERIAL, 0.5), ("STRM26100000002", 0.75)][:closed],
        [(SERIAL, 0.5), ("STRM26100000002", 0.75)][: max(closed - 1, 0)],  # a closing line without its end
    )


def test_a_list_that_is_cut_loses_nobody() -> None:
    again = READERS[: READERS.index("  Object {", 80)]
    rows, _ = read_log(READERS + again)
    assert not of_kind(rows, "reader_lost")
    rows, _ = read_log(
        'class=ProxyDiscoveryListener message="onUpdateDiscoveredReaders([STRM26100000001, STRM26100000002])"\n'
        'class=ProxyDiscoveryListener message="onUpdateDiscoveredReaders([STRM26100000001, STRM261000\n'
    )
    assert [row["reader"] for row in of_kind(rows, "reader_found", "reader_lost")] == [SERIAL, "STRM26100000002"]


def test_another_record_that_is_cut_tells_nothing() -> None:
    text = '[Stripe terminal]: didUpdateBatteryLevel Object {\n  "batteryLevel": 0.95,\n'
    rows, reading = read_log(text)
    assert not of_kind(rows, "battery")
    assert [damage.text for damage in reading.reports[0].damages] == [CUT_RECORD] * 2
    rows, _ = read_log(text + "}\n")
    assert of_kind(rows, "battery")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ENVELOPES)), st.integers(0, 5), st.floats(0, 1))
@example("R3 logcat", 0, 0.21875)  # cut behind a quote that opens
@example("R3 brief", 3, 343 / len(ENVELOPES["R3 brief"].write(story(3)).encode()))  # behind a comma
@example("R3 logcat", 4, 499 / len(ENVELOPES["R3 logcat"].write(story(4)).encode()))  # behind a callback's name
def test_a_part_tells_nothing_that_the_whole_does_not(name: str, seed: int, share: float) -> None:
    """But that a status, or a reason, tells of an end by itself until a better line comes."""
    data = ENVELOPES[name].write(story(seed)).encode()
    whole, _ = read_log(data)
    part, _ = read_log(data[: int(len(data) * share)])
    for row in part:
        if row["kind"] in ("disconnected", "connect_failed"):
            assert row.get("reason") in [each.get("reason") for each in whole]
        elif row["kind"] != "run_finished":
            assert any(_says_no_more(row, each) for each in whole)


def _says_no_more(row: Row, than: Row) -> bool:
    # A reader may be named only later: rows before that are given its name then. What is folded may be still to come.
    facts = ("record", "kind", *FACTS[1:])
    return all(row.get(name) in (None, than.get(name)) for name in facts)
