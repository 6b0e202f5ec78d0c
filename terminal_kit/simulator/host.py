"""The host in the simulated air: what its radio and its internet can do, and who is told when that changes."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from terminal_kit.events import DisconnectReason
from terminal_kit.radio import HostFault, HostState, Undo
from terminal_kit.simulator.figures import REMOTE_USER_TERMINATED
from terminal_kit.simulator.firmware import ReaderModel
from terminal_kit.simulator.link import LOCAL_HOST

if TYPE_CHECKING:
    from terminal_kit.simulator.air import Air

INTERNET_GRACE_S = 30.0
"""A reader that needs the internet ends its link so long after the host lost it (X2)."""


class Host:
    """The machine that scans and connects. Setting an attribute tells whoever watches, and cuts what it must."""

    def __init__(self, air: "Air") -> None:
        self._air = air
        self._faults: list[HostFault] = []
        self._internet = True
        self._overload = 0.0
        self._watchers: list[Callable[[HostState], None]] = []
        self._grace: asyncio.TimerHandle | None = None
        self.bonds: set[str] = set()
        self.paired_in_system: set[str] = set()
        self.internet_grace_s = INTERNET_GRACE_S

    @property
    def state(self) -> HostState:
        """What the host can do now."""
        return HostState(self.fault, self._internet)

    @property
    def fault(self) -> HostFault | None:
        """What keeps the radio from being used, the last of several; setting one ends every link (X7)."""
        return self._faults[-1] if self._faults else None

    @fault.setter
    def fault(self, fault: HostFault | None) -> None:
        self._change([] if fault is None else [fault])

    def add_fault(self, fault: HostFault) -> None:
        """One more fault, beside those that there are."""
        self._change([*(other for other in self._faults if other != fault), fault])

    def mend_fault(self, fault: HostFault) -> None:
        """One fault less; others stay."""
        self._change([other for other in self._faults if other != fault])

    def _change(self, faults: list[HostFault]) -> None:
        self._faults = faults
        self._tell()
        if faults:
            for reader in self._air.readers.values():
                if reader.link is not None:
                    reader.link.end(LOCAL_HOST)

    @property
    def internet(self) -> bool:
        """Whether the host reaches the internet; readers leave some time after it does not (X2)."""
        return self._internet

    @internet.setter
    def internet(self, on: bool) -> None:
        self._internet = on
        self._tell()
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        if not on:
            self._grace = asyncio.get_running_loop().call_later(self.internet_grace_s, self._readers_leave)

    @property
    def overload(self) -> float:
        """The share of every link's connection events for which the host's radio has no time, 0…1."""
        return self._overload

    @overload.setter
    def overload(self, share: float) -> None:
        self._overload = share
        for reader in self._air.readers.values():
            reader.move(unserved=share)

    def watch(self, callback: Callable[[HostState], None]) -> Undo:
        """Calls `callback(state)` at every change; returns what ends that."""
        self._watchers.append(callback)

        def undo() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return undo

    def close(self) -> None:
        """Ends its timer."""
        if self._grace is not None:
            self._grace.cancel()

    def _tell(self) -> None:
        for watcher in list(self._watchers):
            watcher(self.state)

    def _readers_leave(self) -> None:
        for reader in self._air.readers.values():
            if reader.link is not None and isinstance(reader.model, ReaderModel):
                with reader.handled() as model:
                    model.leave(DisconnectReason.INTERNET_LOST, REMOTE_USER_TERMINATED)
