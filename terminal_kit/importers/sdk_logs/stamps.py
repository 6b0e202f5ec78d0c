"""Points in time as lines write them, before a year and a time zone that they lack are known."""

import calendar
import re
from datetime import UTC, datetime
from typing import NamedTuple

CLOCK_TEXT = (
    r"(?:(?P<year>\d{4})[-/])?(?P<month>\d\d)[-/](?P<day>\d\d)[ T](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?(?:\s?(?P<zone>Z|[+-]\d\d:?\d\d)(?![\d-]))?"
)
"""`[YYYY-]MM-DD HH:MM:SS.fff[±ZZZZ]`, as logcat, Xcode and most apps write."""

DAY_S = 86_400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAME = f"(?P<name>{'|'.join(_MONTHS)})"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"

DATE_STRING = (
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_NAME} (?P<day>\d{{1,2}}) {_CLOCK} "
    r"(?:(?:GMT|UTC)?(?P<zone>[+-]\d\d:?\d\d)|(?P<word>[A-Z]{2,5})) (?P<year>\d{4})"
)
"""Java's `Date.toString()`. Of zone names only UTC and GMT are one offset everywhere; others count as lacking."""

SYSLOG = rf"{_NAME} +(?P<day>\d{{1,2}}) {_CLOCK}(?:\.(?P<fraction>\d{{1,6}}))?"
"""`Sep 27 18:19:30`, without a year and a zone."""

DATED = re.compile(r"\s*(?:\[\s*)?(?:\d{4}[-/])?\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d")


class Stamp(NamedTuple):
    """What a line says of its time. `year` and `offset_s` (east of Greenwich) are None where it does not say."""

    year: int | None
    month: int
    day: int
    second: int
    """Of the day."""
    microsecond: int
    offset_s: int | None


def stamp_of(parts: dict[str, str | None]) -> Stamp | None:
    """A stamp from the groups of one of the patterns above, or from an `epoch`; None where there is no such date."""
    if epoch := parts.get("epoch"):
        microsecond = int((parts.get("fraction") or "").ljust(6, "0")[:6])
        at = datetime.fromtimestamp(int(epoch), UTC)
        return Stamp(at.year, at.month, at.day, int(epoch) % DAY_S, microsecond, 0)
    name, year = parts.get("name"), parts.get("year")
    month = _MONTHS.index(name) + 1 if name else int(parts["month"] or 0)
    day = int(parts["day"] or 0)
    hour, minute, second = (int(parts[key] or 0) for key in ("hour", "minute", "second"))
    # Without a year the 29th of February is given the benefit of the doubt.
    in_year = int(year) if year else 2000
    if not (1 <= month <= 12 and 1970 <= in_year <= 2200 and hour < 24 and minute < 60 and second < 61):
        return None
    if not 1 <= day <= calendar.monthrange(in_year, month)[1]:
        return None
    fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
    offset = offset_of(parts.get("zone"))
    if offset is None and parts.get("word") in ("GMT", "UTC"):
        offset = 0
    clock = hour * 3600 + minute * 60 + second
    return Stamp(int(year) if year else None, month, day, clock, int(fraction), offset)


def offset_of(zone: str | None) -> int | None:
    """Seconds east of Greenwich that `Z`, `+HHMM` or `+HH:MM` tell."""
    if not zone:
        return None
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 15 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
