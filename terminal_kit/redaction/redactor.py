"""`Redactor`: what names somebody in texts, in facts and in rows becomes pseudonyms; payloads are dropped."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

from terminal_kit.eventlog import Columns, Source
from terminal_kit.events import (
    COLUMNS,
    ConnectionStatus,
    DisconnectReason,
    Kind,
    ReasonSource,
    RssiSource,
)
from terminal_kit.reader import SERIAL_PREFIXES, DeviceType
from terminal_kit.redaction.patterns import LEAST_NAME, NAME_KEY, PAYLOAD_KEY, compiled, luhn, written
from terminal_kit.redaction.pseudonyms import ADDRESS_PREFIX, SPOKEN_FOR, Pseudonyms

DROPPED = "[dropped]"
"""What stands where a payload or a token stood."""

_ENUMERATIONS = (Kind, ConnectionStatus, DisconnectReason, ReasonSource, RssiSource, DeviceType)
OURS = frozenset({"terminal", *(str(word) for words in _ENUMERATIONS for word in words)})
"""Words of the kit's own, which name nobody."""

_TAIL_DIGITS = 6
"""A serial number without its prefix is still the serial number where it is as long as this."""

_VERSIONS = frozenset({"firmware", "firmware_from", "firmware_to"})
_KEPT = frozenset({"run", "radio", "container", "time"})
_NAMES = ("reader", "location", "terminal")
_STRINGS = frozenset(column.name for column in COLUMNS if column.type == "str")
_CACHE = 50_000
"""Texts whose outcome is remembered: those of a log repeat, and a page of them is held at most."""


