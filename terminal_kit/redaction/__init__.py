"""Giving evidence away: stable pseudonyms for addresses, names and serial numbers, and no payloads.

`pseudonyms.py` makes them under a key, `patterns.py` knows what names somebody by its shape, `keys.py` by the key
before it, `learning.py` gathers the names that texts and facts tell. `redactor.py` goes through texts, facts and rows,
`frames.py` and `logs.py` through frames and whole logs.
"""

from terminal_kit.redaction.frames import redact
from terminal_kit.redaction.logs import learn_log, redact_log
from terminal_kit.redaction.redactor import Redactor

__all__ = ["Redactor", "learn_log", "redact", "redact_log"]
"""`Redactor` is also what an import at the door may use: `columns()`, `source()`, `aliases()`."""
