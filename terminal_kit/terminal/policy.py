"""How long a terminal waits, and how it tries again: every number with its reason."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    """Automatic reconnection, bounded in number and time (X6).

    An attempt waits `attempt_s` for the reader to advertise; where it heard nothing the terminal listens and asks again
    when the reader is heard, so that one that is off or away costs no attempts. An attempt that failed with the reader
    in range is followed by a pause: `first_pause_s`, doubled each time up to `longest_pause_s`, times 1 ± `jitter`.
    """

    limit_s: float = 300.0
    """A restart takes some ten seconds and a walk to the storeroom a few minutes; after five somebody should know."""
    host_limit_s: float = 3600.0
    """How long to wait for the host's radio or internet, which nobody at the reader can hurry."""
    max_attempts: int = 30
    """With the pauses below, 30 failed attempts fill the time limit: a reader heard but never reached."""
    attempt_s: float = 45.0
    """Restarts, fades and short walks are over by then; a host's stack that hangs is noticed soon enough."""
    first_pause_s: float = 0.25
    """Most failures are a lost connection request; the next advertisement is usually good."""
    longest_pause_s: float = 10.0
    jitter: float = 0.3
    """Spreads the hosts of a shop that lost power together."""

    def pause_s(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after `failures` failed attempts in a row (1 or more)."""
        pause_s = min(self.first_pause_s * 2.0 ** min(failures - 1, 16), self.longest_pause_s)
        return pause_s * (1 + self.jitter * rng.uniform(-1, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The terminal's waiting times, in seconds."""

    reader_lost_after_s: float = 10.0
    """A reader not heard for so long has left the list (D1)."""
    list_every_s: float = 0.25
    """The list is handed over at most four times a second for signal and age (D1)."""
    find_s: float = 15.0
    """How long `connect_reader` looks again for a reader from an earlier discovery, and C7 for a stored one."""
    link_s: float = 10.0
    """One try at a link. A connection request is answered within a few advertising intervals, or not at all."""
    link_tries: int = 3
    """Failed-to-establish (0x3E) is common at the edge of range and usually passes at the next try."""
    connect_s: float = 40.0
    """A whole connection: three tries and the setup (complaint 12: connections that take a minute, or hang)."""
    update_every_s: float = 600.0
    """How often to look whether an update waits for the connected reader (U7): with the battery's rhythm (B1)."""
    answer_s: float = 10.0
    """One attribute operation; the standard gives up after 30 s (Core Vol 3 Part F, 3.3.3), a person sooner."""
    pairing_dialog_s: float = 30.0
    """The first write where the system asks a person whether to pair (macOS)."""
    silence_s: float = 15.0
    """A reader of ours reports its state every second or so; after this silence it is asked, and dropped if mute."""
    battery_every_s: float = 600.0
    """Battery readings where the reader does not notify (B1)."""
    farewell_counts_s: float = 5.0
    """A farewell explains a link's end for so long; later ones are another story."""
    disconnect_s: float = 5.0
    """How long to wait for the host's stack to confirm the end of a link."""
