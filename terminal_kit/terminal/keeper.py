"""Keeping a reader: connecting it, watching over the link, bringing it back (C, X, R)."""

import asyncio
import random
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from terminal_kit.errors import (
    BatteryCriticallyLowError,
    CanceledError,
    CommunicationError,
    LinkError,
    PairingLostError,
    ReaderNotFoundError,
    ReconnectStartedError,
    SupersededError,
    TakenByAnotherHostError,
    TerminalError,
    UpdateError,
)
from terminal_kit.events import DisconnectReason, Kind, ReasonSource, RssiSource
from terminal_kit.memory import Memory
from terminal_kit.radio.translation import translate
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import Reader
from terminal_kit.terminal.acquaintances import Acquaintances
from terminal_kit.terminal.ending import LinkEnd, reason_columns, reason_of
from terminal_kit.terminal.finder import Finder, after
from terminal_kit.terminal.history import History
from terminal_kit.terminal.operation import Operation, Outcome
from terminal_kit.terminal.policy import ReconnectPolicy
from terminal_kit.terminal.reconnection import Reconnection
from terminal_kit.terminal.relation import Relation
from terminal_kit.terminal.state import State, code_of
from terminal_kit.terminal.status import Connected, Connecting, NotConnected, Reconnecting
from terminal_kit.terminal.updater import Updater, update_columns

_NO_RETURN = frozenset(
    {
        DisconnectReason.DISCONNECT_REQUESTED,
        DisconnectReason.CRITICALLY_LOW_BATTERY,
        DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION,
    }
)
"""Reasons after which nothing reconnects by itself (X2, X5)."""

_RESTARTS = frozenset({DisconnectReason.REBOOT_REQUESTED, DisconnectReason.SECURITY_REBOOT})
"""Reasons that tell of a restart before the reader is back."""


