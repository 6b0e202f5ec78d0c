"""How a link ends: the evidence for it, the row that tells it, and the error for whoever was using it (X1, X2)."""

import asyncio
from dataclasses import dataclass
from typing import Any

from terminal_kit.errors import (
    BatteryCriticallyLowError,
    LinkLostError,
    PairingLostError,
    TerminalError,
    UpdateRequiredError,
)
from terminal_kit.events import DisconnectReason, ReasonSource
from terminal_kit.radio import HostFault
from terminal_kit.radio.translation import host_error
from terminal_kit.words import advice


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """Why a link ended: the reason, who says so, and the link-layer code where there is one (X1)."""

    reason: DisconnectReason
    source: ReasonSource
    hci_code: int | None = None
    host_fault: HostFault | None = None

    def error(self, reader: str) -> TerminalError:
        """The error for whoever was waiting for an answer; its hint fits the reason (X2)."""
        if self.host_fault is not None:
            return host_error(self.host_fault)
        if self.reason is DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION:
            return PairingLostError(f"{reader} no longer knows this host", reader=reader, hci_code=self.hci_code)
        return LinkLostError(
            f"the link to {reader} ended: {self.reason}",
            reader=reader,
            reason=self.reason,
            hci_code=self.hci_code,
            hint=advice(self.reason) or None,
        )


def reason_columns(end: LinkEnd) -> dict[str, Any]:
    """The columns of a row that tells why a link ended."""
    return {"reason": end.reason, "reason_source": end.source, "hci_code": end.hci_code}


def reason_of(error: BaseException | None) -> DisconnectReason:
    """Why the kit gives a link up, or never got it back: what the error says of the reader, else `unknown`."""
    match error:
        case None | asyncio.CancelledError() | UpdateRequiredError():
            return DisconnectReason.DISCONNECT_REQUESTED
        case BatteryCriticallyLowError():
            return DisconnectReason.CRITICALLY_LOW_BATTERY
        case PairingLostError():
            return DisconnectReason.PEER_REMOVED_PAIRING_INFORMATION
        case _:
            return DisconnectReason.UNKNOWN
