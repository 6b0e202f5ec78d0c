"""`TrainerPanel`: everything that can go wrong on the simulated air, each with its undo."""

from typing import Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.panels.panel import Panel, Picture, script
from terminal_kit.session import Session
from terminal_kit.simulator.air import Air
from terminal_kit.simulator.faults import FAULTS, ActiveFault, Fault
from terminal_kit.simulator.outcomes import OUTCOMES
from terminal_kit.view import View

UPDATE = "update"
"""The fault that has a place of its own in the panel."""

FROM_FEED = "Updates come from the feed that this bench was opened with."
"""Why the panel has none to give there: no reader would be asked for its own."""

_UNITS: dict[str, tuple[str, float, float]] = {
    "_m_s": ("m/s", 0.01, 1_000.0),
    "_m": ("m", 0.1, 10_000.0),
    "_s": ("s", 0.0, 3_600.0),
    "_db": ("dB", 0.0, 200.0),
    "per_hour": ("of full an hour", 0.0, 10_000.0),
    "share": ("of the air", 0.0, 1.0),
}
"""How a parameter's name ends ↔ the unit beside its field, and the least and the most that it may be."""


class TrainerPanel(Panel):
    """Start a fault, see which are active, undo them; let a day pass; choose which update waits."""

    _esm = script("trainer")
    name = "trainer"

    def draw(self, view: View) -> Picture:
        """The faults there are and those in force. On a real radio there is nothing to start."""
        return {
            "faults": {fault.name: _fault(fault) for fault in FAULTS if fault.name != UPDATE}
            if self.session.air
            else {},
            "readers": [[serial, self.named(serial)] for serial in self.session.air.readers]
            if self.session.air
            else [],
            "active": {
                str(id(active)): {"words": self._words(active), "since_us": active.since_us} for active in view.faults
            },
            "outcomes": [[name, label] for name, label in OUTCOMES.items()],
            "cannot_offer": "" if self.session.feed is None else FROM_FEED,
        }

    def obey(self, command: str, facts: dict[str, Any]) -> None:
        """Start, undo, let time pass, choose an update."""
        air = self.session.air
        if air is None:
            raise InvalidParameterError(
                "faults can only be started on the simulated radio",
                parameter="radio",
                hint="Open the bench with radio='simulated'.",
            )
        match command:
            case "start":
                self.run(_start, air, str(facts["fault"]), str(facts["reader"]), dict(facts["parameters"]))
            case "undo":
                self.run(_undo, air, str(facts["id"]))
            case "skip":
                self.run(air.skip_time, float(facts["seconds"]))
            case "outcome":
                if self.session.feed is not None:
                    raise InvalidParameterError(FROM_FEED, parameter="outcome")
                self.run(_offer, self.session, air, str(facts["reader"]), str(facts["outcome"]))
            case _:
                raise InvalidParameterError(f"the trainer has no command {command!r}", parameter="command")

    def _words(self, active: ActiveFault) -> str:
        outcome = f" ({OUTCOMES[active.parameters['outcome']]})" if active.fault.name == UPDATE else ""
        where = f": {self.named(active.reader)}" if active.reader else ""
        return active.fault.words + outcome + where


async def _start(air: Air, name: str, reader: str, parameters: dict[str, Any]) -> None:
    of_host = any(fault.name == name and fault.of_host for fault in FAULTS)
    air.faults.start(name, None if of_host else reader, **parameters)


async def _offer(session: Session, air: Air, reader: str, outcome: str) -> None:
    """Lets an update wait; a reader that is connected hears of it at once."""
    await _start(air, UPDATE, reader, {"outcome": outcome})
    terminal = session.terminal
    connected = terminal.connected_reader
    if connected is not None and connected.serial == reader and terminal.installation is None:
        await terminal.look_for_update()


async def _undo(air: Air, number: str) -> None:
    for active in list(air.faults.active):
        if str(id(active)) == number:
            active.undo()


def _fault(fault: Fault) -> Picture:
    return {
        "words": fault.words[:1].upper() + fault.words[1:],
        "of_host": fault.of_host,
        "parameters": [_parameter(name, value) for name, value in fault.parameters.items()],
    }


def _parameter(name: str, value: float | bool) -> Picture:
    suffix = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    label = (name.removesuffix(suffix) if suffix.startswith("_") else name).replace("_", " ").strip()
    unit, least, most = _UNITS.get(suffix, ("", None, None))
    return {"name": name, "label": label, "unit": unit, "value": value, "least": least, "most": most}
