"""One form for all benchmarks."""

from typing import NamedTuple


class Table(NamedTuple):
    """What was measured: a title, the columns' names, and rows of words."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        """As it stands in a README."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join([f"### {self.title}", "", *(f"| {' | '.join(line)} |" for line in lines)])
