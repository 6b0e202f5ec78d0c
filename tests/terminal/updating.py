"""What tests of updates share: an update that is due or waits, where an installation stands, and what it told."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from releases import NEW, offer
from stage import M2, Stage, stage

from terminal_kit.events import ConnectionStatus, Kind, UpdateComponent
from terminal_kit.updates.progress import UpdateStage

S = ConnectionStatus
C = UpdateComponent
WHOLE = f"{NEW[C.FIRMWARE]}-{NEW[C.CONFIG]}-481001"


def required(on: Stage, *components: UpdateComponent, **facts: Any) -> None:
    offer(on.air.readers[M2].model, *components, required_at_us=on.air.utc_us(), **facts)


@asynccontextmanager
async def connected(*components: UpdateComponent, **facts: Any) -> AsyncGenerator[Stage]:
    """A stage with a connected reader for which an optional update waits."""
    async with stage() as on:
        offer(on.air.readers[M2].model, *components, **facts)
        await on.connect()
        yield on


def told_once(on: Stage, attempts: int = 1) -> None:
    """Every attempt has one start and one finish, in this order, and its progress only grows (U4)."""
    starts, ends = on.of(Kind.UPDATE_STARTED), on.of(Kind.UPDATE_FINISHED)
    assert len(starts) == len(ends) == attempts
    assert [start.attempt_id for start in starts] == [end.attempt_id for end in ends]
    for start, end in zip(starts, ends, strict=True):
        steps = [event for event in on.of(Kind.UPDATE_PROGRESS) if event.attempt_id == start.attempt_id]
        fractions = [step.progress for step in steps]
        assert fractions == sorted(fractions)
        assert on.events.index(start) < on.events.index(end)
        assert all(on.events.index(start) < on.events.index(step) < on.events.index(end) for step in steps)
        assert (fractions[-1] == 1) == (end.error_code is None)


async def until(condition: Callable[[], bool], within_s: float = 600.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - of the model as much as of the terminal
            await asyncio.sleep(0.02)


async def at(on: Stage, stage: UpdateStage, *, sent_bytes: int = 0) -> None:
    """Waits until the installation is there."""
    await until(
        lambda: any(
            step.stage == stage and (step.sent_bytes or 0) >= sent_bytes for step in on.of(Kind.UPDATE_PROGRESS)[-1:]
        )
    )
