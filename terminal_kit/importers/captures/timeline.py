"""One phone's timeline: its adapters, links and devices, carried from chunk to chunk and from file to file."""

from typing import Any

from terminal_kit.events import DisconnectReason, Kind, ReasonSource
from terminal_kit.importers.captures.devices import Device, Devices
from terminal_kit.importers.captures.evidence import evidence, reason
from terminal_kit.importers.captures.links import Adapter, Attempt, Link
from terminal_kit.importers.captures.payloads import Payload
from terminal_kit.importers.captures.rows import Moment, Rows
from terminal_kit.importers.captures.traffic import Traffic
from terminal_kit.profile import StateFlag
from terminal_kit.reader import device_type_of

FAILED_TO_BE_ESTABLISHED = 0x3E
"""A link that never carried a packet; the tries of a series are counted on over it."""


class Timeline:
    """What has been understood so far. `traffic` is that of the chunk being read."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.devices = Devices()
        self.adapters: dict[int, Adapter] = {}
        self.traffic: Traffic | None = None
        self.filtered_duplicates = False
        self._sessions = 0

    def adapter(self, number: int) -> Adapter:
        """The state of an adapter."""
        return self.adapters.setdefault(number, Adapter(number))

    def link(self, adapter: int, handle: int) -> Link | None:
        """The open link of a handle."""
        return self.adapter(adapter).links.get(handle)

    def links(self) -> list[Link]:
        """All open links."""
        return [link for adapter in self.adapters.values() for link in adapter.links.values()]

    def device(self, key: int, now: Moment) -> Device:
        """The device of an address."""
        return self.devices.get(key, now.t_us, now.source, now.record)

    def open(self, handle: int, now: Moment, device: Device | None = None) -> Link:
        """A new link; one that still has the handle ended unseen. Without a device: its set-up was not seen."""
        adapter = self.adapter(now.adapter)
        if (old := adapter.links.get(handle)) is not None:
            self.close(old, now, None, extra={"end_seen": False})
        self._sessions += 1
        link = Link(now.adapter, handle, self._sessions, now, now, now.at, device, set_up_seen=device is not None)
        adapter.links[handle] = link
        adapter.classic.discard(handle)
        adapter.unsure.discard(handle)
        return link

    def unseen(self, handle: int, now: Moment) -> Link:
        """The open link of a handle, or one that the capture finds in its middle."""
        return self.link(now.adapter, handle) or self.open(handle, now)

    def close(
        self,
        link: Link,
        now: Moment,
        code: int | None,
        *,
        extra: dict[str, Any] | None = None,
        by_host: DisconnectReason | None = None,
    ) -> None:
        """The link is over."""
        self.account(link, now.at)
        adapter = self.adapter(link.adapter)
        columns = reason(link, code)
        if by_host is not None:
            columns |= {"reason": by_host, "reason_source": ReasonSource.HOST}
        self.rows.add(
            Kind.LINK_DISCONNECTED,
            now,
            link.reader,
            duration_s=max(0, now.t_us - link.began.t_us) / 1e6 if link.set_up_seen else None,
            extra=evidence(link, adapter, now) | (extra or {}),
            **link.columns,
            **link.parameters,
            **columns,
        )
        if link.device is not None and code != FAILED_TO_BE_ESTABLISHED:
            link.device.attempts = 0
        if adapter.links.get(link.handle) is link:
            del adapter.links[link.handle]

    def close_all(self, adapter: Adapter, now: Moment, why: str) -> None:
        """The controller forgot its links (reset, or switched off): nobody told their peers."""
        for link in list(adapter.links.values()):
            self.close(link, now, None, extra={"ended_by": why}, by_host=DisconnectReason.BLUETOOTH_DISABLED)
        adapter.classic.clear()
        adapter.unsure.clear()
        adapter.scanning = adapter.filter_duplicates = adapter.scan = None
        if adapter.attempt is not None:
            self.fail(adapter.attempt, now, None)
        adapter.attempt = adapter.before = None

    def fail(self, attempt: Attempt, now: Moment, code: int | None) -> None:
        """An attempt came to nothing."""
        self.rows.add(
            Kind.LINK_FAILED,
            now,
            attempt.device.reader if attempt.device else "",
            hci_code=code,
            attempt=attempt.number,
            attempt_id=attempt.id,
            duration_s=max(0, now.t_us - attempt.began.t_us) / 1e6,
            extra=wanted(attempt),
        )

    def alive(self, link: Link, now: Moment) -> None:
        """The peer was heard on the link, by an event that it had a part in."""
        self.account(link, now.at)
        link.heard, link.advertised, link.advertised_record = now, 0, None

    def account(self, link: Link, end: int) -> None:
        """Brings a link's counts up to date to before the place `end` of the chunk."""
        if link.device is not None:
            link.device = self.devices.of(link.device.id)
        if self.traffic is None or end <= link.since:
            return
        heard, chunk = self.traffic.heard(link.key, link.device, link.since, end), self.traffic.chunk
        if heard.last >= 0:
            at = heard.last
            link.heard = Moment(chunk.source, int(chunk.t_us[at]), int(chunk.number[at]), link.adapter, at)
            link.advertised, link.advertised_record = 0, None
        link.undirected |= heard.undirected > 0
        link.advertised += heard.advertised
        if heard.advertised_last >= 0:
            link.advertised_record = int(chunk.number[heard.advertised_last])
        link.queued = max(0, link.queued + heard.sent - heard.completed)
        link.since = end

    def advertised(self, device: Device, payload: Payload, now: Moment) -> None:
        """A device advertised something that it had not before."""
        device.hear(payload)
        device = self.devices.learn_serial(device, device.name)
        state = payload.state
        taken = None
        if state is not None:
            flags = state.flags
            if device.flags is not None and (flags ^ device.flags) & StateFlag.TAKEN:
                taken = bool(flags & StateFlag.TAKEN)
            elif device.flags is None and flags & StateFlag.TAKEN:
                taken = True
            device.flags = flags
        if device.is_reader and (not device.found or taken is not None):
            self.found(device, now, taken=taken)
        if state is not None and state.battery is not None:
            self.battery(device, state.battery, now, charging=bool(state.flags & StateFlag.CHARGING))

    def found(self, device: Device, now: Moment, *, taken: bool | None = None) -> None:
        """A row of what a device says about itself on the air."""
        device.found = True
        extra: dict[str, Any] = {"address": device.address, "address_type": device.address_type}
        extra |= {"name": device.name, "services": list(device.services), "manufacturer": device.manufacturer}
        extra["taken"] = taken
        self.rows.add(
            Kind.READER_FOUND,
            now,
            device.reader,
            device_type=device_type_of(device.serial),
            text=device.name,
            extra={name: fact for name, fact in extra.items() if fact is not None and fact != []},
        )

    def battery(
        self, device: Device, level: float, now: Moment, *, charging: bool | None = None, session: int | None = None
    ) -> None:
        """A battery level, where it is news."""
        if level != device.battery:
            device.battery = level
            self.rows.add(Kind.BATTERY, now, device.reader, battery=level, charging=charging, session=session)


def wanted(attempt: Attempt) -> dict[str, Any]:
    """What `extra` tells of whom an attempt was for."""
    if attempt.device is None:
        return {"accept_list": attempt.accept_list}
    return {"address": attempt.device.address, "address_type": attempt.device.address_type}
