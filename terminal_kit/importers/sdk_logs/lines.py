"""The lines of a text file, whatever its encoding and however long: numbered, bounded, a chunk in memory at a time."""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from terminal_kit.importers.content import Content, let_go
from terminal_kit.importers.sdk_logs.envelopes import is_enveloped
from terminal_kit.importers.sdk_logs.wrappings import bare, worn

CHUNK_BYTES = 1 << 20
"""What is decoded at a time: large enough that Python's part does not count, small enough to be no burden."""

LINE_CHARACTERS = 1 << 16
"""What is kept of one line. Logcat itself cuts at some 4,000 bytes; a pasted JSON dump may be longer."""

SAMPLED_BYTES = 1 << 16
"""How much tells what all lines end with, and what they are wrapped in."""

SNIFFED_BYTES = 4 << 20
"""How far a sniffer looks: an app's first words may come after minutes of the phone's own."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Chunk(NamedTuple):
    """Some whole lines, without their ends. `cut`: numbers within the chunk of lines whose rest was dropped."""

    lines: list[str]
    cut: frozenset[int]
    ended: bool
    """Whether the last line of the chunk had its end: the last one of a file often has not."""


def encoding_of(head: bytes) -> tuple[str, int]:
    """What a text's bytes are encoded in, and how many bytes its mark takes."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:512].rstrip(b"\0")
    if len(sample) >= 8 and sample.count(0) > len(sample) // 4:  # Latin text in UTF-16 has a zero in each pair
        return ("utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"), 0
    return "utf-8", 0


def is_text(head: bytes) -> bool:
    """Whether a file's beginning looks like text: hardly any control bytes besides tabs, escapes and line ends."""
    encoding, mark = encoding_of(head)
    if encoding == "utf-8":
        head = head.rstrip(b"\0")
        odd = sum(head.count(byte) for byte in (0, 1, 2, 3, 4, 5, 6, 14, 15, 16, 17, 18, 19, 20))
        return odd * 200 <= len(head)
    text = head[mark:].decode(encoding, "replace").rstrip("\0")
    return sum(char.isprintable() or char in "\r\n\t" for char in text) * 20 >= len(text) * 19


def text_of(data: bytes) -> str:
    """A piece of a file's beginning as text, without what most of its lines are wrapped in."""
    encoding, mark = encoding_of(data)
    text = data[mark:].decode(encoding, "replace")
    wrappings = worn(text[:SAMPLED_BYTES], is_enveloped)
    return "\n".join(_unwrapped(text.splitlines(), wrappings)) if wrappings else text


def end_of(content: Content) -> int:
    """Where a text ends: files whose room was taken beforehand go on with zeros, up to the next write."""
    data, end = content.data, len(content.data)
    while end and not bytes(data[max(0, end - CHUNK_BYTES) : end]).rstrip(b"\0"):
        let_go(data, max(0, end - CHUNK_BYTES), end)
        end = max(0, end - CHUNK_BYTES)
    piece = bytes(data[max(0, end - CHUNK_BYTES) : end])
    last = end - len(piece) + len(piece.rstrip(b"\0"))
    # The last character of a wider encoding may have zeros of its own.
    encoding, begin = encoding_of(content.head())
    width = next((width for bits, width in (("32", 4), ("16", 2)) if bits in encoding), 1)
    return min(len(data), last + (begin - last) % width)


def chunks(content: Content, on_progress: Callable[[int], None] | None = None) -> Iterator[Chunk]:
    """A file's lines in chunks. `on_progress` is called with the bytes of each."""
    data, size = content.data, end_of(content)
    encoding, begin = encoding_of(content.head())
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    end_of_line = _end_of_line(content, encoding)
    wrappings = worn(content.head(SAMPLED_BYTES)[begin:].decode(encoding, "replace"), is_enveloped)
    rest, dropping = "", False
    for place in range(begin, size, CHUNK_BYTES):
        piece = bytes(data[place : min(place + CHUNK_BYTES, size)])
        let_go(data, place, place + CHUNK_BYTES)
        text = decoder.decode(piece, final=place + CHUNK_BYTES >= size)
        if dropping:  # within a line of which enough is kept
            _, found, text = text.partition(end_of_line)
            dropping = not found
        lines = (rest + text).split(end_of_line)
        rest = lines.pop()
        cut: set[int] = set()
        if len(rest) > LINE_CHARACTERS:
            lines.append(rest)
            rest, dropping = "", True
        for number, line in enumerate(lines):
            if len(line) > LINE_CHARACTERS:
                lines[number] = line[:LINE_CHARACTERS]
                cut.add(number)
        if lines:
            yield Chunk(_unwrapped(lines, wrappings), frozenset(cut), True)
        if on_progress:
            on_progress(len(piece))
    if rest:
        yield Chunk(_unwrapped([rest], wrappings), frozenset(), False)
    if on_progress and size < len(data):
        on_progress(len(data) - size)


def _unwrapped(lines: list[str], wrappings: Sequence[re.Pattern[str]]) -> list[str]:
    return [bare(line, wrappings, is_enveloped) for line in lines] if wrappings else lines


def _end_of_line(content: Content, encoding: str) -> str:
    """A line feed, but for texts that have carriage returns alone (a console's copy on an old system)."""
    sample = content.head(SAMPLED_BYTES).decode(encoding, "replace")
    return "\r" if "\n" not in sample and sample.count("\r") > 1 else "\n"
