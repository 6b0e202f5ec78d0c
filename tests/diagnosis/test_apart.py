"""What one file tells is no evidence about another that was recorded at another time, or at none."""

from pathlib import Path

import pytest
from test_analysis import drop, frame_of

from terminal_kit.diagnosis import diagnose
from terminal_kit.eventlog import EventLog
from terminal_kit.events import Cause
from terminal_kit.importers import import_files

CONNECT = "{}D BluetoothGatt: connect() - device: AA:BB:CC:11:22:33, auto: false\n"
FAILED = "{}D BluetoothGatt: onClientConnectionState() - status=8 clientIf=7 device=AA:BB:CC:11:22:33\n"
ASKED = "{}D StripeTerminal: class=Terminal message=disconnectReader serial_number=WPC323105002323\n"
OFF = 'Error Domain=com.stripe-terminal Code=2320 "Bluetooth is off." UserInfo={a=b}\n'


def findings(folder: Path, **texts: str):
    with EventLog(folder / "field.db") as log:
        for name, text in texts.items():
            (folder / name).write_text(text)
        import_files([str(folder / name) for name in texts], log)
        return diagnose(log.frame())


def threadtime(*lines: str) -> str:
    return "".join(line.format(f"09-12 10:00:0{second}.000  1234  1240 ") for second, line in enumerate(lines))


def test_files_without_times_do_not_speak_of_each_other(tmp_path) -> None:
    brief = (CONNECT + FAILED).format("", "").replace("D BluetoothGatt:", "D/BluetoothGatt( 9):")
    [alone] = [each for each in findings(tmp_path, a=brief) if each.kind == "connect_failed"]
    (tmp_path / "both").mkdir()
    both = findings(tmp_path / "both", a=brief, b=OFF)
    [beside] = [each for each in both if each.hci_code == alone.hci_code and each.reader == alone.reader]
    assert (beside.cause, beside.confidence) == (alone.cause, alone.confidence)


def test_what_an_app_asks_after_a_failed_connection_is_not_its_cause(tmp_path) -> None:
    found = findings(tmp_path, a=threadtime(CONNECT, FAILED, ASKED))
    assert found
    assert Cause.HOST_CLOSED not in {each.cause for each in found if each.kind == "connect_failed"}


@pytest.mark.parametrize("later_s", [601, 86_400])
def test_a_try_long_after_a_drop_is_a_failed_connection_of_its_own(tmp_path, later_s) -> None:
    rows = [drop(0, hci_code=0x16), {"at": later_s, "kind": "link_failed", "hci_code": 0x3E, "session": None}]
    frame = frame_of(*[{"run": "capture", "terminal": None, "source": 1, "record": 3, **row} for row in rows])
    assert [each.kind for each in diagnose(frame)] == ["disconnect", "connect_failed"]
