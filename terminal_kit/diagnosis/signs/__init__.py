"""The signs by which causes are told: one table, by topic."""

from terminal_kit.diagnosis.signs.codes import CODES
from terminal_kit.diagnosis.signs.heard import HEARD
from terminal_kit.diagnosis.signs.host import DONE
from terminal_kit.diagnosis.signs.mute import MUTE
from terminal_kit.diagnosis.signs.reader import LIVED
from terminal_kit.diagnosis.signs.said import SAID
from terminal_kit.diagnosis.signs.sign import Seen, Sign

__all__ = ["SIGNS", "Seen", "Sign"]

SIGNS: tuple[Sign, ...] = (*SAID, *CODES, *MUTE, *HEARD, *LIVED, *DONE)
"""All of them. Their weights are log-odds, set from what the sources say and tuned on generated incidents."""
