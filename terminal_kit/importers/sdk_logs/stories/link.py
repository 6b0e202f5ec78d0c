"""Links: what Android's Bluetooth client and the reader's library tell of the connection beneath the SDK's."""

from typing import Any

from terminal_kit.events import Kind, ReasonSource
from terminal_kit.importers.sdk_logs.stories.telling import WAIT_ENTRIES, WAIT_US, Teller
from terminal_kit.importers.sdk_logs.vocabulary import ATT_FAULTS, GATT_FAULTS

NEVER_MADE = frozenset({0x3E, 0x85, 0x93})
"""Statuses of a link that never came about: not established, Android's own "error" (133) and its time-out (147)."""


class Link:
    """One link after another. `pending_reason` is why the next end comes, where the log has said it already."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self.is_up = False
        self.is_stale = False
        """Whether the relation over it has ended: the next one is another link, even where no line tells its end."""
        self.is_awaited = False
        """Whether a connection is being made: an end is a failure then, though no line told of a beginning."""
        self.pending_reason: str | None = None
        self._connecting = False
        self._addresses: set[str] = set()
        self._ended_at: tuple[int, int] | None = None
        self._ended_code: int | None = None
        self._why_is_open = False

    def connecting(self, address: str | None) -> bool:
        """The phone begins to make a link; once for each, whoever repeats it."""
        if self._connecting or self.is_up:
            return False
        self._connecting = True
        self._teller.tell(Kind.LINK_CONNECTING, {"address": address}, **self._whom(address))
        return True

    def up(self, serial: str | None, address: str | None, transport: str | None = None) -> bool:
        """A link is there. A second voice of the same link may bring its serial or address."""
        teller = self._teller
        if serial:
            teller.name_before(serial)
        teller.know(serial)
        if address:
            self._addresses.add(address)
        if serial and len(self._addresses) == 1:
            teller.know(serial, next(iter(self._addresses)))
        if self.is_up and not self.is_stale:
            return False
        self._begin()
        teller.tell(
            Kind.LINK_CONNECTED,
            {"address": address, "transport": transport},
            device_type=teller.device_type(),
            **self._whom(address),
        )
        return True

    def assume(self) -> None:
        """The app is connected, so there is a link, though no line tells of it."""
        if not self.is_up or self.is_stale:
            self._begin()

    def _begin(self) -> None:
        self.is_up, self.is_stale, self._connecting, self._ended_at, self.pending_reason = (
            True,
            False,
            False,
            None,
            None,
        )
        self._teller.session += 1
        self._teller.in_session = True

    def down(
        self,
        status: int | None,
        address: str | None,
        *,
        extra: dict[str, Any] | None = None,
        starting: bool = False,
    ) -> bool:
        """A link is gone, or was not made. `status`: Android's GATT status, where the line tells it.

        `starting`: the line itself says that it could not be made.
        """
        teller = self._teller
        cells = {**codes_of(status), **self._whom(address)}
        told = {"gatt_status": status, "address": address, **(extra or {})}
        if self.is_up:
            self._end(cells, told, status)
            return True
        if self._ended_at and self._is_recent(self._ended_at):
            if status and not self._ended_code:
                self._ended_code = status
                teller.tell(
                    Kind.REASON_LEARNED, told, reason_source=ReasonSource.BACKEND, session=teller.session, **cells
                )
                return True
            return False
        if self._connecting or starting or self.is_awaited or status in NEVER_MADE:
            self._connecting = False
            self._ended_at = (teller.entry.t_us, teller.entry.first)
            self._ended_code = status
            teller.tell(Kind.LINK_FAILED, told, **cells)
            return True
        # Its beginning lies before the log's.
        teller.session += 1
        teller.in_session = True
        self._end(cells, told, status)
        return True

    def learn(self, reason: str) -> bool:
        """Why the link ended, told a moment after its end; gives whether there is such an end."""
        if self.is_up or not self._why_is_open or not self._ended_at or not self._is_recent(self._ended_at):
            return False
        self._why_is_open = False
        teller = self._teller
        teller.tell(Kind.REASON_LEARNED, reason=reason, reason_source=ReasonSource.HOST, session=teller.session)
        return True

    def gatt_state(self, status: int, connected: bool | None, address: str | None) -> bool:
        """Android's `onClientConnectionState`: older versions do not say which way, then the link's state does."""
        if connected is None:
            connected = status == 0 and not self.is_up
        return self.up(None, address) if connected and status == 0 else self.down(status, address)

    def updated(self, address: str | None, **cells: Any) -> bool:
        """The link's parameters changed."""
        self._teller.tell(Kind.LINK_UPDATED, {"address": address}, **cells, **self._whom(address))
        return True

    def _end(self, cells: dict[str, Any], told: dict[str, Any], status: int | None) -> None:
        teller, reason = self._teller, self.pending_reason
        teller.tell(
            Kind.LINK_DISCONNECTED,
            told,
            reason=reason or "unknown",
            reason_source=ReasonSource.HOST if reason else ReasonSource.BACKEND if status else ReasonSource.NONE,
            **cells,
        )
        self.is_up = self._connecting = False
        self._why_is_open = reason is None
        self._ended_at, self._ended_code = (teller.entry.t_us, teller.entry.first), status
        if len(self._addresses) == 1:
            teller.know(None, next(iter(self._addresses)))
        self._addresses.clear()

    def _is_recent(self, when: tuple[int, int]) -> bool:
        entry = self._teller.entry
        return entry.t_us - when[0] <= WAIT_US and entry.first - when[1] <= WAIT_ENTRIES * 10

    def _whom(self, address: str | None) -> dict[str, Any]:
        """Whose link it is, where no serial is in force."""
        return {"reader": f"addr:{address}"} if address and not self._teller.serial else {}


def codes_of(status: int | None) -> dict[str, Any]:
    """The columns that a GATT status of Android fills: others are the host's own, and stand in `extra` alone."""
    if status in GATT_FAULTS:
        return {"hci_code": status}
    return {"att_code": status} if status in ATT_FAULTS else {}
