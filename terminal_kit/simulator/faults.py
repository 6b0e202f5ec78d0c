"""What can be done to a reader or its host, each with parameters and an undo."""

import difflib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from terminal_kit.errors import InvalidParameterError
from terminal_kit.radio import HostFault
from terminal_kit.simulator.figures import REMOTE_USER_TERMINATED
from terminal_kit.simulator.outcomes import OUTCOMES, UpdateOutcome, simulate_update
from terminal_kit.simulator.propagation import BODY_LOSS_DB

if TYPE_CHECKING:
    from terminal_kit.simulator.air import Air, SimulatedReader

Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong. `words` tell a trainer; `parameters` have units in their names, with defaults."""

    name: str
    words: str
    start: Callable[..., Undo]
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    of_host: bool = False


@dataclass(slots=True, eq=False)
class ActiveFault:
    """A fault that is in force. `since_us`: UTC, microseconds of the air. `undo()` ends it; safe to repeat."""

    fault: Fault
    reader: str
    parameters: dict[str, Any]
    since_us: int
    take_back: Undo
    end: Callable[["ActiveFault"], None]

    def undo(self) -> None:
        """Makes it good again."""
        self.end(self)


class Faults:
    """The faults of one air: start one, see which are active, undo them.

    A reader has one fault of a kind at a time: started again, it takes the new parameters, and its undo still leads
    back to where all was well. What ends by itself (a restart, a false reading) is never listed as active.
    """

    def __init__(self, air: "Air") -> None:
        self._air = air
        self.active: list[ActiveFault] = []

    def start(self, name: str, reader: str | None = None, **parameters: Any) -> ActiveFault:
        """Starts the fault `name` at `reader` (its serial; none for the host's). Raises `InvalidParameterError`."""
        fault = next((fault for fault in FAULTS if fault.name == name), None)
        if fault is None:
            raise _unknown("fault", name, [fault.name for fault in FAULTS])
        if unknown := parameters.keys() - fault.parameters.keys():
            raise _unknown("parameter", min(unknown), list(fault.parameters))
        chosen = {name: _checked(name, value) for name, value in (fault.parameters | parameters).items()}
        if fault.of_host:
            undo = fault.start(self._air, **chosen)
        elif reader in self._air.readers:
            subject = self._air.readers[reader]
            with subject.handled():
                undo = fault.start(subject, **chosen)
        else:
            raise _unknown("reader", reader or "", list(self._air.readers))
        where = "" if fault.of_host else reader or ""
        for before in [old for old in self.active if (old.fault, old.reader) == (fault, where)]:
            self.active.remove(before)
            undo = undo if undo is _nothing else before.take_back
        active = ActiveFault(fault, where, chosen, self._air.utc_us(), undo, self._end)
        if undo is not _nothing:
            self.active.append(active)
        self._air.tell_truth(reader or "", name, **chosen)
        return active

    def close(self) -> None:
        """Ends all of them."""
        for active in list(self.active):
            active.undo()

    def _end(self, active: ActiveFault) -> None:
        if active not in self.active:
            return
        self.active.remove(active)
        subject = self._air.readers.get(active.reader)
        with subject.handled() if subject else nullcontext():
            active.take_back()
        self._air.tell_truth(active.reader, active.fault.name, undone=True)


def _unknown(what: str, given: str, known: list[str]) -> InvalidParameterError:
    near = difflib.get_close_matches(given, known, n=3) or known
    return InvalidParameterError(
        f"there is no {what} {given!r}", parameter=what, value=given, hint=f"Did you mean {', '.join(near)}?"
    )


_BOUNDS: dict[str, tuple[float, float]] = {
    "to_m": (0.1, 10_000.0),
    "speed_m_s": (0.01, 1_000.0),
    "loss_db": (0.0, 200.0),
    "per_hour": (0.0, 10_000.0),
    "delay_s": (0.0, 3_600.0),
    "share": (0.0, 1.0),
}
"""What a parameter may be, both ends included."""

_CHOICES: dict[str, tuple[str, ...]] = {"outcome": tuple(OUTCOMES)}
"""What a parameter may be, one of these; without bounds or choices it is yes or no."""


def _checked(name: str, value: Any) -> Any:
    bounds, choices = _BOUNDS.get(name), _CHOICES.get(name)
    if choices is not None:
        good, hint = value in choices, f"One of {', '.join(choices)}."
    elif bounds is None:
        good, hint = isinstance(value, bool), "Yes or no (True or False)."
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        good, hint = number and bounds[0] <= value <= bounds[1], f"A number from {bounds[0]:g} to {bounds[1]:g}."
    if not good:
        raise InvalidParameterError(f"{name} cannot be {value!r}", parameter=name, value=value, hint=hint)
    return value


def _nothing() -> None:
    """An undo for what ends by itself."""


def _switch_off(reader: "SimulatedReader[Any]", farewell: bool) -> Undo:
    reader.model.switch_off(farewell=farewell)
    return reader.model.switch_on


def _walk_away(reader: "SimulatedReader[Any]", to_m: float, speed_m_s: float) -> Undo:
    home_m = reader.place.distance_m
    reader.walk(to_m, speed_m_s)
    return lambda: reader.walk(home_m, speed_m_s)


def _body(reader: "SimulatedReader[Any]", loss_db: float) -> Undo:
    reader.move(body_loss_db=loss_db)
    return lambda: reader.move(body_loss_db=0.0)


def _interfere(air: "Air", share: float) -> Undo:
    for reader in air.readers.values():
        reader.move(interference=share)

    def calm() -> None:
        for reader in air.readers.values():
            reader.move(interference=0.0)

    return calm


def _overload(air: "Air", share: float) -> Undo:
    air.host.overload = share

    def relieve() -> None:
        air.host.overload = 0.0

    return relieve


def _drain(reader: "SimulatedReader[Any]", per_hour: float) -> Undo:
    before = reader.model.battery
    reader.model.drain(per_hour)

    def fill() -> None:
        reader.model.drain(None)
        reader.model.set_battery(before)
        reader.model.start()

    return fill


def _charge(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.set_charging(True)
    return lambda: reader.model.set_charging(False)


def _false_battery(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.false_battery_reading()
    return _nothing


def _lose_bond(reader: "SimulatedReader[Any]") -> Undo:
    return reader.model.lose_bonds()


def _pair_in_system(reader: "SimulatedReader[Any]") -> Undo:
    paired = reader.air.host.paired_in_system
    paired.add(reader.address)
    return lambda: paired.discard(reader.address)


def _steal(reader: "SimulatedReader[Any]") -> Undo:
    reader.taken_by = "another host"
    if reader.link is not None:
        reader.link.end(REMOTE_USER_TERMINATED)

    def give_back() -> None:
        reader.taken_by = None

    return give_back


def _hang(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.hang(True)
    return lambda: reader.model.hang(False)


def _slow(reader: "SimulatedReader[Any]", delay_s: float) -> Undo:
    reader.model.slow(delay_s)
    return lambda: reader.model.slow(0.0)


def _busy(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.set_busy(True)
    return lambda: reader.model.set_busy(False)


def _reboot(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.reboot()
    return _nothing


def _cut_power(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.cut_power()
    return _nothing


def _corrupt_chunk(reader: "SimulatedReader[Any]") -> Undo:
    reader.model.corrupt_next_chunk += 1
    return _nothing


def _update(reader: "SimulatedReader[Any]", outcome: UpdateOutcome) -> Undo:
    model = reader.model
    update, images, battery = model.pending_update, model.pending_images, model.battery
    simulate_update(model, outcome, now_us=reader.air.utc_us(), seed=reader.air.seed)

    def take_away() -> None:
        model.pending_update, model.pending_images = update, images
        model.set_battery(battery)

    return _nothing if outcome == "none" else take_away


def _host_fault(fault: HostFault) -> Callable[["Air"], Undo]:
    def start(air: "Air") -> Undo:
        air.host.add_fault(fault)
        return lambda: air.host.mend_fault(fault)

    return start


def _cut_internet(air: "Air") -> Undo:
    air.host.internet = False

    def undo() -> None:
        air.host.internet = True

    return undo


FAULTS: tuple[Fault, ...] = (
    Fault("switch_off", "switch the reader off", _switch_off, {"farewell": True}),
    Fault("walk_away", "walk away with the reader", _walk_away, {"to_m": 200.0, "speed_m_s": 1.4}),
    Fault("body", "stand between reader and host", _body, {"loss_db": BODY_LOSS_DB}),
    Fault("drain", "empty the battery", _drain, {"per_hour": 2.0}),
    Fault("charge", "plug the reader in", _charge),
    Fault("false_battery", "report one false battery level", _false_battery),
    Fault("lose_bond", "make the reader forget its hosts", _lose_bond),
    Fault("pair_in_system", "pair it in the system's settings", _pair_in_system),
    Fault("steal", "let another host take the reader", _steal),
    Fault("hang", "hang the reader's firmware", _hang),
    Fault("slow", "make the reader slow to answer", _slow, {"delay_s": 2.0}),
    Fault("busy", "let a transaction run", _busy),
    Fault("reboot", "restart the reader", _reboot),
    Fault("cut_power", "cut the reader's power for a moment", _cut_power),
    Fault("corrupt_chunk", "damage the next piece of an update", _corrupt_chunk),
    Fault("update", "let an update wait", _update, {"outcome": "available"}),
    Fault("interfere", "fill the air with other traffic", _interfere, {"share": 0.6}, of_host=True),
    Fault("overload", "give the host's radio too much to do", _overload, {"share": 0.97}, of_host=True),
    Fault("bluetooth_off", "turn the host's Bluetooth off", _host_fault("radio_off"), of_host=True),
    Fault("deny_permission", "deny the program Bluetooth", _host_fault("permission_denied"), of_host=True),
    Fault("cut_internet", "cut the host's internet", _cut_internet, of_host=True),
)
"""Everything that a trainer or a scenario can do. Walking pace is 1.4 m/s."""
