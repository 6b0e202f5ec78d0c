"""The update that waits for a connected reader: looked for from time to time, reported when the reader is idle (U7)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from terminal_kit.errors import UpdateRequiredError
from terminal_kit.events import Kind
from terminal_kit.radio import Radio
from terminal_kit.radio.translation import translate
from terminal_kit.reader import Reader, SoftwareUpdate
from terminal_kit.terminal.policy import Limits
from terminal_kit.terminal.record import Recorder

_IDLE_LOOK_S = 5.0
"""A transaction takes some seconds; an update is reported soon after it."""


class Offer:
    """What the feed has for one reader at one location, and what of it was told already."""

    def __init__(self, radio: Radio, recorder: Recorder, limits: Limits, location_id: str) -> None:
        self._radio = radio
        self._recorder = recorder
        self._limits = limits
        self._location_id = location_id
        self._told: SoftwareUpdate | None = None
        self._in_use = 0

    async def look(self, reader: Reader) -> SoftwareUpdate | None:
        """The update that waits, if any. Raises `UpdateRequiredError` where it is due (U6, U8)."""
        update = await self._radio.find_update(reader.serial, self._location_id)
        if update is not None and update.is_required(self._radio.clock.utc_us()):
            raise UpdateRequiredError(
                f"{reader.serial} needs the update to {update.version} before it can be used",
                reader=reader.serial,
                version=update.version,
                required_at_us=update.required_at_us,
                hint="This version of the kit reports updates and does not install them yet.",
            )
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

        async def watch() -> None:
            while True:
                idle = not (self._in_use or is_busy())
                if idle:
                    try:
                        keep(update := await self.look(reader()))
                        self._tell(reader(), update)
                    except UpdateRequiredError:
                        pass  # due since it was connected: installed in its next connection (U8)
                    except Exception as error:
                        self._recorder.emit(Kind.ERROR, error_code=translate(error).code, text=str(error))
                await asyncio.sleep(self._limits.update_every_s if idle else _IDLE_LOOK_S)

        watching = asyncio.create_task(watch(), name="terminal_kit: offer")
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    def _tell(self, reader: Reader, update: SoftwareUpdate | None) -> None:
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
            extra={"estimated_time": update.estimated_time},
        )
