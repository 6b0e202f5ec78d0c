"""Bringing a reader's software up to date: what is due in a connection, what somebody asks for (U, R4)."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from terminal_kit.errors import (
    CanceledError,
    CommunicationError,
    LinkError,
    TerminalError,
    UpdateError,
    UpdateNotAvailableError,
    UpdateRequiredError,
)
from terminal_kit.events import DisconnectReason, Kind, UpdateComponent
from terminal_kit.image import Image
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import EstimatedUpdateTime, Reader, SoftwareUpdate
from terminal_kit.terminal.installation import Installation
from terminal_kit.terminal.link import Link
from terminal_kit.terminal.operation import to_the_end
from terminal_kit.terminal.policy import ReconnectPolicy
from terminal_kit.terminal.reconnection import Reconnection
from terminal_kit.terminal.relation import Relation
from terminal_kit.terminal.state import State
from terminal_kit.terminal.status import Connected
from terminal_kit.updates.install import Device, confirm_trial, install_update
from terminal_kit.updates.progress import UpdateProgress
from terminal_kit.updates.smp import SmpClient

T = TypeVar("T")

IN_A_ROW = 5
"""Required updates one after another in one connection: releases that need a step in between (`from_versions`)."""


class Updater:
    """The updates of one terminal. `installation` is the one that runs, if any."""

    def __init__(
        self,
        state: State,
        source: UpdateSource,
        *,
        rng: random.Random,
        next_session: Callable[[], int],
    ) -> None:
        self._state = state
        self._source = source
        self._rng = rng
        self._next_session = next_session
        self.installation: Installation | None = None

    async def bring_up_to_date(self, relation: Relation, again: Callable[[], Awaitable[None]] | None = None) -> None:
        """Installs what is required, while the reader connects (U3) or comes back from a restart (R4).

        `again()` makes the link once more, for a reader with grace whose update lost it (U5). Raises
        `UpdateRequiredError` where it was canceled (U6), the failure where the reader has no grace (U5), and
        `UpdateServerError` where nothing is known of its updates and it was not used here lately.
        """
        if relation.offer.blind is not None and not relation.was_here_lately:
            raise relation.offer.blind
        relation.was_here_lately = True
        for _ in range(IN_A_ROW):
            update, now_us = relation.reader.available_update, self._state.radio.clock.utc_us()
            if update is None or not update.is_required(now_us):
                break
            try:
                with relation.unhurried():
                    await relation.check_battery()
                    await _within(self.begin(relation, update, partial(self._source.fetch, update), required=True))
                relation.is_on_trial = False
                await relation.look_for_update()
                if relation.reader.available_update == update:
                    break  # it runs the images, and calls them otherwise: once more would change nothing
            except CanceledError as error:
                raise UpdateRequiredError(
                    f"{relation.reader.serial} needs the update to {update.version} before it can be used",
                    reader=relation.reader.serial,
                    version=update.version,
                    required_at_us=update.required_at_us,
                ) from error
            except UpdateError as error:
                if not update.has_grace(now_us):
                    raise
                if relation.link is None or not relation.link.is_up:
                    if again is None:
                        raise
                    await relation.disconnect()
                    await again()
                # It is used all the same, and the next connection tries again (U5).
                self._state.tell(
                    Kind.NOTICE,
                    reader=relation.reader.serial,
                    stage="update_failed",
                    error_code=error.code,
                    text=f"{error}. {error.hint}",
                    **update_columns(relation.reader),
                )
                break
        await self.confirm_trial(relation)

    async def confirm_trial(self, relation: Relation) -> None:
        """Lets new software stay that an installation had no time to confirm, else the next restart takes it away."""
        if not relation.is_on_trial or relation.link is None:
            return
        reader = relation.reader
        finished = SoftwareUpdate(
            version=reader.firmware or "",
            components=UpdateComponent(0),
            estimated_time=EstimatedUpdateTime.LESS_THAN_1_MINUTE,
            minimum_battery=-1.0,  # nothing is sent that could flatten one
        )
        with relation.unhurried():
            await _within(self._start(relation, finished, confirm_trial, required=True))
            relation.is_on_trial = False

    async def look(self, relation: Relation) -> SoftwareUpdate | None:
        """Asks the source now, and reports what waits as it is found when the reader is idle."""
        await relation.look_for_update()
        if relation.offer.is_idle:
            relation.offer.tell(relation.reader, relation.reader.available_update)
        return relation.reader.available_update

    def install_available(self, relation: Relation | None) -> Installation:
        """Installs the update that waits. Raises `UpdateNotAvailableError` where none does (U7), and what a start may.

        That is `UpdateBatteryLowError`, before a byte is sent (U2).
        """
        update = relation.reader.available_update if relation else None
        if relation is None or update is None:
            serial = relation.reader.serial if relation else ""
            fault = relation.offer.fault if relation else None
            raise UpdateNotAvailableError(
                f"no update waits for {serial or 'a reader'}",
                reader=serial,
                hint=f"Updates could not be looked up: {fault}" if fault else None,
            ) from fault
        return self.begin(relation, update, partial(self._source.fetch, update), required=False)

    def install_images(self, relation: Relation, update: SoftwareUpdate, images: Sequence[Image]) -> Installation:
        """Installs images that somebody has, without a feed."""

        async def given() -> Sequence[Image]:
            return images

        return self.begin(relation, update, given, required=False)

    def begin(
        self,
        relation: Relation,
        update: SoftwareUpdate,
        fetch: Callable[[], Awaitable[Sequence[Image]]],
        *,
        required: bool,
    ) -> Installation:
        """Starts an installation. Raises `UpdateBatteryLowError` (U2)."""
        return self._start(relation, update, lambda device: install_update(device, update, fetch), required=required)

    def _start(
        self,
        relation: Relation,
        update: SoftwareUpdate,
        steps: Callable[[Device], AsyncGenerator[UpdateProgress]],
        *,
        required: bool,
    ) -> Installation:
        device = _RelatedDevice(relation, partial(self._come_back, relation))

        def done() -> None:
            ended = relation.installation
            self.installation = relation.installation = None
            if ended is not None:
                relation.history.is_unconfirmed = ended.is_unconfirmed
            if isinstance(now := self._state.now, Connected) and now.session != relation.session:
                self._state.enter(Connected(relation.reader, relation.session))
            if not required:
                self._state.leave("install_available_update")

        async def settled() -> None:
            # Who is told of a cut must not meet a status from before it.
            await self._state.until(
                lambda now: not isinstance(now, Connected) or bool(relation.link and relation.link.is_up)
            )

        self.installation = relation.installation = Installation(
            device,
            update,
            steps(device),
            attempt_id=self._state.recorder.next_attempt_id(),
            required=required,
            on_done=done,
            settled=settled,
        )
        if not required:
            self._state.occupy("install_available_update")
        return self.installation

    def check_cancel(self, *, reader_may_be_away: bool = False) -> Installation | None:
        """The installation that runs. Raises `CancelFailedError` where it can no longer be canceled (U6).

        Unless `reader_may_be_away`, and it is: to stop waiting for it breaks nothing off (X3).
        """
        installation = self.installation
        if installation is not None and not (reader_may_be_away and installation.reader_is_away):
            installation.check_cancel()
        return installation

    async def stop(self, why: TerminalError) -> None:
        """Breaks an installation off, whatever its stage, and waits for its end: somebody insists, or all ends."""
        if (installation := self.installation) is not None:
            installation.cancel(why)
            await installation.ended()

    async def _come_back(self, relation: Relation) -> None:
        """Gets the reader back from a restart that belongs to its update: no reconnect events (U12)."""
        state = self._state
        # The restart belongs to the update and not to the user's policy for lost readers.
        policy = ReconnectPolicy()
        returning = Reconnection(state.radio, state.recorder, state.limits, policy, self._rng, is_told=False)
        deadline = relation.deadline
        try:
            await returning.run(
                relation,
                state.recorder.next_attempt_id(),
                DisconnectReason.REBOOT_REQUESTED,
                lambda: self._next_session() if relation.is_session_over else relation.session,
            )
        finally:
            relation.deadline = deadline


async def _within(installation: Installation) -> None:
    """Waits for an installation that belongs to a connection: it ends with it, whatever its stage."""
    try:
        await installation.finished()
    except asyncio.CancelledError:
        installation.cancel(CanceledError("the connection was canceled, and the update with it"))
        await to_the_end(installation.ended())
        raise


def update_columns(reader: Reader) -> dict[str, Any]:
    """The columns that tell which update waits for a reader, for rows that tell why it was not even begun."""
    update = reader.available_update
    if update is None:
        return {}
    return {
        "firmware_from": reader.firmware,
        "firmware_to": update.version,
        "components": int(update.components),
        "required_at_us": update.required_at_us,
        "extra": {"minimum_battery": update.minimum_battery, "estimated_time": update.estimated_time},
    }


class _RelatedDevice:
    """A relation's reader, over as many links as the installation takes."""

    def __init__(self, relation: Relation, come_back: Callable[[], Awaitable[None]]) -> None:
        self._relation = relation
        self._come_back = come_back

    @property
    def reader(self) -> Reader:
        """As it is now."""
        return self._relation.reader

    @property
    def _link(self) -> Link:
        if self._relation.link is None:
            raise LinkError(f"{self.reader.serial} is not connected", reader=self.reader.serial)
        return self._relation.link

    async def smp(self) -> SmpClient:
        """Its SMP client, on a paired link (C8)."""
        return await self._link.smp()

    async def during(self, work: Coroutine[Any, Any, T], *, limit_s: float | None = None) -> T:
        """On the link that there is now."""
        try:
            link = self._link
        except LinkError:
            work.close()
            raise
        return await link.during(work, limit_s=limit_s)

    @property
    def is_here(self) -> bool:
        """Whether its link stands."""
        link = self._relation.link
        return link is not None and link.is_up

    async def restart(self, smp: SmpClient) -> int | None:
        """Resets it, waits until it has left, gets it back, and counts its starts by what it says itself."""
        link, limits, history = self._link, self._relation.limits, self._relation.history
        before = history.last_stop
        link.expect(DisconnectReason.REBOOT_REQUESTED)
        try:
            await link.during(smp.reset())
        except TerminalError:
            if link.is_up:
                link.expect(DisconnectReason.UNKNOWN)
                raise
        try:
            async with asyncio.timeout(limits.answer_s):
                await link.ended()
        except TimeoutError as error:
            raise CommunicationError(f"{self.reader.serial} did not restart", reader=self.reader.serial) from error
        history.dropped = None  # what the reader tells of this stop explains no earlier drop
        await self._come_back()
        after = history.last_stop
        return None if before is None or after is None else (after.boots - before.boots) & 0xFFFF

    def now_s(self) -> float:
        """The radio's clock."""
        return self._relation.now_s()

    def tell(self, kind: Kind, **columns: Any) -> None:
        """A row of the reader's session."""
        self._relation.tell(kind, **columns)

    async def check_battery(self) -> None:
        """Reads it; one that refuses has none to tell."""
        await self._relation.check_battery()
