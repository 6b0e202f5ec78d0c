"""The readers that were connected before: who may be used without internet, and what is remembered (C7, E)."""

import asyncio

from terminal_kit.errors import LocationOfflineError, ReaderOfflineError, TerminalError
from terminal_kit.events import Kind
from terminal_kit.memory import Memory, StoredReader
from terminal_kit.reader import Reader
from terminal_kit.terminal.state import State


class Acquaintances:
    """A terminal's view of its user's memory."""

    def __init__(self, state: State, memory: Memory) -> None:
        self._state = state
        self._memory = memory

    def check_online(self, reader: Reader, location_id: str) -> None:
        """Offline, only a reader that was connected here online lately may connect (E, 2870–2873)."""
        radio = self._state.radio
        if radio.host_state().internet is not False:
            return
        now_us = radio.clock.utc_us()
        if not self._memory.connected_online(now_us, location_id=location_id, device_type=reader.device_type):
            raise LocationOfflineError(f"the host is offline, and no {reader.device_type} was connected here lately")
        if not self.was_here_lately(reader, location_id):
            raise ReaderOfflineError(f"the host is offline, and {reader.serial} was not connected here lately")

    def was_here_lately(self, reader: Reader, location_id: str) -> bool:
        """Whether a reader was connected here, online, in the last 30 days, so that it may be used without internet."""
        now_us = self._state.radio.clock.utc_us()
        return self._memory.connected_online(now_us, location_id=location_id, serial=reader.serial)

    async def remember(self, location_id: str, reader: Reader, *, is_connected: bool = True) -> None:
        """Stores a reader: at once when it is paired, since that outlives whatever follows (D6, C7)."""
        radio = self._state.radio
        online = is_connected and radio.host_state().internet is not False
        stored = StoredReader(
            serial=reader.serial,
            name=reader.name,
            address=reader.address,
            location_id=location_id,
            device_type=reader.device_type,
            online_us=radio.clock.utc_us() if online else None,
        )
        try:
            await asyncio.to_thread(self._memory.remember, stored)
        except (TerminalError, OSError) as error:
            # The connection is good; only the next start-up will not know of it.
            code = error.code if isinstance(error, TerminalError) else TerminalError.code
            self._state.tell(Kind.ERROR, error_code=code, text=str(error))

    async def forget(self, reader: Reader) -> None:
        """Drops what is stored of a reader. Raises `DataError`."""
        await asyncio.to_thread(self._memory.forget, reader.serial)
