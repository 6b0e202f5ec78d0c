"""What lines of a log are wrapped in on their way: by terminals, `grep`, mails and forums, spreadsheets, web pages.

`clean()` takes off what is never a part of a line: colours, control characters, entities of HTML. `worn()` finds what
most lines of a file wear, so that records of many lines come whole; `peeled()` is for a single line among others, and
is asked only of lines that have no known envelope. What is taken off counts as a wrapping only where a known envelope
is found beneath it.
"""

import csv
import html
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

LAYERS = 4
"""How often something is taken off: a quoted list of what `grep` found has three."""

SAMPLE_LINES = 100
"""How many lines tell what most lines of a file wear."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\u200b\u200e\u200f]")
"""What no line of a log has, with marks that are pasted along: of the byte order, of the direction of writing."""

_COLOUR = re.compile(r"(?:\x1b|\^\[)\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]?")
_ENTITY = re.compile(r"&(?:quot|lt|gt|amp|apos|nbsp|#39|#x27|#34);")

_QUOTE = re.compile(r"^(?:>[ ]?)+")
_NAME = r"[^\s\d:\"'={}\[\](),][^:\"'={}\[\]\n]{0,200}?"
_FILE = rf"(?:[^\s\d:\"'={{}}\[\](),][^\s:\"'={{}}\[\]]{{0,200}}?|{_NAME}\.\w{{1,5}})"
"""The name of a file: without spaces, or with an ending."""

_NUMBERED = rf"(?:\d{{1,7}}[:-]|{_FILE}:\d{{1,7}}:|{_FILE}-\d{{1,7}}-)"
"""What `grep -n` writes, with a file's name or without; its context has hyphens."""

_NAMED = rf"{_NAME}[./\\]{_NAME}:"
_ITEM = r"(?:[-*+•]|\d{1,4}[.)])"
_WORN = tuple(re.compile(rf"^{pattern}") for pattern in (_NUMBERED, _NAMED, rf"[ \t]*{_ITEM}[ \t]", r"(?: {2,4}|\t)"))
_HEAD = re.compile(
    rf"\s+|(?:>\s?)+|{_ITEM}\s+|(?:\[(?:\d{{1,3}}(?:;\d{{1,3}})*)?m)+|[|`]+|"
    rf"{_NUMBERED}|{_NAMED}(?!\s+(?!LOG|WARN|ERROR))"
)
_COLOUR_AT_END = re.compile(r"\[\d{0,3}m$")
_INNER = re.compile(
    r"[VDIWEFA](?:/\w|\(\s*\d|\s\s)|\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d|[a-z] [ \d]\d \d\d:\d\d:|\d{5}\.\d{3}|"
    r"c?lass=|message=|\b[lsh] \w+=|scope=|\[Stripe|\[[A-Za-z_][\w.$@-]*\]\s|\b(?:LOG|WARN|ERROR|INFO|DEBUG)\s|⚡"
)
"""What a known envelope has somewhere: without it, a line is not looked at again."""

_DAY = r"(?:\d{4}[-/])?\d\d[-/]\d\d"
_TIME = r"\d\d:\d\d:\d\d[^\s,;|\"]*(?: ?[+-]\d\d:?\d\d)?"
_DAY_CELL = re.compile(_DAY)
_TIME_CELL = re.compile(_TIME)
_DATE_CELL = re.compile(rf"{_DAY}[ T]{_TIME}")
_ROW = re.compile(rf"(?:^|[,;\t|])\s*\"?{_DAY}(?:[ T]{_TIME})?\s*\"?(?P<delimiter>[,;\t|])")
_FRACTION = re.compile(r":\d\d,\d")
_QUOTED_CELL = re.compile(r"(?:^|,)\".*\"(?:,|$)")


def clean(text: str) -> str:
    """A text without colours, control characters, and entities of HTML."""
    if text.isprintable() and "&" not in text and "^[" not in text:
        return text
    text = _CONTROL.sub("", _COLOUR.sub("", text))
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def worn(sample: str, is_known: Callable[[str], bool]) -> Sequence[re.Pattern[str]]:
    """What most lines of a file wear, from the outside inwards. `is_known`: whether a line has a known envelope."""
    lines = [clean(line) for line in sample.splitlines() if line.strip()][:SAMPLE_LINES]
    found: list[re.Pattern[str]] = []
    for _ in range(LAYERS):
        if 2 * sum(map(is_known, lines)) > len(lines):
            break
        pattern = next((each for each in (_QUOTE, *_WORN) if _is_worn(each, lines, is_known)), None)
        if pattern is None:
            break
        found.append(pattern)
        lines = [bare(line, [pattern], is_known) for line in lines]
    return found


def row_of(text: str) -> str | None:
    """A spreadsheet's row that has its time in a cell of its own, or its day and its time, as a line: time, then words.

    Its cells are parted by tabs, bars or semicolons, or by commas where there are quotes: commas part sentences, too,
    and seconds. None for what is no such row, or where the words may have been parted with the cells.
    """
    found = _ROW.search(text)
    if found is None:
        return None
    delimiter = found["delimiter"]
    if delimiter == "," and (_FRACTION.search(text) or not _QUOTED_CELL.search(text)):
        return None
    try:
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error:
        return None
    at = next((place for place, cell in enumerate(cells) if _DATE_CELL.fullmatch(cell)), None)
    if at is not None:
        time = cells.pop(at)
    else:
        pairs = enumerate(pairwise(cells))
        at = next(
            (place for place, (day, clock) in pairs if _DAY_CELL.fullmatch(day) and _TIME_CELL.fullmatch(clock)), None
        )
        if at is None:
            return None
        time = f"{cells.pop(at)} {cells.pop(at)}"
    words = max(cells, key=lambda cell: (_INNER.search(cell) is not None, len(cell)), default="")
    return f"{time} {words}" if words and words.count('"') % 2 == 0 else None


def bare(line: str, wrappings: Sequence[re.Pattern[str]], is_known: Callable[[str], bool]) -> str:
    """A line without what most lines wear. A number may be its own, as that of its year: then it is known with it."""
    line = clean(line)
    for pattern in wrappings:
        if is_known(line):
            break
        line = pattern.sub("", line, 1)
    return line


def peeled(text: str) -> Iterator[str]:
    """What a line may be without its wrapping: the least that is taken off first."""
    if _INNER.search(text) is None:
        return
    yield from _cells(text)
    for _ in range(LAYERS):
        if (found := _HEAD.match(text)) is None:
            return
        text = _COLOUR_AT_END.sub("", text[found.end() :].rstrip(" \t|`"))
        yield text
        yield from _cells(text)


def _is_worn(pattern: re.Pattern[str], lines: Sequence[str], is_known: Callable[[str], bool]) -> bool:
    if 2 * sum(pattern.match(line) is not None for line in lines) <= len(lines):
        return False
    if pattern is _QUOTE:
        return True
    return sum(is_known(pattern.sub("", line, 1)) for line in lines) > sum(map(is_known, lines))


def _cells(text: str) -> Iterator[str]:
    """The cells of a spreadsheet's row that may be a line."""
    if row := row_of(text):
        yield row
    if '"' not in text:
        return
    try:
        cells = next(csv.reader([text]))
    except csv.Error:
        return
    for cell in sorted(cells, key=len, reverse=True):
        if cell != text and _INNER.search(cell) and not _DATE_CELL.fullmatch(cell.strip()):
            yield cell
