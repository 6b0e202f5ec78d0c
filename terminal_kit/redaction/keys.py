"""Which keys of a pair name somebody, which hold payloads, and how a pair stands in a text.

SDKs and apps write pairs as `label=Theke`, `label="Theke am Markt"`, `"label": "Theke"`, `label: 'Theke'`, and within
a string of JSON with backslashes before the quotes.
"""

import re

COMMON = (
    "stripe|android|google|bbpos(?:stripe)?|facebook|apple|chromium|jetbrains|samsung|qualcomm|squareup|java|kotlin"
    "|wearable"
)
"""Makers whose packages stand in everybody's logs."""

_PART = (
    "reader|device|terminal|peripheral|bluetooth|ble|bt|wi_?fi|wlan|network|remote|peer|local|host|client|server|user"
    "|customer|employee|operator|owner|contact|merchant|store|shop|account|location|display|friendly|advertised"
    "|complete|short|full|first|last|connected|current|target|selected|stripe|shipping|billing|connection|access"
    "|refresh|auth|api|session|id"
)
"""Words that stand before the word that tells what a key holds: `reader_label`, `remoteAddress`."""

_OF = rf"(?:(?:{_PART})[_\-]?)"

_GIVEN = (
    rf"{_OF}{{0,2}}(?:label|nick_?name|b?ssid|e_?mail|phone(?:_?number)?|serial(?:_?(?:number|no))?"
    r"|(?:(?:mac|ip|hw|hardware|bd)_?)?addr(?:ess(?:_?line)?)?(?!:[0-9a-f]{2}:)|mac|line_?[12]|city|postal_?code|zip"
    rf"|device_?serial)|{_OF}{{1,2}}name"
)
"""Keys whose values were given to somebody or something by a person or a maker."""

_APP = r"app_?id|package(?:_?name)?|bundle(?:_?(?:id|identifier))?"
_ANY = (
    rf"{_OF}{{0,2}}(?:name|host|user|merchant|account|location)"
    rf"|(?:{_PART}|origin|install(?:ation)?|android|advertising)_?id"
)
"""Keys under which programs put names of their own parts, too."""

_CREDENTIALS = rf"{_OF}{{0,2}}(?:token|secret|password|passwd|passphrase|psk)|(?:api|secret|private)_?key|authorization"

GIVEN_KEY, APP_KEY, CREDENTIAL_KEY = (re.compile(keys, re.IGNORECASE) for keys in (_GIVEN, _APP, _CREDENTIALS))

NAME_KEY = re.compile(f"{_GIVEN}|{_APP}|{_ANY}|{_CREDENTIALS}", re.IGNORECASE)
"""Keys whose value names somebody or something, or opens a door."""

PAYLOAD_KEY = re.compile(
    r"(?:\w*_)?(?:payload|bytes|raw|pdu|data|manufacturer|advertis(?:ement|ing)|scan_?(?:record|response)|body"
    r"|unfit|unreadable|value|response|request|params|args|hex|dump)",
    re.IGNORECASE,
)
"""Keys under which what was sent stands, and not what was found out about it. Numbers there are kept."""

_IS = r"\\{0,3}[\"']?\s{0,2}(?:=>|[=:：])\s{0,2}(?:(?:Optional|Some)\()?"
_KEY_FOLLOWS = rf"(?=[A-Za-z][\w\-]{{1,60}}{_IS})"
"""A glance ahead: of the many places of a text, hardly any begins a pair."""

_HEALTH = r"(?!(?<=\bh )name=\w+ status=)"
"""iOS tells how parts of the host are with `h name=internet status=✔`."""

_QUOTED = (
    # A quote before a letter is an apostrophe, or one that nobody escaped.
    r"\"(?:[^\"\\\n]|\\[^\n]|\"(?=\w)){0,200}\"?"
    r"|'(?:[^'\\\n]|\\[^\n]|'(?=\w)){0,200}'?"
    r"|\\{1,3}\"(?:[^\"\\\n]|\\{1,3}[^\"\\\n]|\\{0,3}\"(?=\w)){0,200}(?:\\{1,3}\")?"
)
_FIRST = r"[^\s,;(){}\[\]\"'=\\]"
_APOSTROPHE = r"(?<=\w)'(?=\w)"
_COMMA = r",(?= ?[^=:,;(){}\[\]\n\"'\d]{1,40}(?:, ?\w{1,40}=|[)}]))"
"""Within a record stand pairs alone: what is none after a comma belongs to the value before."""

