"""What the door and an importer agree on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from terminal_kit.eventlog import Columns
from terminal_kit.importers.report import Report

OnProgress = Callable[[int], None]
"""Called now and then with how many more bytes were read."""


class Reading(Protocol):
    """Some files of one phone, being read as one timeline. Iterate `batches()` to its end, then ask for the rest."""

    @property
    def reports(self) -> Sequence[Report]:
        """One for each file, in the order given; complete when the batches are through."""
        ...

    @property
    def app(self) -> str | None:
        """The version of the SDK or of the phone's Bluetooth stack, where the files tell."""
        ...

    def batches(self) -> Iterator[Columns]:
        """The events as columns; `source` counts the files from 0. Rows come roughly in the order of time."""
        ...

    def aliases(self) -> Mapping[str, str]:
        """Names that were found to be one device: alias → reader."""
        ...
