"""The case: one page to send on, with the timeline, the verdicts, the frames that show them, and notes.

`gathering.py` takes from a log what the page tells, `page.py` writes it as HTML that opens without a network.
"""

from terminal_kit.case.gathering import Case, gather
from terminal_kit.case.page import render

__all__ = ["Case", "gather", "render"]
