"""`DiscoveryPanel`: the readers that are near, and the ways to connect one (D, C)."""

import struct
from concurrent.futures import Future
from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import ConnectionStatus
from terminal_kit.panels.numbers import Numbers
from terminal_kit.panels.painter import Painter
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.reader import DeviceType, Reader
from terminal_kit.session import Session
from terminal_kit.view import View
from terminal_kit.words import visible, words

_LIVE = struct.Struct("<HbH")
"""What changes with every advertisement, for one reader: row, dBm, tenths of a second since it was heard."""

_OLDER = 0xFFFF
"""In place of the tenths of a second: heard longer ago than they can tell, almost two hours."""

_VENDORS_OWN = "a vendor's own reader: its signal can be watched; it cannot be registered or updated from here"
_FOREIGN = "not a reader"
_PAIRED = "paired in the system's settings: forget it there, and pair only through the kit"
_TAKEN = "another host has it: disconnect it there first"
_HINT = "Press Scan. The reader must be on, near, and not paired in the system's Bluetooth settings."
_NOTHING = "No reader is heard. Check that it is on, near, and not paired in the system's Bluetooth settings."


class DiscoveryPanel(Panel):
    """The list of readers with Scan, Stop, a location, Connect, Connect nearest, Reconnect last reader and Forget.

    Rows are greyed, with the reason, where a device cannot be connected (D6, D8).
    """

    _esm = script("discovery")
    name = "discovery"

    def __init__(self, session: Session, *, painter: Painter | None = None) -> None:
        self._numbers = Numbers()
        self._shown: dict[str, Reader] = {}
        self._heard_us: dict[str, int] = {}
        self._doing: tuple[Future[Any], str, str] | None = None
        super().__init__(session, painter=painter)

    def draw(self, view: View) -> Picture:
        """Slow facts only; signal and age go as `news`."""
        places = self.session.locations  # first, since it may raise: no number is given away that the page is not told
        self._numbers.keep(map(_key, view.readers))
        ours = view.reader if view.status is ConnectionStatus.CONNECTED else None
        self._shown = {str(self._numbers[_key(reader)]): reader for reader in view.readers}
        scanning = view.status is ConnectionStatus.DISCOVERING
        return {
            "rows": {
                row: self._row(reader, connected=ours is not None and reader.is_same(ours))
                for row, reader in self._shown.items()
            },
            "status": view.status,
            "scanning": scanning,
            # A connection that is being made has its own panel.
            "doing": "" if view.status is ConnectionStatus.CONNECTING else self._words_for_what_runs(),
            "empty": _NOTHING if scanning else _HINT,
            "locations": [[place.id, visible(place.name)] for place in places],
        }

    def news(self, view: View, *, whole: bool) -> tuple[Any, list[bytes]]:
        """Five bytes for each reader that was heard since the last frame."""
        before = {} if whole else self._heard_us
        self._heard_us = {}
        fresh = bytearray()
        for reader in view.readers:
            key, heard_us = _key(reader), reader.last_heard_us
            if heard_us is None or reader.rssi_dbm is None:
                continue
            self._heard_us[key] = heard_us
            if before.get(key) != heard_us:
                age = min(_OLDER, max(0, (view.now_us - heard_us) // 100_000))
                fresh += _LIVE.pack(self._numbers[key], max(-128, min(127, round(reader.rssi_dbm))), age)
        return None, [bytes(fresh)] if fresh else []

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Scan, stop, connect in three ways, cancel, forget."""
        terminal = self.session.terminal
        self._doing = None  # what was said of the command before is over
        match command:
            case "scan":
                self.run(
                    self.session.scan, float(facts["timeout_s"]) or None, show_others=bool(facts.get("show_others"))
                )
            case "stop":
                self.run(terminal.cancel_discovering)
            case "connect":
                self.run(terminal.connect_reader, self._chosen(facts), facts["location_id"], terminal.auto_reconnect)
            case "connect_nearest":
                connecting = self.run(
                    terminal.easy_connect,
                    facts["location_id"],
                    auto_reconnect_on_unexpected_disconnect=terminal.auto_reconnect,
                )
                self._tell_doing(connecting, "looking for the nearest reader")
            case "reconnect_last":
                wanted = self._connected_before()
                self._tell_doing(self.run(terminal.reconnect_last_reader), f"looking for {wanted}")
            case "cancel":
                self.run(terminal.cancel_connecting)
            case "forget":
                reader = self._chosen(facts)
                name = self.named(reader.serial, reader.label)
                self._tell_doing(
                    self.run(terminal.forget_reader, reader),
                    f"forgetting {name}",
                    f"forgot {name}: connecting pairs it anew",
                )
            case _:
                raise InvalidParameterError(f"the list has no command {command!r}", parameter="command")

    def _chosen(self, facts: dict[str, Any]) -> Reader:
        reader = self._shown.get(str(facts["id"]))
        if reader is None:
            raise InvalidParameterError("this reader is no longer in the list", parameter="reader")
        return reader

    def _connected_before(self) -> str:
        """The readers that "Reconnect last" looks for (C7)."""
        places = {place.id for place in self.session.locations}
        stored = [reader for reader in self.session.terminal.memory.readers() if reader.location_id in places]
        if not stored:
            return "a reader that was connected before"
        others = f", or {len(stored) - 1} connected before it" if len(stored) > 1 else ""
        return f"{self.named(stored[0].serial)}, connected last{others}"

    def _tell_doing(self, future: Future[Any], doing: str, done: str = "") -> None:
        self._doing = (future, doing, done)
        future.add_done_callback(lambda _: self.redraw())

    def _words_for_what_runs(self) -> str:
        if self._doing is None:
            return ""
        future, doing, done = self._doing
        if not future.done():
            return doing
        return done if not future.cancelled() and future.exception() is None else ""

    def _row(self, reader: Reader, *, connected: bool) -> Picture:
        serial, kind = visible(reader.serial), words(reader.device_type)
        label = visible(reader.label or self.session.labels.get(reader.serial, ""))
        why = _why_not(reader)
        marks = [mark for mark, on in (("connected", connected), ("standby", reader.standby)) if on]
        about = [why, *marks, serial if label else "", kind]
        return {
            "serial": serial,
            "name": label or serial,
            "about": " · ".join(fact for fact in about if fact),
            "why": why,
            "able": not why,
            "ours": reader.is_ours,
            "battery": reader.battery,
            "charging": reader.charging,
            "search": f"{label} {serial} {visible(reader.name)} {kind}".lower(),
        }


def _key(reader: Reader) -> str:
    return reader.address or reader.serial


def _why_not(reader: Reader) -> str:
    """Why a device cannot be connected; empty where it can."""
    if not reader.is_ours:
        return _FOREIGN if reader.device_type is DeviceType.UNKNOWN else _VENDORS_OWN
    if reader.paired_in_host:
        return _PAIRED
    return _TAKEN if reader.is_taken else ""
