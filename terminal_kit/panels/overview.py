"""`OverviewPanel`: which radio, which log and whether it records, since when, and what ails the host."""

import os
from pathlib import Path
from typing import Any, cast

from terminal_kit.errors import InvalidParameterError
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.radio import HostFault
from terminal_kit.radio.translation import host_error
from terminal_kit.view import View
from terminal_kit.words import HOST_FAULTS, RADIOS, visible

_OFFLINE = "No internet: a reader that needs it will leave. Check the host's network."


class OverviewPanel(Panel):
    """The bench's top line."""

    _esm = script("overview")
    name = "overview"

    def draw(self, view: View) -> Picture:
        """Words for the radio, the recording and the host."""
        name = "" if view.log is None else visible(Path(view.log).name)
        if view.log is None:
            record, record_help = "○ no log: nothing is kept", "Pass log=… to keep what happens."
        elif view.log_fault is not None:
            record, record_help = f"✕ not recording: {visible(view.log_fault)}", visible(view.log)
        else:
            record, record_help = f"● recording to {name}", visible(view.log)
        fleeting = name and on_binder()
        ailments = [_host(view.host_fault), _OFFLINE if view.internet is False else ""]
        return {
            "radio_words": RADIOS[view.radio],
            "record": record,
            "record_help": record_help,
            "record_failed": view.log_fault is not None,
            "started_us": view.started_us,
            "ailments": [words for words in ailments if words],
            "hint": f"On Binder the log is temporary: download {name} before you leave." if fleeting else "",
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """It only tells."""
        raise InvalidParameterError(f"the overview has no command {command!r}", parameter="command")


def on_binder() -> bool:
    """Whether this is a machine that is thrown away with all that is on it."""
    return "BINDER_SERVICE_HOST" in os.environ or "BINDER_REPO_URL" in os.environ


def _host(fault: str | None) -> str:
    """What keeps the host's radio from being used, and what to do (D5); one of a newer version as it is."""
    if not fault:
        return ""
    if fault not in HOST_FAULTS:
        return visible(fault)
    named = HOST_FAULTS[fault]
    return f"{named[:1].upper()}{named[1:]}. {host_error(cast('HostFault', fault)).hint}"
