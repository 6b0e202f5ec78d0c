"""One link to one reader: from the connection request to the link's end, with everything learned on the way.

Operations on a link die with it: whoever waits for an answer gets the loss instead (X1's evidence in it).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from terminal_kit import profile
from terminal_kit.errors import (
    CommunicationError,
    GattError,
    InvalidParameterError,
    LinkError,
    PairingLostError,
    TerminalError,
    UpdateReaderError,
)
from terminal_kit.events import REASON_OF_CODE, DisconnectReason, ReasonSource
from terminal_kit.profile import BatteryState, LastStop, Notice, NoticeCode, ReaderState
from terminal_kit.radio import Radio
from terminal_kit.radio.translation import translate
from terminal_kit.reader import Reader
from terminal_kit.terminal.ending import LinkEnd
from terminal_kit.terminal.operation import to_the_end
from terminal_kit.terminal.policy import Limits
from terminal_kit.updates.carrier import Carrier
from terminal_kit.updates.smp import SmpClient

_log = logging.getLogger(__name__)

HOST_SPEAKS_LATER_S = 0.75
"""BlueZ ends the links first and says a moment later that the radio is off; a reconnection can wait for that."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Facts:
    """What a connected reader told of itself; None where its profile does not have it."""

    serial: str | None = None
    firmware: str | None = None
    battery: BatteryState | None = None
    state: ReaderState | None = None
    last_stop: LastStop | None = None
    location_id: str | None = None


