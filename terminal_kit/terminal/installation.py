"""One update being installed: the task that does it, the rows that tell it, and the handle that people iterate over."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing
from typing import Any, Protocol

from terminal_kit.errors import (
    CanceledError,
    CancelFailedError,
    TerminalError,
    UpdateBatteryLowError,
    UpdateError,
    UpdateInterruptedError,
)
from terminal_kit.events import Kind
from terminal_kit.radio.translation import translate
from terminal_kit.reader import BatteryStatus, Reader, SoftwareUpdate, battery_status
from terminal_kit.terminal.operation import Operation, Outcome
from terminal_kit.updates.install import Device
from terminal_kit.updates.progress import Gauge, UpdateProgress, UpdateStage

TOLD_EVERY_S = 0.25
"""Progress is told at most four times a second, the first and the last always (contract: `update_progress`)."""

BATTERY_EVERY_S = 30.0
"""A reader reports its battery every ten minutes (B1); an update that empties it must be noticed sooner (U2)."""

MISSING_S = 60.0
"""A reader is back from its restart in some ten seconds, and twenty more where it swaps megabytes."""

_UNDONE = (UpdateStage.CHECKING, UpdateStage.UPLOADING)
"""Until the images are marked nothing has happened to the reader's software; after that the restart is on its way."""


class Updating(Device, Protocol):
    """The connected reader, as an installation sees it."""

    @property
    def reader(self) -> Reader:
        """As it is now."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether its link stands."""
        ...

    def tell(self, kind: Kind, **columns: Any) -> None:
        """One row about it."""
        ...

    async def check_battery(self) -> None:
        """Reads its battery."""
        ...


