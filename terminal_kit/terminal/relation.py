"""A reader and this host, from the first connection to the last disconnect, over as many links as it takes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from terminal_kit import profile
from terminal_kit.errors import (
    BatteryCriticallyLowError,
    ConnectTimeoutError,
    GattError,
    LinkError,
    PairingLostError,
    TakenByAnotherHostError,
    TerminalError,
)
from terminal_kit.events import DisconnectReason, Kind, ReasonSource, RssiSource
from terminal_kit.profile import BatteryState, LastStop, Notice, NoticeCode, ReaderState, StateFlag
from terminal_kit.radio import Radio
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import BatteryStatus, Reader, battery_status
from terminal_kit.terminal.battery import BatteryWatch
from terminal_kit.terminal.ending import LinkEnd, reason_columns, reason_of
from terminal_kit.terminal.history import History
from terminal_kit.terminal.identity import checked_serial, taken
from terminal_kit.terminal.link import Link
from terminal_kit.terminal.neighbourhood import Neighbourhood
from terminal_kit.terminal.offer import Offer
from terminal_kit.terminal.operation import to_the_end
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder

if TYPE_CHECKING:
    from terminal_kit.terminal.installation import Installation

_NOTICE_KINDS = {
    NoticeCode.CARD_INSERTED: Kind.CARD_INSERTED,
    NoticeCode.CARD_REMOVED: Kind.CARD_REMOVED,
    NoticeCode.STANDBY_ENTERED: Kind.STANDBY_ENTERED,
    NoticeCode.STANDBY_LEFT: Kind.STANDBY_LEFT,
}

_SIGNAL_COUNTS_S = 10.0
"""A signal heard so long before a drop still says something about it; an older one would be a held value (X8)."""

_LOOK_S = 2.0
"""A reader that is near is heard within two seconds, if it advertises at all."""


class Relation:
    """One reader connected at one location. `reader` is the newest record of it; `on_change(reader)` tells of changes.

    It owns the link while there is one, and everything that happens on it. `on_paired(reader)` is awaited as soon as
    the reader and this host are paired: that must be remembered whatever follows (D6).
    """

    def __init__(
        self,
        radio: Radio,
        recorder: Recorder,
        limits: Limits,
        reader: Reader,
        *,
        location_id: str,
        updates: UpdateSource,
        history: History,
        on_change: Callable[[Reader], None],
        on_paired: Callable[[Reader], Awaitable[None]],
    ) -> None:
        self._radio = radio
        self._recorder = recorder
        self.limits = limits
        self.now_s = radio.clock.monotonic_s
        self.history = history
        self._on_change = on_change
        self._on_paired = on_paired
        self._battery = BatteryWatch()
        self._recheck = asyncio.Event()
        self._signal: tuple[float, float] | None = None  # when (s), dBm
        self._state_heard_s = 0.0
        self._is_set_up = False
        self._busy_id: str | None = None
        self.offer = Offer(updates, radio.clock, recorder, limits, location_id)
        self.installation: Installation | None = None
        self.has_restarted = False
        self.is_session_over = self.is_on_trial = self.was_here_lately = (
            False  # lately: it may be used without internet (E, 2870)
        )
        self.reader: Reader = reader
        self.location_id = location_id
        self.session = 0
        self.link: Link | None = None
        self.deadline: asyncio.Timeout | None = None

    async def connect(self, attempt_id: str, session: int, *, first: int = 1, tries: int = 1, link_s: float) -> None:
        """Makes a link and sets it up: `tries` requests at most, each for `link_s`, counted from `first`.

        Raises, with nothing left open. `deadline` is the time limit that it runs under, so that its rows can tell a
        time-out from a cancellation.
        """
        if self.reader.is_taken:
            raise taken(self.reader.serial)
        if await self._radio.held_by_host(self.reader.details):
            raise TakenByAnotherHostError(
                f"{self.reader.serial} is paired in the system's Bluetooth settings",
                reader=self.reader.serial,
                hint="Forget it in the system's settings; pair only through the kit.",
            )
        self.link = await self._open(attempt_id, range(first, first + tries), link_s)
        self.session, self.is_session_over, self._is_set_up = session, False, False
        self.tell(Kind.LINK_CONNECTED, attempt_id=attempt_id, **self.link.parameters())
        try:
            await self._set_up(self.link, attempt_id)
        except BaseException as error:
            timed_out = self.code_of(error) == ConnectTimeoutError.code
            await self.disconnect(DisconnectReason.UNKNOWN if timed_out else reason_of(error))
            raise
        self._is_set_up = True

    async def disconnect(self, reason: DisconnectReason = DisconnectReason.DISCONNECT_REQUESTED) -> None:
        """Ends the link, if there is one, for `reason`, and logs that it ended; to the end, whoever gives up."""
        if self.link is not None:
            await to_the_end(self._close(self.link, reason))

    async def _close(self, link: Link, reason: DisconnectReason) -> None:
        self.log_end(await link.close(reason))

    def log_end(self, end: LinkEnd) -> None:
        """Logs the link's end once, with the last signal if it is fresh, and lets the link go."""
        if self.link is None:
            return
        link, self.link, self.is_session_over = self.link, None, True
        if self._busy_id is not None:
            self.tell(Kind.BUSY_ENDED, attempt_id=self._busy_id)
            self._busy_id = None
        fresh = self._signal and self.now_s() - self._signal[0] <= _SIGNAL_COUNTS_S
        self._recorder.emit(
            Kind.LINK_DISCONNECTED,
            reader=self.reader.serial,
            session=self.session,
            **reason_columns(end),
            duration_s=self.now_s() - link.opened_s,
            rssi_dbm=self._signal[1] if fresh and self._signal else None,
            rssi_source=RssiSource.READER_SERVICE if fresh else None,
        )
        if self._is_set_up:
            self.history.dropped = (self.session, end)

    async def reboot(self) -> None:
        """Asks the reader to restart (R1)."""
        assert self.link is not None
        await self.link.reboot()
        self.tell(Kind.REBOOT_REQUESTED)

    @asynccontextmanager
    async def attended(self) -> AsyncGenerator[Link]:
        """The live link, with its signs of life and its updates watched while the block runs."""
        assert self.link is not None
        attendance = asyncio.create_task(self._attend(self.link), name="terminal_kit: attend")
        offers = self.offer.watched(
            lambda: self.reader,
            lambda: self._busy_id is not None or self.installation is not None,
            lambda update: self._update(available_update=update),
        )
        try:
            async with offers:
                yield self.link
        finally:
            attendance.cancel()
            await asyncio.wait({attendance})

    async def _open(self, attempt_id: str, attempts: range, link_s: float) -> Link:
        for attempt in attempts:
            started_s = self.now_s()
            self.tell(Kind.LINK_CONNECTING, attempt_id=attempt_id, attempt=attempt)
            try:
                return await Link.open(self._radio, self.reader, self.limits, timeout_s=link_s, on_fault=self._on_fault)
            except BaseException as error:
                # Logged for a cancellation too: every link_connecting has its end.
                self.tell(
                    Kind.LINK_FAILED,
                    attempt_id=attempt_id,
                    attempt=attempt,
                    error_code=self.code_of(error),
                    hci_code=error.hci_code if isinstance(error, LinkError) else None,
                    duration_s=self.now_s() - started_s,
                    text=str(error) or None,
                )
                if len(attempts) > 1 and isinstance(error, ConnectTimeoutError) and await self._is_taken():
                    raise taken(self.reader.serial) from error
                passing = isinstance(error, ConnectTimeoutError) or type(error) is LinkError
                if not passing or attempt == attempts[-1]:
                    raise
        raise AssertionError("a link needs at least one try")

    async def _is_taken(self) -> bool:
        """Whether a reader that does not answer says, within a moment, that another host has it (E, 3241)."""
        neighbourhood = Neighbourhood(self._radio, self._recorder, self.limits)
        with suppress(TimeoutError, TerminalError):
            async with asyncio.timeout(_LOOK_S), neighbourhood.scanning():
                while (found := neighbourhood.find(self.reader)) is None:
                    await neighbourhood.tick()
                return found.is_taken
        return False

    def code_of(self, error: BaseException) -> str:
        """The code of whatever ended a try; a cancellation by `deadline` is a time-out."""
        if isinstance(error, TerminalError):
            return error.code
        if isinstance(error, asyncio.CancelledError):
            return ConnectTimeoutError.code if self.deadline is not None and self.deadline.expired() else "CANCELED"
        return TerminalError.code

    async def _set_up(self, link: Link, attempt_id: str) -> None:
        await link.listen(on_notice=self._on_notice, on_state=self._on_state, on_battery=self._on_battery)
        facts = await link.read_facts()
        self._state_heard_s = self.now_s()
        if facts.battery and facts.battery.level == 0:
            # A single 0 may be a false reading (B3): nobody is turned away on it alone.
            facts.battery = await link.read_battery()
        battery = facts.battery or BatteryState(None, None)
        serial = checked_serial(self.reader.serial, facts.serial)
        self._update(
            serial=serial,
            firmware=facts.firmware,
            battery=battery.level,
            charging=battery.charging,
            uptime_s=float(facts.state.uptime_s) if facts.state else None,
            standby=bool(facts.state and facts.state.flags & StateFlag.STANDBY),
        )
        self.tell(
            Kind.READER_INFO,
            firmware=facts.firmware,
            device_type=self.reader.device_type,
            attempt_id=attempt_id,
            extra={
                "name": self.reader.name,
                "uptime_s": self.reader.uptime_s,
                "boots": facts.last_stop.boots if facts.last_stop else None,
            },
        )
        self.is_on_trial = bool(facts.state.flags & StateFlag.ON_TRIAL) if facts.state else self.history.is_unconfirmed
        self._learn(facts.last_stop)
        if facts.state and facts.state.flags & StateFlag.BUSY:
            self._on_notice(Notice(NoticeCode.BUSY_STARTED))
        if battery.level is not None:
            kinds = self._battery.take(battery).kinds
            for kind in dict.fromkeys((Kind.BATTERY, *kinds)):
                self.tell(kind, battery=battery.level, charging=battery.charging)
        if battery_status(battery.level) is BatteryStatus.CRITICAL:
            raise BatteryCriticallyLowError(
                f"the battery of {serial} is at {battery.level:.0%}", reader=serial, battery=battery.level
            )
        # Registering needs the internet; a reader that is registered here already can do without (E, 2870).
        offline = self._radio.host_state().internet is False
        if link.has(profile.REGISTRATION) and not (offline and facts.location_id == self.location_id):
            await self._register(link, attempt_id)
        self._update(location_id=self.location_id if link.has(profile.REGISTRATION) else None)
        await self.look_for_update()

    async def look_for_update(self) -> None:
        """Asks what waits for the reader, and keeps it on the record (U7)."""
        self._update(available_update=await self.offer.look(self.reader))

    async def check_battery(self) -> None:
        """Reads the battery now."""
        if self.link is not None and (reading := await self.link.read_battery()):
            self._on_battery(reading)

    @contextmanager
    def unhurried(self) -> Generator[None]:
        """Stops the clock of whatever limits this connection while the block runs: an update takes its time (U3)."""
        limit, loop = self.deadline, asyncio.get_running_loop()
        if limit is None or (when := limit.when()) is None:
            yield
            return
        left_s = when - loop.time()
        limit.reschedule(None)
        try:
            yield
        finally:
            if not limit.expired():
                limit.reschedule(loop.time() + left_s)

    async def _register(self, link: Link, attempt_id: str) -> None:
        try:
            if at_once := await link.pair():
                await self._paired(attempt_id)
            await link.register(self.location_id)
            if not at_once:
                await self._paired(attempt_id)
        except PairingLostError as error:
            self.tell(Kind.PAIRING_FAILED, attempt_id=attempt_id, error_code=error.code)
            raise
        self.tell(Kind.REGISTERED, attempt_id=attempt_id, location=self.location_id)

    async def _paired(self, attempt_id: str) -> None:
        await self._on_paired(self.reader)
        self.tell(Kind.ENCRYPTION_CHANGED, attempt_id=attempt_id)

    def _learn(self, now: LastStop | None) -> None:
        """What the reader says of its last stop, after it came back (X1). Rows never change: this is a later row."""
        learned = self.history.learn(now)
        if learned.restarted is not None:
            self.has_restarted = True
            self.tell(Kind.READER_STARTED, reason=learned.restarted)
        if learned.reason is not None:
            self._recorder.emit(
                Kind.REASON_LEARNED,
                reader=self.reader.serial,
                session=learned.session,
                reason=learned.reason,
                reason_source=ReasonSource.BOOT,
                hci_code=now.link_code if now else None,
            )

    def _on_notice(self, notice: Notice) -> None:
        match notice.code:
            case NoticeCode.STANDBY_ENTERED | NoticeCode.STANDBY_LEFT:
                self._update(standby=notice.code is NoticeCode.STANDBY_ENTERED)
            case NoticeCode.BUSY_STARTED if self._busy_id is None:
                self._busy_id = self._recorder.next_attempt_id()
                self.tell(Kind.BUSY_STARTED, attempt_id=self._busy_id)
            case NoticeCode.BUSY_ENDED if self._busy_id is not None:
                self.tell(Kind.BUSY_ENDED, attempt_id=self._busy_id)
                self._busy_id = None
            case _:
                pass
        if kind := _NOTICE_KINDS.get(notice.code):
            self.tell(kind)

    def _on_state(self, state: ReaderState) -> None:
        self._state_heard_s = self.now_s()
        if state.host_rssi_dbm is None:
            return
        rssi_dbm = float(state.host_rssi_dbm)
        self._signal = (self.now_s(), rssi_dbm)
        self.tell(Kind.SIGNAL, rssi_dbm=rssi_dbm, count=1, rssi_source=RssiSource.READER_SERVICE)

    def _on_battery(self, reading: BatteryState) -> None:
        verdict = self._battery.take(reading)
        if verdict.read_again:
            self._recheck.set()
        if Kind.BATTERY in verdict.kinds:
            self._update(battery=self._battery.level, charging=self._battery.charging)
        for kind in verdict.kinds:
            false_reading = kind is Kind.BATTERY_FALSE_READING
            level = 0.0 if false_reading else self._battery.level
            self.tell(kind, battery=level, charging=None if false_reading else self._battery.charging)

    def _on_fault(self, characteristic: str, error: TerminalError) -> None:
        self.tell(
            Kind.ATT_ERROR,
            att_code=error.att_code if isinstance(error, GattError | PairingLostError) else None,
            error_code=error.code,
            text=str(error),
            extra={"characteristic": characteristic},
        )

    async def _attend(self, link: Link) -> None:
        """Reads the battery from time to time, and ends a link whose reader has gone mute (complaint 12)."""
        battery_due_s = self.now_s() + self.limits.battery_every_s
        try:
            while link.is_up:
                try:
                    async with asyncio.timeout(self.limits.silence_s):
                        await self._recheck.wait()
                except TimeoutError:
                    pass
                else:
                    self._recheck.clear()
                    battery_due_s = self.now_s()
                if self.now_s() >= battery_due_s:
                    battery_due_s = self.now_s() + self.limits.battery_every_s
                    await self.check_battery()
                if self.now_s() - self._state_heard_s >= self.limits.silence_s:
                    await link.read_state()
        except TerminalError as error:
            if link.is_up:
                self.tell(Kind.ERROR, error_code=error.code, text=str(error))
                await link.close(DisconnectReason.UNKNOWN)

    def _update(self, **facts: Any) -> None:
        self.reader = replace(self.reader, **facts)
        self._on_change(self.reader)

    def tell(self, kind: Kind, **columns: Any) -> None:
        """One row about this reader."""
        session = self.session if self.link is not None else None
        self._recorder.emit(kind, reader=self.reader.serial, session=session, **columns)
