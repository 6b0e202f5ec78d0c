"""What names somebody in running text, by its shape: addresses, serials, ids, tokens, hosts, people's folders.

One pass over the text finds them all: a pseudonym is never looked at again.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from terminal_kit.reader import SERIAL_PREFIXES
from terminal_kit.redaction.keys import COMMON, OCTETS, PAIR

LEAST_NAME = 3
"""A name shorter than this many characters stands in too many words to be replaced wherever it does."""

_PREFIXES = "|".join(SERIAL_PREFIXES)
_SECRETS = "sk|pk|rk|ek|pst|whsec|tml"
_IDS = "tmr|rdr|req|acct|cus|pi|pm|seti|evt|txn|tok|card|src|loc|ch"
_FOLDER = r"[^/\\\s\"']"
_WITH_BLANKS = (
    rf"{_FOLDER}{{1,60}}(?: [^/\\\s\"':=]{{1,40}}){{1,4}}(?=[/\\])"
    rf"|{_FOLDER}{{1,60}}(?: [A-Z][^/\\\s\"':=]{{0,40}}){{1,4}}(?=[\"'\n]|$)"
)
"""A folder whose name has blanks: it goes on to the next folder, or to the end with a capital at each word."""

PATTERNS: tuple[tuple[str, str], ...] = (
    ("payload", r"(?i:\b(?:request|response|payload|body|params|args))[\"']?\s{0,2}[=:]\s{0,2}[\"']?[{\[].*"),
    ("url", r"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,15}://[^\s\"'<>)}\],]+"),
    ("octets", OCTETS),
    ("pair", PAIR),
    ("jwt", r"(?<![\w.\-])eyJ[\w\-]{5,}(?:\.[\w\-]*){0,4}"),
    ("bearer", r"(?P<scheme>\b(?i:bearer)\s{1,3})(?:(?=[A-Za-z._~+/\-]{0,60}\d)[\w.~+/\-]{8,}|[\w.~+/\-]{20,})={0,2}"),
    ("email", r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,5}"),
    (
        "id",
        rf"(?<![A-Za-z0-9_])(?:(?:{_SECRETS})_\w{{3,}}|(?:{_IDS})_(?=[a-z]{{0,40}}[A-Z0-9])[A-Za-z0-9]{{8,}}(?:_secret_\w+)?)",
    ),
    ("token", r"(?<![A-Za-z0-9_])[a-z]{2,6}_(?=[A-Za-z]{0,40}\d)[A-Za-z0-9]{8,}"),
    ("app", rf"\b(?:com|org|net|io|de|fr|uk|eu|co|app)\.(?!(?:{COMMON})\b)[a-z]\w{{1,40}}(?:\.\w{{1,40}}){{0,6}}"),
    ("uuid", r"(?i:\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"),
    ("serial", rf"(?i:{_PREFIXES})[-A-Za-z0-9]{{2,}}"),
    ("masked", r"(?i:\b(?:xx[:\-]){2,4}(?P<tail>[0-9a-f]{2}[:\-][0-9a-f]{2})\b)"),
    ("hidden", r"(?<![*•])[*•]{2,}[ \-]?[A-Za-z0-9]{1,6}\b"),
    ("dump", r"(?i:\b(?:[0-9a-f]{2}[ ,]){6,}[0-9a-f]{2}\b|\b(?:0x[0-9a-f]{2}[ ,]{1,2}){5,}0x[0-9a-f]{2}\b)"),
    ("hexes", r"(?i:\b(?:[0-9a-f]{2}[:\-]){6,}[0-9a-f]{2}\b)"),
    (
        "triples",
        r"(?i:(?<![\w.\-])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|(?<![\w.\-])(?=[0-9\-]{0,14}[a-f])(?:[0-9a-f]{4}-){2}[0-9a-f]{4})(?![\-.]?\w)",
    ),
    ("address", r"(?i:(?:addr:)?[0-9a-f]{2}(?P<sep>[:\-_. ]|%3a)(?:[0-9a-f]{2}(?P=sep)){4}[0-9a-f]{2})"),
    ("hex", r"(?i:(?:addr:)?(?:0x)?(?=[0-9]{0,40}[a-f])[0-9a-f]{12,})"),
    ("ipv4", r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\w|\.\d)"),
    (
        "ipv6",
        r"(?i:(?<![\w:])(?:(?:(?:[0-9a-f]{1,4}:){4,7}|(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}:){0,5})[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){2,6}:)(?![\w:]))",
    ),
    ("device", r"\b\w+['’]s (?:i[Pp]hone|i[Pp]ad|Mac\w*|Galaxy|Pixel|phone|tablet)\b"),
    ("folder", rf"(?P<above>[/\\]{{1,4}}(?:home|Users|user)[/\\]{{1,4}})(?:{_WITH_BLANKS}|{_FOLDER}+)"),
    ("place", r"-?\d{1,3}\.\d{4,}\s?,\s?-?\d{1,3}\.\d{4,}"),
    ("blob", r"(?<![A-Za-z0-9+/_\-])(?=[A-Za-z+/_\-]*\d)(?=[a-z0-9+/_\-]*[A-Z])[A-Za-z0-9+/_\-]{32,}={0,2}"),
    ("number", r"(?<!\d)(?:\d{13,19}|\d{4}(?P<gap>[ \-])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7})(?!\d)"),
)
"""Name ↔ pattern, in the order in which they are tried where several would begin at one place."""

CUT_ADDRESS = re.compile(r"(?i:(?<![0-9a-f:\-])[0-9a-f]{2}(?P<sep>[:\-])(?:[0-9a-f]{2}(?P=sep)){2,4}[0-9a-f]{0,2}\Z)")
"""An address whose end is missing where a text was cut."""

_KEPT_OF_VERSIONS = ("ipv4", "ipv6", "blob", "number", "place", "hidden", "dump")
"""Shapes that a version number may have by chance."""


def compiled(names: Iterable[str], words: Iterable[str] = (), *, of_versions: bool = False) -> re.Pattern[str]:
    """One pattern of everything to be found. `names` are known ones as they may be written, which go first.

    `words` are names that count where they stand by themselves, and not within a longer word. `of_versions`: for text
    that is a version number, which keeps what only looks like an address.
    """
    chosen = [
        f"(?P<{name}>{pattern})" for name, pattern in PATTERNS if not of_versions or name not in _KEPT_OF_VERSIONS
    ]
    apart = _alternatives(words)
    known = [each for each in (_alternatives(names), rf"(?<![^\W_])(?:{apart})(?![^\W_])" if apart else "") if each]
    return re.compile("|".join([f"(?P<known>(?i:{'|'.join(known)}))", *chosen] if known else chosen), re.DOTALL)


def written(name: str) -> set[str]:
    """The ways in which a text may hold a name: as it is, composed or not, escaped for JSON, as part of a URL."""
    forms = {name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))}
    escaped = {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
    forms |= {form.replace(" ", "_") for form in forms} | {form.replace("_", " ") for form in forms}  # as iOS writes
    return {*forms, *escaped, *(quote(form) for form in forms), *(quote(form, safe="") for form in forms)}


def _alternatives(names: Iterable[str]) -> str:
    """The names as one pattern, the longest first; by their first character, so that most are never tried."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names), key=lambda name: (-len(name), name)):
        groups.setdefault(name[0], []).append(name)
    parts = [f"(?={re.escape(first)})(?:{'|'.join(map(re.escape, members))})" for first, members in groups.items()]
    return "|".join(parts)


def luhn(digits: str) -> bool:
    """Whether a number ends in the check digit that card numbers have (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed([int(char) for char in digits])):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
