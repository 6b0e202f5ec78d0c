"""Commands and events that tell of links, one by one (Core Specification Vol 4 Part E, 7).

Whatever bytes come, nothing here raises: a packet is read only where it is long enough.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from terminal_kit.events import Kind, RssiSource
from terminal_kit.importers.captures import hci
from terminal_kit.importers.captures.devices import key_of
from terminal_kit.importers.captures.hci import HANDLE, u16
from terminal_kit.importers.captures.links import ROLES, Adapter, Attempt, Link, Scan
from terminal_kit.importers.captures.rows import Moment
from terminal_kit.importers.captures.timeline import Timeline, wanted

ADVERTISING_TIMEOUT = 0x3C
"""Nobody answered this host's own directed advertising (Core Vol 1 Part F, 2.56): none of its attempts failed."""

Handler = Callable[["Control", Moment, bytes], None]


class _Least(NamedTuple):
    """A handler, and how many bytes of parameters it needs."""

    size: int
    handle: Handler


class Control:
    """Reads commands and events into a timeline. `parameters` are what follows a packet's header."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def command(self, now: Moment, opcode: int, parameters: bytes) -> bool:
        """One command; gives whether it was long enough."""
        return self._dispatch(_COMMANDS.get(opcode), now, parameters) and self._procedure(now, opcode, parameters)

    def event(self, now: Moment, code: int, parameters: bytes) -> bool:
        """One event; gives whether it was long enough."""
        if code == hci.LE_META and parameters:
            return self._dispatch(_META.get(parameters[0]), now, parameters) and self._answer(now, parameters)
        return self._dispatch(_EVENTS.get(code), now, parameters)

    def _dispatch(self, least: _Least | None, now: Moment, parameters: bytes) -> bool:
        if least is None:
            return True
        if len(parameters) < least.size:
            return False
        least.handle(self, now, parameters)
        return True

    def _procedure(self, now: Moment, opcode: int, parameters: bytes) -> bool:
        what = hci.PROCEDURES.get(opcode)
        if what is not None:
            link = self._timeline.link(now.adapter, u16(parameters, 0) & HANDLE)
            if link is not None:
                link.pending.setdefault(what, now)
        return True

    def _answer(self, now: Moment, parameters: bytes) -> bool:
        subevent = parameters[0]
        at = hci.HANDLE_AT.get(subevent)
        if at is None:
            return True
        if len(parameters) < at + 2:
            return False
        link = self._timeline.unseen(u16(parameters, at) & HANDLE, now)
        link.pending.pop(hci.ANSWERS.get(subevent, ""), None)
        if at == 1 or parameters[1] == 0:  # with status 0, or without one: the peer took part
            self._timeline.alive(link, now)
        return True

    # Commands

    def disconnect(self, now: Moment, parameters: bytes) -> None:
        """The host hangs up."""
        link = self._timeline.link(now.adapter, u16(parameters, 0) & HANDLE)
        if link is not None and link.asked is None:
            link.asked, link.asked_reason = now, parameters[2]

    def reset(self, now: Moment, parameters: bytes) -> None:
        """The controller is told to forget everything."""
        adapter = self._timeline.adapter(now.adapter)
        self._timeline.close_all(adapter, now, "reset")
        adapter.accept_list.clear()
        self._timeline.rows.add(
            Kind.HOST_CHANGED, now, text="the host reset its Bluetooth controller", extra={"change": "reset"}
        )

    def scan_parameters(self, now: Moment, parameters: bytes) -> None:
        """Whether the scan that follows asks for scan responses."""
        self._timeline.adapter(now.adapter).active = parameters[0] == 1

    def extended_scan_parameters(self, now: Moment, parameters: bytes) -> None:
        """The same; the first PHY speaks for all."""
        self._timeline.adapter(now.adapter).active = parameters[3] == 1

    def scan_enable(self, now: Moment, parameters: bytes) -> None:
        """The host begins or ends to scan."""
        self._scan(now, parameters, hci.SCAN_ENABLE)

    def extended_scan_enable(self, now: Moment, parameters: bytes) -> None:
        """The same."""
        self._scan(now, parameters, hci.EXTENDED_SCAN_ENABLE)

    def _scan(self, now: Moment, parameters: bytes, opcode: int) -> None:
        adapter = self._timeline.adapter(now.adapter)
        self.settle(adapter)
        adapter.scan = Scan(parameters[0] == 1, parameters[1] != 0, now, opcode)

    def settle(self, adapter: Adapter) -> None:
        """A scan command that nobody refused counts as done."""
        scan, adapter.scan = adapter.scan, None
        if scan is None:
            return
        before = adapter.scanning, adapter.filter_duplicates if adapter.scanning else None
        after = scan.enable, scan.filter_duplicates if scan.enable else None
        adapter.scanning, adapter.filter_duplicates = after
        if before == after:
            return
        self._timeline.filtered_duplicates |= scan.enable and scan.filter_duplicates
        kind = Kind.SCAN_STARTED if scan.enable else Kind.SCAN_STOPPED
        extra: dict[str, Any] = {"filter_duplicates": scan.filter_duplicates, "active": adapter.active}
        extra = {name: fact for name, fact in extra.items() if fact is not None} if scan.enable else {}
        self._timeline.rows.add(kind, scan.now, extra=extra or None)

    def create_connection(self, now: Moment, parameters: bytes) -> None:
        """A wish to connect: filter policy, type and address of the peer lie behind the scan's interval and window."""
        self._create(now, parameters[4], parameters[6:12], parameters[5])

    def extended_create_connection(self, now: Moment, parameters: bytes) -> None:
        """The same; policy, own address type, peer."""
        self._create(now, parameters[0], parameters[3:9], parameters[2])

    def extended_create_connection_v2(self, now: Moment, parameters: bytes) -> None:
        """The same behind an advertising set and a sub-event; with a set the peer answers periodic advertising."""
        self._create(now, parameters[2], parameters[5:11], parameters[4])

    def _create(self, now: Moment, policy: int, address: bytes, address_type: int) -> None:
        timeline, adapter = self._timeline, self._timeline.adapter(now.adapter)
        listed = sorted(adapter.accept_list)
        key = key_of(address, address_type) if policy & 1 == 0 else listed[0] if len(listed) == 1 else None
        device = timeline.device(key, now) if key is not None else None
        number = 1
        if device is not None:
            device.attempts += 1
            number = device.attempts
        attempt = Attempt(device, now, number, f"{now.source}:{now.record}", len(listed))
        adapter.before, adapter.attempt = adapter.attempt, attempt
        reader = device.reader if device else ""
        extra = wanted(attempt)
        timeline.rows.add(Kind.LINK_CONNECTING, now, reader, attempt=number, attempt_id=attempt.id, extra=extra)

    def clear_accept_list(self, now: Moment, parameters: bytes) -> None:
        """Nobody is on the list any more."""
        self._timeline.adapter(now.adapter).accept_list.clear()

    def add_to_accept_list(self, now: Moment, parameters: bytes) -> None:
        """A device that the controller shall connect to when it hears it."""
        self._timeline.adapter(now.adapter).accept_list.add(key_of(parameters[1:7], parameters[0]))

    def remove_from_accept_list(self, now: Moment, parameters: bytes) -> None:
        """A device that it shall no longer."""
        self._timeline.adapter(now.adapter).accept_list.discard(key_of(parameters[1:7], parameters[0]))

    # Events

    def classic_connection(self, now: Moment, parameters: bytes) -> None:
        """A BR/EDR link: its handle is none of ours until it ends."""
        if parameters[0] == 0:
            self._timeline.adapter(now.adapter).classic.add(u16(parameters, 1) & HANDLE)

    def disconnected(self, now: Moment, parameters: bytes) -> None:
        """A link ended; an unknown one is an LE link whose set-up was not seen, unless BR/EDR has it."""
        handle = u16(parameters, 1) & HANDLE
        adapter = self._timeline.adapter(now.adapter)
        if parameters[0] != 0:
            return
        if handle in adapter.classic | adapter.unsure:
            adapter.classic.discard(handle)
            adapter.unsure.discard(handle)
            return
        self._timeline.close(self._timeline.unseen(handle, now), now, parameters[3])

    def encrypted(self, now: Moment, parameters: bytes) -> None:
        """Encryption began, ended, or failed with a status."""
        link = self._timeline.link(now.adapter, u16(parameters, 1) & HANDLE)
        if link is not None:
            extra: dict[str, Any] = {"enabled": parameters[3] != 0}
            self._encryption(link, now, parameters[0], extra | ({"key_bytes": parameters[4]} if parameters[4:] else {}))

    def key_refreshed(self, now: Moment, parameters: bytes) -> None:
        """An encrypted link got a new key."""
        link = self._timeline.link(now.adapter, u16(parameters, 1) & HANDLE)
        if link is not None:
            self._encryption(link, now, parameters[0], {"enabled": parameters[0] == 0, "refreshed": True})

    def _encryption(self, link: Link, now: Moment, status: int, extra: dict[str, Any]) -> None:
        link.pending.pop("encryption start", None)
        if status == 0:
            self._timeline.alive(link, now)
        self._timeline.rows.add(Kind.ENCRYPTION_CHANGED, now, link.reader, hci_code=status, extra=extra, **link.columns)

    def remote_version(self, now: Moment, parameters: bytes) -> None:
        """The peer's chip: Bluetooth version, its maker, the maker's own number."""
        link = self._timeline.link(now.adapter, u16(parameters, 1) & HANDLE)
        if link is None:
            return
        link.pending.pop("version exchange", None)
        if parameters[0] == 0:
            self._timeline.alive(link, now)
            names = ("bluetooth_version", "chip_manufacturer", "chip_subversion")
            extra = dict(zip(names, struct.unpack_from("<BHH", parameters, 3), strict=True))
            self._timeline.rows.add(Kind.READER_INFO, now, link.reader, extra=extra, **link.columns)

    def hardware_error(self, now: Moment, parameters: bytes) -> None:
        """The host's controller broke down."""
        text = f"the host's Bluetooth controller reports hardware error 0x{parameters[0]:02X}"
        self._timeline.rows.add(Kind.ERROR, now, text=text, extra={"hardware_code": parameters[0]})

    def command_complete(self, now: Moment, parameters: bytes) -> None:
        """A command's answer: packets allowed, opcode, status and what else it returns."""
        self._outcome(now, u16(parameters, 1), parameters[3])
        if u16(parameters, 1) == hci.READ_RSSI and parameters[3] == 0 and len(parameters) >= 7:
            self._rssi(now, u16(parameters, 4) & HANDLE, parameters[6])

    def command_status(self, now: Moment, parameters: bytes) -> None:
        """A command's first answer: status, packets allowed, opcode."""
        self._outcome(now, u16(parameters, 2), parameters[0])

    def _outcome(self, now: Moment, opcode: int, status: int) -> None:
        adapter = self._timeline.adapter(now.adapter)
        if adapter.scan is not None and opcode == adapter.scan.opcode:
            if status == 0:
                self.settle(adapter)
            else:
                adapter.scan = None
        elif status and opcode in _CREATE and adapter.attempt is not None:
            self._timeline.fail(adapter.attempt, now, status)
            adapter.attempt, adapter.before = adapter.before, None
        elif status and opcode in hci.PROCEDURES:
            # It does not tell of which link: the youngest that waits.
            what = hci.PROCEDURES[opcode]
            waiting = [link for link in adapter.links.values() if what in link.pending]
            if waiting:
                del max(waiting, key=lambda link: link.pending[what].t_us).pending[what]

    def _rssi(self, now: Moment, handle: int, octet: int) -> None:
        link = self._timeline.link(now.adapter, handle)
        rssi_dbm = octet - 256 if octet > 127 else octet
        if link is not None and rssi_dbm != hci.RSSI_UNKNOWN:
            levels = dict.fromkeys(("rssi_dbm", "rssi_min_dbm", "rssi_max_dbm"), rssi_dbm)
            self._timeline.rows.add(
                Kind.SIGNAL, now, link.reader, count=1, rssi_source=RssiSource.HCI, **levels, **link.columns
            )

    def vendor(self, now: Moment, parameters: bytes) -> None:
        """Android's quality report tells the signal of a link; others are their maker's own."""
        if parameters[0] == hci.ANDROID_QUALITY_REPORT and len(parameters) >= 8:
            self._rssi(now, u16(parameters, 3) & HANDLE, parameters[7])

    def connected(self, now: Moment, parameters: bytes) -> None:
        """LE Connection Complete."""
        self._connected(now, parameters, 12, None)

    def enhanced_connected(self, now: Moment, parameters: bytes) -> None:
        """The same with the private addresses in use: the peer's is one device with its identity."""
        self._connected(now, parameters, 24, parameters[18:24])

    def _connected(self, now: Moment, parameters: bytes, at: int, private: bytes | None) -> None:
        timeline, adapter = self._timeline, self._timeline.adapter(now.adapter)
        status, role = parameters[1], parameters[4]
        if status == ADVERTISING_TIMEOUT:
            return
        attempt = adapter.attempt if role == 0 or status else None
        if attempt is not None:
            adapter.attempt, adapter.before = None, None
        if status:
            if attempt is None:
                blank = key_of(parameters[6:12], parameters[5])
                attempt = Attempt(
                    timeline.device(blank, now) if blank >> 8 else None, now, 1, f"{now.source}:{now.record}"
                )
            timeline.fail(attempt, now, status)
            return
        device = timeline.device(key_of(parameters[6:12], parameters[5]), now)
        if private and any(private):
            device = timeline.devices.join(device, timeline.device(key_of(private, 1), now))
        link = timeline.open(u16(parameters, 2) & HANDLE, now, device)
        link.role, link.attempt = ROLES.get(role), attempt
        self._parameters(link, parameters, at)
        if not device.found and device.name is not None:
            first = Moment(device.source, device.t_us, device.record, now.adapter, now.at)
            timeline.found(device, first)
        device.connected = True
        timeline.rows.add(
            Kind.LINK_CONNECTED,
            now,
            link.reader,
            attempt=attempt.number if attempt else None,
            attempt_id=attempt.id if attempt else None,
            duration_s=max(0, now.t_us - attempt.began.t_us) / 1e6 if attempt else None,
            extra=link.extra,
            **link.columns,
            **link.parameters,
        )

    def _parameters(self, link: Link, parameters: bytes, at: int) -> None:
        link.interval_ms = u16(parameters, at) * 1.25
        link.peripheral_latency = u16(parameters, at + 2)
        link.supervision_timeout_s = u16(parameters, at + 4) / 100

    def updated(self, now: Moment, parameters: bytes) -> None:
        """New parameters are in force, or the update failed with a status."""
        link = self._timeline.unseen(u16(parameters, 2) & HANDLE, now)
        if parameters[1] == 0:
            self._parameters(link, parameters, 4)
        self._update(link, now, parameters[1])

    def phy_updated(self, now: Moment, parameters: bytes) -> None:
        """Another PHY: 1 is 1M, 2 is 2M, 3 is coded."""
        link = self._timeline.unseen(u16(parameters, 2) & HANDLE, now)
        self._update(link, now, parameters[1], {"tx_phy": parameters[4], "rx_phy": parameters[5]})

    def _update(self, link: Link, now: Moment, status: int, extra: dict[str, Any] | None = None) -> None:
        self._timeline.rows.add(
            Kind.LINK_UPDATED, now, link.reader, hci_code=status or None, extra=extra, **link.columns, **link.parameters
        )


