"""What is known of a reader beyond one relation, and what it tells of its last stop after it came back (X1)."""

from dataclasses import dataclass
from typing import NamedTuple

from terminal_kit.events import DisconnectReason, ReasonSource
from terminal_kit.profile import LastStop
from terminal_kit.terminal.ending import LinkEnd


class Learned(NamedTuple):
    """What a reader that came back tells: why it restarted, and why an earlier session really ended; None: nothing."""

    restarted: DisconnectReason | None = None
    session: int = 0
    reason: DisconnectReason | None = None


@dataclass(slots=True)
class History:
    """How a reader last stopped, the last session that was lost, and whether its new software was not confirmed.

    A reader of ours tells the last of these by itself; of a board it must be remembered.
    """

    last_stop: LastStop | None = None
    dropped: tuple[int, LinkEnd] | None = None
    is_unconfirmed: bool = False

    def learn(self, now: LastStop | None) -> Learned:
        """Compares what the reader says now with what it said before."""
        before, self.last_stop = self.last_stop, now
        if now is None or before is None or self.dropped is None:
            return Learned()
        session, end = self.dropped
        restarted = now.boots != before.boots
        reason = now.reason if restarted else DisconnectReason.UNKNOWN
        if not restarted and now.link_code == 0x08:
            reason = DisconnectReason.BLUETOOTH_SIGNAL_LOST
        first_hand = end.source in (ReasonSource.FAREWELL, ReasonSource.HOST)
        known = reason in (DisconnectReason.UNKNOWN, end.reason) or first_hand
        return Learned(now.reason if restarted else None, session, None if known else reason)
