"""`DiscoveryPanel`: the readers that are near, and the ways to connect one (D, C)."""

import struct
from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import ConnectionStatus
from terminal_kit.panels.painter import Painter
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.reader import DeviceType, Reader
from terminal_kit.session import Session
from terminal_kit.view import View
from terminal_kit.words import visible, words

_LIVE = struct.Struct("<HbB")
"""What changes with every advertisement, for one reader: row, dBm, tenths of a second since it was heard."""

_VENDORS_OWN = "a vendor's own reader: its signal can be watched; it cannot be registered or updated from here"
_FOREIGN = "not a reader"
_PAIRED = "paired in the system's settings: forget it there, and pair only through the kit"
_HINT = "Press Scan. The reader must be on, near, and not paired in the system's Bluetooth settings."
_NOTHING = "No reader is heard. Check that it is on, near, and not paired in the system's Bluetooth settings."


class DiscoveryPanel(Panel):
    """The list of readers with Scan, Stop, a location, Connect, Connect nearest and Reconnect last reader.

    Rows are greyed, with the reason, where a device cannot be connected (D6, D8).
    """

    _esm = script("discovery")
    name = "discovery"

    def __init__(self, session: Session, *, painter: Painter | None = None) -> None:
        self._numbers: dict[str, int] = {}
        self._shown: dict[str, Reader] = {}
        self._heard_us: dict[int, int] = {}
        super().__init__(session, painter=painter)

    def draw(self, view: View) -> Picture:
        """Slow facts only; signal and age go as `news`."""
        rows: dict[str, Picture] = {}
        readers: dict[str, Reader] = {}
        connected = view.reader.serial if view.status is ConnectionStatus.CONNECTED and view.reader else None
        for reader in view.readers:
            row = str(self._number(reader))
            rows[row] = _row(reader, connected=reader.serial == connected)
            readers[row] = reader
        self._shown = readers
        scanning = view.status is ConnectionStatus.DISCOVERING
        return {
            "rows": rows,
            "status": view.status,
            "scanning": scanning,
            "empty": _NOTHING if scanning else _HINT,
            "locations": [[place.id, visible(place.name)] for place in self.session.locations],
        }

    def news(self, view: View, *, whole: bool) -> tuple[Any, list[bytes]]:
        """Four bytes for each reader that was heard since the last frame."""
        if whole:
            self._heard_us = {}
        fresh = bytearray()
        for reader in view.readers:
            row, heard_us = self._number(reader), reader.last_heard_us
            if heard_us is None or reader.rssi_dbm is None or self._heard_us.get(row) == heard_us:
                continue
            self._heard_us[row] = heard_us
            age = min(255, max(0, (view.now_us - heard_us) // 100_000))
            fresh += _LIVE.pack(row, max(-128, min(127, round(reader.rssi_dbm))), age)
        return None, [bytes(fresh)] if fresh else []

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Scan, stop, connect in three ways, cancel."""
        terminal = self.session.terminal
        match command:
            case "scan":
                self.run(
                    self.session.scan, float(facts["timeout_s"]) or None, show_others=bool(facts.get("show_others"))
                )
            case "stop":
                self.run(terminal.cancel_discovering)
            case "connect":
                reader = self._shown.get(str(facts["id"]))
                if reader is None:
                    raise InvalidParameterError("this reader is no longer in the list", parameter="reader")
                self.run(terminal.connect_reader, reader, facts["location_id"], terminal.auto_reconnect)
            case "connect_nearest":
                self.run(terminal.connect_nearest, facts["location_id"])
            case "reconnect_last":
                self.run(terminal.reconnect_last_reader)
            case "cancel":
                self.run(terminal.cancel_connecting)
            case _:
                raise InvalidParameterError(f"the list has no command {command!r}", parameter="command")

    def _number(self, reader: Reader) -> int:
        """A small number that stays with the device; two bytes are plenty for one session's neighbourhood."""
        return self._numbers.setdefault(reader.address or reader.serial, len(self._numbers) & 0xFFFF)


def _row(reader: Reader, *, connected: bool) -> Picture:
    kind = words(reader.device_type)
    serial = visible(reader.serial)
    label = visible(reader.label) if reader.label else ""
    why = "" if reader.is_ours else _FOREIGN if reader.device_type is DeviceType.UNKNOWN else _VENDORS_OWN
    if reader.paired_in_host:
        why = _PAIRED
    marks = [mark for mark, on in (("connected", connected), ("standby", reader.standby)) if on]
    return {
        "serial": serial,
        "name": f"{label} ({serial})" if label else serial,
        "kind": " · ".join([*marks, kind]),
        "why": why,
        "able": not why,
        "battery": reader.battery,
        "charging": reader.charging,
        "search": f"{serial} {label} {kind}".lower(),
    }