_NEXT = rf"(?:[^,;)}}\]\n\"'\\]|{_APOSTROPHE}|{_COMMA})"
_GOES_ON = r"(?:dis|re)?connect(?:ed|ing|s)|is|was|has|failed"
_END = (
    rf"(?=(?!{_COMMA})[,;)}}\]\n\"\\]|(?!{_APOSTROPHE})'"
    rf"|\s{{1,3}}(?:[\w.]{{1,40}}\s{{0,2}}[=:]|(?:{_GOES_ON})\b)|\s{{0,3}}$)"
)
_WORD = r"(?:[^\s,;(){}\[\]\"'\\]|" + _APOSTROPHE + ")"
_BARE = rf"{_FIRST}{_NEXT}{{0,100}}?{_END}|{_FIRST}{_WORD}{{0,200}}(?: (?![a-z]){_WORD}{{1,40}}){{0,4}}"
"""Without quotes a value ends before what closes a record, before the next key, and where a sentence goes on."""

_VALUE = f"{_QUOTED}|{_BARE}"
_BEGINS = "(?:(?<![A-Za-z])|(?<=[a-z0-9])(?=[A-Z]))"
"""Where a word of a key begins: `ssid=`, `wifi_ssid=`, `wifiSsid=`."""


def _pair(of_parts: str, of_whole_keys: str) -> str:
    keys = rf"(?i:{of_parts})|(?<![A-Za-z_])(?i:{of_whole_keys})"
    return rf"{_BEGINS}{_KEY_FOLLOWS}{_HEALTH}(?P<key>{keys})(?P<is>{_IS})(?P<value>{_VALUE})"


PAIR = _pair(f"{_GIVEN}|{_CREDENTIALS}", f"{_APP}|{_ANY}")
"""A pair that names somebody, wherever it stands: groups `key`, `is` and `value`, the latter with its quotes."""

NAMING = re.compile(_pair(_GIVEN, f"{_APP}|{_ANY}"))
"""The same without what opens doors."""

_SENT = (
    r"(?:(?:card|emv|tlv|apdu|hex|raw|scan|adv|advertising|service|manufacturer|request|response|packet|byte)_?){0,2}"
)
_HEX = r"(?:0x)?[0-9a-f]{2}"
_BASE64 = r"[a-z0-9+/_\-]{8,}={1,2}(?!\w)"
_OCTETS = rf"{_HEX}(?:[ :,\-]{{0,2}}{_HEX}){{2,}}[0-9a-f]?(?!\w)|{_BASE64}"
_NO_NUMBER = (
    r"(?:0x(?=[0-9a-f]{6})|(?=[0-9]{1,40}[a-f]|[a-f]{1,40}[0-9]|[a-f]{8}|[0-9]{17}))[0-9a-f]{6,}(?!\w)"
    rf"|{_HEX}(?:[ :,\-]{{1,2}}{_HEX}){{4,}}(?!\w)|-?\d{{1,3}}(?:\s?,\s{{0,2}}-?\d{{1,3}}){{3,}}"
    rf"|(?:[0-9a-f]{{4}} ){{2,}}[0-9a-f]{{2,4}}(?!\w)|{_BASE64}"
)
_SURE, _MAYBE = "hex|tlv|apdu|pdu|dump|payload", "bytes|raw|data|value|body|record|manufacturer"
_OPENS = rf"{_IS}\\{{0,3}}[\"']?"
OCTETS = (
    rf"{_BEGINS}{_KEY_FOLLOWS}(?i:(?P<under>{_SENT}(?:(?:{_SURE}){_OPENS}[\[(<]?|(?:{_MAYBE}){_OPENS}<)(?={_OCTETS})"
    rf"|{_SENT}(?:{_SURE}|{_MAYBE}){_OPENS}[\[(<]?(?={_NO_NUMBER}))(?:{_OCTETS}|{_NO_NUMBER}))"
)
"""Octets under a key (`under`) that says so: hexadecimal, as a list of numbers, or in Base64.

Under some keys stand octets alone; under others numbers stand, too, which are kept.
"""
