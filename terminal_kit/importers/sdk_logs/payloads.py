"""Structured values as logs print them: JSON, Expo's `Object {` printer, Node's single quotes, Kotlin's `Name(a=b)`.

One lenient reader for all: nothing is refused, and what is cut ends where the text ends. Within brackets, a value at
which the text ends is left out, and so is a record of a list: nobody knows its rest.
"""

import re
from typing import Any, NamedTuple

DEPTH = 24
"""Deeper than any record of an SDK; beyond it text is kept as it is."""

_OPEN, _CLOSE = "{[(", "}])"
_NAMED = re.compile(r"\s*([A-Za-z_$][\w.$]*)?\s*([{\[(])")
_KEY = re.compile(r"\s*(?:\"([^\"]{0,200})\"|'([^']{0,200})'|([A-Za-z_$][\w.$-]*))\s*[:=]\s*")
_PLAIN = re.compile(r"[^,}\])\n]*")
_SPACE = re.compile(r"[\s,]*(?:\.\.\.[\s,]*)?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "undefined": None, "nil": None, "None": None}
_QUOTE_ENDS = {quote: re.compile(rf"{quote}(?=\s*(?:[,:}}\])=\n]|$))") for quote in ("'", '"')}


class Record(NamedTuple):
    """A value that was read: `name` of a record such as `Reader{…}`, where it ended, and whether it was cut."""

    value: Any
    end: int
    cut: bool

    @property
    def is_record(self) -> bool:
        """Whether it has values of its own, of which some may be whole where it is cut."""
        return isinstance(self.value, dict | list)


def payload_of(text: str) -> Any:
    """The first structured value of a text as dicts, lists and plain values; None where there is none."""
    found = _NAMED.search(text)
    return read_value(text, found.start()).value if found else None


def read_value(text: str, begin: int = 0, depth: int = 0) -> Record:
    """The value that begins at a place. Numbers in quotes stay text."""
    if depth < DEPTH and (found := _NAMED.match(text, begin)):
        return _items(text, found.end(), found[2], depth, found[1])
    place = _skip(text, begin)
    if place < len(text) and text[place] in "\"'":
        quote = text[place]
        end = _QUOTE_ENDS[quote].search(text, place + 1)
        if end is None:
            return Record(text[place + 1 :], len(text), True)
        return Record(text[place + 1 : end.start()], end.end(), False)
    found = _PLAIN.match(text, place)
    word = found[0].strip() if found else ""
    end = found.end() if found else place
    return Record(plain(word), end, end >= len(text))


def plain(word: str) -> Any:
    """A word without quotes: a number, a truth value, nothing, or itself."""
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word) and len(word) < 25:
        return float(word) if set(word) & set(".eE") else int(word)
    return word


def is_open(text: str) -> bool:
    """Whether brackets stay open at the end of a text; what stands in quotes does not count."""
    depth, quote = 0, ""
    for place, char in enumerate(text):
        if quote:
            if char == quote and text[place - 1] != "\\":
                quote = ""
        elif char == '"' or (char == "'" and (place == 0 or text[place - 1] in " ,:[{(")):
            quote = char
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
    return depth > 0


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _items(text: str, place: int, bracket: str, depth: int, name: str | None) -> Record:
    keyed: dict[str, Any] = {"": name} if name and name not in ("Object", "Array") else {}
    bare: list[Any] = []
    pairs = 0
    while True:
        place = _skip(text, place)
        if place >= len(text):
            return Record(_shaped(keyed, bare, pairs, bracket), place, True)
        if text[place] in _CLOSE:
            return Record(_shaped(keyed, bare, pairs, bracket), place + 1, False)
        if found := _KEY.match(text, place):
            item = read_value(text, found.end(), depth + 1)
            if not item.cut or item.is_record:
                keyed[found[1] or found[2] or found[3] or ""] = item.value
                pairs += 1
        else:
            item = read_value(text, place, depth + 1)
            if not item.cut:
                bare.append(item.value)
        place = item.end if item.end > place else place + 1


def _shaped(keyed: dict[str, Any], bare: list[Any], pairs: int, bracket: str) -> Any:
    if bracket == "[" or (bare and not pairs and "" not in keyed):
        return [*bare, *([keyed] if pairs else [])]
    if bare:
        keyed["items"] = bare
    return keyed
