"""A reader and this host, from the first connection to the last disconnect, over as many links as it takes."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from terminal_kit import profile
from terminal_kit.errors import (
    BatteryCriticallyLowError,
    ConnectTimeoutError,
    LinkError,
    PairingLostError,
    TakenByAnotherHostError,
    TerminalError,
    UpdateRequiredError,
)
from terminal_kit.events import DisconnectReason, Kind, ReasonSource, RssiSource
from terminal_kit.profile import BatteryState, LastStop, Notice, NoticeCode, ReaderState, StateFlag
from terminal_kit.radio import Radio
from terminal_kit.reader import BatteryStatus, Reader, battery_status
from terminal_kit.terminal.battery import BatteryWatch
from terminal_kit.terminal.link import Link, LinkEnd
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder

_NOTICE_KINDS = {
    NoticeCode.CARD_INSERTED: Kind.CARD_INSERTED,
    NoticeCode.CARD_REMOVED: Kind.CARD_REMOVED,
    NoticeCode.STANDBY_ENTERED: Kind.STANDBY_ENTERED,
    NoticeCode.STANDBY_LEFT: Kind.STANDBY_LEFT,
    NoticeCode.BUSY_STARTED: Kind.BUSY_STARTED,
    NoticeCode.BUSY_ENDED: Kind.BUSY_ENDED,
}

_SIGNAL_COUNTS_S = 10.0
"""A signal heard so long before a drop still says something about it; an older one would be a held value (X8)."""

_LINK_ENDERS = (PairingLostError, TakenByAnotherHostError, BatteryCriticallyLowError, UpdateRequiredError)
"""Failures that another try at once cannot mend."""


class Relation:
    """One reader connected at one location. `reader` is the newest record of it; `on_change(reader)` tells of changes.

    It owns the link while there is one, and everything that happens on it.
    """

    def __init__(
        self,
        radio: Radio,
        recorder: Recorder,
        limits: Limits,
        reader: Reader,
        *,
        location_id: str,
        on_change: Callable[[Reader], None],
    ) -> None:
        self._radio = radio
        self._recorder = recorder
        self._limits = limits
        self._now_s = radio.clock.monotonic_s
        self._on_change = on_change
        self._battery = BatteryWatch()
        self._recheck = asyncio.Event()
        self._last_stop: LastStop | None = None
        self._signal: tuple[float, float] | None = None  # when (s), dBm
        self._state_heard_s = 0.0
        self._dropped: tuple[int, LinkEnd] | None = None  # the session that was lost, and why as far as known
        self.reader = reader
        self.location_id = location_id
        self.session = 0
        self.link: Link | None = None

    async def connect(self, attempt_id: str, session: int, *, tries: int, link_s: float) -> None:
        """Makes a link and sets it up: `tries` requests at most, each for `link_s`. Raises, with nothing left open."""
        if await self._radio.held_by_host(self.reader.details):
            raise TakenByAnotherHostError(
                f"{self.reader.serial} is paired in the system's Bluetooth settings",
                reader=self.reader.serial,
                hint="Forget it in the system's settings; pair only through the kit.",
            )
        link = await self._open(attempt_id, tries, link_s)
        self.link, self.session = link, session
        self._told(Kind.LINK_CONNECTED, attempt_id=attempt_id, **_parameters(self._radio, link))
        try:
            await self._set_up(link, attempt_id)
        except BaseException:
            await self.disconnect()
            raise

    async def disconnect(self, reason: DisconnectReason = DisconnectReason.DISCONNECT_REQUESTED) -> LinkEnd | None:
        """Ends the link for `reason`, and logs that it ended. None where there was none."""
        if self.link is None:
            return None
        return self.log_end(await self.link.close(reason))

    def log_end(self, end: LinkEnd) -> LinkEnd:
        """Logs the link's end once, with the last signal if it is fresh, and lets the link go."""
        if self.link is not None:
            link, self.link = self.link, None
            fresh = self._signal and self._now_s() - self._signal[0] <= _SIGNAL_COUNTS_S
            self._told(
                Kind.LINK_DISCONNECTED,
                **reason_columns(end),
                duration_s=self._now_s() - link.opened_s,
                rssi_dbm=self._signal[1] if fresh and self._signal else None,
                rssi_source=RssiSource.READER_SERVICE if fresh else None,
            )
            self._dropped = (self.session, end)
        return end

    async def reboot(self) -> None:
        """Asks the reader to restart (R1)."""
        assert self.link is not None
        await self.link.reboot()
        self._told(Kind.REBOOT_REQUESTED)

    @asynccontextmanager
    async def attended(self) -> AsyncGenerator[Link]:
        """The live link, with its signs of life watched while the block runs."""
        assert self.link is not None
        attendance = asyncio.create_task(self._attend(self.link), name="terminal_kit: attend")
        try:
            yield self.link
        finally:
            attendance.cancel()
            await asyncio.wait({attendance})

    async def _open(self, attempt_id: str, tries: int, link_s: float) -> Link:
        for attempt in range(1, tries + 1):
            started_s = self._now_s()
            self._told(Kind.LINK_CONNECTING, attempt_id=attempt_id, attempt=attempt)
            try:
                return await Link.open(self._radio, self.reader, self._limits, timeout_s=link_s)
            except BaseException as error:
                # Logged for a cancellation too: every link_connecting has its end.
                failed = error if isinstance(error, TerminalError) else None
                self._told(
                    Kind.LINK_FAILED,
                    attempt_id=attempt_id,
                    attempt=attempt,
                    error_code=failed.code if failed else "CANCELED",
                    duration_s=self._now_s() - started_s,
                    text=str(error) or None,
                )
                passing = isinstance(error, ConnectTimeoutError) or type(error) is LinkError
                if not passing or attempt == tries:
                    raise
        raise AssertionError("a link needs at least one try")

    async def _set_up(self, link: Link, attempt_id: str) -> None:
        await link.listen(on_notice=self._on_notice, on_state=self._on_state, on_battery=self._on_battery)
        facts = await link.read_facts()
        self._state_heard_s = self._now_s()
        if facts.battery and facts.battery.level == 0:
            # A single 0 may be a false reading (B3): nobody is turned away on it alone.
            facts.battery = await link.read_battery()
        battery = facts.battery or BatteryState(None, None)
        serial = facts.serial or self.reader.serial
        self._update(
            serial=serial,
            firmware=facts.firmware,
            battery=battery.level,
            charging=battery.charging,
            uptime_s=float(facts.state.uptime_s) if facts.state else None,
            standby=bool(facts.state and facts.state.flags & StateFlag.STANDBY),
        )
        self._told(
            Kind.READER_INFO,
            firmware=facts.firmware,
            device_type=self.reader.device_type,
            attempt_id=attempt_id,
            extra={"uptime_s": self.reader.uptime_s, "boots": facts.last_stop.boots if facts.last_stop else None},
        )
        self._learn(facts.last_stop)
        self._battery.take(battery)
        if battery.level is not None:
            self._told(Kind.BATTERY, battery=battery.level, charging=battery.charging)
        if battery_status(battery.level) is BatteryStatus.CRITICAL and not battery.charging:
            raise BatteryCriticallyLowError(
                f"the battery of {serial} is at {battery.level:.0%}", reader=serial, battery=battery.level
            )
        if link.has(profile.REGISTRATION):
            await self._register(link, attempt_id)

    async def _register(self, link: Link, attempt_id: str) -> None:
        try:
            await link.pair()
            self._told(Kind.ENCRYPTION_CHANGED, attempt_id=attempt_id)
            await link.register(self.location_id)
        except PairingLostError as error:
            self._told(Kind.PAIRING_FAILED, attempt_id=attempt_id, error_code=error.code)
            raise
        self._update(location_id=self.location_id)
        self._told(Kind.REGISTERED, attempt_id=attempt_id, location=self.location_id)
        update = await self._radio.find_update(self.reader.serial, self.location_id)
        if update is None:
            return
        if update.is_required(self._radio.clock.utc_us()):
            raise UpdateRequiredError(
                f"{self.reader.serial} needs the update to {update.version} before it can be used",
                reader=self.reader.serial,
                version=update.version,
                required_at_us=update.required_at_us,
                hint="This version of the kit reports updates and does not install them yet.",
            )
        self._update(available_update=update)
        self._told(
            Kind.UPDATE_AVAILABLE,
            firmware_from=self.reader.firmware,
            firmware_to=update.version,
            components=int(update.components),
            required_at_us=update.required_at_us,
            extra={"estimated_time": update.estimated_time},
        )

    def _learn(self, now: LastStop | None) -> None:
        """What the reader says of its last stop, after it came back (X1). Rows never change: this is a later row."""
        before, self._last_stop = self._last_stop, now
        if now is None or before is None or self._dropped is None:
            return
        session, end = self._dropped
        restarted = now.boots != before.boots
        if restarted:
            self._told(Kind.READER_STARTED, reason=now.reason)
        reason = now.reason if restarted else DisconnectReason.UNKNOWN
        if not restarted and now.link_code == 0x08:
            reason = DisconnectReason.BLUETOOTH_SIGNAL_LOST
        first_hand = end.source in (ReasonSource.FAREWELL, ReasonSource.HOST)
        if reason in (DisconnectReason.UNKNOWN, end.reason) or first_hand:
            return
        self._recorder.emit(
            Kind.REASON_LEARNED,
            reader=self.reader.serial,
            session=session,
            reason=reason,
            reason_source=ReasonSource.BOOT,
            hci_code=now.link_code,
        )

    def _on_notice(self, notice: Notice) -> None:
        if notice.code is NoticeCode.STANDBY_ENTERED or notice.code is NoticeCode.STANDBY_LEFT:
            self._update(standby=notice.code is NoticeCode.STANDBY_ENTERED)
        if kind := _NOTICE_KINDS.get(notice.code):
            self._told(kind)

    def _on_state(self, state: ReaderState) -> None:
        self._state_heard_s = self._now_s()
        if state.host_rssi_dbm is None:
            return
        rssi_dbm = float(state.host_rssi_dbm)
        self._signal = (self._now_s(), rssi_dbm)
        self._told(Kind.SIGNAL, rssi_dbm=rssi_dbm, count=1, rssi_source=RssiSource.READER_SERVICE)

    def _on_battery(self, reading: BatteryState) -> None:
        verdict = self._battery.take(reading)
        if verdict.read_again:
            self._recheck.set()
        if Kind.BATTERY in verdict.kinds:
            self._update(battery=self._battery.level, charging=self._battery.charging)
        for kind in verdict.kinds:
            false_reading = kind is Kind.BATTERY_FALSE_READING
            level = 0.0 if false_reading else self._battery.level
            self._told(kind, battery=level, charging=None if false_reading else self._battery.charging)

    async def _attend(self, link: Link) -> None:
        """Reads the battery from time to time, and ends a link whose reader has gone mute (complaint 12)."""
        battery_due_s = self._now_s() + self._limits.battery_every_s
        try:
            while link.is_up:
                try:
                    async with asyncio.timeout(self._limits.silence_s):
                        await self._recheck.wait()
                except TimeoutError:
                    pass
                else:
                    self._recheck.clear()
                    battery_due_s = self._now_s()
                if self._now_s() >= battery_due_s:
                    battery_due_s = self._now_s() + self._limits.battery_every_s
                    if reading := await link.read_battery():
                        self._on_battery(reading)
                if self._now_s() - self._state_heard_s >= self._limits.silence_s:
                    await link.read_state()
        except TerminalError as error:
            if link.is_up:
                self._told(Kind.ERROR, error_code=error.code, text=str(error))
                await link.close(DisconnectReason.UNKNOWN)

    def _update(self, **facts: Any) -> None:
        self.reader = replace(self.reader, **facts)
        self._on_change(self.reader)

    def _told(self, kind: Kind, **columns: Any) -> None:
        session = self.session if self.link is not None or kind is Kind.LINK_DISCONNECTED else None
        self._recorder.emit(kind, reader=self.reader.serial, session=session, **columns)


def reason_columns(end: LinkEnd) -> dict[str, Any]:
    """The columns of a row that tells why a link ended."""
    return {"reason": end.reason, "reason_source": end.source, "hci_code": end.hci_code}


def _parameters(radio: Radio, link: Link) -> dict[str, Any]:
    parameters = radio.link_parameters(link.client)
    return {
        "interval_ms": parameters.interval_ms,
        "peripheral_latency": parameters.peripheral_latency,
        "supervision_timeout_s": parameters.supervision_timeout_s,
        "mtu_bytes": parameters.mtu_bytes,
    }
