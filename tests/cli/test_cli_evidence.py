"""`diagnose`, `compare` and `what-if`: files in, causes, differences and replays out."""

import json
from pathlib import Path
from typing import Any

import capture_writers as writers
import hci_packets as hci
import pytest

from terminal_kit.cli import main

READER = "C0:11:22:33:44:55"


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """A link that fades: heard well, weaker and weaker, lost, and heard again while the phone listens."""
    packets = [hci.scan(on=True), hci.complete(0x200C)]
    packets += [hci.legacy_report((READER, 1, hci.name_data("STRM20000000042"), -60))]
    packets += [hci.connected(64, READER, timeout=400)]
    levels = [*range(-60, -96, -2)]
    timeline = hci.timed(packets, step_us=100_000)
    at_us = timeline[-1].t_us
    for number, level in enumerate(levels):
        at_us = timeline[-1].t_us + 1_000_000
        rssi = hci.complete(0x1405, bytes((0, 64, 0, level & 0xFF)))
        timeline += [writers.Packet(at_us, *rssi), writers.Packet(at_us + 500, *hci.acknowledged(64, number % 2))]
    timeline.append(writers.Packet(at_us + 4_000_000, *hci.disconnected(64, 0x08)))
    again = hci.legacy_report((READER, 1, hci.name_data("STRM20000000042"), -92))
    timeline.append(writers.Packet(at_us + 7_000_000, *again))
    path = tmp_path / "phone.btsnoop"
    path.write_bytes(writers.btsnoop(timeline, 1002))
    return path


def test_diagnose_says_why_with_the_evidence(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(phone)]) == 0
    told = capsys.readouterr().out
    assert "STRM20000000042 dropped: signal lost, 0x08 connection timeout" in told
    assert "out of range" in told
    assert "phone.btsnoop, frame" in told
    assert "next: Keep the reader and the host within a room" in told


