"""Names that texts and facts tell: what stands under a key that names somebody is a name wherever it stands.

Under keys such as `label` and `ssid` stands what a person chose. Under `name`, `host` and the like programs put names
of their own parts, too: what is written as programs write names is replaced there, and left alone elsewhere.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from terminal_kit.errors import ERRORS
from terminal_kit.events import ConnectionStatus, DisconnectReason, Kind, ReasonSource, RssiSource
from terminal_kit.reader import DeviceType
from terminal_kit.redaction.keys import APP_KEY, COMMON, GIVEN_KEY, NAME_KEY, NAMING

_ENUMERATIONS = (Kind, ConnectionStatus, DisconnectReason, ReasonSource, RssiSource, DeviceType)
OURS = frozenset({"terminal", *(str(word) for words in _ENUMERATIONS for word in words)})
"""Words of the kit's own, which name nobody."""

_SAID = (
    "stripe terminal sdk app error object array default test simulator android ios iphone ipad internet wifi localhost"
)
_WORDS = frozenset(
    part
    for word in (*OURS, *(cls.code for cls in ERRORS), *_SAID.split())
    for part in word.lower().split("_")
    if len(part) > 1
)
"""What the SDKs speak of all the time: no name is made of these alone."""

_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
_IDENTIFIER = re.compile(
    r"[a-z]+(?:[_.][a-z0-9]+)*|[A-Z]+(?:_[A-Z0-9]+)*|(?:[A-Za-z][a-z]*)(?:[A-Z][a-z0-9]*)+|[\d.,%+\-]+"
)
_COMPONENT = re.compile(
    r"[a-z]+(?:_[a-z]+)*_(?:manager|controller|session|service|handler|provider|client|adapter|listener|monitor|queue"
    r"|store|cache|state|status|battery|machine)"
)
_APP = re.compile(rf"(?!\w+\.(?:{COMMON})\b)[A-Za-z]\w*(?:\.\w+)+")
_MOST_WORDS = 6
"""What has more words is a sentence."""

_CAPITALS = re.compile(r"(?:(?![a-z])\w[\w'.&-]*)(?: (?:(?![a-z])\w[\w'.&-]*))*")


class Told(NamedTuple):
    """A name, and the sort of pseudonym it has."""

    name: str
    sort: str


def is_component(key: str, value: str) -> bool:
    """Whether a pair names a part of a program, and nobody else.

    The key is `name` alone; the value is words of lower case, joined by underscores, of which the last is what
    programmers call their parts: `location_manager`. `front_desk` is none, since iOS writes names so, too.
    """
    return key.lower() == "name" and _COMPONENT.fullmatch(value) is not None


def names_in_text(text: str) -> Iterator[Told]:
    """The names that stand in pairs of a text."""
    for found in NAMING.finditer(text):
        value = found["value"]
        inner = inner_of(value)
        for name in {inner, _unescaped(inner)}:
            yield from _told(found["key"], name)
        # A value without quotes may go on in a sentence: `label=Berta Theke connected`.
        if value == inner and " " in inner and (begin := _CAPITALS.match(inner)) is not None:
            yield from _told(found["key"], begin[0])


def in_facts(cell: str) -> tuple[set[str], set[str]]:
    """What stands under keys that name somebody in a cell of JSON, however deep; and its texts."""
    names, texts = set[str](), set[str]()

    def walk(key: str, value: Any) -> None:
        match value:
            case str():
                (names if NAME_KEY.fullmatch(key) else texts).add(value)
            case Mapping():
                for name, inner in cast("Mapping[Any, Any]", value).items():
                    walk(str(name), inner)
            case list():
                for inner in cast("list[Any]", value):
                    walk(key, inner)
            case _:
                pass

    try:
        walk("", json.loads(cell) if cell else None)
    except (ValueError, RecursionError):
        return set(), set()
    return names, texts


def inner_of(value: str) -> str:
    """The value of a pair without its quotes."""
    return value.strip("\\\"'" if value[:1] in "\\\"'" else "")


def _told(key: str, name: str) -> Iterator[Told]:
    name = name.strip(" <>")
    if len(name.split()) > _MOST_WORDS or _names_nobody(name):
        return
    if APP_KEY.fullmatch(key):
        if _APP.fullmatch(name):
            yield Told(name, "app")
    elif GIVEN_KEY.fullmatch(key) or _IDENTIFIER.fullmatch(name) is None:
        yield Told(name, "name")


def _names_nobody(name: str) -> bool:
    parts = [part.lower() for part in _PART.findall(name)]
    return all(part in _WORDS or (part.isascii() and len(part) < (6 if part.isdecimal() else 2)) for part in parts)


def _unescaped(inner: str) -> str:
    """A value as it was before JSON escaped it."""
    if "\\" not in inner:
        return inner
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError:
        return inner