class Installation:
    """A running installation: `steps` do the work.

    Iterate over it for its progress, or await it for the reader as it then is (U4).

    It goes on until it is done, fails or is canceled, whether anybody listens or not; it is exactly one start and one
    finish in the log. Iterating skips what is stale, ends at the fraction 1, and raises what awaiting raises:
    `CanceledError`, or an `UpdateError` that says what failed.
    """

    def __init__(
        self,
        device: Updating,
        update: SoftwareUpdate,
        steps: AsyncGenerator[UpdateProgress],
        *,
        attempt_id: str,
        required: bool,
        on_done: Callable[[], None],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self.update = update
        self.required = required
        self.progress: UpdateProgress | None = None
        self._device = device
        self._steps = steps
        self._attempt_id = attempt_id
        self._moved = asyncio.Event()
        self._told: UpdateProgress | None = None
        self._told_s = 0.0
        self._battery_s = self._stage_s = device.now_s()
        self._on_done = on_done
        self._settled = settled
        self._check_battery_gate()
        self._begun_s = device.now_s()
        self._version_from = device.reader.firmware
        self._tell_start()
        sizes = [(part.component, part.size_bytes) for part in update.parts]
        self._step(Gauge(sizes).enter(UpdateStage.CHECKING, self._begun_s))
        self._operation = Operation("install_available_update", self._run(), self._finished)

    @property
    def can_be_canceled(self) -> bool:
        """Whether `cancel()` can still take effect (U6): until the images are marked, or if the reader stays away."""
        is_undone = self.progress is None or self.progress.stage in _UNDONE
        return self.update.can_be_canceled if is_undone else self.is_missing

    @property
    def is_missing(self) -> bool:
        """Whether the reader should be back from its restart: to stop waiting for it breaks nothing off."""
        return not self._device.is_here and self._device.now_s() - self._stage_s >= MISSING_S

    @property
    def reader_is_away(self) -> bool:
        """Whether it only waits for the reader."""
        return not self._device.is_here

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it ended between the marks and the last confirmation: the reader may run new software on trial."""
        late = self.progress is not None and self.progress.stage not in _UNDONE
        return late and self._operation.outcome is not None

    def check_cancel(self) -> None:
        """Raises `CancelFailedError` where it cannot be canceled, or not any more (U6)."""
        if not self.can_be_canceled:
            serial = self._device.reader.serial
            raise CancelFailedError(
                f"the reader {serial} is restarting into its new software"
                if self.update.can_be_canceled
                else f"an incremental update of {serial} cannot be canceled",
                hint="Wait for it to finish, and keep the reader close and powered.",
            )

    def cancel(self, why: TerminalError) -> None:
        """Breaks it off because of `why`, whatever its stage: the reader keeps working software (U10)."""
        self._operation.cancel(why)

    async def ended(self) -> None:
        """Waits until it is over, however it ended."""
        await self._operation.stopped()

    async def __aiter__(self) -> AsyncGenerator[UpdateProgress]:
        seen: UpdateProgress | None = None
        while True:
            if self.progress is not None and self.progress is not seen:
                seen = self.progress
                yield seen
            elif self._operation.task.done():
                await self.finished()
                return
            else:
                await self._moved.wait()

    def __await__(self) -> Generator[Any, None, Reader]:
        return self._awaited().__await__()

    async def _awaited(self) -> Reader:
        try:
            return await self.finished()
        except asyncio.CancelledError:
            # Who gives up waiting means the installation too, where it can still be undone.
            if self.can_be_canceled:
                self._operation.cancel(CanceledError("nobody waits for the update any more"))
            raise

    async def finished(self) -> Reader:
        """The reader as it then is. Raises what ended it. Who stops waiting here leaves it as it is."""
        await self._operation.stopped()
        await self._settled()
        if (outcome := self._operation.outcome) is not None:
            raise outcome
        return self._device.reader

    # ---- the work

    async def _run(self) -> None:
        try:
            await self._read_battery()
            self._check_battery_gate()  # what was known of it may be ten minutes old
            async with aclosing(self._steps) as steps:
                async for step in steps:
                    self._step(step)
                    if step.fraction < 1:
                        await self._watch_battery()
        except Exception as error:
            raise self._failure(error) from error

    def _step(self, step: UpdateProgress) -> None:
        now_s = self._device.now_s()
        if self.progress is None or self.progress.stage is not step.stage:
            self._stage_s = now_s
        self.progress = step
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        new_stage = self._told is None or self._told.stage is not step.stage
        if new_stage or now_s - self._told_s >= TOLD_EVERY_S or step.fraction >= 1:
            self._tell_progress(step)
            self._told_s = now_s

    async def _watch_battery(self) -> None:
        """One that has begun goes on below 50 %, until the battery is critical (U2)."""
        if self._device.now_s() - self._battery_s >= BATTERY_EVERY_S:
            await self._read_battery()
        reader = self._device.reader
        if battery_status(reader.battery) is BatteryStatus.CRITICAL:
            raise UpdateInterruptedError(
                f"the battery of {reader.serial} fell to {reader.battery:.0%}",
                hint="Charge the reader above 50 %, then connect again; the update goes on where it stood.",
            )

    async def _read_battery(self) -> None:
        self._battery_s = self._device.now_s()
        await self._device.check_battery()

    def _check_battery_gate(self) -> None:
        reader, needed = self._device.reader, self.update.minimum_battery
        if reader.battery is not None and reader.battery <= needed:
            raise UpdateBatteryLowError(
                f"the battery of {reader.serial} is at {reader.battery:.0%}; an update needs more than {needed:.0%}",
                reader=reader.serial,
                stage="checking",
                battery=reader.battery,
                needed=needed,
            )

    def _failure(self, error: Exception) -> TerminalError:
        """What ended it, as the rules name it: whatever is no fault of the update cut it off (U10, U13)."""
        ours = translate(error, reader=self._device.reader.serial)
        if not isinstance(ours, UpdateError):
            ours = UpdateInterruptedError(f"the update of {self._device.reader.serial} was cut off: {ours}")
        ours.reader = ours.reader or self._device.reader.serial
        ours.stage = ours.stage or self._stage
        return ours

    @property
    def _stage(self) -> str:
        return self.progress.stage if self.progress else UpdateStage.CHECKING

    # ---- its rows

    def _tell_start(self) -> None:
        reader, update = self._device.reader, self.update
        self._device.tell(
            Kind.UPDATE_STARTED,
            attempt_id=self._attempt_id,
            firmware_from=self._version_from,
            firmware_to=update.version,
            components=int(update.components),
            required_at_us=update.required_at_us,
            total_bytes=update.total_bytes,
            device_type=reader.device_type,
            location=reader.location_id,
            battery=reader.battery,
            charging=reader.charging,
            extra={
                "release": update.release_id,
                "estimated_time": update.estimated_time,
                "required": self.required,
                "minimum_battery": update.minimum_battery,
            },
        )

    def _tell_progress(self, step: UpdateProgress) -> None:
        self._told = step
        self._device.tell(
            Kind.UPDATE_PROGRESS,
            attempt_id=self._attempt_id,
            stage=step.stage,
            progress=step.fraction,
            sent_bytes=step.sent_bytes,
            total_bytes=step.total_bytes,
            extra={
                "component": (step.component.name or "").lower(),
                "part": step.part,
                "parts": step.parts,
                "bytes_per_s": step.bytes_per_s,
                "left_s": step.left_s,
            },
        )

    def _finished(self, outcome: Outcome) -> None:
        if self.progress is not None and self.progress is not self._told:
            self._tell_progress(self.progress)
        error = outcome if isinstance(outcome, TerminalError) else None
        self._device.tell(
            Kind.UPDATE_FINISHED,
            attempt_id=self._attempt_id,
            error_code=error.code if error else None if outcome is None else "CANCELED",
            text=str(error) if error else None,
            stage=self._stage,
            firmware_from=self._version_from,
            firmware_to=self.update.version,
            components=int(self.update.components),
            duration_s=self._device.now_s() - self._begun_s,
            sent_bytes=self.progress.sent_bytes if self.progress else 0,
            total_bytes=self.update.total_bytes,
            battery=self._device.reader.battery,
        )
        self._moved.set()
        self._on_done()