_CREATE = (hci.CREATE_CONNECTION, hci.EXTENDED_CREATE_CONNECTION, hci.EXTENDED_CREATE_CONNECTION_V2)

_COMMANDS: dict[int, _Least] = {
    hci.DISCONNECT: _Least(3, Control.disconnect),
    hci.RESET: _Least(0, Control.reset),
    hci.SCAN_PARAMETERS: _Least(1, Control.scan_parameters),
    hci.EXTENDED_SCAN_PARAMETERS: _Least(4, Control.extended_scan_parameters),
    hci.SCAN_ENABLE: _Least(2, Control.scan_enable),
    hci.EXTENDED_SCAN_ENABLE: _Least(2, Control.extended_scan_enable),
    hci.CREATE_CONNECTION: _Least(12, Control.create_connection),
    hci.EXTENDED_CREATE_CONNECTION: _Least(9, Control.extended_create_connection),
    hci.EXTENDED_CREATE_CONNECTION_V2: _Least(11, Control.extended_create_connection_v2),
    hci.CLEAR_ACCEPT_LIST: _Least(0, Control.clear_accept_list),
    hci.ADD_TO_ACCEPT_LIST: _Least(7, Control.add_to_accept_list),
    hci.REMOVE_FROM_ACCEPT_LIST: _Least(7, Control.remove_from_accept_list),
}

