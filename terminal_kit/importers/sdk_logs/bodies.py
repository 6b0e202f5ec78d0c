"""A line's own words: Android's `class=X message="…"`, iOS's `l scope=… event=…`, React Native's codes and payloads.

All become one `Saying`: who speaks (`subject`), what it says (`words`), and the pairs around it.
"""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from terminal_kit.importers.sdk_logs.payloads import payload_of

PAIRS = 200
"""Pairs that are read of one line; more than any line of an SDK has."""

_KEY = re.compile(r"(?:^|(?<=[ \t\n]))([A-Za-z_][\w.-]*)=")
_QUOTED_END = re.compile(r"\"(?=\s+[A-Za-z_][\w.-]*=|\s*$)")
_OF_WORDS = f"{string.ascii_letters}{string.digits}_.*:+-"
_ANDROID = re.compile(r"^(?:c?lass|message)=")
_IOS = re.compile(r"(?:^|\s)\"?(?P<kind>[lsh]) (?=\w+=)")
_IOS_BARE = re.compile(
    r"^(?=[a-z]\w*=)(?=.*\b(?:scope=SCP|scope=BB|logpoint_level=|log_level=|bb_error_type=))", re.DOTALL
)
_RN = re.compile(r"['\"]?\[Stripe [tT]erminal\]:?\s*(?P<code>[A-Za-z_][\w.]*)?['\"]?,?\s*(?P<rest>.*)", re.DOTALL)
_CAPACITOR = re.compile(
    r"^(?:To Native\s*->\s*(?P<plugin>\w+) (?P<method>\w+).*|TO JS (?P<answer>.*)|\[(?P<level>\w+)\] - (?P<told>.*)"
    r"|To native \(Capacitor plugin\): callbackId: \S+, pluginId: (?P<plugin2>\w+), methodName: (?P<method2>\w+).*)",
    re.DOTALL,
)
_BRACKETS = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}


@dataclass(slots=True)
class Saying:
    """What one line says. `sdk`: whose line it is (`android`, `ios`, `react_native`, `capacitor`), empty for others.

    `headline` is what the tables of stories look at: the subject, a space, and the words.
    """

    sdk: str
    subject: str
    words: str
    pairs: Mapping[str, str] = field(default_factory=dict[str, str])
    payload: Any = None
    cut: bool = False

    @property
    def headline(self) -> str:
        """Subject and words, as the stories' patterns expect them."""
        return f"{self.subject} {self.words}"


def pairs_of(text: str) -> tuple[dict[str, str], bool]:
    """Android's `key=value` pairs in their order, and whether the last quote is missing.

    Quotes within a quoted value are not escaped: it goes on to the quote before the next key, or at the end; without
    its last quote it is cut, and the word at which it ends is left out. Brackets hold a value together.
    """
    pairs: dict[str, str] = {}
    found = _KEY.search(text)
    while found and len(pairs) < PAIRS:
        key, begin = found[1], found.end()
        if text.startswith('"', begin):
            end = _QUOTED_END.search(text, begin + 1)
            if end is None:
                pairs.setdefault(key, text[begin + 1 :].rstrip(_OF_WORDS))
                return pairs, True
            pairs.setdefault(key, text[begin + 1 : end.start()])
            found = _KEY.search(text, end.end())
            continue
        following = _next_key(text, begin)
        pairs.setdefault(key, text[begin : following.start() if following else len(text)].strip())
        found = following
    return pairs, False


def saying_of(body: str) -> Saying | None:
    """What a body says, where it has the form of one of the SDKs; None where it has not."""
    if _ANDROID.match(body):
        return _android(body)
    if "[Stripe" in body and (found := _RN.search(body)):
        return _react_native(found)
    if (found := _IOS.search(body)) and (found.start() == 0 or "scope=" in body):
        return _ios(body[found.end() :], found["kind"])
    if _IOS_BARE.match(body):
        return _ios(body, "l")
    if (found := _CAPACITOR.match(body)) is not None:
        return _capacitor(found)
    return None


def _android(body: str) -> Saying:
    pairs, cut = pairs_of(body)
    subject = pairs.pop("class", None) or pairs.pop("lass", "")
    words = pairs.pop("message", "").strip()
    if not words:
        words = next(iter(pairs), "")
    payload = payload_of(words) if "{" in words or "[" in words else None
    return Saying("android", subject, words, pairs, payload, cut)


def _ios(text: str, kind: str) -> Saying:
    pairs = {key: value for key, found, value in (word.partition("=") for word in text.rstrip('",').split()) if found}
    if kind == "h":
        return Saying("ios", "health", pairs.get("name", ""), pairs)
    subject = pairs.pop("scope", "")
    words = pairs.pop("event", "") or ("command" if kind == "s" else "")
    return Saying("ios", subject, words, pairs)


def _react_native(found: re.Match[str]) -> Saying:
    code, rest = found["code"] or "", found["rest"].strip()
    rest = re.sub(r",?\s*undefined$", "", rest)
    payload = payload_of(rest)
    words = f"{code} {rest}".strip()
    pairs = {"argument": rest.strip("'\" ,")} if rest and payload is None else {}
    return Saying("react_native", "rn", words, pairs, payload)


def _capacitor(found: re.Match[str]) -> Saying | None:
    plugin = found["plugin"] or found["plugin2"]
    if plugin:
        if "stripe" not in plugin.lower() and plugin != "App":
            return None
        return Saying(
            "capacitor", "capacitor" if plugin != "App" else "capacitor-app", found["method"] or found["method2"]
        )
    if found["told"] is not None:
        return Saying("capacitor", "app", found["told"])
    return Saying("capacitor", "capacitor-answer", found["answer"] or "", payload=payload_of(found["answer"] or ""))


def _next_key(text: str, begin: int) -> re.Match[str] | None:
    """The next key that stands outside all brackets."""
    depth, place = 0, begin
    for found in _KEY.finditer(text, begin):
        depth += sum(_BRACKETS.get(char, 0) for char in text[place : found.start()])
        place = found.start()
        if depth <= 0:
            return found
    return None