class Link:
    """A live link. Made by `Link.open()`, which either gives a good one or leaves nothing behind.

    `on_fault(characteristic, error)` hears of values that were refused or cannot be read; they are left out.
    """

    def __init__(
        self,
        radio: Radio,
        reader: Reader,
        limits: Limits,
        timeout_s: float,
        on_fault: Callable[[str, TerminalError], None],
    ) -> None:
        self._radio = radio
        self._limits = limits
        self._now_s = radio.clock.monotonic_s
        self._on_fault = on_fault
        self._closing: asyncio.Task[None] | None = None
        self._pairs_late = False
        self._has_obeyed = False
        self._is_paired = False
        self._smp: SmpClient | None = None
        self._end: asyncio.Future[LinkEnd] = asyncio.get_running_loop().create_future()
        self._farewell: tuple[float, DisconnectReason] | None = None
        self._expected: DisconnectReason | None = None
        self.reader = reader
        self.facts = Facts()
        self.opened_s = self._now_s()
        self.client = radio.client(reader.details, on_disconnect=self._on_disconnect, timeout_s=timeout_s)

    @classmethod
    async def open(
        cls,
        radio: Radio,
        reader: Reader,
        limits: Limits,
        *,
        timeout_s: float,
        on_fault: Callable[[str, TerminalError], None],
    ) -> Self:
        """Connects within `timeout_s`. Raises the translated error, with nothing left open."""
        link = cls(radio, reader, limits, timeout_s, on_fault)
        try:
            async with asyncio.timeout(timeout_s):
                await link.client.connect()
        except BaseException as error:
            await to_the_end(link._disconnect())
            if not isinstance(error, Exception):
                raise
            failed = translate(error, reader=reader.serial, timeout_s=timeout_s)
            if isinstance(failed, LinkError):
                failed.hci_code = radio.link_loss(link.client).hci_code
            raise failed from error
        link.opened_s = link._now_s()
        return link

    async def close(self, reason: DisconnectReason = DisconnectReason.DISCONNECT_REQUESTED) -> LinkEnd:
        """Ends the link for `reason`, which is ours to know; gives how it ended. Safe to repeat.

        Takes `Limits.disconnect_s` at the most; whoever gives up waiting waits for that all the same.
        """
        if self._closing is None:
            self.expect(reason)
            self._closing = asyncio.create_task(self._disconnect(), name="terminal_kit: disconnect")
        await to_the_end(self._closing)
        if not self._end.done():
            # The host's stack confirmed nothing: for us the link is over all the same.
            self._end.set_result(self._explain())
        return self._end.result()

    def expect(self, reason: DisconnectReason) -> None:
        """Notes what the host knows: if the link ends next, this is why (unless the reader itself says better)."""
        if not self._end.done():
            self._expected = reason

    async def ended(self) -> LinkEnd:
        """Waits for the link's end."""
        return await asyncio.shield(self._end)

    @property
    def is_up(self) -> bool:
        """Whether the link stands."""
        return not self._end.done()

    def parameters(self) -> dict[str, float | None]:
        """The columns that tell the parameters in force."""
        now = self._radio.link_parameters(self.client)
        return {
            "interval_ms": now.interval_ms,
            "peripheral_latency": now.peripheral_latency,
            "supervision_timeout_s": now.supervision_timeout_s,
            "mtu_bytes": now.mtu_bytes,
        }

    async def during(self, work: Coroutine[Any, Any, T], *, limit_s: float | None = None) -> T:
        """`work`'s result. Raises the loss where the link ends first, `CommunicationError` after a silence."""
        task = asyncio.ensure_future(work)
        limit_s = limit_s or self._limits.answer_s
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.wait({task, self._end}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise CommunicationError(
                f"{self.reader.serial} did not answer within {limit_s:g} s", reader=self.reader.serial
            ) from error
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if task.cancelled() or (task.exception() and not self.client.is_connected):
            await asyncio.wait({self._end}, timeout=self._limits.disconnect_s)
        if self._end.done() and (task.cancelled() or task.exception()):
            raise self._end.result().error(self.reader.serial) from (None if task.cancelled() else task.exception())
        try:
            return task.result()
        except asyncio.CancelledError as error:
            raise LinkError(f"{self.reader.serial} gave no answer", reader=self.reader.serial) from error
        except Exception as error:
            raise translate(error, reader=self.reader.serial) from error

    async def read_facts(self) -> Facts:
        """Reads what the reader tells of itself, part by part; a part that its profile lacks stays None."""
        text = profile.decode_text
        facts = self.facts
        facts.serial = await self._read(profile.SERIAL_NUMBER, text) or None
        facts.firmware = await self._read(profile.SOFTWARE_REVISION, text) or None
        facts.state = await self._read(profile.STATE, ReaderState.decode)
        facts.last_stop = await self._read(profile.LAST_STOP, LastStop.decode)
        facts.location_id = await self._read(profile.REGISTRATION, text) or None
        facts.battery = await self.read_battery()
        return facts

    async def read_battery(self) -> BatteryState | None:
        """The battery: its level status where the reader has it, else its bare level."""
        status = await self._read(profile.BATTERY_LEVEL_STATUS, BatteryState.decode)
        if status is not None and status.level is not None:
            return status
        level = await self._read(profile.BATTERY_LEVEL, profile.decode_battery_level)
        return None if level is None else BatteryState(level, status.charging if status else None)

    async def read_state(self) -> ReaderState | None:
        """The reader's state, which also shows that it still answers."""
        return await self._read(profile.STATE, ReaderState.decode)

    async def listen(
        self,
        *,
        on_notice: Callable[[Notice], None],
        on_state: Callable[[ReaderState], None],
        on_battery: Callable[[BatteryState], None],
    ) -> None:
        """Subscribes to what the reader reports by itself; the farewell first, since it explains the rest."""

        def notice(data: bytes) -> None:
            told = Notice.decode(data)
            if told is None:
                return
            if told.code is NoticeCode.FAREWELL and told.reason is not None:
                self._farewell = (self._now_s(), told.reason)
            on_notice(told)

        await self._subscribe(profile.NOTICE, notice)
        await self._subscribe(profile.STATE, lambda data: on_state(ReaderState.decode(data)))
        subscribed = await self._subscribe(
            profile.BATTERY_LEVEL_STATUS, lambda data: on_battery(BatteryState.decode(data))
        )
        if not subscribed:
            await self._subscribe(
                profile.BATTERY_LEVEL,
                lambda data: on_battery(BatteryState(profile.decode_battery_level(data), None)),
            )

    async def register(self, location_id: str) -> None:
        """Registers the reader at a location, over a paired link (C1, C8)."""
        await self._write(profile.REGISTRATION, location_id.encode())
        self.facts.location_id = location_id

    async def reboot(self) -> None:
        """Asks the reader to restart (R1), over a paired link."""
        self.expect(DisconnectReason.REBOOT_REQUESTED)
        try:
            await self._write(profile.COMMAND, bytes([profile.CommandCode.REBOOT]))
        except TerminalError:
            self.expect(DisconnectReason.UNKNOWN)
            raise
        self._has_obeyed = True

    async def pair(self) -> bool:
        """Pairs and bonds (C8). False where the host's system pairs by itself (macOS): the first write does it then.

        The radio is told before, since a host's stack may go on and bond when nobody waits for it any more, and after,
        since a resolved address may have taken the place of a private one.
        """
        await self._note_bond()
        try:
            await self.during(self.client.pair())
        except TerminalError as error:
            if not isinstance(error.__cause__, NotImplementedError):
                raise
            self._pairs_late = True
            return False
        await self._note_bond()
        self._is_paired = True
        return True

    async def smp(self) -> SmpClient:
        """The client of the reader's SMP server, made at first use, over a paired link (C8).

        A board whose server asks for no pairing may refuse to pair. Raises `UpdateReaderError` where there is no such
        server: the vendor's own readers have none (D8).
        """
        if self._smp is not None:
            return self._smp
        characteristic = self._characteristic(profile.SMP_CHARACTERISTIC)
        if characteristic is None:
            raise UpdateReaderError(
                f"{self.reader.serial} takes no updates from here: it has no SMP server",
                reader=self.reader.serial,
                hint="The vendor's own readers speak a closed protocol; update them with the vendor's app.",
            )
        if not self._is_paired:
            try:
                await self.pair()
            except LinkError as error:
                if not self.is_up:
                    raise
                self._on_fault(profile.SMP_CHARACTERISTIC, error)
        carrier = Carrier(self.client, characteristic)
        smp = SmpClient(carrier.send, piece_bytes=carrier.piece_bytes)
        carrier.take = smp.take
        if not await self._subscribe(profile.SMP_CHARACTERISTIC, carrier.hear):
            raise UpdateReaderError(f"{self.reader.serial} does not answer over SMP", reader=self.reader.serial)
        await self.during(smp.read_parameters())
        self._smp = smp
        return smp

    async def _note_bond(self) -> None:
        try:
            await self._radio.note_bond(self.client.address, True)
        except TerminalError as error:
            self._on_fault("", error)

    def has(self, uuid: str) -> bool:
        """Whether the reader offers this characteristic."""
        return self._characteristic(uuid) is not None

    def _characteristic(self, uuid: str) -> BleakGATTCharacteristic | None:
        """The first of this UUID: a device may have several, and bleak finds none then."""
        if self._end.done():
            raise self._end.result().error(self.reader.serial)
        try:
            offered = self.client.services.characteristics.values()
        except BleakError as error:  # the link is gone, and its end is about to be told
            raise translate(error, reader=self.reader.serial) from error
        return next((characteristic for characteristic in offered if characteristic.uuid == uuid), None)

    async def _read(self, uuid: str, decode: Callable[[bytes], R]) -> R | None:
        """The value; None where the reader lacks it, refuses it, or gives nonsense."""
        characteristic = self._characteristic(uuid)
        if characteristic is None or "read" not in characteristic.properties:
            return None
        try:
            return decode(bytes(await self.during(self.client.read_gatt_char(characteristic))))
        except (GattError, PairingLostError, InvalidParameterError) as error:
            if not self.is_up:
                raise
            self._on_fault(uuid, error)
            return None

    async def _write(self, uuid: str, data: bytes) -> None:
        characteristic = self._characteristic(uuid)
        if characteristic is None:
            raise CommunicationError(f"{self.reader.serial} lacks {uuid}", reader=self.reader.serial)
        limit_s = self._limits.pairing_dialog_s if self._pairs_late else None
        try:
            await self.during(self.client.write_gatt_char(characteristic, data, response=True), limit_s=limit_s)
            self._pairs_late = False
        except (GattError, PairingLostError) as error:
            if isinstance(error, GattError):
                error.characteristic = uuid
            self._on_fault(uuid, error)
            raise

    async def _subscribe(self, uuid: str, callback: Callable[[bytes], None]) -> bool:
        characteristic = self._characteristic(uuid)
        if characteristic is None or "notify" not in characteristic.properties:
            return False

        def told(_characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
            # Whatever a reader sends, bleak's side of the callback must not fail for it.
            try:
                callback(bytes(data))
            except TerminalError as error:
                self._on_fault(uuid, error)
            except Exception:
                _log.exception("a notification of %s", uuid)

        try:
            await self.during(self.client.start_notify(characteristic, told))
        except (GattError, PairingLostError) as error:
            if not self.is_up:
                raise
            self._on_fault(uuid, error)
            return False
        return True

    async def _disconnect(self) -> None:
        try:
            async with asyncio.timeout(self._limits.disconnect_s):
                await self.client.disconnect()
        except Exception:
            # The stack below is already gone; the link's end is told by its callback or by close().
            _log.debug("disconnecting %s", self.reader.serial, exc_info=True)

    def _on_disconnect(self, _client: BleakClient) -> None:
        loop, capabilities = asyncio.get_running_loop(), self._radio.capabilities
        if self._explain().source is ReasonSource.NONE and capabilities.host_faults and not capabilities.link_codes:
            loop.call_later(HOST_SPEAKS_LATER_S, self._settle)
        else:
            self._settle()

    def _settle(self) -> None:
        if not self._end.done():
            self._end.set_result(self._explain())

    def _explain(self) -> LinkEnd:
        """The evidence in the order of X1."""
        code = self._radio.link_loss(self.client).hci_code
        fault = self._radio.host_state().fault
        if self._farewell and self._now_s() - self._farewell[0] <= self._limits.farewell_counts_s:
            return LinkEnd(self._farewell[1], ReasonSource.FAREWELL, code)
        # A reader that timed out before it took the request did not restart because of it.
        moot = self._expected is DisconnectReason.REBOOT_REQUESTED and code == 0x08 and not self._has_obeyed
        if self._expected not in (None, DisconnectReason.UNKNOWN) and not moot:
            return LinkEnd(self._expected, ReasonSource.HOST, code)
        if fault is not None:
            return LinkEnd(DisconnectReason.BLUETOOTH_DISABLED, ReasonSource.HOST, code, fault)
        if code in REASON_OF_CODE:
            return LinkEnd(REASON_OF_CODE[code], ReasonSource.BACKEND, code)
        return LinkEnd(DisconnectReason.UNKNOWN, ReasonSource.NONE, code)
