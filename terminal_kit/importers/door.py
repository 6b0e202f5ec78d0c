"""Where files come in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file."""


def import_files() -> list[ImportReport]:
    """Not yet."""
    raise NotImplementedError
