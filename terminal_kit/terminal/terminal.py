"""`Terminal`: the reader's lifecycle on the host's side. Rules are cited by their numbers in lifecycle.md."""

import itertools
import random
from contextlib import AbstractContextManager
from typing import Self

from terminal_kit.errors import (
    BusyError,
    CanceledError,
    CancelFailedError,
    InvalidParameterError,
    ReaderNotFoundError,
)
from terminal_kit.events import ConnectionStatus
from terminal_kit.image import Image
from terminal_kit.memory import Locations, Memory
from terminal_kit.radio import Radio, Undo
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import Location, Reader, SoftwareUpdate, check_location_id
from terminal_kit.terminal.blocking import Blocking, Waiter
from terminal_kit.terminal.finder import NEAREST_SETTLES_S, Choice, DiscoveryMethod, Finder, checked_timeout, nearest
from terminal_kit.terminal.installation import Installation
from terminal_kit.terminal.keeper import Keeper
from terminal_kit.terminal.operation import Discovery
from terminal_kit.terminal.policy import Limits, ReconnectPolicy
from terminal_kit.terminal.record import Recorder, Sink
from terminal_kit.terminal.state import State
from terminal_kit.terminal.status import Connected, Verb
from terminal_kit.updates.direct import update_of_images
from terminal_kit.words import visible

LAST_SETTLES_S = 2.0
"""How long an earlier reader waits for the one connected last to be heard (C7)."""

_NAMES = itertools.count(1)
"""Terminals without a name of their own are numbered, so that two in one log stay apart."""


_BROKEN_OFF: dict[Verb, str] = {
    "disconnect_reader": "the update was broken off to disconnect",
    "reboot_reader": "the update was broken off to restart the reader",
    "close": "the update was broken off, since the terminal was closed",
}
"""What is told of an update that somebody insisted on ending (U9)."""


