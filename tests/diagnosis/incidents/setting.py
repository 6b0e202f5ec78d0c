"""What an incident happens in: a reader, a phone, a place and a time, drawn from a seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from terminal_kit.simulator.link import Parameters

PREFIXES = {"stripe_m2": "STRM2", "wisepad_3": "WPC32", "chipper_2x": "CHB2"}

SUPERVISION_S = (2.0, 4.0, 5.0, 5.0, 6.0)
"""What phones ask for: Android 5 s (2 s on older ones), iOS 2 to 6 s (Apple's accessory design guidelines)."""

INTERVALS_MS = (15.0, 30.0, 30.0, 45.0)

CLOSED_SHARE = 0.4
"""So many readers tell nothing of themselves, as the vendor's own do: no farewell, no boot reason, no battery."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The circumstances. `phone_scans`: the host goes on scanning beside the link; `gaps`: it pauses now and then.

    `reads_rssi`: the host asks its controller for the link's signal now and then, which a capture shows.
    `vague`: a closed reader hangs up with 0x13 whatever the reason. `polls_every_s`: the app reads something of a closed
    reader so often, as the vendor's SDK does with its own.
    """

    seed: int
    serial: str
    device_type: str
    closed: bool
    vague: bool
    polls_every_s: float | None
    distance_m: float
    battery: float
    uptime_s: float
    boots_in_s: float
    start: datetime
    parameters: Parameters
    auto_reconnect: bool
    phone_scans: bool
    gaps: bool
    reads_rssi: bool
    private: bool
    neighbours: int
    connected_s: float
    aftermath_s: float
    drops_before: int


def draw(seed: int, rng: random.Random, forces: Mapping[str, Any]) -> Setting:
    """The circumstances of the incident of this seed; `forces` are what its story needs."""
    drawn = rng.choice(("stripe_m2", "stripe_m2", "wisepad_3", "chipper_2x"))
    device_type: str = forces.get("device_type", drawn)
    start = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(300 * 86400))
    setting = Setting(
        seed=seed,
        serial=serial(device_type, rng),
        device_type=device_type,
        closed=rng.random() < CLOSED_SHARE,
        vague=rng.random() < 0.5,
        polls_every_s=rng.choice((None, None, 2.0, 5.0, 15.0)),
        distance_m=round(rng.uniform(0.7, 7.0), 1),
        battery=round(rng.uniform(0.25, 1.0), 2),
        uptime_s=rng.uniform(300.0, 18 * 3600.0),
        boots_in_s=rng.uniform(3.0, 20.0),
        start=start,
        parameters=Parameters(
            interval_ms=rng.choice(INTERVALS_MS),
            supervision_timeout_s=rng.choice(SUPERVISION_S),
            mtu_bytes=rng.choice((185, 247)),
        ),
        auto_reconnect=rng.random() < 0.85,
        phone_scans=rng.random() < 0.6,
        gaps=rng.random() < 0.3,
        reads_rssi=rng.random() < 0.5,
        private=rng.random() < 0.25,
        neighbours=rng.choice((0, 0, 1, 2, 3)),
        connected_s=rng.uniform(15.0, 300.0),
        aftermath_s=rng.uniform(20.0, 240.0),
        drops_before=rng.choice((0, 0, 0, 1, 2)),
    )
    return replace(setting, **forces)


def serial(device_type: str, rng: random.Random) -> str:
    """A made-up serial number with the type's prefix."""
    prefix = PREFIXES[device_type]
    return prefix + "".join(rng.choice("0123456789") for _ in range(15 - len(prefix)))
