"""What the lines of a log tell, as events: tables of patterns, and the state that joins one line to another.

`telling.py` holds what is known so far and writes rows. `discovery.py`, `relation.py`, `link.py`, `updating.py` and
`facts.py` each keep one topic; `sdk_table.py` and `phone_table.py` say which line belongs to which of them, and
`calls.py` tells the call of a callback from a sentence about one.
"""

from terminal_kit.importers.sdk_logs.stories.story import OF_INTEREST, Story, foreign_body, foreign_tag, others_tag
from terminal_kit.importers.sdk_logs.stories.telling import Entry

__all__ = ["OF_INTEREST", "Entry", "Story", "foreign_body", "foreign_tag", "others_tag"]
