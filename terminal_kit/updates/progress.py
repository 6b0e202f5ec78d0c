"""How far an update is: one record, which the bar, the log and the command line read alike."""

from dataclasses import dataclass
from enum import StrEnum

from terminal_kit.events import UpdateComponent


class UpdateStage(StrEnum):
    """What an installation does, in this order."""

    CHECKING = "checking"  # fetches the images and asks the reader what it has
    UPLOADING = "uploading"
    ACTIVATING = "activating"  # marks the images for their trial start
    RESTARTING = "restarting"
    CONFIRMING = "confirming"


_STAGES = list(UpdateStage)

UPLOADED = 0.9
"""The share of the bar that the upload fills. The rest is the restart, whose end nobody can foresee exactly."""

RESTART_S = 20.0
"""A guess at the restart for the time left: some ten seconds to boot, as many to swap images."""

RATE_SPAN_S = 5.0
"""The rate is taken over the last seconds: long enough to be calm, short enough to show a fade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProgress:
    """One moment of an installation. `fraction` 0…1 over all components and never going back (U4).

    `component` is part `part` of `parts` (from 1). `bytes_per_s` and `left_s` (seconds) are None while nobody knows.
    """

    stage: UpdateStage
    fraction: float
    component: UpdateComponent
    part: int
    parts: int
    sent_bytes: int
    total_bytes: int
    bytes_per_s: float | None = None
    left_s: float | None = None


class Gauge:
    """Makes progress of what a device says, in whatever order: neither bytes nor stage nor fraction ever go back.

    `parts`: components and sizes in bytes, in the order in which they are sent.
    """

    def __init__(self, parts: list[tuple[UpdateComponent, int]]) -> None:
        self._parts = parts
        self._total = sum(size for _, size in parts)
        self._stage = UpdateStage.CHECKING
        self._part = 0
        self._sent = 0
        self._heard: list[tuple[float, int]] = []
        self._fraction = 0.0

    @property
    def sent_bytes(self) -> int:
        """Bytes that the device has, over all parts."""
        return self._sent

    @property
    def stage(self) -> UpdateStage:
        """The furthest stage so far."""
        return self._stage

    def enter(self, stage: UpdateStage, now_s: float) -> UpdateProgress:
        """A stage begins; an earlier one changes nothing."""
        self._stage = max(self._stage, stage, key=_STAGES.index)
        return self._now(now_s)

    def uploaded(self, part: int, offset: int, now_s: float) -> UpdateProgress:
        """The device has `offset` bytes of part `part` (from 0)."""
        before = sum(size for _, size in self._parts[:part])
        sent = before + min(max(0, offset), self._parts[part][1])
        if not self._heard:
            self._heard.append((now_s, sent))  # what it had already says nothing of the speed
        if sent > self._sent:
            self._sent, self._part = sent, max(part, self._part)
            self._heard.append((now_s, sent))
            while len(self._heard) > 2 and now_s - self._heard[1][0] >= RATE_SPAN_S:
                del self._heard[0]
        return self._now(now_s)

    def finish(self, now_s: float) -> UpdateProgress:
        """It is installed."""
        self._fraction = 1.0
        return self._now(now_s)

    def _now(self, now_s: float) -> UpdateProgress:
        uploading = UPLOADED * self._sent / self._total if self._total else UPLOADED
        later = _STAGES.index(self._stage) - _STAGES.index(UpdateStage.UPLOADING)
        # Each stage after the upload has its own mark between the upload's share and the end.
        fraction = UPLOADED + (1 - UPLOADED) * (later / 4) if later > 0 else uploading
        self._fraction = max(self._fraction, fraction)
        rate = self._rate()
        component = self._parts[self._part][0] if self._parts else UpdateComponent(0)
        left = (self._total - self._sent) / rate + RESTART_S if rate and later == 0 else None
        return UpdateProgress(
            stage=self._stage,
            fraction=self._fraction,
            component=component,
            part=self._part + 1,
            parts=len(self._parts),
            sent_bytes=self._sent,
            total_bytes=self._total,
            bytes_per_s=rate,
            left_s=left,
        )

    def _rate(self) -> float | None:
        if len(self._heard) < 2 or self._heard[-1][0] <= self._heard[0][0]:
            return None
        (begun_s, had), (now_s, has) = self._heard[0], self._heard[-1]
        return (has - had) / (now_s - begun_s)