class Keeper:
    """The connection of one terminal. `auto_reconnect` may change while a reader is connected."""

    def __init__(
        self,
        state: State,
        finder: Finder,
        *,
        memory: Memory,
        updates: UpdateSource,
        policy: ReconnectPolicy,
        rng: random.Random,
    ) -> None:
        self._state = state
        self._finder = finder
        self.acquaintances = Acquaintances(state, memory)
        self._policy = policy
        self._rng = rng
        self._updates = updates
        self.updater = Updater(state, updates, rng=rng, next_session=self._next_session)
        self._care: asyncio.Task[None] | None = None
        self._relation: Relation | None = None
        self._reconnection: Operation[None] | None = None
        self._is_parting = False
        self._sessions = 0
        self._histories: dict[str, History] = {}
        self._released_us: dict[str, int] = {}
        self.auto_reconnect = True

    def begin(self, reader: Reader, location_id: str) -> Operation[Reader]:
        """Makes a connection the running operation; a running discovery ends first (C3)."""
        state, before = self._state, self._state.operation
        attempt_id, started_s = state.recorder.next_attempt_id(), state.now_s()
        relation = Relation(
            state.radio,
            state.recorder,
            state.limits,
            reader,
            location_id=location_id,
            updates=self._updates,
            history=self._histories.setdefault(reader.serial, History()),
            on_change=state.reader_changed,
            on_paired=partial(self.acquaintances.remember, location_id, is_connected=False),
        )
        relation.was_here_lately = self.acquaintances.was_here_lately(reader, location_id)

        def done(outcome: Outcome) -> None:
            state.operation = None
            facts: dict[str, Any] = {
                "attempt_id": attempt_id,
                "location": location_id,
                "duration_s": state.now_s() - started_s,
            }
            if outcome is None:
                self._relation, self._is_parting = relation, False
                self._care = asyncio.create_task(self._take_care(relation), name="terminal_kit: care")
                state.enter(Connected(relation.reader, relation.session))
                state.tell(Kind.CONNECT_SUCCEEDED, session=relation.session, **facts)
            else:
                state.enter(NotConnected())
                state.tell(
                    Kind.CONNECT_FAILED,
                    reader=reader.serial,
                    error_code=code_of(outcome),
                    hci_code=outcome.hci_code if isinstance(outcome, LinkError) else None,
                    text=str(outcome) or None,
                    **facts,
                    **(update_columns(relation.reader) if isinstance(outcome, UpdateError) else {}),
                )

        operation = Operation("connect_reader", after(before, partial(self._connect, relation, attempt_id)), done)
        state.operation = operation
        fresh = not self._is_stale(reader)
        state.enter(Connecting(reader.serial, attempt_id))
        state.tell(
            Kind.CONNECT_STARTED,
            attempt_id=attempt_id,
            location=location_id,
            rssi_dbm=reader.rssi_dbm if fresh else None,
            rssi_source=RssiSource.ADVERTISEMENT if fresh and reader.rssi_dbm is not None else None,
        )
        if before is not None:
            before.cancel(SupersededError(f"{before.name} ended because a connection started"))
        return operation

    def part(self) -> None:
        """Nothing reconnects by itself any more."""
        self._is_parting = True

    async def disconnect(self) -> None:
        """Ends the relation at one's own wish, whatever the reader said meanwhile, and waits for its last row (X5)."""
        self._is_parting = True
        if self._relation is not None and self._relation.link is not None:
            await self._relation.link.close(DisconnectReason.DISCONNECT_REQUESTED)
        await self._care_ends()

    async def reboot(self) -> None:
        """Restarts the reader; returns when it has left. Raises what ended the link otherwise."""
        relation = self._relation
        assert relation is not None
        link, session = relation.link, relation.session
        if link is not None:
            try:
                await relation.reboot()
                async with asyncio.timeout(self._state.limits.answer_s):
                    await link.ended()
            except TimeoutError as error:
                if isinstance(error, TerminalError):
                    raise
                link.expect(DisconnectReason.UNKNOWN)
                raise CommunicationError(
                    f"{relation.reader.serial} did not restart", reader=link.reader.serial
                ) from error
            except TerminalError:
                if link.is_up:
                    raise
            end = await link.ended()
            if end.reason is not DisconnectReason.REBOOT_REQUESTED:
                raise self._cut_short(end, relation.reader.serial)
        await self._state.until(lambda now: not (isinstance(now, Connected) and now.session == session))

    async def stop_reconnecting(self, why: TerminalError) -> None:
        """Ends the automatic reconnection and the relation with it, even one that has just succeeded (X3)."""
        self._is_parting = True
        if self._reconnection is not None:
            self._reconnection.cancel(why)
        await self._care_ends()

    async def close(self, why: TerminalError) -> None:
        """Ends whatever there is. Safe to repeat."""
        self._is_parting = True
        if self._reconnection is not None:
            self._reconnection.cancel(why)
        if self._relation is not None and self._relation.link is not None:
            await self._relation.link.close(DisconnectReason.DISCONNECT_REQUESTED)
        await self._care_ends()

    @property
    def relation(self) -> Relation | None:
        """The reader that is connected or being reconnected."""
        return self._relation

    def in_use(self) -> AbstractContextManager[None]:
        """Marks a transaction of the app's with the connected reader while the block runs (U7)."""
        return nullcontext() if self._relation is None else self._relation.offer.in_use()

    async def _connect(self, relation: Relation, attempt_id: str) -> Reader:
        limits = self._state.limits
        try:
            async with asyncio.timeout(limits.connect_s) as relation.deadline:
                await self._care_ends()  # an earlier relation may still be closing its link
                if self._is_stale(relation.reader):
                    relation.reader = await self._find_again(relation.reader)

                async def connect() -> None:
                    tries, link_s = limits.link_tries, limits.link_s
                    await relation.connect(attempt_id, self._next_session(), tries=tries, link_s=link_s)

                await connect()
                await self.updater.bring_up_to_date(relation, again=connect)
                await self.acquaintances.remember(relation.location_id, relation.reader)
        except BaseException as error:
            timed_out = isinstance(error, TimeoutError)
            await relation.disconnect(DisconnectReason.UNKNOWN if timed_out else reason_of(error))
            if isinstance(error, TerminalError) or not isinstance(error, Exception):
                raise
            raise translate(error, reader=relation.reader.serial, timeout_s=limits.connect_s) from error
        self._histories[relation.reader.serial] = relation.history
        return relation.reader

    async def _take_care(self, relation: Relation) -> None:
        """Watches over one relation until it ends."""
        try:
            while relation.link is not None:
                async with relation.attended() as link:
                    if self._is_parting:
                        await link.close(DisconnectReason.DISCONNECT_REQUESTED)
                    end = await link.ended()
                    if relation.installation is not None:
                        await relation.installation.ended()
                        if relation.link not in (None, link):
                            continue  # the restart belonged to an update (U12)
                    session = relation.session
                    relation.log_end(end)
                    self._released_us[relation.reader.address] = self._state.radio.clock.utc_us()
                    returning = self._start_return(relation, session, end)
                if returning is None:
                    return
                await returning.stopped()
                if returning.outcome is not None:
                    return
        finally:
            self._care = self._relation = None
            if self._reconnection is not None:
                self._reconnection.cancel(CanceledError("nobody watches over the reader any more"))
            await relation.disconnect()

    def _start_return(self, relation: Relation, session: int, end: LinkEnd) -> Operation[None] | None:
        """Starts the automatic reconnection after a link's end, or parts for good (X2, X4, X5)."""
        state, serial = self._state, relation.reader.serial
        if self._is_parting:
            self._part(serial, session, end)
            return None
        if not self.auto_reconnect or end.reason in _NO_RETURN:
            off = None if self.auto_reconnect else "Automatic reconnection is off."
            self._part(serial, session, end, told=True, more=off)
            return None
        attempt_id, started_s = state.recorder.next_attempt_id(), state.now_s()
        reconnection = Reconnection(
            state.radio,
            state.recorder,
            state.limits,
            self._policy,
            self._rng,
            settle=partial(self._settle, end.reason),
        )

        def done(outcome: Outcome) -> None:
            self._reconnection = None
            facts: dict[str, Any] = {
                "attempt_id": attempt_id,
                "attempt": reconnection.attempts,
                "duration_s": state.now_s() - started_s,
            }
            if outcome is None:
                state.enter(Connected(relation.reader, relation.session))
                state.tell(Kind.RECONNECT_SUCCEEDED, session=relation.session, reason=end.reason, **facts)
                state.notice("reconnected", serial)
            else:
                hindrance = update_columns(relation.reader) if isinstance(outcome, UpdateError) else {}
                told = {"error_code": code_of(outcome), "text": str(outcome) or None}
                state.tell(Kind.RECONNECT_FAILED, **told, **facts, **hindrance)
                # What kept it from coming back is what the user must know, not how it was lost.
                hindered = isinstance(outcome, PairingLostError | BatteryCriticallyLowError)
                last = LinkEnd(reason_of(outcome), ReasonSource.HOST) if hindered else end
                taken = isinstance(outcome, TakenByAnotherHostError)
                self._part(serial, session, last, told=True, more=f"{outcome}. {outcome.hint}" if taken else None)

        work = reconnection.run(relation, attempt_id, end.reason, self._next_session)
        self._reconnection = Operation("an automatic reconnection", work, done)
        returning = self._reconnection
        state.enter(Reconnecting(serial, end.reason, attempt_id))
        state.tell(Kind.RECONNECT_STARTED, attempt_id=attempt_id, session=session, **reason_columns(end))
        state.notice("connection_lost", serial, end.reason)
        return returning

    async def _settle(self, reason: DisconnectReason, relation: Relation) -> None:
        """What is due is installed when a reader comes back from a restart (R4), not in the middle of its work (U8)."""
        await self.updater.confirm_trial(relation)
        if reason in _RESTARTS or relation.has_restarted:
            await self.updater.bring_up_to_date(relation)
            relation.has_restarted = False

    def _part(self, serial: str, session: int, end: LinkEnd, *, told: bool = False, more: str | None = None) -> None:
        """The relation's last row, under the number of the session that was lost; the user is `told` of a surprise."""
        state = self._state
        state.enter(NotConnected())
        state.tell(Kind.DISCONNECTED, reader=serial, session=session, **reason_columns(end))
        if told and end.reason is not DisconnectReason.DISCONNECT_REQUESTED:
            state.notice("disconnected", serial, end.reason, more)

    def _cut_short(self, end: LinkEnd, serial: str) -> TerminalError:
        """The error for whoever used a link that ended by itself (E, 3890)."""
        if self.auto_reconnect and end.reason not in _NO_RETURN:
            return ReconnectStartedError(
                f"the link to {serial} ended ({end.reason}); it is being made again",
                reader=serial,
                hci_code=end.hci_code,
            )
        return end.error(serial)

    async def _care_ends(self) -> None:
        if self._care is not None:
            await asyncio.wait({self._care})

    def _next_session(self) -> int:
        self._sessions += 1
        return self._sessions

    def _is_stale(self, reader: Reader) -> bool:
        released_us = self._released_us.get(reader.address)
        heard_us = reader.last_heard_us
        return reader.details is None or heard_us is None or (released_us is not None and heard_us <= released_us)

    async def _find_again(self, reader: Reader) -> Reader:
        """A fresh record of the reader, by its serial number (C2)."""
        find_s = self._state.limits.find_s
        seen: list[str] = []
        try:
            async with asyncio.timeout(find_s):
                neighbourhood = self._finder.neighbourhood()
                async with neighbourhood.scanning():
                    while (found := neighbourhood.find(reader)) is None:
                        await neighbourhood.tick()
                        seen = [other.serial for other in neighbourhood.readers()]
                    return found
        except TimeoutError as error:
            raise ReaderNotFoundError(
                f"{reader.serial} was not heard again within {find_s:g} s",
                serial=reader.serial,
                timeout_s=find_s,
                seen=seen,
            ) from error

    async def forget(self, reader: Reader) -> None:
        """Drops this host's bond with a reader, and what is stored of it. Raises what the radio raises."""
        radio, limits = self._state.radio, self._state.limits
        if self._is_stale(reader):
            reader = await self._find_again(reader)
        client = radio.client(reader.details, on_disconnect=lambda _client: None, timeout_s=limits.link_s)
        try:
            await client.unpair()
        except NotImplementedError as error:
            raise LinkError(
                f"this system does not let a program forget {reader.serial}",
                reader=reader.serial,
                hint="Forget it in the system's Bluetooth settings, then connect and pair through the kit.",
            ) from error
        except Exception as error:
            raise translate(error, reader=reader.serial) from error
        self._released_us[reader.address] = radio.clock.utc_us()  # the host's record of it is gone too (C2)
        await radio.note_bond(reader.address, False)
        await self.acquaintances.forget(reader)