_EVENTS: dict[int, _Least] = {
    hci.CLASSIC_CONNECTION_COMPLETE: _Least(3, Control.classic_connection),
    hci.DISCONNECTION_COMPLETE: _Least(4, Control.disconnected),
    hci.ENCRYPTION_CHANGE: _Least(4, Control.encrypted),
    hci.ENCRYPTION_CHANGE_V2: _Least(4, Control.encrypted),
    hci.KEY_REFRESH: _Least(3, Control.key_refreshed),
    hci.REMOTE_VERSION: _Least(8, Control.remote_version),
    hci.HARDWARE_ERROR: _Least(1, Control.hardware_error),
    hci.COMMAND_COMPLETE: _Least(4, Control.command_complete),
    hci.COMMAND_STATUS: _Least(4, Control.command_status),
    hci.VENDOR: _Least(1, Control.vendor),
}

_META: dict[int, _Least] = {
    hci.CONNECTION_COMPLETE: _Least(18, Control.connected),
    hci.ENHANCED_CONNECTION_COMPLETE: _Least(30, Control.enhanced_connected),
    hci.ENHANCED_CONNECTION_COMPLETE_V2: _Least(30, Control.enhanced_connected),
    hci.CONNECTION_UPDATE: _Least(10, Control.updated),
    hci.PHY_UPDATE: _Least(6, Control.phy_updated),
}
