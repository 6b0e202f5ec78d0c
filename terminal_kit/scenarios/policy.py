"""How a link is kept: what an app, or the system below it, may choose."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from terminal_kit.errors import InvalidParameterError
from terminal_kit.simulator.link import INTERVAL_MS, SUPERVISION_TIMEOUT_S, Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a link is kept. None: as it was recorded.

    `interval_ms` is the connection interval, 7.5 to 4000; `supervision_timeout_s` the silence after which the link is
    lost, 0.1 to 32, and more than two intervals (Core Vol 4 Part E, 7.8.12); `auto_reconnect` whether the link is made
    again without anybody's doing.
    """

    interval_ms: float | None = None
    supervision_timeout_s: float | None = None
    auto_reconnect: bool | None = None

    def __post_init__(self) -> None:
        """Raises `InvalidParameterError` for what no link can have."""
        for name in ("interval_ms", "supervision_timeout_s", "auto_reconnect"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        if self.interval_ms is not None and self.supervision_timeout_s is not None:
            # A reader that may skip events needs a longer timeout: that is known with the recorded link alone.
            together = Parameters(interval_ms=self.interval_ms, supervision_timeout_s=self.supervision_timeout_s)
            if why := impossible(together):
                raise InvalidParameterError(
                    why,
                    parameter="supervision_timeout_s",
                    value=self.supervision_timeout_s,
                    hint="Lengthen the timeout, or shorten the interval.",
                )

    @property
    def changes_link(self) -> bool:
        """Whether the link has other parameters than were recorded."""
        return self.interval_ms is not None or self.supervision_timeout_s is not None

    def parameters(self, recorded: Parameters) -> Parameters:
        """A link's parameters under this policy; whether a real link could have them, `impossible()` says."""
        changed = {name: getattr(self, name) for name in ("interval_ms", "supervision_timeout_s")}
        return replace(recorded, **{name: value for name, value in changed.items() if value is not None})


def impossible(parameters: Parameters) -> str | None:
    """Why no link can have these parameters together (Core Vol 6 Part B, 4.5.2), or None."""
    if parameters.is_consistent:
        return None
    latency = f" and a peripheral latency of {parameters.peripheral_latency}" if parameters.peripheral_latency else ""
    return (
        f"a supervision timeout of {parameters.supervision_timeout_s:g} s is too short for an interval of "
        f"{parameters.interval_ms:g} ms{latency}: it must exceed {parameters.least_timeout_s:g} s"
    )


_BOUNDS = {"interval_ms": INTERVAL_MS, "supervision_timeout_s": SUPERVISION_TIMEOUT_S}
"""What a value may be, both ends included; without bounds it is yes or no."""

_NUMBERS: Any = (int, float, np.integer, np.floating)


def _checked(name: str, value: Any) -> float | bool | None:
    if value is None:
        return None
    number = type(value) is not bool and isinstance(value, _NUMBERS)
    if bounds := _BOUNDS.get(name):
        good, hint = number and bounds[0] <= value <= bounds[1], f"From {bounds[0]:g} to {bounds[1]:g}."
    else:
        good, hint = isinstance(value, bool | np.bool_), "True, False, or None for as it was recorded."
    if not good:
        shown = f"{value:g}" if number else repr(value)
        raise InvalidParameterError(f"{name} cannot be {shown}", parameter=name, value=value, hint=hint)
    return float(value) if bounds else bool(value)
