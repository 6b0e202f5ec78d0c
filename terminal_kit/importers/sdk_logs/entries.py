"""Lines that belong together: a record printed over many lines, a console's folded line. Others stand alone."""

import re
from collections import Counter
from collections.abc import Iterator

from terminal_kit.importers.sdk_logs.ending import CUT, CUT_RECORD, is_whole
from terminal_kit.importers.sdk_logs.envelopes import BARE, LONG, SYSTEMS, Line, take_apart
from terminal_kit.importers.sdk_logs.lines import Chunk
from terminal_kit.importers.sdk_logs.passing import passed
from terminal_kit.importers.sdk_logs.payloads import is_open
from terminal_kit.importers.sdk_logs.stories import Entry
from terminal_kit.importers.sdk_logs.wrappings import clean

FOLDED_LINES = 400
"""A record is no longer than that; brackets that stay open for longer were never closed."""

_PAIRS_FOLLOW = re.compile(r"^\s+\w+=")
_PAIR_BEGINS = re.compile(r"^\s+\w*$")
_LIST = re.compile(r"UpdateDiscoveredReaders\b")
_JAVASCRIPT = re.compile(r"(?:Object|Array) [{\[]\s*$|[{\[]\s*$")


class Entries:
    """Joins lines to entries, as they come."""

    def __init__(self) -> None:
        self._open: Entry | None = None
        self._number = 0
        self.passed = Counter[str]()
        """How many lines a glance was enough for, and why they are foreign. They become no entries."""
        self.last_passed: tuple[int, str] | None = None
        """The last of them, with its number: the time goes on in them too."""

    def of(self, chunk: Chunk) -> Iterator[Entry]:
        """The entries that are complete with the lines of a chunk."""
        for place, raw in enumerate(chunk.lines):
            self._number += 1
            text = raw.rstrip("\r")
            is_unsure = not chunk.ended and place == len(chunk.lines) - 1 and not is_whole(raw)
            if self._open is not None:
                text = clean(text)
            if self._open is not None and (self._belongs(text) or (is_unsure and _PAIR_BEGINS.match(text))):
                if is_unsure:
                    yield from self.rest(is_end=True, is_cut=True)
                    yield Entry(Line(BARE, None, "", "", None, ""), self._number, self._number, "", lost=CUT)
                    continue
                between = "" if not self._open.body or self._open.body.endswith(" ") else " "
                self._open.body += between + text.strip()
                self._open.last = self._number
                self._open.cut |= place in chunk.cut
                continue
            yield from self.rest()
            if self._number > 1 and (why := passed(text)):
                self.passed[why] += 1
                self.last_passed = (self._number, text)
                continue
            line = take_apart(text)
            entry = Entry(line, self._number, self._number, line.body)
            entry.cut = place in chunk.cut
            if is_unsure:
                entry.lost = CUT
            if not is_unsure and self._may_go_on(line):
                self._open = entry
            else:
                yield entry

    def rest(self, *, is_end: bool = False, is_cut: bool = False) -> Iterator[Entry]:
        """The entry that still waits for lines. `is_end`: there are no more; `is_cut`: its next one is cut."""
        if self._open is not None:
            entry, self._open = self._open, None
            if is_cut or (is_end and is_open(entry.body)):
                entry.cut = True
                # A list has told whole records already; what half of another record says may be something else.
                entry.lost = "" if _LIST.search(entry.body) else CUT_RECORD
            yield entry

    def _belongs(self, text: str) -> bool:
        entry = self._open
        assert entry is not None
        if entry.last - entry.first >= FOLDED_LINES:
            return False
        if entry.line.shape == LONG:
            return bool(text.strip()) and take_apart(text).shape != LONG
        if _PAIRS_FOLLOW.match(text) and "=" in entry.body:
            return not ("event=" in text and "event=" in entry.body)
        if not is_open(entry.body):
            return False
        # A new line of its own ends a record that was cut.
        return take_apart(text).shape in (BARE, "android bracket tag") and not text.lstrip().startswith("[Stripe")

    def _may_go_on(self, line: Line) -> bool:
        if SYSTEMS[line.shape] == "ios" or line.shape == LONG:
            return True
        return bool(_JAVASCRIPT.search(line.body)) and is_open(line.body)
