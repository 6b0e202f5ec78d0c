"""`OverviewPanel`: which radio, which log and whether it records, since when, and what ails the host."""

from pathlib import Path
from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.view import View
from terminal_kit.words import HOST_FAULTS, RADIOS, visible


class OverviewPanel(Panel):
    """The bench's top line."""

    _esm = script("overview")
    name = "overview"

    def draw(self, view: View) -> Picture:
        """Words for the radio, the recording and the host."""
        fault = view.host_fault
        if view.log is None:
            record, record_help = "○ no log: nothing is kept", "Pass log=… to keep what happens."
        elif view.log_fault is not None:
            record, record_help = f"✕ not recording: {visible(view.log_fault)}", visible(view.log)
        else:
            record, record_help = f"● recording to {visible(Path(view.log).name)}", visible(view.log)
        return {
            "radio_words": RADIOS[view.radio],
            "record": record,
            "record_help": record_help,
            "record_failed": view.log_fault is not None,
            "started_us": view.started_us,
            "host_fault": HOST_FAULTS.get(fault, visible(fault)) if fault else None,
            "offline": view.internet is False,
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """It only tells."""
        raise InvalidParameterError(f"the overview has no command {command!r}", parameter="command")
