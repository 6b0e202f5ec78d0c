"""Links: what Android's Bluetooth client and the reader's library tell of the connection beneath the SDK's."""

from typing import Any

from terminal_kit.events import Kind, ReasonSource
from terminal_kit.importers.sdk_logs.stories.telling import WAIT_ENTRIES, WAIT_US, Teller
from terminal_kit.importers.sdk_logs.vocabulary import ATT_FAULTS, GATT_FAULTS

ANOTHERS = "another device's Bluetooth"
"""Why a line is foreign that tells of the link of a printer, say, that the same app uses beside the reader."""

NEVER_MADE = frozenset({0x3E, 0x85, 0x93})
"""Statuses of a link that never came about: not established, Android's own "error" (133) and its time-out (147)."""


class Link:
    """One link of the reader after another.

    Methods give whether the line said something new, or `ANOTHERS` where it is about another device's link. The two
    are told apart where the reader's address is known: from the phone's lines, once the reader's library or the SDK has
    spoken of the link. Until then every address that comes up while a connection is made may be the reader's.
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self.is_up = False
        self.is_stale = False
        """Whether the relation over it has ended: the next one is another link, even where no line tells its end."""
        self.is_awaited = False
        """Whether a connection is being made: an end is a failure then, though no line told of a beginning."""
        self._pending: str | None = None
        self._pending_at: tuple[int, int] | None = None
        self._connecting = False
        self._is_readers = False
        """Whether the reader's library or the SDK spoke of the link: until then it may be any device's."""
        self._addresses: set[str] = set()
        """Those that the reader's link may have; they stay after its end, as the reader does that comes back."""
        self._others: set[str] = set()
        """Those of other devices that have a link now."""
        self._begun_at = (0, 0)
        self._is_made = False
        """Whether the SDK is connected over it."""
        self._ended_at: tuple[int, int] | None = None
        self._ended_code: int | None = None
        self._why_is_open = False

    @property
    def pending_reason(self) -> str | None:
        """Why the next end comes, where the log has said it a moment before; or why the last one came."""
        return self._pending if self._pending_at is None or self._is_recent(self._pending_at) else None

    @pending_reason.setter
    def pending_reason(self, reason: str | None) -> None:
        # Told of an end that has been, it stays the reason of that.
        is_told_after = self._ended_at is not None and not self.is_up
        self._pending, self._pending_at = reason, None if is_told_after else self._now

    def expect(self, *, primary: bool) -> None:
        """A connection to a reader begins: where the app calls (`primary`), a link that was there is no reader's."""
        if primary and self.is_up and not (self.is_stale or self.is_awaited or self._is_readers):
            self._others |= self._addresses
            self.is_stale = True
        if not self.is_up or self.is_stale:
            self._teller.in_session = False
            self.forget_reader()
        self.is_awaited = True

    def forget_reader(self) -> None:
        """Whoever is connected next need not be the reader of before."""
        self._addresses.clear()
        self._is_readers = False

    def is_anothers(self, address: str | None) -> bool:
        """Whether an address is surely not that of the reader whose link this is."""
        if not address or address in self._addresses:
            return False
        return address in self._others or (self._is_readers and bool(self._addresses))

    def connecting(self, address: str | None) -> bool | str:
        """The phone begins to make a link; once for each, whoever repeats it."""
        if self.is_anothers(address):
            return ANOTHERS
        if self._connecting or self.is_up:
            return False
        self._connecting = True
        if address:
            self._addresses.add(address)
        self._teller.tell(Kind.LINK_CONNECTING, {"address": address}, **self._whom(address))
        return True

    def up(
        self, serial: str | None, address: str | None, transport: str | None = None, *, by_phone: bool = False
    ) -> bool | str:
        """A link is there. A second voice of the same link may bring its serial or address.

        `by_phone`: the phone's Bluetooth says so, which has links to other devices too.
        """
        teller, is_new = self._teller, not self.is_up or self.is_stale
        is_next = self.is_stale and not self._connecting and not by_phone
        if is_next or (serial and teller.serial and serial != teller.serial):
            self.forget_reader()
        if address:
            self._others.discard(address)
            # The phone tells of a link before the SDK does: whoever comes up after that is another device.
            is_late = self._is_made or not self._is_recent(self._begun_at)
            if self.is_anothers(address) or (is_late and not is_new and self._is_readers and not self._addresses):
                self._others.add(address)
                return ANOTHERS
            if is_new and not self._connecting:
                self._addresses.clear()
            self._addresses.add(address)
        self._is_readers |= not by_phone
        if serial:
            teller.name_before(serial)
        teller.know(serial)
        if serial and len(self._addresses) == 1:
            teller.know(serial, next(iter(self._addresses)))
        if not is_new:
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
            if self.is_stale:
                self.forget_reader()
            self._begin()
        self._is_readers = self._is_made = True

    def _begin(self) -> None:
        if self.is_stale:
            self._teller.connection += 1
        self.is_up, self.is_stale, self._is_made, self._connecting = True, False, False, False
        self.pending_reason, self._ended_at, self._begun_at = None, None, self._now
        self._teller.session += 1
        self._teller.in_session = True

    def down(
        self,
        status: int | None,
        address: str | None,
        *,
        extra: dict[str, Any] | None = None,
        starting: bool = False,
    ) -> bool | str:
        """A link is gone, or was not made. `status`: Android's GATT status, where the line tells it.

        `starting`: the line itself says that it could not be made.
        """
        if self.is_anothers(address):
            self._others.discard(address or "")
            return ANOTHERS
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
            self._ended_at = self._now
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

    def gatt_state(self, status: int, connected: bool | None, address: str | None) -> bool | str:
        """Android's `onClientConnectionState`: older versions do not say which way, then the link's state does."""
        if connected is None:
            is_there = address in self._others if self.is_anothers(address) else self.is_up
            connected = status == 0 and not is_there
        return self.up(None, address, by_phone=True) if connected and status == 0 else self.down(status, address)

    def updated(self, address: str | None, **cells: Any) -> bool | str:
        """The link's parameters changed."""
        if self.is_anothers(address):
            return ANOTHERS
        self._teller.tell(Kind.LINK_UPDATED, {"address": address}, **cells, **self._whom(address))
        return True

    def _end(self, cells: dict[str, Any], told: dict[str, Any], status: int | None) -> None:
        teller, reason = self._teller, self.pending_reason
        teller.tell(
            Kind.LINK_DISCONNECTED,
            told,
            reason=reason or "unknown",
            reason_source=ReasonSource.HOST if reason else ReasonSource.BACKEND if status else ReasonSource.NONE,
            session=teller.session,
            **cells,
        )
        self.is_up = self._connecting = False
        self._why_is_open = reason is None
        if reason:
            self._pending_at = None  # it is the reason of this end, until the next beginning
        self._ended_at, self._ended_code = self._now, status
        if len(self._addresses) == 1:
            teller.know(None, next(iter(self._addresses)))

    @property
    def _now(self) -> tuple[int, int]:
        return self._teller.entry.t_us, self._teller.entry.first

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
