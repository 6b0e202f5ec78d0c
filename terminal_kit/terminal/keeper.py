"""Keeping a reader: connecting it, watching over the link, bringing it back (C, X, R)."""

import asyncio
import random
from functools import partial
from typing import Any

from terminal_kit.errors import (
    CommunicationError,
    LocationOfflineError,
    ReaderNotFoundError,
    ReaderOfflineError,
    SupersededError,
    TerminalError,
)
from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.memory import Memory, StoredReader
from terminal_kit.radio.translation import translate
from terminal_kit.reader import Reader
from terminal_kit.terminal.finder import Finder, after
from terminal_kit.terminal.link import LinkEnd
from terminal_kit.terminal.operation import Operation, Outcome
from terminal_kit.terminal.policy import ReconnectPolicy
from terminal_kit.terminal.reconnection import Reconnection
from terminal_kit.terminal.relation import Relation, reason_columns
from terminal_kit.terminal.state import State, code_of
from terminal_kit.terminal.status import Connected, Connecting, NotConnected, Reconnecting

_NO_RETURN = frozenset(
    {
        DisconnectReason.DISCONNECT_REQUESTED,
        DisconnectReason.CRITICALLY_LOW_BATTERY,
        DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION,
    }
)
"""Reasons after which nothing reconnects by itself (X2, X5)."""


