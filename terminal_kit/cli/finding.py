"""What `doctor` finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at. `good` is None where nobody can tell; `advice` is how to get what is missing."""

    what: str
    good: bool | None
    words: str
    advice: str = ""
