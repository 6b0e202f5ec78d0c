"""The machine around the kit: `doctor`, `lab`, `serve`, and radios that need something."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from window import run

from terminal_kit.cli import bluez, lab
from terminal_kit.cli.bluez import Look, judge


def test_doctor_says_what_there_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "simulated radio      ok" in shown
    assert "JupyterLab           ok" in shown
    assert str(home / "xdg_data_home" / "terminal_kit" / "bench.db") in shown
    assert "terminal-kit doctor" not in shown


@pytest.mark.parametrize(
    ("look", "missing", "advice"),
    [
        (Look("no_bus"), "D-Bus", "systemctl start dbus"),
        (Look("bus_refuses"), "D-Bus", "container"),
        (Look("refuses"), "permissions", "usermod -aG bluetooth"),
        (Look("mute"), "bluetoothd", "systemctl restart bluetooth"),
        (Look("broken", error="org.x.Odd"), "bluetoothd", "systemctl restart bluetooth"),
        (Look("answers"), "radio", "adapter"),
        (Look("answers", powered={"hci0": False}), "radio", "bluetoothctl power on"),
        (Look("answers", powered={"hci0": False, "hci1": True}), None, None),
    ],
    ids=lambda part: part.stage if isinstance(part, Look) else None,
)
def test_the_first_thing_missing_is_named(
    look: Look, missing: str | None, advice: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bluez, "SWITCHES", tmp_path)
    found = judge(look)
    assert [finding.what for finding in found if not finding.good] == ([missing] if missing else [])
    assert advice is None or advice in found[-1].advice


def test_a_service_that_is_not_there_is_not_one_that_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: "/usr/libexec/bluetooth/bluetoothd")
    assert judge(Look("not_running"))[-1].advice == "Start it: systemctl start bluetooth"
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    assert judge(Look("not_running"))[-1].advice == "Install BlueZ: apt-get install bluez"


@pytest.mark.parametrize(("kind", "advice"), [("soft", "rfkill unblock bluetooth"), ("hard", "own switch or key")])
def test_a_radio_that_is_blocked(kind: str, advice: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rfkill0").mkdir()
    for name, text in {"type": "bluetooth", "soft": "0", "hard": "0", kind: "1"}.items():
        (tmp_path / "rfkill0" / name).write_text(f"{text}\n")
    monkeypatch.setattr(bluez, "SWITCHES", tmp_path)
    assert advice in judge(Look("answers", powered={"hci0": False}))[-1].advice


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow send_type="signal"/>{more}</policy></busconfig>"""


@contextmanager
def system_bus(folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Iterator[None]:
    """A system bus of one's own."""
    (folder / "bus.conf").write_text(BUS.format(path=folder / "bus", more=more))
    arguments = ["dbus-daemon", f"--config-file={folder / 'bus.conf'}", "--nofork", "--print-address"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as daemon:
        try:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon.stdout.readline().strip())
            yield
        finally:
            daemon.terminate()


@contextmanager
def fake_bluez(*, powered: bool | None) -> Iterator[None]:
    """Something called org.bluez on the bus, with an adapter that is on or off, or none."""
    from dbus_fast import BusType, PropertyAccess
    from dbus_fast.aio import MessageBus
    from dbus_fast.service import ServiceInterface, dbus_property

    class Adapter(ServiceInterface):
        @dbus_property(access=PropertyAccess.READ)
        def Powered(self) -> "b":  # noqa: F821 - D-Bus's word for a truth value
            return bool(powered)

    ready, loop, over = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        bus.export("/org/bluez/hci0" if powered is not None else "/org/bluez", Adapter(ADAPTERS[powered is not None]))
        await bus.request_name("org.bluez")
        ready.set()
        await over.wait()
        bus.disconnect()
        await bus.wait_for_disconnect()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


ADAPTERS = ("org.bluez.Other1", "org.bluez.Adapter1")


@pytest.mark.skipif(not (os.environ.get("CI") or shutil.which("dbus-daemon")), reason="needs D-Bus; CI has it")
def test_doctor_asks_the_bus_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_missing() -> str:
        return next((f"{found.what}: {found.words}" for found in bluez.findings() if not found.good), "nothing")

    monkeypatch.setattr(bluez, "SWITCHES", tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    assert first_missing() == "D-Bus: there is no system bus, through which programs use Bluetooth"
    with system_bus(tmp_path, monkeypatch):
        assert first_missing().startswith("bluetoothd: ")
        with fake_bluez(powered=None):
            assert first_missing() == "radio: bluetoothd has no adapter"
        with fake_bluez(powered=False):
            assert first_missing() == "radio: hci0 is switched off"
        with fake_bluez(powered=True):
            assert first_missing() == "nothing"
    with (
        system_bus(tmp_path, monkeypatch, '<deny send_destination="org.bluez"/>'),
        fake_bluez(powered=True),
    ):
        assert first_missing() == "permissions: bluetoothd does not let this user in"


def test_lab_becomes_jupyterlab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between Lab and the signals that end it."""
    became: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *parts: became.append(parts))
    run("lab", "--no-browser", "--port", "0", "--radio", "virtual")
    ((program, arguments, environment),) = became
    assert program == sys.executable
    assert arguments[:4] == [sys.executable, "-m", "jupyterlab", "--port=0"]
    assert "--no-browser" in arguments
    assert environment["TERMINAL_KIT_RADIO"] == "virtual"


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be sent a Ctrl-C there")
def test_beside_lab_ctrl_c_is_labs_own() -> None:
    """The way that Windows takes: the program that waits outlives Ctrl-C."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        code = "import os, signal, sys; os.kill(os.getppid(), signal.SIGINT); sys.exit(7)"
        assert lab.beside([sys.executable, "-c", code], dict(os.environ)) == 7
        assert heard == []
        signal.raise_signal(signal.SIGINT)
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("transport", ["frob:9", "usb:99", "tcp-server:x", "serial:/dev/none", ""])
def test_serve_without_a_controller_is_one_clear_line(transport: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("serve", transport) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"RADIO_UNAVAILABLE: the controller {transport} cannot be opened: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("serve", "usb:0"), ("discover", "--radio", "virtual")], ids=" ".join)
def test_without_bumble_its_extra_is_named(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "bumble"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "bumble", None)
    monkeypatch.setitem(sys.modules, "bumble.transport", None)
    for name in [name for name in sys.modules if name in ("terminal_kit.radio.virtual", "terminal_kit.radio.serve")]:
        monkeypatch.delitem(sys.modules, name)
    assert run(*arguments) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("RADIO_UNAVAILABLE: ")
    assert last.endswith("pip install 'terminal-kit[virtual]'")
