"""The parts of a `View`: small frozen records with the facts of one thing on screen."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Point(NamedTuple):
    """One signal strength: when (UTC, microseconds), how strong (dBm), and an `RssiSource`."""

    t_us: int
    rssi_dbm: float
    source: str | None


class Notice(NamedTuple):
    """Something people are told (X9, D2, B2). `words.notice_words()` makes a sentence of the stage."""

    t_us: int
    stage: str
    reader: str
    reason: str | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One row of the disconnect log. Times are UTC microseconds, `rssi_dbm` the signal just before.

    `awaited`: an automatic reconnection was started; `over_us`: when it was given up, or when the relation ended.
    `back_after_s`: seconds until the reader was connected again, `back_by` itself or somebody's hand.
    """

    reader: str
    t_us: int
    session: int | None = None
    reason: str | None = None
    reason_source: str | None = None
    hci_code: int | None = None
    rssi_dbm: float | None = None
    awaited: bool = False
    over_us: int | None = None
    back_after_s: float | None = None
    back_by: Literal["itself", "hand"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnecting:
    """An automatic reconnection that runs. `attempts` counts the tries that have ended."""

    reason: str | None
    since_us: int
    attempts: int = 0
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update that waits, runs or has run; one that was refused has an end and no start. Times are UTC microseconds.

    `required`: it runs, or was refused, inside a connection that cannot do without it (U3). `minimum_battery` 0…1: it
    begins strictly above (U2). `components` are flags, 0 where nothing is replaced (`is_confirmation`), None while
    nobody knows. `progress` is 0…1, over all components; `component` is part `part` of `parts`, from 1.
    `bytes_per_s` and `left_s` (seconds) are as measured, None while nobody knows. `stage` is where it stands or ended,
    `text` what ended it.
    """

    reader: str = ""
    version_from: str | None = None
    version: str | None = None
    components: int | None = None
    estimated_time: str | None = None
    required_at_us: int | None = None
    required: bool = False
    minimum_battery: float | None = None
    total_bytes: int | None = None
    started_us: int | None = None
    stage: str | None = None
    component: str | None = None
    part: int | None = None
    parts: int | None = None
    progress: float | None = None
    sent_bytes: int | None = None
    bytes_per_s: float | None = None
    left_s: float | None = None
    finished_us: int | None = None
    error_code: str | None = None
    text: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.started_us is not None and self.finished_us is None

    @property
    def is_confirmation(self) -> bool:
        """Whether it only lets new software stay that an earlier attempt, cut off, had installed (U10)."""
        return self.components == 0
