"""The update that waits for a connected reader: looked for from time to time, reported when the reader is idle (U7)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from terminal_kit.errors import TerminalError, UpdateServerError
from terminal_kit.events import Kind
from terminal_kit.radio import Clock
from terminal_kit.radio.translation import translate
from terminal_kit.radio.updates import UpdateSource
from terminal_kit.reader import Reader, SoftwareUpdate
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder

_IDLE_LOOK_S = 5.0
"""A transaction takes some seconds; an update is reported soon after it."""


class Offer:
    """What the source has for one reader at one location, and what of it was told already.

    `blind` is why nothing is known of its updates, None where something is.
    """

    def __init__(
        self, source: UpdateSource, clock: Clock, recorder: Recorder, limits: Limits, location_id: str
    ) -> None:
        self._source = source
        self._clock = clock
        self._recorder = recorder
        self._limits = limits
        self._location_id = location_id
        self._told: SoftwareUpdate | None = None
        self._fault: str | None = None
        self._in_use = 0
        self._is_busy: Callable[[], bool] = lambda: False
        self.blind: UpdateServerError | None = None

    @property
    def fault(self) -> TerminalError | None:
        """Why what is known of updates may be out of date, or nothing is."""
        return self.blind or self._source.fault

    @property
    def is_idle(self) -> bool:
        """Whether the reader has nothing to do, so that an update may be reported (U7)."""
        return not (self._in_use or self._is_busy())

    async def look(self, reader: Reader) -> SoftwareUpdate | None:
        """The update that waits, if any. A source that cannot be asked is told of once."""
        try:
            update = await self._source.find(reader, self._location_id, self._clock.utc_us())
        except UpdateServerError as error:
            self.blind = error
            self._complain(reader, error)
            return None
        self.blind = None
        self._complain(reader, self._source.fault)
        return update

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Marks a transaction of the app's while the block runs."""
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1

    @asynccontextmanager
    async def watched(
        self, reader: Callable[[], Reader], is_busy: Callable[[], bool], keep: Callable[[SoftwareUpdate | None], None]
    ) -> AsyncGenerator[None]:
        """Looks while the block runs, whenever the reader is idle: `keep(update)`, and an event for each new one."""
        self._is_busy = is_busy

        async def watch() -> None:
            while True:
                idle = self.is_idle
                if idle:
                    try:
                        keep(update := await self.look(reader()))
                        self.tell(reader(), update)
                    except Exception as error:
                        self._complain(reader(), translate(error))
                await asyncio.sleep(self._limits.update_every_s if idle else _IDLE_LOOK_S)

        watching = asyncio.create_task(watch(), name="terminal_kit: offer")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    def tell(self, reader: Reader, update: SoftwareUpdate | None) -> None:
        """Reports an update, once."""
        if update is None or update == self._told:
            return
        self._told = update
        self._recorder.emit(
            Kind.UPDATE_AVAILABLE,
            reader=reader.serial,
            firmware_from=reader.firmware,
            firmware_to=update.version,
            components=int(update.components),
            required_at_us=update.required_at_us,
            total_bytes=update.total_bytes or None,
            extra={
                "estimated_time": update.estimated_time,
                "release": update.release_id,
                "minimum_battery": update.minimum_battery,
            },
        )

    def _complain(self, reader: Reader, fault: TerminalError | None) -> None:
        text = None if fault is None else str(fault)
        if fault is not None and text != self._fault:
            self._recorder.emit(Kind.ERROR, reader=reader.serial, error_code=fault.code, text=text)
        self._fault = text
