"""One link of the virtual radio, seen from the host: requests that die with it, and how it ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Connection

from terminal_kit.radio import LinkLoss, LinkParameters

T = TypeVar("T")

_BY_READER = frozenset({0x13, 0x14, 0x15})
"""Remote user, low resources, power off: the other end said goodbye (Vol 1 Part F, 2)."""

_BY_HOST = 0x16
"""Terminated by the local host."""


class HostLink:
    """A connection to one peripheral. `lost` is done, with the HCI code, as soon as the link has ended."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lost: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._requests: set[asyncio.Task[Any]] = set()
        connection.on(connection.EVENT_DISCONNECTION, self._on_disconnection)

    @property
    def is_up(self) -> bool:
        """Whether the link stands."""
        return not self.lost.done()

    @property
    def loss(self) -> LinkLoss:
        """How it ended; empty while it stands."""
        if self.is_up:
            return LinkLoss()
        code = self.lost.result()
        return LinkLoss(code, "reader" if code in _BY_READER else "host" if code == _BY_HOST else None)

    @property
    def parameters(self) -> LinkParameters:
        """The parameters that the controller reported."""
        connection = self.connection
        return LinkParameters(
            interval_ms=connection.parameters.connection_interval,
            peripheral_latency=connection.parameters.peripheral_latency,
            supervision_timeout_s=connection.parameters.supervision_timeout / 1000,
            mtu_bytes=connection.att_mtu,
        )

    async def run(self, request: Coroutine[Any, Any, T]) -> T:
        """The result of a request, which dies with the link.

        A caller who is cancelled leaves its request running: ATT knows no cancel, and the answer must not be taken for
        the next request's (Vol 3 Part F, 3.3.2). Raises `BleakGATTProtocolError` where the peer refuses, `BleakError`
        where the link ended or the peer kept silent.
        """
        if not self.is_up:
            request.close()
            raise BleakError("Not connected")
        task = asyncio.create_task(request, name="terminal_kit request")
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        task.add_done_callback(_retrieve)
        await asyncio.wait({task, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() or task.cancelled():
            raise BleakError("the link ended during the operation")
        try:
            return task.result()
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.TimeoutError as error:
            # After a transaction's 30 s nothing more may be sent on this bearer (Vol 3 Part F, 3.3.3).
            await self.close()
            raise BleakError("the peer did not answer; the link was closed") from error
        except hci.HCI_Error as error:
            if error.error_code == hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR:
                # The peer lost its bond: what the next protected access would be told.
                raise BleakGATTProtocolError(att.ErrorCode.INSUFFICIENT_AUTHENTICATION) from error
            raise BleakError(f"the controller refused: {error}") from error
        except core.BaseBumbleError as error:
            raise BleakError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Ends the link, if it still stands, and waits until nothing of it is left."""
        if self.is_up:
            asking = asyncio.create_task(self.connection.disconnect(), name="terminal_kit disconnect")
            asking.add_done_callback(_retrieve)
            await asyncio.wait({asking})
            if self.is_up:
                raise BleakError("the controller did not end the link")
        if self._requests:
            await asyncio.wait(self._requests)

    def _on_disconnection(self, reason: int) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        for request in self._requests:
            request.cancel()


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Marks a failure as seen: the caller may have been cancelled meanwhile."""
    if not task.cancelled():
        task.exception()
