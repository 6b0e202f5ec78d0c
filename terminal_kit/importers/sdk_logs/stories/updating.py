"""Updates of a reader's software, as the SDK, the reader's library and the app tell of them."""

from typing import Any, cast

from terminal_kit.events import Kind, UpdateComponent
from terminal_kit.importers.sdk_logs.stories.telling import Attempt, Teller

PROGRESS_EVERY_US = 250_000
"""At most four rows a second, as a live session has them; the first and the last always."""

_COMPONENTS = {
    "incremental": UpdateComponent.INCREMENTAL,
    "firmware": UpdateComponent.FIRMWARE,
    "config": UpdateComponent.CONFIG,
    "configuration": UpdateComponent.CONFIG,
    "settings": UpdateComponent.CONFIG,
    "keys": UpdateComponent.KEYS,
    "keyprofile": UpdateComponent.KEYS,
}


def components_of(words: Any) -> int | None:
    """The flags of components that are named, in a list or one by one; None where none is known."""
    names: list[Any] = list(cast("list[Any]", words)) if isinstance(words, list) else [words]
    found = 0
    for name in names:
        found |= _COMPONENTS.get(str(name).lower().replace("_", ""), 0)
    return found or None


class Updating:
    """One update after another. Methods give whether the line said something new.

    An update that a drop broke off has no end of its own, unless the log tells one before the next connection begins.
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._begun: Attempt | None = None
        self._connection = 0
        self._progress: float | None = None
        self._told_us = 0
        self._skipped: dict[str, Any] | None = None
        self._counted_by_sdk = False
        self._stage = ""

    @property
    def is_running(self) -> bool:
        """Whether an update has begun and not ended."""
        return self._running is not None

    @property
    def _running(self) -> Attempt | None:
        """What is under way over the present connection: what was over another is left open."""
        if self._begun is not None and self._connection != self._teller.connection:
            self.settle()
            self._begun = None
        return self._begun

    def available(self, extra: dict[str, Any] | None = None, **cells: Any) -> bool:
        """An update waits for the reader."""
        self._teller.tell(Kind.UPDATE_AVAILABLE, extra, **cells)
        return True

    def start(self, extra: dict[str, Any] | None = None, **cells: Any) -> bool:
        """An update begins; the layers below repeat it."""
        if self._running is not None:
            return False
        self._begin()
        self._teller.tell(Kind.UPDATE_STARTED, extra, attempt_id=self._attempt.id, **cells)
        return True

    def stage(self, stage: str, extra: dict[str, Any] | None = None, **cells: Any) -> bool:
        """An update has come to a stage: a component, a download."""
        if self._running is None:
            self.start(extra, **cells)
        if stage == self._stage and not cells:
            return False
        self._stage = stage
        self._teller.tell(
            Kind.UPDATE_PROGRESS, extra, attempt_id=self._attempt.id, stage=stage, progress=self._progress, **cells
        )
        return True

    def progress(self, fraction: float) -> bool:
        """So much is done, 0…1. Several classes log the same number."""
        teller = self._teller
        if not 0 <= fraction <= 1 or (self._running is not None and fraction == self._progress):
            return False
        self._counted_by_sdk = True
        if self._running is None:
            self._begin(is_seen=False)
        self._progress = fraction
        row = teller.row(Kind.UPDATE_PROGRESS, attempt_id=self._attempt.id, progress=fraction)
        entry = teller.entry
        if entry.is_real and self._told_us and entry.t_us - self._told_us < PROGRESS_EVERY_US:
            self._skipped = row
            teller.told += 1
            return True
        self._skipped, self._told_us = None, entry.t_us
        teller.write(row)
        return True

    def library_progress(self, fraction: float) -> bool:
        """What the reader's library counts of one file: told where the SDK itself does not count."""
        if self._counted_by_sdk:
            self._teller.told += 1  # understood, and said better elsewhere
            return False
        told = self.progress(fraction)
        self._counted_by_sdk = False
        return told

    def finish(self, code: str | None, extra: dict[str, Any] | None = None, *, surely: bool = True) -> bool:
        """The update ended, with the code of an error or without. `surely`: even where no beginning was seen."""
        if self._running is None:
            if not surely:
                return False
            self._begin(is_seen=False)
        self.settle()
        attempt, self._begun = self._attempt, None
        self._teller.tell(
            Kind.UPDATE_FINISHED,
            extra,
            attempt_id=attempt.id,
            error_code=code,
            progress=self._progress,
            duration_s=self._teller.lasted_s(attempt),
        )
        return True

    def settle(self) -> None:
        """Writes the last progress, where it came too soon after the one before."""
        if self._skipped is not None:
            self._teller.rows.append(self._skipped)
            self._skipped = None

    @property
    def _attempt(self) -> Attempt:
        assert self._begun is not None
        return self._begun

    def _begin(self, *, is_seen: bool = True) -> None:
        self._begun, self._connection = self._teller.attempt(is_seen=is_seen), self._teller.connection
        self._progress, self._told_us, self._stage = None, 0, ""
