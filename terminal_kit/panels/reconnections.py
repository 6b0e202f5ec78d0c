"""`ReconnectionPanel`: how long drops last, as the share of readers that were back after so many seconds (X6)."""

from typing import Any

from terminal_kit.analysis import median_s, share_back
from terminal_kit.errors import InvalidParameterError
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.view import View


class ReconnectionPanel(Panel):
    """A step at each return, a cross where a reader was given up or is still awaited (censored, not ignored)."""

    _esm = script("reconnections")
    name = "reconnections"

    def draw(self, view: View) -> Picture:
        """The curve's corners; whole seconds for those still gone, so that it is not redrawn all the time."""
        returns = [(seconds if back else float(int(seconds)), back) for seconds, back in view.returns()]
        curve = share_back([seconds for seconds, _ in returns], [back for _, back in returns])
        middle_s = median_s(curve)
        gone = sum(not back for _, back in returns)
        return {
            "steps": [[step.seconds, step.share] for step in curve],
            "gone": [[step.seconds, step.share] for step in curve if step.still_gone],
            "until_s": curve[-1].seconds if curve else 0.0,
            "median_s": middle_s,
            "words": _words(len(returns), gone, middle_s),
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """A chart only shows."""
        raise InvalidParameterError(f"the chart has no command {command!r}", parameter="command")


def _words(count: int, gone: int, middle_s: float | None) -> str:
    if not count:
        return ""
    if count == 1:
        return "1 drop: not back so far (+)." if gone else f"1 drop: back after {middle_s:.1f} s."
    half = "fewer than half are back" if middle_s is None else f"half are back after {middle_s:.1f} s"
    missing = f"; {gone} not back (+)" if gone else ""
    return f"{count} drops: {half}{missing}."
