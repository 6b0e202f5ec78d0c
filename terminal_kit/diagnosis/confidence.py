"""From weights to confidences: how likely each cause is, given what was seen."""

import math
from collections.abc import Mapping

from terminal_kit.events import Cause

PRIOR: dict[Cause, float] = {
    Cause.RANGE: 0.25,
    Cause.BODY_OR_INTERFERENCE_FADE: 0.25,
    Cause.READER_RESET_OR_POWER_LOSS: 0.0,
    Cause.READER_POWERED_OFF: -0.3,
    Cause.IDLE_POWER_DOWN: -1.0,
    Cause.SECURITY_REBOOT: -1.25,
    Cause.CRITICALLY_LOW_BATTERY: 0.25,
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
"""Signs are not independent, so their sum is too sure of itself: it is divided by this. Fitted on tuning seeds."""


def likelihoods(scores: Mapping[Cause, float]) -> dict[Cause, float]:
    """The causes' shares of all likelihood, from sums of log-odds."""
    top = max(scores.values())
    raw = {cause: math.exp((score - top) / TEMPERATURE) for cause, score in scores.items()}
    total = sum(raw.values())
    return {cause: share / total for cause, share in raw.items()}