class Redactor:
    """Replaces names by pseudonyms that are stable under its key; the key is random unless given.

    Addresses, serial numbers, ids, tokens, hosts and the like are known by their shape, in any case and with any
    separators. Other names (what a reader is called, a location's name) are found everywhere once they are known:
    `learn()` takes them, and `columns()` learns from the rows that it is given before it redacts them. A person's name
    that stands in a sentence and nowhere else cannot be known: read the messages of apps before you send them.
    """

    def __init__(self, key: bytes | str | None = None) -> None:
        self.pseudonyms = Pseudonyms(key)
        self._known: dict[str, str] = {}  # a name's spelling, without case → its pseudonym
        self._spellings = set[str]()
        self._patterns: dict[bool, re.Pattern[str]] = {}
        self._cache: dict[tuple[str, bool], str] = {}

    @property
    def key(self) -> bytes:
        """What the pseudonyms depend on: keep it to extend a case, and give it to nobody."""
        return self.pseudonyms.key

    def learn(self, names: Iterable[str | None], *, sort: str = "name") -> None:
        """Takes names that are to be replaced wherever they stand."""
        fresh: dict[str, str] = {}
        for name in names:
            stripped = (name or "").strip()
            if len(stripped) < LEAST_NAME or stripped.casefold() in {*SPOKEN_FOR, *self._known} or stripped in OURS:
                continue
            if not self.pseudonyms.has_shape(stripped):
                fresh |= dict.fromkeys(written(stripped), self.pseudonyms.of(stripped, sort=sort))
            elif (bare := _without_shape(stripped)) is not None:
                fresh[bare] = f"serial-{self.pseudonyms.letters(bare.upper(), sort='bare')}"
        fresh = {form: pseudonym for form, pseudonym in fresh.items() if form.casefold() not in self._known}
        if fresh:
            self._known |= {form.casefold(): pseudonym for form, pseudonym in fresh.items()}
            self._spellings |= fresh.keys()
            self._patterns.clear()
            self._cache.clear()

    def name(self, name: str, *, sort: str = "name") -> str:
        """The pseudonym of a whole name: a reader, a location, a host."""
        if name in OURS:
            return name
        known = self._known.get(name.strip().casefold())
        return known if known is not None else self.pseudonyms.of(name, sort=sort)

    def text(self, text: str, *, is_version: bool = False) -> str:
        """A text with every name in it replaced."""
        if (found := self._cache.get((text, is_version))) is not None:
            return found
        if (pattern := self._patterns.get(is_version)) is None:
            pattern = self._patterns[is_version] = compiled(self._spellings, of_versions=is_version)
        redacted = pattern.sub(self._replaced, text)
        if len(self._cache) >= _CACHE:
            self._cache.clear()
        self._cache[text, is_version] = redacted
        return redacted

    def facts(self, extra: Any) -> Any:
        """The facts of an `extra`: names replaced, payloads left out. Takes JSON's values."""
        return self._walk("", extra)

    def json_text(self, cell: str) -> str | None:
        """The same for a cell of JSON; None where it is none, or holds nothing else but payloads."""
        try:
            value = self.facts(json.loads(cell))
        except (ValueError, RecursionError):
            return None
        return json.dumps(value, ensure_ascii=False) if value else None

    def file(self, name: str) -> str:
        """A file's name: what it is called is lost, what kind it is stays."""
        suffix = PurePosixPath(name.replace("\\", "/").rsplit("!", 1)[-1]).suffix
        kept = suffix.lower() if re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{0,5}", suffix) else ""
        return f"file-{self.pseudonyms.letters(name, sort='file', length=6)}{kept}"

    def source(self, source: Source) -> Source:
        """An imported file's record: its hash stays, by which it is known again where it is at hand."""
        return replace(source, name=self.file(source.name), container=self.text(source.container))

    def aliases(self, aliases: Mapping[str, str]) -> dict[str, str]:
        """Aliases of readers, both sides as the rows have them."""
        self.learn([*aliases.keys(), *aliases.values()])
        return {self.name(alias): self.name(reader) for alias, reader in aliases.items()}

    def columns(self, batch: Columns) -> dict[str, Sequence[Any]]:
        """Rows as columns, as importers give them: learns their names, then redacts. Numbers stay as they are."""
        self.learn_columns(batch)
        return {name: self.column(name, values) for name, values in batch.items()}

    def learn_columns(self, batch: Columns) -> None:
        """Takes the names that stand in rows."""
        for column in _NAMES:
            self.learn({cell for cell in batch.get(column, ()) if isinstance(cell, str)}, sort=column)
        for cell in {_hashable(cell) for cell in batch.get("extra", ())}:
            self.learn(_names_in(cell))

    def column(self, name: str, values: Any) -> Sequence[Any]:
        """The cells of one column. Those of a column that the kit does not know are taken for text."""
        if name in _KEPT or (name not in _STRINGS and name not in ("extra", "file") and hasattr(values, "dtype")):
            return values
        if name == "extra":
            return [self._extra(cell) for cell in values]
        return [self._cell(name, cell) if isinstance(cell, str) else cell for cell in values]

    def _cell(self, column: str, cell: str) -> str:
        if cell in OURS:
            return cell
        if column == "file":
            return self.file(cell)
        if column in _NAMES:
            return self.name(cell, sort=column)
        return self.text(cell, is_version=column in _VERSIONS)

    def _extra(self, cell: Any) -> Any:
        if isinstance(cell, str):
            return self.json_text(cell)
        return (self.facts(cell) or None) if isinstance(cell, Mapping) else None

    def _walk(self, key: str, value: Any) -> Any:
        match value:
            case bool() | None:
                return value
            case int() | float():
                return value if self.text(str(value), is_version=True) == str(value) else None
            case str():
                if value in OURS:
                    return value
                return self.name(value) if NAME_KEY.fullmatch(key) else self.text(value)
            case Mapping():
                items = cast("Mapping[Any, Any]", value).items()
                return {
                    self.text(str(name)): self._walk(str(name), inner)
                    for name, inner in items
                    if isinstance(inner, int | float) or inner is None or not PAYLOAD_KEY.fullmatch(str(name))
                }
            case list() | tuple():
                return [self._walk(key, inner) for inner in cast("Sequence[Any]", value)]
            case _:
                return None

    def _replaced(self, found: re.Match[str]) -> str:
        text, sort = found[0], found.lastgroup  # the outermost group: it is closed last
        match sort:
            case "known":
                return self._known.get(text.casefold(), DROPPED)
            case "payload":
                return text[: text.find(next(char for char in text if char in "{["))] + DROPPED
            case "pair":
                return f"{found['key']}{self._value(found['value'])}"
            case "masked":
                return text[: -len(found["tail"])] + self.pseudonyms.masked_address(found["tail"].replace("-", ":"))
            case "folder":
                return f"{found['above']}{self.pseudonyms.of(text[len(found['above']) :], sort='person')}"
            case "address":
                return self._written_address(text, found["sep"])
            case "hex":
                return self.pseudonyms.of(text) if self.pseudonyms.has_shape(text) else DROPPED
            case "uuid" | "serial":
                return self.pseudonyms.of(text)
            case "app":
                return f"app-{self.pseudonyms.letters(text.casefold(), sort='name')}"
            case "id" | "token":
                kind, _, rest = text.partition("_")
                return f"{kind}_{self.pseudonyms.letters(f'{kind}_{rest}', sort='id')}"
            case "number":
                digits = re.sub(r"\D", "", text)
                return DROPPED if luhn(digits) else text
            case "hidden":
                return "****"
            case "url" | "email" | "ipv4" | "ipv6" | "device":
                return f"{sort}-{self.pseudonyms.letters(text.casefold(), sort=sort)}"
            case _:
                return DROPPED

    def _written_address(self, text: str, separator: str) -> str:
        if separator.lower() != "%3a":
            return self.pseudonyms.of(text)
        return self.pseudonyms.of(re.sub("%3a", ":", text, flags=re.IGNORECASE)).replace(":", separator)

    def _value(self, value: str) -> str:
        """The value of a pair, in its quotes. A number is no name, nor is a word of ours."""
        inner = value.strip("\"'")
        if inner in OURS or inner.casefold() in SPOKEN_FOR or re.fullmatch(r"\d{1,5}", inner):
            return value
        first, gap, rest = inner.partition(" ")
        if gap and self.pseudonyms.has_shape(first):
            return value.replace(inner, f"{self.name(first)} {self.text(rest)}")
        return value.replace(inner, self.name(inner))


def _without_shape(name: str) -> str | None:
    """A serial number without its prefix, or an address of nothing but digits: only who knows it sees what it is."""
    for prefix in SERIAL_PREFIXES:
        if name.upper().startswith(prefix):
            tail = name[len(prefix) :]
            return tail if len(tail) >= _TAIL_DIGITS else None
    digits = re.sub("[^0-9A-Za-z]", "", name.lower().removeprefix(ADDRESS_PREFIX))
    return digits if digits.isdecimal() and len(digits) == 12 else None


def _hashable(cell: Any) -> Any:
    return cell if isinstance(cell, str) else json.dumps(cell, default=str) if isinstance(cell, Mapping) else ""


def _names_in(cell: str) -> set[str]:
    """What stands under keys that name somebody, and addresses, however deep."""
    found: set[str] = set()

    def walk(key: str, value: Any) -> None:
        match value:
            case str() if NAME_KEY.fullmatch(key):
                found.add(value)
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
        return set()
    return found
