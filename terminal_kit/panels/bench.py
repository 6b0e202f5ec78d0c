"""`bench()`: everything on one page, in one call."""

# ipywidgets has no annotations.
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

import os
from typing import Any, cast

import ipywidgets

from terminal_kit.eventlog import default_log_path
from terminal_kit.events import RadioName
from terminal_kit.panels.connection import ConnectionPanel
from terminal_kit.panels.disconnects import DisconnectLogPanel
from terminal_kit.panels.discovery import DiscoveryPanel
from terminal_kit.panels.overview import OverviewPanel
from terminal_kit.panels.painter import Painter
from terminal_kit.panels.panel import Panel
from terminal_kit.panels.reconnections import ReconnectionPanel
from terminal_kit.panels.signal import SignalPanel
from terminal_kit.panels.trainer import TrainerPanel
from terminal_kit.panels.update import UpdatePanel
from terminal_kit.session import Session

_OPEN: dict[str, "Bench"] = {}
"""The open benches by name. Running a cell again must find the one it made before, or two would live on."""

_PLACES: tuple[tuple[type[Panel], int], ...] = (
    (OverviewPanel, 12),
    (DiscoveryPanel, 5),
    (SignalPanel, 7),
    (ConnectionPanel, 4),
    (UpdatePanel, 4),
    (ReconnectionPanel, 4),
    (DisconnectLogPanel, 7),
    (TrainerPanel, 5),
)
"""The panels from top to bottom, with their widths in twelfths of the page."""


class Bench(ipywidgets.Box):
    """The panels on one page. It owns its session: `close()` ends both; safe to repeat."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.painter = Painter(session)
        # A trainer has nothing to do on a real radio: there the log has its place.
        places = [(kind, width) for kind, width in _PLACES if session.air is not None or kind is not TrainerPanel]
        self.panels = {kind.name: kind(session, painter=self.painter) for kind, _ in places}
        for kind, width in places:
            alone = kind is DisconnectLogPanel and session.air is None
            self.panels[kind.name].add_class(f"tk-span-{12 if alone else width}")
        grid = ipywidgets.Box(children=tuple(self.panels.values()))
        grid.add_class("tk-bench")
        super().__init__(children=(grid,))
        self.add_class("tk-page")

    def close(self) -> None:
        """Takes the page down, then ends the session and waits for it."""
        self.painter.close()
        for panel in self.panels.values():
            panel.close()
        grids = cast("tuple[Any, ...]", self.children)
        for grid in grids:
            grid.close()
        super().close()
        self.session.close()


def bench(radio: RadioName | None = None, *, name: str = "bench", **session: Any) -> Bench:
    """A bench with a session of its own, ready to be shown: make it the last line of a cell.

    `radio`: "simulated", "native" or "virtual"; by default what `terminal-kit lab --radio …` chose, else simulated.
    `session` are `Session`'s parameters; without `log` it records to the user's own log (`log=None` for none). Running
    the cell again closes the bench of this `name`, waits for it, and opens a new one; while an update is installed it
    gives the same bench again, since closing it would break the update off (U9).
    """
    if (before := _OPEN.get(name)) is not None:
        if before.session.terminal.installation is not None:
            return before
        del _OPEN[name]
        before.close()
    chosen = radio or cast("RadioName", os.environ.get("TERMINAL_KIT_RADIO", "simulated"))
    if "log" not in session:
        session["log"] = default_log_path()
    for setting in ("feed", "feed_key"):
        session.setdefault(setting, os.environ.get(f"TERMINAL_KIT_{setting.upper()}"))
    life = Session(chosen, **session)
    life.start()
    try:
        made = Bench(life)
    except BaseException:
        life.close()
        raise
    _OPEN[name] = made
    return made
