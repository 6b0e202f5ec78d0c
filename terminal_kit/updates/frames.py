"""How large a frame should be: as the device allows, or as many whole packets as fit in that."""

from dataclasses import dataclass

TRIAL_CHUNKS = 24
"""So many chunks of either size are timed: a few windows of any device."""


@dataclass(slots=True)
class _Trial:
    frame_bytes: int
    sent: int = 0
    taken: int = 0
    taken_bytes: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.taken >= TRIAL_CHUNKS

    @property
    def bytes_per_s(self) -> float:
        return self.taken_bytes / max(self.last_s - self.first_s, 1e-9)


class FrameSize:
    """Finds the faster of two frame sizes by trying both on the image that is being sent.

    The largest frames mean the fewest round trips; frames that end with a full packet waste none of the link. Which
    counts for more depends on the connection interval and on how quick host and device are, and no system tells that.
    With one request at a time the round trips always do.
    """

    def __init__(self, largest_bytes: int, piece_bytes: int, window: int) -> None:
        whole_bytes = largest_bytes // piece_bytes * piece_bytes
        sizes = [largest_bytes]
        if window > 1 and 0 < whole_bytes < largest_bytes:
            sizes.append(whole_bytes)
        self._trials = [_Trial(size) for size in sizes]
        self._chosen: int | None = sizes[0] if len(sizes) == 1 else None

    def next(self) -> int:
        """The size of the next frame, in bytes."""
        if self._chosen is not None:
            return self._chosen
        trial = next((each for each in self._trials if each.sent < TRIAL_CHUNKS), self._trials[-1])
        trial.sent += 1
        return trial.frame_bytes

    def taken(self, frame_bytes: int, data_bytes: int, now_s: float) -> None:
        """The device has taken a chunk that was sent in a frame of this size."""
        if self._chosen is not None:
            return
        trial = next(each for each in self._trials if each.frame_bytes == frame_bytes)
        if trial.taken == 0:
            trial.first_s = now_s  # how long the first took says more of what was before it
        else:
            trial.taken_bytes += data_bytes
        trial.taken += 1
        trial.last_s = now_s
        if all(each.is_over for each in self._trials):
            self._chosen = max(self._trials, key=lambda each: each.bytes_per_s).frame_bytes

    def stop_trying(self) -> None:
        """Something was lost: times tell nothing now, and fewer frames are fewer to lose."""
        self._chosen = self._chosen or self._trials[0].frame_bytes