class Terminal:
    """One reader at a time: discover it, connect it at a location, keep it connected, say why it dropped.

    `radio` is where it happens; `sink` takes every `Event` (a log's door); `memory` and `locations` are the user's
    stored readers and places; `updates` a feed, by default what the radio's own readers bring. Several terminals may
    share a radio and a sink; `name` tells them apart in the log.
    Everything a terminal starts it also ends: use it as a context manager, or call `close()`. What each verb does in
    each status is the table `status.VERBS` (C3); refusals are errors and change nothing. `blocking` has the same verbs
    for people who do not write `await`; `wait` is how they wait (a session passes its own thread).
    """

    def __init__(
        self,
        radio: Radio,
        *,
        sink: Sink | None = None,
        name: str | None = None,
        memory: Memory | None = None,
        locations: Locations | None = None,
        policy: ReconnectPolicy | None = None,
        limits: Limits | None = None,
        updates: UpdateSource | None = None,
        seed: int | None = None,
        wait: Waiter | None = None,
    ) -> None:
        self.radio = radio
        self.name = name or f"terminal-{next(_NAMES)}"
        self.blocking = Blocking(self, wait)
        self.memory = memory or Memory()
        self.locations = locations or Locations()
        self._recorder = Recorder(radio.clock, sink, self.name)
        self._state = State(radio, self._recorder, limits or Limits())
        self._finder = Finder(self._state, lambda: self.locations.labels, self.memory.serials)
        self._keeper = Keeper(
            self._state,
            self._finder,
            memory=self.memory,
            updates=updates or radio.updates,
            policy=policy or ReconnectPolicy(),
            rng=random.Random(seed),
        )
        self._updater = self._keeper.updater

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close(force=True)

    def __repr__(self) -> str:
        reader = self.connected_reader
        return f"<Terminal {self.name}: {self.status}{f' to {visible(reader.serial)}' if reader else ''}>"

    @property
    def status(self) -> ConnectionStatus:
        """What the terminal is doing."""
        return self._state.status

    @property
    def connected_reader(self) -> Reader | None:
        """The connected reader; None in every other status, by construction (complaint 6)."""
        now = self._state.now
        return now.reader if isinstance(now, Connected) else None

    @property
    def auto_reconnect(self) -> bool:
        """Whether an unexpected disconnect is followed by a reconnection (X2); may be set at any time."""
        return self._keeper.auto_reconnect

    @auto_reconnect.setter
    def auto_reconnect(self, on: bool) -> None:
        self._keeper.auto_reconnect = on

    def subscribe(self, listener: Sink) -> Undo:
        """Calls `listener(event)` for every event; returns what ends that."""
        return self._recorder.subscribe(listener)

    async def until(self, status: ConnectionStatus) -> None:
        """Waits until the terminal has this status; put it in `asyncio.timeout()` to wait no longer than you want."""
        await self._state.until(lambda now: now.status is status)

    def list_locations(self) -> list[Location]:
        """The places where a reader can be registered (L1)."""
        return self.locations.list_locations()

    def discover_readers(
        self,
        timeout_s: float | None = None,
        *,
        discovery_method: DiscoveryMethod = "bluetooth_scan",
        show_others: bool = False,
    ) -> Discovery:
        """Starts a scan and gives its handle: iterate for the whole current list, or await the last one (D1).

        `timeout_s`: 0 or None for no limit (D2). `discovery_method`: `bluetooth_proximity` hands over the nearest
        reader alone, in two steps, the second with its battery, and ends (D7). `show_others` lists devices that are no
        readers too (D8). Raises `AlreadyConnectedError` (D4), `BusyError` and the host's faults (D5); a running
        discovery is superseded.
        """
        timeout_s = checked_timeout(timeout_s)
        self._state.admit("discover_readers")
        self._state.check_host()
        return self._finder.discover(timeout_s, method=discovery_method, show_others=show_others)

    async def cancel_discovering(self) -> None:
        """Ends the running discovery. Raises `CancelFailedError` where there is none."""
        self._state.admit("cancel_discovering")
        await self._state.cancel(CanceledError("the discovery was canceled"))

    def monitor(self, *, show_others: bool = False) -> Discovery:
        """Watches the neighbourhood without touching the status, while connected too (D4). End it with `cancel()`."""
        self._state.check_host()
        return self._finder.monitor(show_others=show_others)

    async def connect_reader(
        self, reader: Reader, location_id: str, auto_reconnect_on_unexpected_disconnect: bool = True
    ) -> Reader:
        """Connects a discovered reader and registers it at a location (C1). Gives the reader as it then is.

        An update that is required is installed first, which takes its time (U3). Raises `InvalidParameterError` before
        any radio work; `BusyError`, `AlreadyConnectedError` (C3); `BatteryCriticallyLowError` (C4); `UpdateError` and
        its kin, among them `UpdateRequiredError` for a canceled one (U6); `LinkError` and its kin; the host's faults
        (D5). A reader from before a disconnect is found again by its serial number (C2).
        """
        self._check_location(location_id)
        self._state.admit("connect_reader")
        self._state.check_host()
        self._keeper.acquaintances.check_online(reader, location_id)
        self._keeper.auto_reconnect = auto_reconnect_on_unexpected_disconnect
        return await self._keeper.begin(reader, location_id).result()

    async def cancel_connecting(self) -> None:
        """Ends the connection that is being made. Raises `CancelFailedError` where there is none.

        So it does while an update runs in it that cannot be canceled (U6).
        """
        self._state.admit("cancel_connecting")
        self._updater.check_cancel(reader_may_be_away=True)
        await self._state.cancel(CanceledError("connecting was canceled"))
        if self.connected_reader is not None:  # it had succeeded a moment before
            await self._keeper.disconnect()

    async def easy_connect(
        self,
        location_id: str,
        *,
        serial: str | None = None,
        timeout_s: float | None = 15.0,
        auto_reconnect_on_unexpected_disconnect: bool = True,
    ) -> Reader:
        """Discovers, matches and connects in one call; stops scanning when found (C6).

        Without a `serial` the nearest reader that can be connected is taken (D7). Raises `ReaderNotFoundError` at
        `timeout_s` seconds (0 or None for no limit), and what `connect_reader` raises.
        """
        self._check_location(location_id)

        def choose(readers: list[Reader], *, settled: bool) -> tuple[Reader, str] | None:
            if serial:
                found = next((reader for reader in readers if serial in (reader.serial, reader.name)), None)
            else:
                found = nearest(readers) if settled else None
            return (found, location_id) if found else None

        return await self._find_and_connect(
            choose,
            wanted=serial or "a reader",
            timeout_s=timeout_s,
            settle_s=NEAREST_SETTLES_S,
            auto_reconnect=auto_reconnect_on_unexpected_disconnect,
        )

    async def connect_nearest(self, location_id: str, *, timeout_s: float | None = 15.0) -> Reader:
        """Connects the reader with the strongest signal (D7)."""
        return await self.easy_connect(location_id, timeout_s=timeout_s)

    async def reconnect_last_reader(self, *, timeout_s: float | None = 15.0) -> Reader:
        """Connects a stored reader that appears, at its stored location, and ends the scan in time (C7).

        The one connected last is taken as soon as it is heard, an earlier one only where that one keeps silent. Raises
        `ReaderNotFoundError` that names the readers it looked for.
        """
        stored = {
            reader.serial: reader.location_id
            for reader in self.memory.readers()
            if self.locations.find(reader.location_id) is not None
        }
        if not stored:
            raise ReaderNotFoundError(
                "no reader has been connected at one of your locations yet",
                hint="Discover readers and connect one first.",
            )

        def choose(readers: list[Reader], *, settled: bool) -> tuple[Reader, str] | None:
            heard = {reader.serial: reader for reader in readers}
            wanted = stored if settled else list(stored)[:1]
            serial = next((serial for serial in wanted if serial in heard), None)
            return (heard[serial], stored[serial]) if serial else None

        return await self._find_and_connect(
            choose,
            wanted=", ".join(stored),
            timeout_s=timeout_s,
            settle_s=LAST_SETTLES_S,
            auto_reconnect=self.auto_reconnect,
        )

    async def disconnect_reader(self, *, force: bool = False) -> None:
        """Disconnects at one's own wish; nothing reconnects after it (X5). Raises `NotConnectedError`, `BusyError`.

        There is no need to do so to save power: the reader has its own standby (C5). While an update is installed it
        is refused, unless it is forced, which breaks the update off (U9).
        """
        if await self._break_update_off("disconnect_reader", force=force):
            await self._keeper.disconnect()
            return
        with self._state.doing("disconnect_reader"):
            await self._keeper.disconnect()

    async def reboot_reader(self, *, force: bool = False) -> None:
        """Restarts the reader (R1). Returns when it has left; auto-reconnect brings it back.

        Raises `NotConnectedError`, `BusyError`, and `ReconnectStartedError` where its link ended otherwise. `force` as
        for `disconnect_reader`.
        """
        if await self._break_update_off("reboot_reader", force=force) and self.connected_reader is None:
            return  # it is restarting already
        with self._state.doing("reboot_reader"):
            await self._keeper.reboot()

    async def forget_reader(self, reader: Reader) -> None:
        """Drops this host's side of the pairing with a reader, so that it is paired anew when it is connected (X2).

        For a reader that no longer knows this host. Raises `AlreadyConnectedError`, `BusyError`, `LinkError` where the
        system does not let a program do it (macOS), `ReaderNotFoundError`.
        """
        with self._state.doing("forget_reader"):
            await self._keeper.forget(reader)

    def in_use(self) -> AbstractContextManager[None]:
        """Marks a transaction of the app's while the block runs: no update is reported meanwhile (U7)."""
        return self._keeper.in_use()

    async def cancel_reader_reconnection(self) -> None:
        """Ends the automatic reconnection: *reconnect failed* (canceled), then *disconnected* (X3)."""
        self._state.admit("cancel_reader_reconnection")
        self._updater.check_cancel(reader_may_be_away=True)
        await self._keeper.stop_reconnecting(CanceledError("the reconnection was canceled"))

    @property
    def installation(self) -> Installation | None:
        """The installation that runs, whoever started it: its progress can be iterated over."""
        return self._updater.installation

    async def look_for_update(self) -> SoftwareUpdate | None:
        """Asks now what waits for the connected reader, which is otherwise asked every ten minutes (U7)."""
        self._state.admit("look_for_update")
        relation = self._keeper.relation
        assert relation is not None
        return await self._updater.look(relation)

    def install_available_update(self) -> Installation:
        """Starts installing the update that waits (U7), and gives its handle: iterate for progress, or await it.

        Raises `UpdateNotAvailableError` and `UpdateBatteryLowError` (U2) at once, `NotConnectedError`, `BusyError`.
        The handle raises `CanceledError` or the `UpdateError` that ended it.
        """
        self._state.admit("install_available_update")
        return self._updater.install_available(self._keeper.relation)

    def install_images(self, *images: Image) -> Installation:
        """Installs MCUboot images that one has, without a feed, on any reader with an SMP server.

        Raises as `install_available_update`, and `UpdateError` for an image of another device type or an older one
        than the reader runs (U13).
        """
        self._state.admit("install_images")
        relation = self._keeper.relation
        assert relation is not None
        return self._updater.install_images(relation, update_of_images(relation.reader, images), images)

    async def cancel_installing_update(self) -> None:
        """Cancels the installation and waits for its end; a connection that required it fails (U6).

        Raises `CancelFailedError` where none runs, or where it cannot be canceled any more.
        """
        self._state.admit("cancel_installing_update")
        installation = self._updater.check_cancel()
        if installation is None:
            raise CancelFailedError("no update is being installed")
        installation.cancel(CanceledError("the update was canceled"))
        await installation.ended()

    async def close(self, *, force: bool = False) -> None:
        """Ends whatever runs, disconnects, and leaves no task behind. Safe to repeat.

        While an update is installed it is refused with `BusyError`, unless it is forced, which breaks the update off:
        the reader keeps working software, and the next connection goes on (U9, U10).
        """
        await self._break_update_off("close", force=force)
        why = CanceledError("the terminal was closed")
        await self._finder.close()
        await self._state.cancel(why)
        await self._keeper.close(why)

    async def _break_update_off(self, verb: Verb, *, force: bool) -> bool:
        """Refuses `verb` while an update is installed (U9), or ends that first, and tells whether it did."""
        if self._updater.installation is None:
            return False
        self._state.admit(verb, alone=False)
        if not force:
            raise BusyError(
                f"{verb} must wait: an update is being installed",
                running="install_available_update",
                hint="Wait for it. With force=True it is broken off: the reader keeps working software, "
                "and the next connection installs the update again.",
            )
        if verb != "reboot_reader":
            self._keeper.part()
        await self._updater.stop(CanceledError(_BROKEN_OFF[verb]))
        return True

    def _check_location(self, location_id: str | None) -> None:
        if self.locations.find(check_location_id(location_id)) is None:
            known = ", ".join(place.id for place in self.locations.list_locations())
            raise InvalidParameterError(
                f"{location_id} is not one of your locations",
                parameter="location_id",
                value=location_id,
                hint=f"Choose one of {known}, or add it to your locations file.",
            )

    async def _find_and_connect(
        self, choose: Choice, *, wanted: str, timeout_s: float | None, settle_s: float, auto_reconnect: bool
    ) -> Reader:
        timeout_s = checked_timeout(timeout_s)
        self._state.admit("easy_connect")
        self._state.check_host()
        chosen = await self._finder.find(choose, wanted=wanted, timeout_s=timeout_s, settle_s=settle_s)
        return await self.connect_reader(*chosen, auto_reconnect)
