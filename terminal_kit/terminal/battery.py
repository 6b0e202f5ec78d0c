"""What a battery reading means: news, a warning, or a false alarm (B1–B3). Pure."""

from dataclasses import dataclass

from terminal_kit.events import Kind
from terminal_kit.profile import BatteryState
from terminal_kit.reader import CRITICAL_BATTERY, LOW_BATTERY


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to log, and whether to read again before believing it."""

    kinds: tuple[Kind, ...] = ()
    read_again: bool = False


class BatteryWatch:
    """The battery of one connected reader. `level` is the last reading that was believed, 0…1."""

    def __init__(self) -> None:
        self.level: float | None = None
        self.charging: bool | None = None
        self._suspect = False
        self._warned = False

    def take(self, reading: BatteryState) -> Verdict:
        """Judges one reading.

        A 0 after a healthy level is not believed until the next reading agrees (B3). `low_battery` comes once, when
        the level falls to low while the reader is not charging (B2); it is armed again by charging or a higher level.
        """
        if reading.level is None:
            return Verdict()
        was_healthy = self.level is not None and self.level > CRITICAL_BATTERY
        if reading.level == 0 and was_healthy and not self._suspect:
            self._suspect = True
            return Verdict(read_again=True)
        kinds: list[Kind] = []
        if self._suspect and reading.level > CRITICAL_BATTERY:
            kinds.append(Kind.BATTERY_FALSE_READING)
        self._suspect = False
        charging = self.charging if reading.charging is None else reading.charging
        if (reading.level, charging) != (self.level, self.charging):
            kinds.append(Kind.BATTERY)
        self.level, self.charging = reading.level, charging
        low = self.level <= LOW_BATTERY and not self.charging
        if low and not self._warned:
            kinds.append(Kind.LOW_BATTERY)
        self._warned = low
        return Verdict(tuple(kinds))
