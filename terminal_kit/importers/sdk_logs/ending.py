"""Whether a line is whole that ends where its file does: a log may be copied while it is being written.

What such a line says is used where nothing can follow that would change it: all that was opened is closed, or its last
word is one of a closed list in which no other one begins with it. A number, or a serial number, may always go on.
"""

import re

from terminal_kit.importers.sdk_logs.vocabulary import ADDRESS, is_closed_code, is_closed_word, snake

CUT = "the line is cut where the file ends"
CUT_RECORD = "the record is cut where the file ends"

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
_WORD = re.compile(r"(?P<code>_ERROR\.|[Cc]ode\W{1,3})?(?P<word>[A-Za-z_]\w*)$")
_OPENS = re.compile(r"(?:^|[\s,:=(\[{])'$")
"""A quote that begins something; apostrophes stand within words, so that they cannot be counted."""

_SPEAKER = re.compile(r"\[Stripe ?[tT]erminal\](?::\s?(?P<call>\w+)['\"])?$")
"""Who speaks, or with the name of a callback between quotes: what it is called with may follow."""

_EPOCH_MS = re.compile(r"\btime=\d{13}$")
"""How most lines of iOS end. Until the year 2286 an epoch in milliseconds has 13 digits."""

_ADDRESS_CHARACTERS = 17
_WORD_CHARACTERS = 100
_LAST_WORDS = frozenset(
    map(
        snake,
        (
            "undefined",
            "onBTDisconnected",
            "didReportLowBatteryWarning",
            "onReportLowBatteryWarning",
            "didSucceedReaderReconnect",
            "onReaderReconnectSucceeded",
            "applicationDidEnterBackground",
            "applicationDidEnterForeground",
        ),
    )
)
"""What stands alone, or with nothing after it that matters."""


def is_whole(text: str) -> bool:
    """Whether a line without an end is certain to be whole."""
    if text.endswith("\r"):
        return True  # half of the line's end is there
    text = text.rstrip(" \t;")
    if text.endswith(",") or text.count('"') % 2 or any(text.count(begin) != text.count(end) for begin, end in _PAIRS):
        return False
    end = text[-_WORD_CHARACTERS:]
    if not text or text[-1] in ")]}\"'":
        spoken = _SPEAKER.search(end)
        return _OPENS.search(end) is None and (spoken is None or snake(spoken["call"] or "") in _LAST_WORDS)
    if _EPOCH_MS.search(end) or ADDRESS.fullmatch(text[-_ADDRESS_CHARACTERS:]):
        return True
    if (found := _WORD.search(end)) is None:
        return False
    word = found["word"]
    return is_closed_code(word) if found["code"] else is_closed_word(word) or snake(word) in _LAST_WORDS
