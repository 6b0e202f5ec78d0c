"""Inside the machine: the same `Terminal` over BlueZ, the kernel's HCI and a reader that Bumble serves."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from vhci import Air, air, forget, power

from terminal_kit.errors import BluetoothDisabledError, LinkError, TakenByAnotherHostError
from terminal_kit.events import ConnectionStatus, DisconnectReason, Event, ReasonSource
from terminal_kit.memory import Bonds
from terminal_kit.radio.native import native_radio
from terminal_kit.radio.serve import ServedReader
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.terminal import Terminal

M2 = "STRM26138003393"
DESK = "tml_front_desk"
S = ConnectionStatus


class Stage:
    """A reader on the air, a terminal on the native radio, and what it told."""

    def __init__(self, around: Air, served: ServedReader, terminal: Terminal, events: list[Event]) -> None:
        self.air = around
        self.served = served
        self.model = served.model
        self.terminal = terminal
        self.events = events

    async def until(self, status: ConnectionStatus) -> None:
        async with asyncio.timeout(60):
            await self.terminal.until(status)

    async def told(self, kind: str) -> Event:
        """The next event of a kind, or the first that was told already."""
        async with asyncio.timeout(60):
            while not (found := [event for event in self.events if event.kind == kind]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found[-1]


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    events: list[Event] = []
    async with (
        air() as around,
        around.reader(ReaderModel(M2, battery=0.8)) as served,
        native_radio(Bonds()) as radio,
        Terminal(radio, sink=events.append) as terminal,
    ):
        try:
            yield Stage(around, served, terminal, events)
        finally:
            await terminal.close()
            await forget(served.address)


async def test_the_whole_life_of_a_reader() -> None:
    """Discover, connect to a location, follow the battery, survive an abrupt loss, reboot, disconnect."""
    async with stage() as on:
        terminal = on.terminal
        readers = await terminal.discover_readers(timeout_s=5)
        assert [reader.serial for reader in readers] == [M2]
        assert readers[0].rssi_dbm < 0
        assert readers[0].battery == pytest.approx(0.8, abs=0.01)
        reader = await terminal.connect_reader(readers[0], DESK)
        assert (reader.serial, reader.location_id) == (M2, DESK)
        assert on.model.location_id == DESK

        on.events.clear()
        on.model.set_battery(0.15)
        on.served.touch()
        low = await on.told("low_battery")
        assert low.battery == pytest.approx(0.15, abs=0.01)

        on.events.clear()
        on.air.controller.lose_links()
        await on.until(S.RECONNECTING)
        await on.until(S.CONNECTED)
        assert terminal.connected_reader.serial == M2
        # BlueZ tells no reason; the reader's own memory of the link's end does, afterwards (X1).
        assert (await on.told("link_disconnected")).reason == DisconnectReason.UNKNOWN
        learned = await on.told("reason_learned")
        assert (learned.reason, learned.reason_source) == (DisconnectReason.BLUETOOTH_SIGNAL_LOST, ReasonSource.BOOT)

        on.events.clear()
        await terminal.reboot_reader()
        left = await on.told("link_disconnected")
        assert (left.reason, left.reason_source) == (DisconnectReason.REBOOT_REQUESTED, ReasonSource.FAREWELL)
        await on.until(S.CONNECTED)
        assert (await on.told("reader_started")).reason == DisconnectReason.REBOOT_REQUESTED

        on.events.clear()
        await terminal.disconnect_reader()
        assert terminal.status is S.NOT_CONNECTED
        assert (await on.told("disconnected")).reason == DisconnectReason.DISCONNECT_REQUESTED


async def test_a_radio_that_is_switched_off_is_named_and_awaited() -> None:
    """D5, X7."""
    async with stage() as on:
        await on.terminal.easy_connect(DESK, serial=M2)
        await power(on=False)
        await on.until(S.RECONNECTING)
        assert (await on.told("link_disconnected")).reason == DisconnectReason.BLUETOOTH_DISABLED
        await on.terminal.cancel_reader_reconnection()
        with pytest.raises(BluetoothDisabledError):
            on.terminal.discover_readers(timeout_s=1)
        await power(on=True)
        await on.terminal.easy_connect(DESK, serial=M2)


async def test_a_reader_that_the_system_paired_is_told_apart() -> None:
    """D6."""
    async with stage() as on:
        await on.terminal.easy_connect(DESK, serial=M2)
        await on.terminal.disconnect_reader()
        async with native_radio(Bonds()) as stranger, Terminal(stranger) as other:
            (reader,) = await other.discover_readers(timeout_s=5)
            assert reader.paired_in_host
            with pytest.raises(TakenByAnotherHostError):
                await other.connect_reader(reader, DESK)


async def test_a_lost_bond_is_forgotten_and_made_anew() -> None:
    """X2, complaint 10. BlueZ 5.66 encrypts by itself, drops the link and says no more; the hint names the way out."""
    async with stage() as on:
        await on.terminal.easy_connect(DESK, serial=M2)
        await on.terminal.disconnect_reader()
        on.model.lose_bonds()
        with pytest.raises(LinkError) as caught:
            await on.terminal.easy_connect(DESK, serial=M2)
        assert "forget" in caught.value.hint.lower()
        (reader,) = await on.terminal.discover_readers(timeout_s=5)
        await on.terminal.forget_reader(reader)
        await on.terminal.easy_connect(DESK, serial=M2)


async def test_the_command_prints_the_reader() -> None:
    """`terminal-kit discover --radio native`."""
    async with air() as around, around.reader(ReaderModel(M2, battery=0.8)):
        code = "import sys; from terminal_kit.cli import main; sys.exit(main())"
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            "discover",
            "--radio",
            "native",
            "--timeout-s",
            "5",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await child.communicate()
        assert child.returncode == 0, err
        print(out.decode())
        assert out.decode().startswith(M2)
        assert "Stripe Reader M2" in out.decode()
