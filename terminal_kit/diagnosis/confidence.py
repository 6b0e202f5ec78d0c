"""From weights to confidences: how likely each cause is, given what was seen."""

import math
from collections.abc import Mapping
from itertools import pairwise

from terminal_kit.events import Cause

PRIOR: dict[Cause, float] = {
    Cause.RANGE: 0.25,
    Cause.BODY_OR_INTERFERENCE_FADE: 0.25,
    Cause.READER_RESET_OR_POWER_LOSS: 0.0,
    Cause.READER_POWERED_OFF: -0.3,
    Cause.IDLE_POWER_DOWN: -1.0,
    Cause.SECURITY_REBOOT: -1.25,
    Cause.CRITICALLY_LOW_BATTERY: 0.5,
    Cause.BOND_LOST: -1.0,
    Cause.PAIRED_IN_SYSTEM_SETTINGS: -2.0,
    Cause.TAKEN_BY_ANOTHER_HOST: -0.5,
    Cause.HOST_RADIO_OFF: -1.0,
    Cause.HOST_CLOSED: 0.25,
    Cause.HOST_RADIO_OVERLOADED: -1.0,
    Cause.FAILED_TO_ESTABLISH: -1.5,
    Cause.FIRMWARE_HANG: -1.0,
    Cause.UPDATE_REBOOT: -1.5,
    Cause.INTERNET_LOST: -0.5,
    Cause.CANNOT_TELL: 1.2,
}
"""Log-odds before anything is seen: how often a cause is met, roughly; `cannot_tell` holds until something is."""

TEMPERATURE = 0.55
"""Signs are not independent and their weights are round: their sum is divided by this before it becomes a share."""

CALIBRATION = (
    (0.0, 0.0),
    (0.40, 0.66),
    (0.50, 0.82),
    (0.60, 0.90),
    (0.80, 0.925),
    (0.90, 0.96),
    (1.0, 0.975),
)
"""The first cause's share ↔ how often it was right: a monotone map through the rates of 1,904 incidents of the tuning
seeds 3001 to 3704, at `TEMPERATURE`. Its end is no 1: some causes look like others whatever is recorded, so that nobody
is to be surer than that."""


def likelihoods(scores: Mapping[Cause, float]) -> dict[Cause, float]:
    """The causes' confidences from sums of log-odds: shares of all likelihood, the first one's calibrated."""
    top = max(scores.values())
    raw = {cause: math.exp((score - top) / TEMPERATURE) for cause, score in scores.items()}
    total = sum(raw.values())
    first = 1.0 / total
    sure = _interpolated(first)
    # What the first one gains or loses is shared by the others, which never overtake it.
    scale = (1.0 - sure) / (1.0 - first) if first < 1.0 else 0.0
    shares = {cause: share / total * scale for cause, share in raw.items()}
    leader = max(raw, key=lambda cause: raw[cause])
    return {**{cause: min(share, sure) for cause, share in shares.items()}, leader: sure}


def _interpolated(share: float) -> float:
    for (low, low_rate), (high, high_rate) in pairwise(CALIBRATION):
        if share <= high:
            return low_rate + (share - low) / (high - low) * (high_rate - low_rate)
    return CALIBRATION[-1][1]
