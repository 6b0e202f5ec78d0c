"""Readers from the command line: `discover`, `forget`, `connect`, `reboot`."""

import json
import signal
import sys
import threading
from pathlib import Path

import pytest
from window import AT_DESK, M2, once, run, stage_sessions

from terminal_kit.cli.recording import Follower
from terminal_kit.errors import PairingLostError
from terminal_kit.events import DisconnectReason, Event
from terminal_kit.memory import Memory, StoredReader
from terminal_kit.session import Session
from terminal_kit.view import View

NOT_REAL = "simulated radio: these readers are not real; --radio native uses this computer's Bluetooth"


def test_discover_lists_readers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("locations", "label", M2, "Till\x1b 2") == 0
    assert run("discover", "--timeout-s", "1", "--seed", "3") == 0
    shown = capsys.readouterr()
    first = shown.out.splitlines()[0]
    assert first.startswith(M2)
    assert "dBm" in first
    assert "s ago" in first
    assert first.endswith("Till\\x1b 2")
    assert shown.err.splitlines() == [NOT_REAL]
    assert run("discover", "--timeout-s", "1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found[0]) == {
        "serial",
        "label",
        "device_type",
        "address",
        "rssi_dbm",
        "last_heard_us",
        "battery",
        "paired_in_host",
    }


def interrupt(session: Session) -> None:
    """Ctrl-C, as soon as the scan has found a reader."""
    pressed: list[object] = []

    def look(view: View) -> None:
        if view.readers and not pressed:
            pressed.append(signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))

    session.subscribe(look)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
@pytest.mark.parametrize("limit_s", ["0", "60"])
def test_discover_prints_what_was_found_when_interrupted(
    limit_s: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage_sessions(monkeypatch, 5, interrupt)
    assert run("discover", "--timeout-s", limit_s) == 130
    assert "dBm" in capsys.readouterr().out


def test_forget_drops_the_pairing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stage_sessions(monkeypatch, 5, lambda session: session.air.host.bonds.update(READERS))
    Memory.of_user().remember(StoredReader(serial=M2, location_id="tml_front_desk", device_type="stripe_m2"))
    left: list[set[str]] = []
    monkeypatch.setattr(
        Session, "close", lambda session, close=Session.close: (close(session), left.append(bonds(session)))
    )
    assert run("forget", M2) == 0
    assert capsys.readouterr().out == f"{M2} is forgotten; connecting it pairs it anew\n"
    assert Memory.of_user().readers() == []
    assert len(left[0]) == len(READERS) - 1
    assert run("forget", "STRM2NOBODY", "--timeout-s", "2") == 1
    assert "READER_NOT_FOUND: STRM2NOBODY did not appear within 2 s" in capsys.readouterr().err


READERS = {"C0:00:00:00:00:01", "C0:00:00:00:00:02", "C0:00:00:00:00:03"}


def bonds(session: Session) -> set[str]:
    """The devices that the simulated host has paired."""
    return set(session.air.host.bonds) & READERS


def test_connect_and_the_log_of_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(home / "bench.db")
    assert run("connect", M2, *AT_DESK, "--log", log, "--for", "1s") == 0
    shown = capsys.readouterr()
    assert f"{M2} connected at tml_front_desk" in shown.out
    assert shown.err.splitlines() == [NOT_REAL]
    assert run("events", log, "--kind", "connect_succeeded", "--json") == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["reader"], row["status"], row["radio"]) == (M2, "connected", "simulated")
    assert run("events", log, "--reader", M2) == 0
    assert "link_connected" in capsys.readouterr().out


def test_connect_fails_when_the_reader_is_lost_for_good(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage_sessions(monkeypatch, 10, once("connected", lambda session: session.air.faults.start("switch_off", M2)))
    assert run("connect", M2, *AT_DESK, "--for", "1h") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"BLUETOOTH_DISCONNECTED: {M2} was lost for good (switched off). Switch it on."


def test_a_lost_pairing_leads_to_forget() -> None:
    follower = Follower()
    reason = DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION
    follower(Event(kind="disconnected", t_us=0, reader=M2, reason=reason, hci_code=0x06))
    error = follower.loss(f"{M2} was lost for good")
    assert isinstance(error, PairingLostError)
    assert (error.reader, error.hci_code) == (M2, 0x06)
    assert "terminal-kit forget" in error.line()


def test_reboot_waits_for_the_return(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stage_sessions(monkeypatch, 50)
    assert run("reboot", M2, *AT_DESK) == 0
    assert f"{M2} is back after" in capsys.readouterr().out


def test_reboot_fails_when_the_reader_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage_sessions(monkeypatch, 10, once("reconnecting", lambda session: session.air.faults.start("steal", M2)))
    assert run("reboot", M2, *AT_DESK) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"BLUETOOTH_DISCONNECTED: {M2} did not come back (asked to restart). Bring")
