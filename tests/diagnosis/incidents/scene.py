"""The stage of one incident: an air, a host with one terminal, and everything that it told."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from terminal_kit import profile
from terminal_kit.errors import TerminalError
from terminal_kit.events import Event, Kind
from terminal_kit.radio import HostState
from terminal_kit.radio.simulated import simulated_radio
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.capture import CaptureTap
from terminal_kit.simulator.faults import ActiveFault
from terminal_kit.terminal import Limits, Terminal

from .ends import Ends
from .setting import Setting, serial

DESK = "tml_front_desk"

ENDINGS = (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED, Kind.CONNECT_FAILED, Kind.LINK_FAILED)


class NothingHappenedError(Exception):
    """The fault did no harm this time: draw again."""


class Scene:
    """One incident under way. `told` is what the terminal and its host said; `mark_us` when the fault began.

    `began_us` is where the story's own part begins: what was before is what the log holds of earlier days.
    """

    def __init__(self, setting: Setting, rng: random.Random, *, tapped: bool) -> None:
        self.setting = setting
        self.rng = rng
        self.told: list[Event] = []
        self.air = Air(setting.seed, start=setting.start)
        self.air.parameters = setting.parameters
        self.ends = Ends(self.air)
        self.tap = self._tapped(rng) if tapped else None
        self.radio = simulated_radio(self.air)
        self.terminal = Terminal(self.radio, sink=self.take, name="phone", limits=Limits(), seed=setting.seed)
        self.others: list[Terminal] = []
        self.mark_us = 0
        self._lost = asyncio.Event()
        self._monitor: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        model: dict[str, Any] = {
            "battery": setting.battery,
            "closed": setting.closed,
            "uptime_s": setting.uptime_s,
        }
        self.reader = self.air.add_reader(setting.serial, distance_m=setting.distance_m, **model)
        self.model = self.reader.model
        self.model.boots_in_s = setting.boots_in_s
        if setting.closed and setting.vague:
            self.model.hangs_up_with = 0x13
        if self.tap is not None and setting.private:
            self.tap.use_private_address(self.reader.address)
        for _ in range(setting.neighbours):
            kind = rng.choice(("stripe_m2", "wisepad_3"))
            self.air.add_reader(serial(kind, rng), distance_m=rng.uniform(1.0, 15.0), closed=rng.random() < 0.5)
        self.air.host.watch(self._host_changed)
        self.tell(Kind.RUN_STARTED)

    # ---- what the host does

    def tell(self, kind: Kind, **columns: Any) -> None:
        """A row of the host's own."""
        mono_us = round(self.air.monotonic_s() * 1e6)
        self.take(Event(kind=kind, t_us=self.air.utc_us(), mono_us=mono_us, **columns))

    def take(self, event: Event) -> None:
        """The record."""
        self.told.append(event)
        if event.kind in ENDINGS and event.reader == self.setting.serial:
            self._lost.set()

    async def connect(self, *, timeout_s: float = 60.0) -> bool:
        """Discovers and connects the reader; gives whether it did."""
        try:
            await self.terminal.easy_connect(
                DESK,
                serial=self.setting.serial,
                timeout_s=timeout_s,
                auto_reconnect_on_unexpected_disconnect=self.setting.auto_reconnect,
            )
        except TerminalError:
            return False
        return True

    async def set_out(self) -> None:
        """Connects, lives through earlier drops, and works for a while."""
        if not await self.connect():
            raise NothingHappenedError
        if self.setting.phone_scans:
            self.scan_on()
        if self.setting.closed and self.setting.polls_every_s is not None:
            self._polling = asyncio.create_task(self._poll(self.setting.polls_every_s))
        for _ in range(self.setting.drops_before):
            await self.wait(self.rng.uniform(20.0, 120.0))
            await self._earlier_drop()
        await self.wait(self.setting.connected_s)
        if self.terminal.connected_reader is None:
            raise NothingHappenedError

    def scan_on(self) -> None:
        """The host scans beside whatever else it does, with pauses where the setting says so."""
        if self._monitor is None:
            self._monitor = asyncio.create_task(self._scan())

    async def scan_off(self) -> None:
        """And no more."""
        if self._monitor is not None:
            self._monitor.cancel()
            await asyncio.wait({self._monitor})
            self._monitor = None

    async def wait(self, seconds: float) -> None:
        """Lets time pass."""
        await asyncio.sleep(seconds)

    def mark(self) -> None:
        """The fault begins now: the incident to be judged is the first one from here on."""
        self.mark_us = self.air.utc_us()
        self._lost.clear()

    def fault(self, name: str, **parameters: Any) -> ActiveFault:
        """Does something to the reader or the host."""
        of_host = name in ("interfere", "bluetooth_off", "deny_permission", "cut_internet", "overload")
        return self.air.faults.start(name, None if of_host else self.setting.serial, **parameters)

    async def until_lost(self, limit_s: float = 900.0) -> None:
        """Waits for the end of the link. Raises `NothingHappenedError` where it holds."""
        try:
            async with asyncio.timeout(limit_s):
                await self._lost.wait()
        except TimeoutError:
            raise NothingHappenedError from None

    def is_lost(self) -> bool:
        """Whether the incident has happened."""
        return self._lost.is_set()

    async def finish(self) -> None:
        """What follows, for as long as the setting says; then the program ends."""
        await self.wait(self.setting.aftermath_s)

    def background(self) -> None:
        """The app goes out of sight, which its own log tells."""
        self.tell(Kind.APP_MESSAGE, text="applicationDidEnterBackground")

    def end_run(self) -> None:
        """The program's last row."""
        self.tell(Kind.RUN_FINISHED)

    async def close(self) -> None:
        """Ends everything."""
        await self.scan_off()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})
        for terminal in (self.terminal, *self.others):
            await terminal.close(force=True)
        self.air.close()

    # ---- inside

    def _tapped(self, rng: random.Random) -> CaptureTap:
        reads_rssi_every_s = rng.choice((1.0, 2.0, 5.0)) if self.setting.reads_rssi else None
        return CaptureTap(self.air, extended=rng.random() < 0.6, reads_rssi_every_s=reads_rssi_every_s)

    async def _earlier_drop(self) -> None:
        """A drop of another day's sort, over before the story begins: somebody stood in the way for a moment."""
        self._lost.clear()
        fault = self.fault("body", loss_db=70.0)
        await self.until_lost(60.0)
        await asyncio.sleep(self.rng.uniform(0.5, 4.0))
        fault.undo()
        await asyncio.sleep(20.0)
        if self.terminal.connected_reader is None and not await self.connect():
            raise NothingHappenedError

    async def _scan(self) -> None:
        while True:
            monitor = None
            try:
                monitor = self.terminal.monitor()
                async with asyncio.timeout(self.rng.uniform(20.0, 90.0) if self.setting.gaps else 1e9):
                    await monitor
            except (TerminalError, TimeoutError):
                pass
            finally:
                if monitor is not None:
                    with suppress(TerminalError):
                        monitor.cancel()
            await asyncio.sleep(self.rng.uniform(5.0, 40.0) if self.setting.gaps else 1.0)

    async def _poll(self, every_s: float) -> None:
        """An app that asks the reader for something again and again."""
        while True:
            await asyncio.sleep(every_s)
            relation = self.terminal._keeper.relation
            if relation is not None and relation.link is not None and self.terminal.connected_reader is not None:
                with suppress(TerminalError):
                    await relation.link._read(profile.SERIAL_NUMBER, bytes)

    def _host_changed(self, state: HostState) -> None:
        self.tell(Kind.HOST_CHANGED, extra={"fault": state.fault, "internet": state.internet})


@asynccontextmanager
async def scene(setting: Setting, rng: random.Random, *, tapped: bool) -> AsyncGenerator[Scene]:
    """A scene, closed at the end; what closing adds is no part of the record."""
    on_stage = Scene(setting, rng, tapped=tapped)
    try:
        yield on_stage
    finally:
        await on_stage.close()
