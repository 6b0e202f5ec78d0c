"""What stands before a line's own words: time, level, tag, package, process. One table of the shapes that are met.

The shapes are those of Android's logcat and Android Studio, Xcode's console and the phone's syslog, Metro and Expo,
Capacitor, and of apps that write files of their own. A line with none of them is `bare`.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from terminal_kit.importers.sdk_logs.stamps import CLOCK_TEXT, DATE_STRING, DATED, SYSLOG, Stamp, stamp_of
from terminal_kit.importers.sdk_logs.wrappings import clean, peeled, row_of


class Line(NamedTuple):
    """One line taken apart. `shape` names its envelope; `own_time` is what the envelope says of the time."""

    shape: str
    stamp: Stamp | None
    level: str
    tag: str
    pid: int | None
    body: str


class Shape(NamedTuple):
    """One row of the table: how it is called, which lines it takes, and which system writes such lines."""

    name: str
    system: str
    pattern: re.Pattern[str]


_LEVEL = r"(?P<level>[VDIWEFA])"
_BODY = r"(?P<body>.*)"
_PID = r"\(\s*(?:\w+:\s*)?(?P<pid>\d+)\)"
_SECONDS = r"\s*(?:(?P<epoch>\d{10})|\d{1,9})\.(?P<fraction>\d{3,9})"
"""Since 1970, or since the phone was switched on: that is no time."""

LONG = "android long"
"""Its head stands on a line of its own, before those of the message."""


def _shape(name: str, system: str, pattern: str) -> Shape:
    return Shape(name, system, re.compile(pattern, re.DOTALL))


SHAPES: tuple[Shape, ...] = (
    _shape(
        "android threadtime",
        "android",
        rf"\s*{CLOCK_TEXT}\s+(?:[\w.]+\s+)?(?P<pid>\d+)\s+\d+\s+{_LEVEL}\s+(?P<tag>[^:]*?)\s*:(?:\s(?=\S)|(?=\s)|$)?{_BODY}",
    ),
    _shape(
        "android studio",
        "android",
        rf"\s*{CLOCK_TEXT}\s+(?P<pid>\d+)(?:-\d+)?/\S+\s+{_LEVEL}/(?P<tag>[^:]*?)\s*:\s?{_BODY}",
    ),
    _shape(
        "android studio columns",
        "android",
        rf"\s*{CLOCK_TEXT}\s+(?P<pid>\d+)-\d+\s+(?P<tag>\S+(?: \S+)*?)\s+(?:\S+)\s+{_LEVEL}(?:\s\s|\s|$){_BODY}",
    ),
    _shape("android time", "android", rf"\s*{CLOCK_TEXT}\s+{_LEVEL}/(?P<tag>[^:(]*?)\s*(?:{_PID})?:\s?{_BODY}"),
    _shape(
        "ios console",
        "ios",
        rf"\s*{CLOCK_TEXT}\s*(?P<app>[^\[\]:]{{1,80}})\[(?P<pid>\d+)(?::[0-9a-fx]+)?\]\s*(?:\[(?P<tag>[^\]]*)\]\s?)?{_BODY}",
    ),
    _shape(
        LONG,
        "android",
        rf"\[\s*{CLOCK_TEXT}\s+(?:\w+:\s*)?(?P<pid>\d+):\s*\w+\s+{_LEVEL}/(?P<tag>[^\]]*?)\s*\]\s*(?P<body>)$",
    ),
    _shape("app log (dated)", "app", rf"\s*\[?{CLOCK_TEXT}\]?,?\s*(?P<tag>Log\.[a-z]\b)?\s*{_BODY}"),
    _shape("app log (date string)", "app", rf"\s*{DATE_STRING}\s+(?:(?P<tag>[^\s-]+)-(?P<pid>\d+)\s)?{_BODY}"),
    _shape(
        "ios syslog",
        "ios",
        rf"{SYSLOG}\s+\S+\s+(?P<tag>[^\[\]]{{1,80}})\[(?P<pid>\d+)\](?:\s+<\w+>)?:\s?{_BODY}",
    ),
    _shape(
        "android epoch",
        "android",
        rf"{_SECONDS}\s+(?:[\w.]+\s+)?(?P<pid>\d+)\s+\d+\s+{_LEVEL}\s+(?P<tag>[^:]*?)\s*:(?:\s(?=\S)|(?=\s)|$)?{_BODY}",
    ),
    _shape("android epoch", "android", rf"{_SECONDS}\s+{_LEVEL}/(?P<tag>[^:(]*?)\s*(?:{_PID})?:\s?{_BODY}"),
    _shape("android brief", "android", rf"{_LEVEL}/(?P<tag>[^():]{{1,80}}?)\s*(?:{_PID})?:\s?{_BODY}"),
    _shape("android process", "android", rf"{_LEVEL}\(\s*(?P<pid>\d+)\)\s{_BODY}\s\s\((?P<tag>[^()]{{1,80}})\)$"),
    _shape("android thread", "android", rf"{_LEVEL}\(\s*(?P<pid>\d+)(?::\s*\d+)?\)\s{_BODY}"),
    _shape(
        "android compact",
        "android",
        rf"(?:\.\.\.\s+)?(?P<tag>\S*(?:\.\.\.|Terminal)\S*)\s+(?:\S+\s+)?{_LEVEL}\s\s{_BODY}",
    ),
    _shape("android level only", "android", rf"{_LEVEL}\s\s{_BODY}"),
    _shape("capacitor", "capacitor", rf"(?P<tag>⚡️?)\s*{_BODY}"),
    _shape("react native metro", "react_native", rf"\s?(?P<level>LOG|WARN|ERROR|INFO|DEBUG)\s{{1,2}}{_BODY}"),
    _shape("react native expo", "react_native", r"(?P<body>\[Stripe [tT]erminal\]:?.*)"),
    _shape("android bracket tag", "android", rf"\[(?P<tag>[A-Za-z_][\w.$@-]*)\]\s{_BODY}"),
    _shape("ios listener", "ios", r"\"(?P<body>[lsh] .*?)\"?,?$"),
    _shape("ios bare", "ios", r"(?P<body>(?:[lsh] )?(?=[a-z]\w*=)(?=.*\b(?:scope|event|logpoint_level|log_level)=).*)"),
    _shape("android bare", "android", r"(?P<body>(?:c?lass|message)=.*)"),
)
"""Most telling first: the first that takes a line names it."""

BARE = "bare"
SYSTEMS = {shape.name: shape.system for shape in SHAPES} | {BARE: "app"}

_DIGIT_SHAPES = tuple(shape for shape in SHAPES if CLOCK_TEXT in shape.pattern.pattern)
_LETTER_SHAPES = tuple(shape for shape in SHAPES if CLOCK_TEXT not in shape.pattern.pattern)
_LEVELS = {
    "V": "V",
    "D": "D",
    "I": "I",
    "W": "W",
    "E": "E",
    "F": "F",
    "A": "F",
    "LOG": "I",
    "INFO": "I",
    "WARN": "W",
} | {
    "ERROR": "E",
    "DEBUG": "D",
}
_APPS = frozenset(shape.name for shape in SHAPES if shape.system == "app")
_BRACKETED = re.compile(r"\s*\[StripeTerminal\]\s*")


def take_apart(text: str) -> Line:
    """A line's envelope and body, without what it is wrapped in. Never fails: what has no envelope is all body."""
    text = clean(text)
    line = _enveloped(row_of(text) or text)
    if line is None:
        line = next(filter(None, map(_enveloped, peeled(text))), None)
    if line is None:
        return Line(BARE, None, "", "", None, text.strip())
    if line.shape in _APPS and not line.tag:
        # An app, or whoever collected the lines, put its own time before another envelope.
        inner = next(filter(None, map(_enveloped, (line.body, *peeled(line.body)))), None)
        if inner is not None and inner.body != line.body:
            return inner._replace(stamp=inner.stamp or line.stamp)
    return line


