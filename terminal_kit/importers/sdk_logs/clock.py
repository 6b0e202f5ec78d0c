"""From what lines say of the time to UTC microseconds: years and time zones that they lack, lines without any time.

A log's times are `exact` (with an offset, or as an epoch), `zone_assumed` (the phone's local time), `year_assumed`
(logcat's usual form has no year), or of `order_only`: then lines are one millisecond apart, and only the order is real.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog.sources import TimeRule
from terminal_kit.importers.sdk_logs.stamps import Stamp, offset_of

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
LINE_US = 1_000
"""How far apart lines without any time are put."""

LEAP_DAY = (2, 29)

SKEW_US = DAY_US
"""How far a log may lie in the future: a phone's clock and zone need not be this machine's."""


def zone_of(time_zone: str) -> tzinfo:
    """An IANA name or `±HH:MM` as a time zone. Raises `InvalidParameterError`."""
    if re.fullmatch(r"[+-]\d\d:?\d\d", time_zone) and (offset := offset_of(time_zone)) is not None:
        return timezone(timedelta(seconds=offset))
    try:
        return ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidParameterError(
            f"{time_zone!r} is no time zone",
            parameter="time_zone",
            value=time_zone,
            hint="Give a name like Europe/Berlin, or an offset like +02:00.",
        ) from error


class Clock:
    """Gives each line its time. `year` is that of the first line without one; `base_us` where only the order is known.

    The lines' order stands: a clock that goes backwards goes backwards here too. `first_year` is the year that the
    first line without one was given, `no_leap_years` are those in which lines tell a 29 February: such are dated
    1 March.
    """

    def __init__(self, *, year: int | None, time_zone: str | None, base_us: int) -> None:
        if year is not None and not 1970 <= year <= 2200:
            raise InvalidParameterError(f"{year} is no year of a log", parameter="year", value=year)
        self._year = year
        self._zone = zone_of(time_zone) if time_zone else UTC
        self._base_us = base_us
        self._near_us: int | None = None
        self.lacked_year = self.lacked_zone = self.had_time = self.had_year = self.is_real = False
        self.first_year: int | None = None
        self.no_leap_years = set[int]()
        self.backwards = 0
        self.first_us: int | None = None
        self.last_us: int | None = None

    @property
    def rule(self) -> TimeRule:
        """How the times given so far came about; the weakest of them counts."""
        if not self.had_time:
            return "order_only"
        return "year_assumed" if self.lacked_year else "zone_assumed" if self.lacked_zone else "exact"

    def begin(self, stamp: Stamp) -> None:
        """Sets what lines before the first time stand at: they take that time."""
        self._near_us = self._from(stamp)
        self.first_year = None  # that of the first line without one is still to come

    def at(self, stamp: Stamp | None, epoch_ms: int | None, number: int) -> int:
        """The time of line `number`. `is_real` then tells whether the line itself said it."""
        if stamp is not None:
            t_us = self._from(stamp)
            self.lacked_year |= stamp.year is None
            self.had_year |= stamp.year is not None
            self.lacked_zone |= stamp.offset_s is None
        elif epoch_ms is not None:
            t_us = epoch_ms * 1000
        else:
            self.is_real = False
            return self._base_us + number * LINE_US if self._near_us is None else self._near_us
        self.is_real = self.had_time = True
        if self._near_us is not None and t_us < self._near_us - SECOND_US:
            self.backwards += 1
        self._near_us = t_us
        self.first_us = t_us if self.first_us is None else min(self.first_us, t_us)
        self.last_us = t_us if self.last_us is None else max(self.last_us, t_us)
        return t_us

    def _from(self, stamp: Stamp) -> int:
        if stamp.year is not None:
            return self._utc(stamp, stamp.year)
        if self._near_us is None:
            year = self._year if self._year is not None else datetime.now(UTC).year
        else:
            near = self._near_us
            # From December on to January, and back where lines are a little out of order.
            about = datetime.fromtimestamp(near / SECOND_US, UTC).year
            year = min((about, about + 1, about - 1), key=lambda year: abs(self._utc(stamp, year) - near))
        if not has_day(stamp, year):
            self.no_leap_years.add(year)
        self.first_year = year if self.first_year is None else self.first_year
        return self._utc(stamp, year)

    def _utc(self, stamp: Stamp, year: int) -> int:
        plain = calendar.timegm((year, stamp.month, stamp.day, 0, 0, 0)) * SECOND_US
        plain += stamp.second * SECOND_US + stamp.microsecond
        if stamp.offset_s is not None:
            return plain - stamp.offset_s * SECOND_US
        if self._zone is UTC:
            return plain
        local = datetime(1970, 1, 1) + timedelta(microseconds=plain)  # noqa: DTZ001 - local time, as the phone had it
        told = [_offset_us(self._zone, local.replace(fold=fold)) for fold in (0, 1)]
        near = self._near_us
        if told[0] == told[1] or near is None:
            return plain - told[0]
        # The hour that comes twice in autumn: the one that goes on from the line before.
        return min((plain - offset for offset in told), key=lambda t_us: (t_us < near, abs(t_us - near)))


def _offset_us(zone: tzinfo, local: datetime) -> int:
    offset = zone.utcoffset(local) or timedelta(0)
    return (offset.days * 86_400 + offset.seconds) * SECOND_US


def likely_year(first: Stamp, last: Stamp, now: datetime) -> int:
    """The year of a log's first line: the latest for which its last line does not lie in the future."""
    today = (now + timedelta(microseconds=SKEW_US)).astimezone(UTC)
    year = today.year
    if (last.month, last.day, last.second) > (today.month, today.day, today.hour * 3600 + today.minute * 60):
        year -= 1
    if (last.month, last.day) < (first.month, first.day) and first.month - last.month >= 6:
        year -= 1
    return year


def leap_year(first: Stamp, year: int) -> int:
    """The latest possible year of the first line of a log in which it is 29 February at some time."""
    later = (first.month, first.day) > LEAP_DAY
    while not calendar.isleap(year + later):
        year -= 1
    return year


def year_near(stamp: Stamp, year: int, other: Stamp) -> int:
    """The year in which a time without one is nearest to another time of its log, which is of `year`."""
    near = calendar.timegm((year, other.month, other.day, 0, 0, other.second))
    return min(
        (each for each in range(year - 8, year + 9) if has_day(stamp, each)),
        key=lambda each: abs(calendar.timegm((each, stamp.month, stamp.day, 0, 0, stamp.second)) - near),
    )


def has_day(stamp: Stamp, year: int) -> bool:
    """Whether a year has the day of a stamp."""
    return (stamp.month, stamp.day) != LEAP_DAY or calendar.isleap(year)
