"""The terminal's relation to a reader: connecting, connected, reconnecting, disconnected."""

from typing import Any

from terminal_kit.events import ConnectionStatus, DisconnectReason, Kind, ReasonSource
from terminal_kit.importers.sdk_logs.stories.discovery import Discovery
from terminal_kit.importers.sdk_logs.stories.link import Link
from terminal_kit.importers.sdk_logs.stories.telling import Attempt, Teller

TWICE_US = 2_000_000
"""Within this time the same call is the same call: the app's layer and the SDK's both log it."""

_ENDS = (Kind.DISCONNECTED, Kind.LINK_DISCONNECTED, Kind.RECONNECT_STARTED)


class Relation:
    """One relation after another. Methods give whether the line said something new."""

    def __init__(self, teller: Teller, discovery: Discovery, link: Link) -> None:
        self._teller, self._discovery, self._link = teller, discovery, link
        self.status: str | None = None
        self._connecting: Attempt | None = None
        self._reconnecting: Attempt | None = None
        self._connected = False
        self._ended: str | None = None
        """The reason that the last end was told with, until the next beginning."""

    @property
    def is_connecting(self) -> bool:
        """Whether a connection is being made."""
        return self._connecting is not None

    def start(self, serial: str | None, *, primary: bool, extra: dict[str, Any] | None = None, **cells: Any) -> bool:
        """A connection begins, by the app's call (`primary`) or by what the layers below say."""
        teller = self._teller
        if self._connecting and (not primary or teller.entry.t_us - self._connecting.t_us < TWICE_US):
            if serial:
                teller.know(serial)
            return False
        if not primary and (self._connected or self._reconnecting):
            return False
        teller.settle()
        self._discovery.finish(extra={"ended_by": "connect"})
        teller.know(serial or self._discovery.only())
        self._forget_end()
        self._link.expect(primary=primary)
        teller.connection += 1
        self._connecting = teller.attempt()
        teller.tell(
            Kind.CONNECT_STARTED, extra, attempt_id=self._connecting.id, device_type=teller.device_type(), **cells
        )
        return True

    def succeed(self, *, surely: bool = False) -> bool:
        """The connection, or the reconnection, is there. `surely`: the line says so, though no beginning was seen."""
        teller, attempt = self._teller, self._connecting or self._reconnecting
        if attempt is None and surely and not self._connected:
            attempt = self._connecting = teller.attempt(is_seen=False)
        self._connected, self._ended = True, None
        self._link.is_awaited = False
        self._link.assume()
        if attempt is None:
            return False
        kind = Kind.CONNECT_SUCCEEDED if self._connecting else Kind.RECONNECT_SUCCEEDED
        self._connecting = self._reconnecting = None
        teller.tell(kind, attempt_id=attempt.id, duration_s=teller.lasted_s(attempt), device_type=teller.device_type())
        return True

    def fail(self, code: str | None, *, surely: bool = False, extra: dict[str, Any] | None = None) -> bool:
        """The connection failed. `surely`: the line says that it was this; else one must be under way."""
        teller, attempt = self._teller, self._connecting
        if attempt is None and not teller.waiting_for(Kind.CONNECT_FAILED):
            if not surely:
                return False
            attempt = teller.attempt(is_seen=False)
        self._connecting = None
        self._link.is_awaited = False
        waiting = self._waited_id
        teller.tell(
            Kind.CONNECT_FAILED,
            extra,
            attempt_id=attempt.id if attempt else waiting,
            error_code=code,
            duration_s=teller.lasted_s(attempt),
        )
        return True

    _waited_id: str | None = None

    def say(self, status: str) -> bool:
        """The terminal's status, and what follows from it."""
        teller = self._teller
        if status == self.status:
            # An end may be told by a callback alone: then the status of the next connection is the one of before.
            return status == ConnectionStatus.CONNECTED and self._connecting is not None and self.succeed()
        self.status = status
        teller.tell(Kind.STATUS_CHANGED, status=status)
        match status:
            case ConnectionStatus.CONNECTED:
                self.succeed()
            case ConnectionStatus.DISCOVERING:
                self._discovery.start(primary=False)
            case ConnectionStatus.CONNECTING:
                self.start(None, primary=False)
            case ConnectionStatus.RECONNECTING:
                self.reconnect(None)
            case _:
                self._no_longer()
        return True

    def reason(self, reason: str | None, as_read: str) -> bool:
        """The SDK notes why a link ends: before the end, or just after it."""
        teller = self._teller
        extra = {"reason_as_read": None if reason else as_read}
        reason = reason or DisconnectReason.UNKNOWN
        if not self._link.is_up and self._ended == DisconnectReason.UNKNOWN and reason != DisconnectReason.UNKNOWN:
            self._ended = reason
            self._learn(reason, extra)
            return True
        self._link.pending_reason = reason
        if reason != DisconnectReason.UNKNOWN and self._link.learn(reason):
            return True
        teller.tell(Kind.APP_MESSAGE, {**extra, "reason": reason})
        if (waiting := teller.waiting_for(Kind.DISCONNECTED)) is not None:
            if waiting["reason"] == DisconnectReason.UNKNOWN != reason:
                waiting.update(reason=reason, reason_source=ReasonSource.HOST)
        elif self._ended is None:
            row = teller.row(Kind.DISCONNECTED, extra, reason=reason, reason_source=ReasonSource.HOST)
            # Where the log ends now, a reconnection may follow, and it is no end; but none does where the app asked.
            is_sure = reason == DisconnectReason.DISCONNECT_REQUESTED
            better = (*_ENDS, Kind.RECONNECT_SUCCEEDED)
            teller.wait(row, *better, written=lambda: self._has_ended(row), is_sure=is_sure)
        return True

    def ask(self, reason: DisconnectReason) -> None:
        """The app itself asks for the end, or for a restart."""
        if self._link.pending_reason in (None, DisconnectReason.UNKNOWN):
            self._link.pending_reason = reason

    def withdraw(self) -> None:
        """What the app asked for is not done."""
        if self._link.pending_reason == DisconnectReason.DISCONNECT_REQUESTED:
            self._link.pending_reason = None

    def disconnect(self, reason: str | None, as_read: str = "", code: str | None = None) -> bool:
        """The relation ends. A second voice may bring the reason that the first had not."""
        teller = self._teller
        told = reason or self._link.pending_reason or DisconnectReason.UNKNOWN
        if self._ended is not None:
            if self._ended == DisconnectReason.UNKNOWN != told:
                self._ended = told
                self._learn(told)
                return True
            return False
        if self._reconnecting:
            self.reconnect_failed(None)
        extra = {"reason_as_read": as_read if not reason else None}
        source = ReasonSource.NONE if told == DisconnectReason.UNKNOWN else ReasonSource.HOST
        teller.tell(Kind.DISCONNECTED, extra, reason=told, reason_source=source, error_code=code)
        self._has_ended({"reason": told})
        return True

    def reconnect(self, reason: str | None) -> bool:
        """An automatic reconnection begins."""
        teller = self._teller
        if self._reconnecting:
            return False
        reason = reason or self._link.pending_reason
        self._link.pending_reason = reason
        # The drop itself, where no line of the link's own tells it.
        self._link.down(None, None, extra={"told_by": "reconnecting"})
        self._reconnecting, self._connected = teller.attempt(), False
        teller.tell(
            Kind.RECONNECT_STARTED,
            attempt_id=self._reconnecting.id,
            reason=reason,
            reason_source=ReasonSource.HOST if reason else None,
        )
        return True

    def reconnect_failed(self, code: str | None) -> bool:
        """The automatic reconnection gave up, or was canceled."""
        teller, attempt = self._teller, self._reconnecting
        if attempt is None:
            return False
        self._reconnecting = None
        teller.tell(Kind.RECONNECT_FAILED, attempt_id=attempt.id, error_code=code, duration_s=teller.lasted_s(attempt))
        return True

    def _no_longer(self) -> None:
        """The status is `not_connected`: what ended by it waits for a line that says why."""
        teller = self._teller
        inferred = {"told_by": "status"}
        teller.assure(Kind.DISCONNECTED)
        if attempt := self._connecting:
            self._connecting, self._waited_id = None, attempt.id
            self._link.is_awaited = False
            row = teller.row(Kind.CONNECT_FAILED, inferred, attempt_id=attempt.id, duration_s=teller.lasted_s(attempt))
            teller.wait(row, Kind.CONNECT_FAILED)
        elif attempt := self._reconnecting:
            self._reconnecting = None
            row = teller.row(
                Kind.RECONNECT_FAILED, inferred, attempt_id=attempt.id, duration_s=teller.lasted_s(attempt)
            )
            teller.write(row)
        elif self._connected and teller.waiting_for(Kind.DISCONNECTED) is None:
            self._link.is_stale = True
            reason = self._link.pending_reason
            row = teller.row(
                Kind.DISCONNECTED,
                inferred,
                reason=reason or DisconnectReason.UNKNOWN,
                reason_source=ReasonSource.HOST if reason else ReasonSource.NONE,
            )
            teller.wait(row, Kind.DISCONNECTED, written=lambda: self._has_ended(row))
        self._discovery.finish(extra=inferred)
        self._connected = False

    def _learn(self, reason: str, extra: dict[str, Any] | None = None) -> None:
        """Why the session ended that is over."""
        session = self._teller.session or None
        self._teller.tell(Kind.REASON_LEARNED, extra, reason=reason, reason_source=ReasonSource.HOST, session=session)

    def _has_ended(self, row: dict[str, Any]) -> None:
        """An end was told, in a row: whatever tells of it from now on can only bring the reason."""
        self._connected, self._ended = False, row["reason"]
        self._link.is_stale = True
        self._teller.in_session = False

    def _forget_end(self) -> None:
        self._connected, self._ended, self._reconnecting = False, None, None
        self._link.pending_reason = None
