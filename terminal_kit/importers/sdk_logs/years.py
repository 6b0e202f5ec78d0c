"""Which year a log is of whose first line tells none: what its other lines say of it."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from terminal_kit.importers.content import Content
from terminal_kit.importers.sdk_logs.bodies import saying_of
from terminal_kit.importers.sdk_logs.clock import LEAP_DAY, leap_year, likely_year, year_near
from terminal_kit.importers.sdk_logs.envelopes import Line, take_apart
from terminal_kit.importers.sdk_logs.lines import SNIFFED_BYTES, end_of, text_of
from terminal_kit.importers.sdk_logs.stamps import Stamp

_HAS_YEAR = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:|:\d\d \S+ \d{4}\b|\b\d{10}\.\d{3}")
"""What a line with its year has somewhere, and few others have."""

_LEAP_DAY = re.compile(r"\b(?:02[-/]29[ T]|Feb 29 )\d\d:")


def year_of(first: Stamp, told: Stamp | None, head: Sequence[str], tail: Sequence[str], now: datetime) -> int:
    """The year of a log's first time, which has none. `told`: a time of the log's that has one."""
    if told is not None and told.year is not None:
        return year_near(first, told.year, told)
    last = next((stamp for text in reversed(tail) if (stamp := take_apart(text).stamp) is not None), first)
    year = likely_year(first, last, now)
    leaps = (take_apart(text).stamp for text in (*head, *tail) if _LEAP_DAY.search(text))
    if any(stamp is not None and stamp.year is None and (stamp.month, stamp.day) == LEAP_DAY for stamp in leaps):
        year = leap_year(first, year)
    return year


def head_of(content: Content) -> list[str]:
    """The lines of a log's first megabytes."""
    return text_of(bytes(content.data[:SNIFFED_BYTES])).splitlines()


def tail_of(content: Content) -> list[str]:
    """The last lines of a log."""
    end = end_of(content)
    return text_of(bytes(content.data[max(0, end - (1 << 16)) : end])).splitlines()[1:]


def with_year(lines: Sequence[str]) -> Stamp | None:
    """The first time with its year that lines of an SDK tell."""
    for text in lines:
        if _HAS_YEAR.search(text):
            line = take_apart(text)
            if line.stamp is not None and line.stamp.year is not None and _is_sdks(line):
                return line.stamp
    return None


def _is_sdks(line: Line) -> bool:
    return line.tag == "StripeTerminal" or saying_of(line.body) is not None


def stamps_of(lines: Sequence[str]) -> Iterator[Stamp]:
    """The times that lines tell, those of lines that an SDK wrote first."""
    others: list[Stamp] = []
    for text in lines:
        line = take_apart(text)
        if line.stamp is None:
            continue
        if _is_sdks(line):
            yield line.stamp
            return
        if not others:
            others.append(line.stamp)
    yield from others
