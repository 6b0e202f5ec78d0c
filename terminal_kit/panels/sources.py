"""The imported files of a log and their clocks, as the panels that show and correct them have it."""

import re

from terminal_kit.errors import InvalidParameterError
from terminal_kit.eventlog import EventLog
from terminal_kit.eventlog.sources import check_clock_offset, whole_files
from terminal_kit.panels.panel import Picture
from terminal_kit.words import TIME_RULES, visible


def sources_picture(log: EventLog) -> Picture:
    """Each file by its number in the log: what it is, where its times come from, and what is added to them."""
    return {
        str(source.id): {
            "name": visible(source.name),
            "container": visible(source.container),
            "records": source.records,
            "rule": TIME_RULES[source.time_rule],
            "offset_s": source.clock_offset_us / 1e6,
        }
        for source in whole_files(log.sources())
    }


def set_offset(log: EventLog, source: str, seconds: float) -> None:
    """Corrects a file's clock. Raises `InvalidParameterError` for what is no offset, and for a file there is not."""
    if not re.fullmatch(r"\d{1,18}", source, re.ASCII):
        raise InvalidParameterError("this is no number of a file", parameter="source", value=source)
    check_clock_offset(seconds * 1e6)
    log.set_clock_offset(int(source), round(seconds * 1e6))
