"""Where words are the call of a callback, and not a sentence about one.

Whoever logs a callback begins with its name, and goes on with its arguments: `onX`, `onX(…)`, `onX: …`, `onX REASON`,
`onX reason=…`. Apps also write that they register it, that it is not set, or that it is of no use: nothing happened.
"""

_BEGINNINGS = (
    r"\[[^\]\n]{0,60}\]",  # [Tag]
    r"\([^)\n]{0,60}\)",
    r"<[^>\n]{0,60}>",
    r"[\w.$-]{1,60}\s{0,3}(?:->|=>|::|[:：|>#])",  # Tag: and Class#
    r"[A-Za-z_$][\w$]{0,60}\.",  # listener.
    r"[^\w\s(\[<]++",  # arrows, bullets, emoji
)

HEAD = rf"^(?:(?:{'|'.join(_BEGINNINGS)})\s{{0,3}}){{0,8}}"
"""What may stand before the name of a callback: tags, classes and ornaments, but no words of a sentence."""

_ARGUMENTS = (
    r"$",
    r"[(（{\[]",
    r"[:：,;.!…—–✅❌⚠]",
    r"(?:->|=>|→|<-|⇒|-)\s",
    r"[A-Z][A-Z_]+\b",
    r"\d",
    r"\w+=",
)
_DENIALS = r"(?:(?:is\s|was\s|has\s)?(?:not|un(?:set|registered|defined|used))\b|null\b|nil\b|none\b|false\b)"

TAIL = rf"(?!\w)(?![=\s:：(]*{_DENIALS})(?=[\"'`]?\s*(?:{'|'.join(_ARGUMENTS)}))"
"""What follows the name where it is called: nothing, or arguments; `=false` and `: not set` are none."""
