"""One table for all benchmarks."""

from typing import NamedTuple


class Row(NamedTuple):
    """One line: what was measured, ours, the peer's, and how they compare."""

    what: str
    ours: str
    peer: str
    ratio: str


def markdown(rows: list[Row]) -> str:
    """The rows as a markdown table."""
    lines = ["| what | ours | peer | ratio |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