def is_enveloped(text: str) -> bool:
    """Whether a line has a known envelope, and nothing around it."""
    return _enveloped(text) is not None


def _enveloped(text: str) -> Line | None:
    for shape in _DIGIT_SHAPES if DATED.match(text) else _LETTER_SHAPES:
        if found := shape.pattern.match(text):
            return _line(shape.name, found)
    return None


def _line(name: str, found: re.Match[str]) -> Line:
    parts = found.groupdict()
    tag, body = _text(parts.get("tag") or ""), parts["body"].rstrip()
    if nested := _BRACKETED.match(body):  # a console that names the part of the app in the text itself
        tag, body = "StripeTerminal", body[nested.end() :]
    pid = parts.get("pid")
    return Line(
        name,
        stamp_of(parts) if parts.get("hour") or parts.get("epoch") else None,
        _LEVELS.get(parts.get("level") or "", ""),
        tag,
        int(pid[:9]) if pid else None,
        body,
    )


@lru_cache(maxsize=4096)
def _text(tag: str) -> str:
    """Tags repeat: one object for each, and what Studio elides is filled in where it can be only one."""
    head, dots, tail = tag.partition("...")
    known = ("StripeTerminal", "BluetoothGatt", "BluetoothLeScanner", "BluetoothAdapter", "ReactNativeJS")
    if dots and (head or tail):
        return next((name for name in known if name.startswith(head) and name.endswith(tail)), tag)
    return tag