class Keeper:
    """The connection of one terminal. `auto_reconnect` may change while a reader is connected."""

    def __init__(
        self, state: State, finder: Finder, memory: Memory, policy: ReconnectPolicy, rng: random.Random
    ) -> None:
        self._state = state
        self._finder = finder
        self._memory = memory
        self._policy = policy
        self._rng = rng
        self._care: asyncio.Task[None] | None = None
        self._relation: Relation | None = None
        self._reconnection: Operation[None] | None = None
        self._sessions = 0
        self._released_us: dict[str, int] = {}
        self.auto_reconnect = True

    def check_online(self, reader: Reader, location_id: str) -> None:
        """Offline, only a reader that was connected here online lately may connect (E, 2870–2873)."""
        radio, known = self._state.radio, self._memory.connected_online
        if radio.host_state().internet is not False:
            return
        now_us = radio.clock.utc_us()
        if not known(now_us, location_id=location_id, device_type=reader.device_type):
            raise LocationOfflineError(f"the host is offline, and no {reader.device_type} was connected here lately")
        if not known(now_us, location_id=location_id, serial=reader.serial):
            raise ReaderOfflineError(f"the host is offline, and {reader.serial} was not connected here lately")

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
            on_change=state.reader_changed,
        )

        def done(outcome: Outcome) -> None:
            state.operation = None
            facts: dict[str, Any] = {
                "attempt_id": attempt_id,
                "location": location_id,
                "duration_s": state.now_s() - started_s,
            }
            if outcome is None:
                state.enter(Connected(relation.reader, relation.session))
                state.tell(Kind.CONNECT_SUCCEEDED, session=relation.session, **facts)
                self._relation = relation
                self._care = asyncio.create_task(self._take_care(relation), name="terminal_kit: care")
            else:
                state.enter(NotConnected())
                state.tell(
                    Kind.CONNECT_FAILED,
                    reader=reader.serial,
                    error_code=code_of(outcome),
                    text=str(outcome) or None,
                    **facts,
                )

        state.enter(Connecting(reader.serial, attempt_id))
        state.tell(Kind.CONNECT_STARTED, attempt_id=attempt_id, location=location_id, rssi_dbm=reader.rssi_dbm)
        operation = Operation("connect_reader", after(before, partial(self._connect, relation, attempt_id)), done)
        state.operation = operation
        if before is not None:
            before.cancel(SupersededError(f"{before.name} ended because a connection started"))
        return operation

    async def disconnect(self) -> None:
        """Ends the relation at one's own wish, and waits for its last row."""
        if self._relation is not None and self._relation.link is not None:
            await self._relation.link.close(DisconnectReason.DISCONNECT_REQUESTED)
        await self._care_ends()

    async def reboot(self) -> None:
        """Restarts the reader; returns when it has left."""
        relation = self._relation
        assert relation is not None
        link = relation.link
        if link is not None:
            try:
                await relation.reboot()
                async with asyncio.timeout(self._state.limits.answer_s):
                    await link.ended()
            except TimeoutError as error:
                if isinstance(error, TerminalError):
                    raise
                raise CommunicationError(
                    f"{relation.reader.serial} did not restart", reader=link.reader.serial
                ) from error
            except TerminalError:
                if link.is_up:
                    raise
        session = relation.session
        await self._state.until(lambda now: not (isinstance(now, Connected) and now.session == session))

    async def stop_reconnecting(self, why: TerminalError) -> None:
        """Ends the automatic reconnection and the relation with it (X3)."""
        if self._reconnection is not None:
            self._reconnection.cancel(why)
        await self._care_ends()

    async def close(self, why: TerminalError) -> None:
        """Ends whatever there is. Safe to repeat."""
        while self._care is not None:
            if self._reconnection is not None:
                self._reconnection.cancel(why)
            elif self._relation is not None and self._relation.link is not None:
                await self._relation.link.close(DisconnectReason.DISCONNECT_REQUESTED)
            await asyncio.wait({self._care}, timeout=self._state.limits.list_every_s)

    async def _connect(self, relation: Relation, attempt_id: str) -> Reader:
        limits = self._state.limits
        try:
            async with asyncio.timeout(limits.connect_s):
                if self._is_stale(relation.reader):
                    relation.reader = await self._find_again(relation.reader)
                tries, link_s = limits.link_tries, limits.link_s
                await relation.connect(attempt_id, self._next_session(), tries=tries, link_s=link_s)
        except TimeoutError as error:
            raise translate(error, reader=relation.reader.serial, timeout_s=limits.connect_s) from error
        finally:
            if relation.reader.location_id == relation.location_id:
                # Registered, so paired by us: worth knowing even where the connection failed after that (D6).
                await self._remember(relation)
        return relation.reader

    async def _take_care(self, relation: Relation) -> None:
        """Watches over one relation until it ends."""
        try:
            while relation.link is not None:
                async with relation.attended() as link:
                    end = await link.ended()
                    relation.log_end(end)
                    self._released_us[relation.reader.serial] = self._state.radio.clock.utc_us()
                    returning = self._start_return(relation, end)
                if returning is not None:
                    await returning.stopped()
        finally:
            self._care = self._relation = None
            if self._reconnection is not None:
                self._reconnection.cancel()
            await relation.disconnect()

    def _start_return(self, relation: Relation, end: LinkEnd) -> Operation[None] | None:
        """Starts the automatic reconnection after a link's end, or parts for good (X2, X4, X5)."""
        if not self.auto_reconnect or end.reason in _NO_RETURN:
            self._part(relation, end)
            return None
        state, serial = self._state, relation.reader.serial
        attempt_id, started_s = state.recorder.next_attempt_id(), state.now_s()
        reconnection = Reconnection(state.radio, state.recorder, state.limits, self._policy, self._rng)

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
                state.tell(Kind.RECONNECT_FAILED, error_code=code_of(outcome), text=str(outcome) or None, **facts)
                self._part(relation, end)

        state.enter(Reconnecting(serial, end.reason, attempt_id))
        state.tell(Kind.RECONNECT_STARTED, attempt_id=attempt_id, **reason_columns(end))
        state.notice("connection_lost", serial, end.reason)
        work = reconnection.run(relation, attempt_id, end.reason, self._next_session)
        self._reconnection = Operation("an automatic reconnection", work, done)
        return self._reconnection

    def _part(self, relation: Relation, end: LinkEnd) -> None:
        state, serial = self._state, relation.reader.serial
        state.enter(NotConnected())
        state.tell(Kind.DISCONNECTED, reader=serial, session=relation.session, **reason_columns(end))
        if end.reason is not DisconnectReason.DISCONNECT_REQUESTED:
            off = None if self.auto_reconnect else "Automatic reconnection is off."
            state.notice("disconnected", serial, end.reason, off)

    async def _care_ends(self) -> None:
        if self._care is not None:
            await asyncio.wait({self._care})

    def _next_session(self) -> int:
        self._sessions += 1
        return self._sessions

    def _is_stale(self, reader: Reader) -> bool:
        released_us = self._released_us.get(reader.serial)
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
                    while (found := neighbourhood.find(reader.serial)) is None:
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

    async def _remember(self, relation: Relation) -> None:
        radio, reader = self._state.radio, relation.reader
        online = radio.host_state().internet is not False
        try:
            await asyncio.to_thread(
                self._memory.remember,
                StoredReader(
                    serial=reader.serial,
                    location_id=relation.location_id,
                    device_type=reader.device_type,
                    online_us=radio.clock.utc_us() if online else None,
                ),
            )
        except TerminalError as error:
            # The connection is good; only the next start-up will not know of it.
            self._state.tell(Kind.ERROR, error_code=error.code, text=str(error))
