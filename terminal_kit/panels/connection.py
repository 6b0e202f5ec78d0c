"""`ConnectionPanel`: what the terminal is doing with which reader, since when, and what went wrong (C, X, R)."""

from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.events import ConnectionStatus, DisconnectReason
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.reader import Reader
from terminal_kit.view import View
from terminal_kit.view.records import Notice
from terminal_kit.words import HOST_FAULTS, notice_words, reason_words, visible, words

NOTICES_SHOWN = 2
"""The newest and the one before: enough to see "lost" and "back"; the log has the rest."""

SCAN_S = 30.0
"""How long "Discover again" listens: a reader that was switched on is heard within some ten seconds."""

_CANCELS = {
    ConnectionStatus.CONNECTING: "cancel_connecting",
    ConnectionStatus.RECONNECTING: "cancel_reader_reconnection",
}
"""What Cancel ends, by what is going on."""

_BROKEN_OFF = "breaking it off leaves the reader with working software, and the next connection goes on"
"""What whoever forces an end to an update must know (U9)."""

Line = list[Any]
"""One fact: label, words, and for some a kind with a value that the page draws."""


class ConnectionPanel(Panel):
    """Status and time in it, the reader's facts, the notices of X9, the auto-reconnect switch, Reboot, Disconnect.

    While an update is installed, "Break off and disconnect" stands beside the two, which are off with the reason (U9).
    """

    _esm = script("connection")
    name = "connection"

    def draw(self, view: View) -> Picture:
        """Times go as times: the page counts them up and down by itself."""
        updating = view.update is not None and view.update.is_running
        connected = view.status is ConnectionStatus.CONNECTED
        waits = f"An update is being installed; {_BROKEN_OFF}." if updating else ""
        return {
            "status": view.status,
            "status_words": words(view.status).capitalize() + (" · updating" if updating else ""),
            "since_us": view.since_us,
            "facts": self._facts(view),
            "notices": [
                [notice.t_us, visible(notice.stage), _told(notice)]
                for notice in reversed(view.notices[-NOTICES_SHOWN:])
            ],
            "auto_reconnect": view.auto_reconnect,
            "can_cancel": view.status in _CANCELS and not updating,
            "can_break_off": updating,
            "break_off_help": f"{_BROKEN_OFF[:1].upper()}{_BROKEN_OFF[1:]}",
            "cannot_leave": waits or ("" if connected else "No reader is connected."),
            "can_discover": view.status is ConnectionStatus.NOT_CONNECTED and _left_unasked(view),
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Reboot, disconnect, cancel whatever is under way, discover again, the auto-reconnect switch."""
        terminal = self.session.terminal
        match command:
            case "reboot":
                self.run(terminal.reboot_reader)
            case "disconnect":
                self.run(terminal.disconnect_reader)
            case "cancel":
                verb = _CANCELS.get(self.session.view.status, "cancel_connecting")
                self.run(getattr(terminal, verb))
            case "break_off":
                if (verb := _CANCELS.get(self.session.view.status)) is not None:
                    self.run(getattr(terminal, verb))
                else:
                    self.run(terminal.disconnect_reader, force=True)
            case "scan":
                self.run(self.session.scan, SCAN_S)
            case "auto_reconnect":
                self.session.post(setattr, terminal, "auto_reconnect", bool(facts["on"]))
                self.redraw()
            case _:
                raise InvalidParameterError(f"the connection has no command {command!r}", parameter="command")

    def _facts(self, view: View) -> list[Line]:
        reader = view.reader
        if reader is None:
            host = [["Host", HOST_FAULTS.get(view.host_fault, visible(view.host_fault))]] if view.host_fault else []
            return [*host, ["Reader", "none: choose one in the list and connect it"]]
        lines: list[Line] = [["Reader", self.named(reader.serial, reader.label)], ["Type", words(reader.device_type)]]
        if view.location_id:
            lines.append(["Location", self._place(view.location_id)])
        if view.reconnecting is not None:
            lost = view.reconnecting
            lines.append(["Lost", reason_words(lost.reason)])
            lines.append(["Attempts", f"{lost.attempts} so far, listening for it"])
        if reader.battery is not None:
            charging = ", charging" if reader.charging else ""
            level = f"{reader.battery:.0%}".replace("%", " %")
            lines.append(["Battery", f"{level} {words(reader.battery_status)}{charging}", "battery", reader.battery])
        if view.status is ConnectionStatus.CONNECTED:
            lines += _while_connected(view, reader)
        return lines

    def _place(self, location_id: str) -> str:
        names = {place.id: place.name for place in self.session.locations}
        return visible(names.get(location_id, location_id))


def _while_connected(view: View, reader: Reader) -> list[Line]:
    doing = [
        mark
        for mark, on in (
            ("in standby", reader.standby),
            ("busy with a transaction", view.busy),
            ("card inserted", view.card_inserted),
        )
        if on
    ]
    lines: list[Line] = [["Now", ", ".join(doing)]] if doing else []
    if reader.firmware:
        lines.append(["Software", visible(reader.firmware)])
    if view.next_restart_us is not None:
        lines.append(["Next restart", "", "restart", view.next_restart_us])
    else:
        lines.append(["Next restart", "not known"])
    if view.false_battery_us is not None:
        lines.append(["Note", "a false battery reading of 0 % was ignored"])
    return lines


def _left_unasked(view: View) -> bool:
    """Whether somebody wants to look for a reader that went away by itself, or was not heard (X9)."""
    unheard = bool(view.notices) and view.notices[-1].stage == "scan_timed_out"
    return unheard or (bool(view.drops) and view.drops[-1].reason != DisconnectReason.DISCONNECT_REQUESTED)


def _told(notice: Notice) -> str:
    return f"{notice_words(notice.stage, notice.reason)} {visible(notice.text or '')}".rstrip()
