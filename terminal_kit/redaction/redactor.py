"""`Redactor`: what names somebody in texts, in facts and in rows becomes pseudonyms; payloads are dropped."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

from terminal_kit.eventlog import Columns, Source
from terminal_kit.events import COLUMNS
from terminal_kit.reader import SERIAL_PREFIXES
from terminal_kit.redaction.keys import APP_KEY, CREDENTIAL_KEY, NAME_KEY, PAYLOAD_KEY
from terminal_kit.redaction.learning import OURS, in_facts, inner_of, is_component, names_in_text
from terminal_kit.redaction.patterns import CUT_ADDRESS, LEAST_NAME, compiled, luhn, written
from terminal_kit.redaction.pseudonyms import ADDRESS_PREFIX, SPOKEN_FOR, Pseudonyms

DROPPED = "[dropped]"
"""What stands where a payload or a token stood."""

_TAIL_DIGITS = 6
"""A serial number without its prefix is still the serial number where it is as long as this."""

_LONG = 200
"""The shortest length at which importers cut texts and facts."""

_LONGEST_CUT = 80
_WORD = re.compile(r"(?<![^\W_])\w")

_VERSIONS = frozenset({"firmware", "firmware_from", "firmware_to"})
_KEPT = frozenset({"run", "radio", "container", "time"})
_NAMES = ("reader", "location", "terminal")
_OURS = frozenset({"file", *(column.name for column in COLUMNS)})
_STRINGS = frozenset(column.name for column in COLUMNS if column.type == "str")
_CACHE = 50_000
"""Texts whose outcome is remembered: those of a log repeat, and a page of them is held at most."""


class Redactor:
    """Replaces names by pseudonyms that are stable under its key; the key is random unless given.

    Addresses, serial numbers, ids, tokens, hosts and the like are known by their shape, in any case and with any
    separators. Other names (what a reader is called, a location's name) are found everywhere once they are known:
    `learn()` takes them, and `columns()` learns from the rows that it is given, and from pairs in their texts
    (`label=Theke`, `"ssid": "Theke"`), before it redacts them. What such a pair holds is replaced, when in doubt, too:
    left are numbers, words of the kit's own, and what `learning.is_component()` knows as a program's. A person's name
    that stands in a sentence and nowhere else cannot be known: read the messages of apps before you send them.
    """

    def __init__(self, key: bytes | str | None = None) -> None:
        self.pseudonyms = Pseudonyms(key)
        self._known: dict[str, str] = {}  # a name's spelling, without case → its pseudonym
        # Without case ↔ as it is spelled: names that count within words, too, and those that count by themselves alone.
        self._anywhere, self._apart = dict[str, str](), dict[str, str]()
        self._beginnings: frozenset[str] | None = None
        self._patterns: dict[bool, re.Pattern[str]] = {}
        self._cache: dict[tuple[str, bool], str] = {}

    @property
    def key(self) -> bytes:
        """What the pseudonyms depend on: keep it to extend a case, and give it to nobody."""
        return self.pseudonyms.key

    def learn(self, names: Iterable[str | None], *, sort: str = "name", apart: bool = False) -> None:
        """Takes names that are to be replaced wherever they stand; `apart`: but not within longer words."""
        before = len(self._anywhere), len(self._apart)
        for name in names:
            stripped = (name or "").strip()
            folded = stripped.casefold()
            in_words = _has_ends(stripped)
            held = self._apart if apart and in_words else self._anywhere
            if len(stripped) < (LEAST_NAME if in_words else 2) or folded in SPOKEN_FOR or stripped in OURS:
                continue
            if folded in held or folded in self._anywhere:
                continue
            if not self.pseudonyms.has_shape(stripped):
                if self.pseudonyms.has_shape(stripped.partition(" ")[0]):  # a sentence goes on after a serial
                    continue
                forms = written(stripped)
                pseudonym = self._known.get(folded) or self.pseudonyms.of(stripped, sort=sort)
            elif (bare := _without_shape(stripped)) is not None:
                forms, pseudonym = {bare}, f"serial-{self.pseudonyms.letters(bare.upper(), sort='bare')}"
            else:
                continue
            for form in forms:
                held.setdefault(form.casefold(), form)
                self._known.setdefault(form.casefold(), pseudonym)
        if before != (len(self._anywhere), len(self._apart)):
            self._beginnings = None
            self._patterns.clear()
            self._cache.clear()

    def learn_texts(self, texts: Iterable[str]) -> None:
        """Takes the names that stand in pairs of texts (`label=Theke`, `"ssid": "Theke"`)."""
        told = {told for text in texts for told in names_in_text(text)}
        for sort in sorted({each.sort for each in told}):
            self.learn((each.name for each in told if each.sort == sort), sort=sort, apart=True)

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
            held = (self._anywhere.values(), self._apart.values())
            pattern = self._patterns[is_version] = compiled(*held, of_versions=is_version)
        begin = self._cut_name(text)
        redacted = pattern.sub(self._replaced, text[:begin]) + (DROPPED if begin < len(text) else "")
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
        """Takes the names that stand in rows, in their texts, too."""
        for column in _NAMES:
            self.learn({cell for cell in batch.get(column, ()) if isinstance(cell, str)}, sort=column)
        for cell in {_hashable(cell) for cell in batch.get("extra", ())}:
            names, texts = in_facts(cell)
            self.learn(names)
            self.learn_texts(texts)
        for column, cells in batch.items():
            if column == "text" or column not in _OURS:
                self.learn_texts({cell for cell in cells if isinstance(cell, str)})

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
                return f"{found['key']}{found['is']}{self._value(found['key'], found['value'])}"
            case "octets":
                return f"{found['under']}{DROPPED}"
            case "bearer":
                return f"{found['scheme']}{DROPPED}"
            case "masked":
                return text[: -len(found["tail"])] + self.pseudonyms.masked_address(found["tail"].replace("-", ":"))
            case "folder":
                return f"{found['above']}{self.pseudonyms.of(text[len(found['above']) :], sort='person')}"
            case "address":
                return self._written_address(text, found["sep"])
            case "hex":
                return self.pseudonyms.of(text) if self.pseudonyms.has_shape(text) else DROPPED
            case "uuid" | "serial" | "triples":
                return self.pseudonyms.of(text)
            case "app":
                return self.pseudonyms.of(text, sort="app")
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

    def _value(self, key: str, value: str) -> str:
        """The value of a pair, in its quotes. A number is no name, nor is a word of ours or a part of a program."""
        inner = inner_of(value)
        if (
            inner in OURS
            or inner.casefold() in SPOKEN_FOR
            or re.fullmatch(r"\d{1,5}", inner)
            or is_component(key, inner)
        ):
            return value
        first, gap, rest = inner.partition(" ")
        if gap and self.pseudonyms.has_shape(first):
            return value.replace(inner, f"{self.name(first)} {self.text(rest)}")
        sort = "app" if APP_KEY.fullmatch(key) else "secret" if CREDENTIAL_KEY.fullmatch(key) else "name"
        return value.replace(inner, self.name(inner, sort=sort))

    def _cut_name(self, text: str) -> int:
        """Where an address or a known name begins whose rest a long text has lost; else the text's length."""
        if len(text) < _LONG:
            return len(text)
        if self._beginnings is None:
            known = (*self._anywhere, *self._apart)
            self._beginnings = frozenset(name[:end] for name in known for end in range(LEAST_NAME, len(name)))
        if (cut := CUT_ADDRESS.search(text, len(text) - _LONGEST_CUT)) is not None:
            return cut.start()
        for found in _WORD.finditer(text, len(text) - _LONGEST_CUT):
            if text[found.start() :].casefold() in self._beginnings:
                return found.start()
        return len(text)


def _has_ends(name: str) -> bool:
    """Whether it is seen where a name ends: where Chinese is written, it stands between other characters."""
    return all(char.isascii() or char.upper() != char.lower() for char in (name[:1], name[-1:]))


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
