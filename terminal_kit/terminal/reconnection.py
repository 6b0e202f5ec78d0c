"""Getting a lost reader back, bounded in number and time (X2, X6).

An attempt is a pending connection: the host's radio takes the reader at its first advertisement, which nothing can
beat. After one that heard nothing the terminal listens, which costs no attempt however long the reader is away; after
one that failed with the reader in range it pauses and asks again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from terminal_kit.errors import (
    BatteryCriticallyLowError,
    LinkError,
    PairingLostError,
    ReaderNotFoundError,
    ReconnectFailedError,
    TakenByAnotherHostError,
    TerminalError,
    UpdateError,
    UpdateInterruptedError,
)
from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.radio import HostState, Radio
from terminal_kit.reader import Reader
from terminal_kit.terminal.ending import reason_of
from terminal_kit.terminal.neighbourhood import Neighbourhood
from terminal_kit.terminal.policy import Limits, ReconnectPolicy
from terminal_kit.terminal.record import Recorder
from terminal_kit.terminal.relation import Relation

HEARD_WITHIN_S = 5.0
"""A request that fails so soon met the reader, or the host's own trouble: it is repeated after a pause. Later ones
waited for the reader in vain (BlueZ gives up by itself then): it is listened for."""

_HOPELESS = (PairingLostError, TakenByAnotherHostError, BatteryCriticallyLowError, UpdateError)
"""Failures that no further attempt can mend: somebody has to do something first."""


class Reconnection:
    """One automatic reconnection. `attempts` counts the tries at a link so far.

    `settle(relation)` is awaited with the new link before the reader counts as back; a return that belongs to an
    update `is_told` by that one's rows alone (U12).
    """

    def __init__(
        self,
        radio: Radio,
        recorder: Recorder,
        limits: Limits,
        policy: ReconnectPolicy,
        rng: random.Random,
        *,
        settle: Callable[[Relation], Awaitable[None]] | None = None,
        is_told: bool = True,
    ) -> None:
        self._radio = radio
        self._recorder = recorder
        self._limits = limits
        self._policy = policy
        self._rng = rng
        self._settle = settle
        self._is_told = is_told
        self._now_s = radio.clock.monotonic_s
        self.attempts = 0

    async def run(
        self, relation: Relation, attempt_id: str, reason: DisconnectReason, next_session: Callable[[], int]
    ) -> None:
        """Brings `relation`'s link back. Raises `ReconnectFailedError` at a bound, or what cannot be mended."""
        try:
            async with asyncio.timeout(self._policy.limit_s) as limit:
                relation.deadline = limit
                await self._host_ready(limit, reason)
                await self._try(relation, limit, attempt_id, next_session)
        except TimeoutError as error:
            if isinstance(error, TerminalError):
                raise
            raise self._gave_up(relation.reader, "did not come back in time") from error

    def _gave_up(self, reader: Reader, what: str) -> ReconnectFailedError:
        return ReconnectFailedError(
            f"{reader.serial} {what} (attempts: {self.attempts})",
            reader=reader.serial,
            attempts=self.attempts,
            hint="Check that the reader is on and near, then discover again.",
        )

    async def _try(
        self, relation: Relation, limit: asyncio.Timeout, attempt_id: str, next_session: Callable[[], int]
    ) -> None:
        failures = 0
        while True:
            self.attempts += 1
            started_s, session = self._now_s(), next_session()
            try:
                await relation.connect(attempt_id, session, first=self.attempts, link_s=self._policy.attempt_s)
                if self._settle is not None:
                    await self._settle(relation)
            except BaseException as error:
                await relation.disconnect(reason_of(error))  # a link that was not settled is no link
                self._attempted(relation, attempt_id, started_s, error)
                hopeless = isinstance(error, _HOPELESS) and not isinstance(error, UpdateInterruptedError)
                if hopeless or not isinstance(error, Exception):
                    raise
                if self.attempts >= self._policy.max_attempts:
                    raise self._gave_up(relation.reader, "could not be reached") from error
                # A host that no longer knows the device must hear it first, however soon it said so.
                quick = self._now_s() - started_s < HEARD_WITHIN_S and not isinstance(error, ReaderNotFoundError)
            else:
                self._attempted(relation, attempt_id, started_s, None)
                return
            failures = failures + 1 if quick or relation.session == session else 0
            if failures:
                await asyncio.sleep(self._policy.pause_s(failures, self._rng))
                await self._host_ready(limit)
            else:
                await self._hear(relation, limit)

    def _attempted(self, relation: Relation, attempt_id: str, started_s: float, error: BaseException | None) -> None:
        if not self._is_told:
            return
        self._recorder.emit(
            Kind.RECONNECT_ATTEMPTED,
            reader=relation.reader.serial,
            attempt_id=attempt_id,
            attempt=self.attempts,
            duration_s=self._now_s() - started_s,
            error_code=relation.code_of(error) if error else None,
            hci_code=error.hci_code if isinstance(error, LinkError) else None,
            text=str(error) or None if error else None,
        )

    async def _hear(self, relation: Relation, limit: asyncio.Timeout) -> None:
        """Listens until the reader advertises; costs no attempt however long it is away."""
        while True:
            await self._host_ready(limit)
            neighbourhood = Neighbourhood(self._radio, self._recorder, self._limits)
            try:
                async with neighbourhood.scanning():
                    while True:
                        found = neighbourhood.find(relation.reader)
                        if found is not None and not found.is_taken:
                            relation.reader = replace(relation.reader, details=found.details)
                            return
                        await neighbourhood.tick()
            except TerminalError:
                # The host's radio went, or its stack is busy with something else.
                await asyncio.sleep(self._policy.first_pause_s)

    async def _host_ready(self, limit: asyncio.Timeout, reason: DisconnectReason | None = None) -> None:
        """Waits for the radio, and for the internet where its loss ended the link (X2).

        That counts against a limit of its own: nobody at the reader can hurry the host.
        """
        changed = asyncio.Event()

        def is_ready(state: HostState) -> bool:
            offline = reason is DisconnectReason.INTERNET_LOST and state.internet is False
            return state.fault is None and not offline

        undo = self._radio.watch_host(lambda _state: changed.set())
        try:
            if is_ready(self._radio.host_state()):
                return
            now_s = asyncio.get_running_loop().time
            left_s = (limit.when() or now_s()) - now_s()
            limit.reschedule(now_s() + self._policy.host_limit_s)
            while not is_ready(self._radio.host_state()):
                await changed.wait()
                changed.clear()
            limit.reschedule(now_s() + left_s)
        finally:
            undo()
