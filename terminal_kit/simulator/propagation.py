"""How strong a signal arrives, and whether a packet does. Seeded, cheap enough for every advertisement."""

import hashlib
import math
import random
from dataclasses import dataclass

LOSS_AT_1M_DB = 40.0
"""Free-space loss at 1 m and 2.44 GHz: 20 log10(4π/λ) = 40.2 dB."""

PATH_LOSS_EXPONENT = 2.5
"""Between free space (2) and an obstructed floor (3): a shop with shelves. Rappaport, Wireless Communications, 4.9."""

TX_POWER_DBM = 0.0
"""Class 2 LE devices commonly send 0 dBm."""

SHADOWING_DB = 3.0
SHADOWING_HOLDS_S = 10.0
"""Log-normal shadowing of some dB indoors, changing as people move: correlated over about ten seconds."""

RICIAN_K = 4.0
"""A line of sight four times as strong as the scattered rest: usual within a room."""

BLOCK_S = 0.25
"""One coherence block of the channel: at walking pace it changes within some tenths of a second."""

SENSITIVITY_DBM = -94.0
SLOPE_DB = 1.0
"""Half the packets are lost at the receiver's sensitivity (−94 dBm is usual at 1 Mbit/s); the edge is 2–3 dB wide."""

BODY_LOSS_DB = 20.0
"""A person in the way at 2.4 GHz: 15–25 dB."""


def stream(seed: int, entity: str, purpose: str) -> random.Random:
    """A random stream of its own for each entity and purpose, so that adding one changes no other."""
    digest = hashlib.sha256(f"{seed}/{entity}/{purpose}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def path_loss_db(distance_m: float) -> float:
    """Log-distance path loss; closer than 10 cm counts as 10 cm."""
    return LOSS_AT_1M_DB + 10 * PATH_LOSS_EXPONENT * math.log10(max(distance_m, 0.1))


def arrives(rssi_dbm: float) -> float:
    """The chance that a packet at this strength is received."""
    return 1 / (1 + math.exp(min(60.0, (SENSITIVITY_DBM - rssi_dbm) / SLOPE_DB)))


def _rician_fades(count: int) -> list[float]:
    rng = random.Random(4242)
    strong = math.sqrt(RICIAN_K / (RICIAN_K + 1))
    weak = math.sqrt(1 / (2 * (RICIAN_K + 1)))
    return [
        20 * math.log10(max(1e-3, math.hypot(strong + rng.gauss(0, weak), rng.gauss(0, weak)))) for _ in range(count)
    ]


_FADES_DB = _rician_fades(1024)
"""Rician fades, drawn once: an advertisement picks one."""


@dataclass(slots=True)
class Place:
    """Where a reader is, as its host hears it.

    `interference` is the share of packets lost to others, `unserved` that of connection events for which the host's
    radio has no time (its other links and scans have it then), both 0…1.
    """

    distance_m: float = 2.0
    body_loss_db: float = 0.0
    interference: float = 0.0
    unserved: float = 0.0


class Channel:
    """The air between one reader and one host."""

    def __init__(self, place: Place, rng: random.Random, now_s: float) -> None:
        self.place = place
        self._rng = rng
        self._shadow_db = rng.gauss(0, SHADOWING_DB)
        self._shadow_s = now_s
        self._mean_dbm = 0.0
        self.moved()

    def moved(self) -> None:
        """The place has changed."""
        self._mean_dbm = TX_POWER_DBM - path_loss_db(self.place.distance_m) - self.place.body_loss_db

    def mean_dbm(self, now_s: float) -> float:
        """Strength without fast fading, dBm."""
        gone_s = now_s - self._shadow_s
        if gone_s >= 1.0:
            # Correlated shadowing (Gudmundson's model in time): a first-order autoregression.
            keep = math.exp(-gone_s / SHADOWING_HOLDS_S)
            self._shadow_db = keep * self._shadow_db + math.sqrt(1 - keep * keep) * self._rng.gauss(0, SHADOWING_DB)
            self._shadow_s = now_s
        return self._mean_dbm + self._shadow_db

    def receive(self, now_s: float) -> float | None:
        """The strength of one packet in dBm, or None where it is lost."""
        rng = self._rng.random
        rssi_dbm = self.mean_dbm(now_s) + _FADES_DB[int(rng() * 1024)]
        if rssi_dbm < SENSITIVITY_DBM + 8 and rng() > arrives(rssi_dbm):
            return None
        if self.place.interference and rng() < self.place.interference:
            return None
        return rssi_dbm

    def success(self, now_s: float) -> float:
        """The chance of one packet in the coherence block that begins now.

        An event that the host leaves out loses both its packets: the root makes their two chances one.
        """
        fade_db = _FADES_DB[int(self._rng.random() * 1024)]
        served = math.sqrt(1 - self.place.unserved)
        return arrives(self.mean_dbm(now_s) + fade_db) * (1 - self.place.interference) * served
