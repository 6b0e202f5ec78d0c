"""A sign: something seen at an incident that speaks for some causes and against others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from terminal_kit.diagnosis.facts import Facts
from terminal_kit.events import Cause


class Seen(NamedTuple):
    """What was seen, in words with its numbers, and the row that says it; `record` is another one of the same file."""

    text: str
    place: int | None = None
    record: int | None = None


Look = Callable[[Facts], Seen | None]


@dataclass(frozen=True, slots=True)
class Sign:
    """`weights` are log-odds for a cause (negative: against) where `look` sees something."""

    name: str
    look: Look
    weights: Mapping[Cause, float]


def sign(signs: list[Sign], **weights: float) -> Callable[[Look], Look]:
    """Puts a function among `signs`; `weights` by the names of causes."""
    known = {Cause(name): weight for name, weight in weights.items()}

    def add(look: Look) -> Look:
        signs.append(Sign(look.__name__, look, known))
        return look

    return add