def test_diagnose_for_programs(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The contract's object, one for each incident."""
    assert main(["diagnose", str(phone), "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert set(finding) == {"t_us", "reader", "kind", "reason", "hci_code", "causes", "next_steps"}
    assert (finding["kind"], finding["hci_code"], finding["causes"][0]["cause"]) == ("disconnect", 8, "range")
    assert set(finding["causes"][0]) == {"cause", "confidence", "for", "against"}
    evidence = finding["causes"][0]["for"][0]
    assert evidence["file"] == str(phone)
    assert isinstance(evidence["record"], int)


@pytest.mark.parametrize("command", ["diagnose", "events", "case"])
def test_a_reader_that_there_is_not_is_refused(
    phone: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would read as if nothing had happened to it."""
    log = str(tmp_path / "field.db")
    assert main(["import", str(phone), "--log", log]) == 0
    page = ["--output", str(tmp_path / "case.html")] if command == "case" else []
    capsys.readouterr()
    assert main([command, log, "--reader", "STRM20000000024", *page]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("INVALID_REQUIRED_PARAMETER: there is no reader 'STRM20000000024'")
    assert "STRM20000000042" in told.err
    assert not (tmp_path / "case.html").exists()
    assert main([command, log, "--reader", "STRM20000000042", *page]) == 0


def test_a_reader_goes_by_any_of_its_names(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(phone), "--json", "--reader", f"addr:{READER}"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["reader"] == "STRM20000000042"


def test_a_log_is_diagnosed_as_its_files_are(phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(phone), "--log", str(tmp_path / "field.db")]) == 0
    capsys.readouterr()
    assert main(["diagnose", str(tmp_path / "field.db"), "--json"]) == 0
    of_log = capsys.readouterr().out
    assert main(["diagnose", str(phone), "--json"]) == 0
    assert capsys.readouterr().out == of_log


def test_a_log_that_tells_of_links_alone_has_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = "09-12 10:00:0{}.000  1234  1240 D BluetoothGatt: {}\n"
    (tmp_path / "app.log").write_text(
        stack.format(1, "onClientConnectionState() - status=0 clientIf=7 device=AA:BB:CC:11:22:33 connected=true")
        + stack.format(5, "onClientConnectionState() - status=8 clientIf=7 device=AA:BB:CC:11:22:33 connected=false")
    )
    assert main(["diagnose", str(tmp_path / "app.log")]) == 0
    told = capsys.readouterr().out
    assert "(app.log, line 2)" in told
    assert "frame" not in told


def test_nothing_to_diagnose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("dear sirs\n")
    assert main(["diagnose", str(tmp_path / "letter.txt")]) == 1
    assert "nothing to import" in capsys.readouterr().err


def test_what_if(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["what-if", str(phone), "--supervision-timeout-s", "12", "--replays", "3"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "would not have happened" in told
    assert "It is assumed:" in told
    assert main([*command, "--json"]) == 0
    outlook = json.loads(capsys.readouterr().out)
    assert outlook["policy"]["supervision_timeout_s"] == 12.0
    assert [drop["as_proposed"] for drop in outlook["drops"]] == [0.0]


def test_what_if_needs_something_to_be_different(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["what-if", str(phone)]) == 2
    assert "say what would be different" in capsys.readouterr().err


def test_compare(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = phone.with_name("other.btsnoop")
    other.write_bytes(phone.read_bytes()[:-10])
    assert main(["compare", str(phone), str(other)]) == 0
    told = capsys.readouterr().out
    assert "Drops: phone" in told
    assert "no difference shown" in told
    assert main(["compare", str(phone), str(other), "--json"]) == 0
    assert {"confidence", "radios", "figures", "contrasts", "sentences", "notes"} == set(
        json.loads(capsys.readouterr().out)
    )
    assert main(["compare", str(phone)]) == 2


def test_redact_copies_a_log_to_give_away(phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a file or a log: the same causes, and nobody's name; the same key gives the same pseudonyms."""
    copies = [tmp_path / "one.db", tmp_path / "two.db"]
    assert main(["import", str(phone), "--log", str(tmp_path / "field.db")]) == 0
    assert main(["redact", str(tmp_path / "field.db"), "--output", str(copies[0]), "--key", "k"]) == 0
    assert main(["redact", str(phone), "--output", str(copies[1]), "--key", "k"]) == 0
    told: list[Any] = []
    for log in (tmp_path / "field.db", *copies):
        capsys.readouterr()
        assert main(["diagnose", str(log), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [told[1][0]["reader"]] == [finding["reader"] for finding in told[2]]
    assert told[1][0]["reader"] != told[0][0]["reader"]
    ranked = [[(each["cause"], each["confidence"]) for each in finding[0]["causes"]] for finding in told]
    assert ranked[0] == ranked[1] == ranked[2]
    stored = copies[0].read_bytes()
    assert b"STRM20000000042" not in stored
    assert READER.encode() not in stored


@pytest.mark.parametrize("command", ["redact", "case"])
def test_what_a_line_without_a_row_calls_a_reader_is_replaced_elsewhere(command: str, tmp_path: Path) -> None:
    """The label stands in a pair of a line that is no event, and by itself in one that is."""
    log = tmp_path / "app.log"
    log.write_text(
        "05-07 09:00:00.000  1372  1372 D MyShop: settings label=Berta Theke\n"
        '05-07 09:00:01.000  1372  1983 D StripeTerminal: class=Sdk message="note of Berta Theke"\n'
        '05-07 09:00:02.000  1372  1983 D StripeTerminal: class=ProxyReaderListener message="onDisconnect(POWERED_OFF)"\n',
        "utf-8",
    )
    made = tmp_path / ("copy.db" if command == "redact" else "case.html")
    assert main([command, str(log), "--output", str(made)]) == 0
    assert b"Berta" not in made.read_bytes()


def test_redact_does_not_write_over_a_file(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = phone.read_bytes()
    assert main(["redact", str(phone), "--output", str(phone)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert phone.read_bytes() == before


def test_compare_the_groups_of_one_recording(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(phone), "--by", "file"]) == 1
    told = capsys.readouterr().err
    assert "there are not two groups by file, but " in told
    assert "phone.btsnoop" in told
    assert main(["compare", str(phone), str(phone), "--by", "file"]) == 2


def exit_code(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "--by", "moon"), "--by: nothing is grouped by moon. Choose from run,"),
        (("what-if", "--auto-reconnect", "--replays", "0"), "--replays: '0' is no number of replays"),
        (("what-if", "--auto-reconnect", "--replays", "-1"), "--replays: '-1' is no number of replays"),
        (("what-if", "--auto-reconnect", "--seed", "1.5"), "--seed: '1.5' is no seed"),
        (("what-if", "--supervision-timeout-s", "33"), "supervision_timeout_s cannot be 33. From 0.1 to 32 (see"),
        (("what-if", "--supervision-timeout-s", "nan"), "--supervision-timeout-s: supervision_timeout_s cannot be nan"),
        (("what-if", "--interval-ms", "7"), "--interval-ms: interval_ms cannot be 7. From 7.5 to 4000 (see"),
    ],
)
def test_wrong_values_are_wrong_usage_before_anything_is_read(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = arguments
    assert exit_code(command, "nowhere.db", *options) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.endswith("--help)\n")
