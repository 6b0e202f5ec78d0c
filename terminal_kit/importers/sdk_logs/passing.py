"""Lines of a phone's log that no story is about, told apart before anything is taken off them.

A logcat is nearly all of this. What is passed here is foreign for the same reason as it would be the long way round;
everything else, and every line in another form than logcat's own, goes that way.
"""

import re
from functools import lru_cache

from terminal_kit.importers.sdk_logs.stories import OF_INTEREST, foreign_body, foreign_tag, others_tag

WORDS = (
    "tripe",
    "scope=",
    "tatusChange",
    "connection status",
    "ReaderDisconnect",
    "onDisconnect",
    "ReaderReconnect",
    "onRequestReader",
    "rogress",
    "onReturnOTA",
    "rror",
    "onFailure",
    "_ERROR.",
    "TerminalException",
    "Payment",
    "origin_role",
    "GATT_Connect",
)
"""Words of which a line of a story has one, unless its beginning or its tag tells it. A test holds them."""

_LOGCAT = re.compile(
    r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\d+ +\d+ [VDIWEFA] ([^: ][^:]*?) *: (?=\S)"
    r"(?!\[|\"|[lsh] |[A-Za-z_]\w*=|To |TO )(.*)$"  # how an SDK's own words may begin
).match


def passed(text: str) -> str | None:
    """Why a line is foreign, where a glance tells it; None where the line must be read."""
    found = _LOGCAT(text)
    if found is None:
        return None
    of_tag = _tag(found[1])
    if of_tag is None:
        return None
    for word in WORDS:
        if word in text:
            return None
    return foreign_body(found[2]) or of_tag


@lru_cache(maxsize=4096)
def _tag(tag: str) -> str | None:
    return None if OF_INTEREST.search(tag) else foreign_tag(tag) or others_tag(tag)
