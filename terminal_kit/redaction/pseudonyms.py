"""Stable pseudonyms: the same name gives the same pseudonym as long as the key is the same, and no way leads back.

A serial number has so few digits that a plain hash of it is found by trying them all. So every hash is keyed, and
whoever has no key cannot try.
"""

import re
import secrets
from collections.abc import Callable
from hashlib import blake2b

from terminal_kit import profile
from terminal_kit.reader import SERIAL_PREFIXES

KEY_BYTES = 32
"""As long as BLAKE2's keys need to be (RFC 7693: up to 64)."""

LETTERS = "bcdfghjkmnpqrstvwxz23456789"
"""Without vowels no word comes about by chance, and nothing that is taken for a hexadecimal number of note."""

LENGTH = 8
"""Letters of a pseudonym: 2.8e11 of them, so that ten thousand names in one log share one once in 5,000 logs."""

ADDRESS_PREFIX = "addr:"

SPOKEN_FOR = frozenset(
    {"", "null", "none", "nil", "undefined", "unknown", "true", "false", "nan", "n/a", "-", "{}", "[]"}
)
"""What stands where a name could, and is none."""

_ADDRESS = re.compile(
    r"(?:addr:)?((?:[0-9a-f]{2}(?P<sep>[:\-_. ]?))(?:[0-9a-f]{2}(?P=sep)){4}[0-9a-f]{2}"
    r"|[0-9a-f]{4}(?P<dot>[.\-])[0-9a-f]{4}(?P=dot)[0-9a-f]{4})",
    re.IGNORECASE,
)
_SERIAL = re.compile(rf"({'|'.join(SERIAL_PREFIXES)})[-a-z0-9*•]+", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ID = re.compile(r"(tml|tmr|rdr|req|acct|cus)_\w+")

KNOWN_UUIDS = (
    re.compile(r"[0-9a-f]{8}-0000-1000-8000-00805f9b34fb", re.IGNORECASE),
    re.compile(re.escape(profile.READER[:4]) + r"[0-9a-f]{4}" + re.escape(profile.READER[8:]), re.IGNORECASE),
    re.compile(f"{profile.SMP}|{profile.SMP_CHARACTERISTIC}", re.IGNORECASE),
)
"""UUIDs of services and characteristics that everybody has; any other may be one phone's name for one reader."""


class Pseudonyms:
    """Pseudonyms under one key: random unless given. Keep the key to extend a case, and give it to nobody."""

    def __init__(self, key: bytes | str | None = None) -> None:
        self.key = key.encode() if isinstance(key, str) else key or secrets.token_bytes(KEY_BYTES)
        # BLAKE2 takes keys of up to 64 bytes; a longer one (a passphrase) counts with all of its letters.
        self._key = self.key if len(self.key) <= 64 else blake2b(self.key).digest()

    def of(self, name: str, *, sort: str = "name") -> str:
        """The pseudonym of anything that names a reader, a person, a place or a host, in the shape that it has.

        An address stays an address (of the same type, and as it was written), a serial number keeps the prefix that
        tells the device type, an id its kind; the rest becomes `sort` and some letters.
        """
        stripped = name.strip()
        if stripped.casefold() in SPOKEN_FOR:
            return name
        for pattern, shape in self._shapes:
            if (found := pattern.fullmatch(stripped)) is not None:
                return shape(found)
        # iOS writes `Front_desk` where others write `Front desk`.
        return f"{sort}-{self.letters(stripped.casefold().replace('_', ' '), sort='name')}"

    def has_shape(self, name: str) -> bool:
        """Whether a name is known for one by its shape, wherever it stands."""
        return any(pattern.fullmatch(name) for pattern, _ in self._shapes)

    @property
    def _shapes(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
        return (
            (_ADDRESS, self._address),
            (_SERIAL, lambda found: f"{found[1].upper()}-{self.letters(found[0].upper(), sort='serial').upper()}"),
            (_UUID, self._uuid),
            (_ID, lambda found: f"{found[1]}_{self.letters(found[0], sort='id')}"),
        )

    def letters(self, text: str, *, sort: str, length: int = LENGTH) -> str:
        """Some letters for a text."""
        number = int.from_bytes(self._digest(text, sort))
        found: list[str] = []
        for _ in range(length):
            number, rest = divmod(number, len(LETTERS))
            found.append(LETTERS[rest])
        return "".join(found)

    def octets(self, text: str, *, sort: str, length: int) -> bytes:
        """Some bytes for a text."""
        return self._digest(text, sort)[:length]

    def masked_address(self, tail: str) -> str:
        """What stands for the last two bytes of an address whose others a phone has hidden: as in the whole one."""
        return self.octets(tail.upper(), sort="tail", length=2).hex(":").upper()

    def _address(self, found: re.Match[str]) -> str:
        written = found[1]
        digits = re.sub("[^0-9a-fA-F]", "", written).upper()
        head = self.octets(digits, sort="address", length=4)
        tail = self.octets(f"{digits[8:10]}:{digits[10:]}", sort="tail", length=2)
        # The two highest bits tell what kind of random address it is (Core Vol 6 Part B, 1.3.2): diagnosis needs them.
        first = int(digits[:2], 16) & 0xC0 | head[0] & 0x3F
        made = iter((bytes([first]) + head[1:] + tail).hex())
        text = re.sub("[0-9a-fA-F]", lambda _: next(made), written)
        text = text if written == written.lower() and written != written.upper() else text.upper()
        return f"{ADDRESS_PREFIX}{text}" if found[0][:5].lower() == ADDRESS_PREFIX else text

    def _uuid(self, found: re.Match[str]) -> str:
        if any(known.fullmatch(found[0]) for known in KNOWN_UUIDS):
            return found[0]
        digits = self.octets(found[0].upper(), sort="uuid", length=16).hex()
        text = "-".join(digits[begin:end] for begin, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
        return text.upper() if found[0] != found[0].lower() else text

    def _digest(self, text: str, sort: str) -> bytes:
        return blake2b(text.encode("utf-8", "backslashreplace"), key=self._key, person=sort.encode()[:16]).digest()
