"""From rows to incidents: which rows tell of the same drop, or of the same connection that failed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from terminal_kit.analysis.readers import BEGINNINGS, ENDINGS, SAME_US, Moment, known_as
from terminal_kit.diagnosis.finding import IncidentKind
from terminal_kit.diagnosis.rows import Rows
from terminal_kit.events import Kind

SERIES_US = 30_000_000
"""Failed tries without a number of their own belong to one connection while no longer pause lies between them."""

RETURN_US = 600_000_000
"""Tries in a capture belong to the drop before them while no longer pause lies between them: nobody waits longer."""

FAILED_TO_ESTABLISH = 0x3E
"""The controller says that it connected and takes it back: such a link never was one."""


Owner = tuple[str | None, str | None, str]
"""Run, terminal and reader."""


@dataclass(slots=True)
class Incident:
    """A drop or a failed connection. `rows` tell it, the first of them first; `readers` are all names of its reader."""

    kind: IncidentKind
    t_us: int
    readers: tuple[str, ...]
    run: str | None
    terminal: str | None
    session: int | None
    attempt_id: str | None
    rows: list[int] = field(default_factory=list[int])

    @property
    def reader(self) -> str:
        """Its one name: a serial rather than an address, an address rather than nothing."""
        return max(self.readers, key=lambda name: (bool(name), not name.startswith("addr:")))


def incidents(rows: Rows) -> list[Incident]:
    """All incidents of a frame, in time order.

    A `link_disconnected` joined with its session's `disconnected`, either alone where only one is known, or a
    connection that failed (`connect_failed`, with the `link_failed` of its tries). What fails in an automatic
    reconnection belongs to the drop before it. An app's log and a capture that tell of one drop make one incident.
    """
    gatherer = _Gatherer(rows)
    for place in rows.all_of(ENDINGS, None):
        gatherer.take(int(place))
    return _joined(sorted(gatherer.found, key=lambda incident: incident.t_us), rows)


class _Gatherer:
    """Takes the rows that end something, in time order, and puts each to its incident."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.found: list[Incident] = []
        self._by_link: dict[tuple[Owner, int], Incident] = {}
        self._by_attempt: dict[tuple[Owner, str], Incident] = {}
        self._last: dict[Owner, Incident] = {}
        self._attempt_of: dict[tuple[Owner, int], str] = {}
        self._settled = set[tuple[Owner, int]]()
        self._returns: dict[tuple[Owner, str], int | None] = {}
        for place in rows.all_of(BEGINNINGS, None):
            owner, session = self._owner(place), rows.whole("session", place)
            attempt_id = rows.text("attempt_id", place)
            if session is not None and rows.cells("kind")[place] != Kind.LINK_CONNECTED:
                self._settled.add((owner, session))
            elif session is not None and attempt_id is not None:
                self._attempt_of[owner, session] = attempt_id
        for place in rows.of(Kind.RECONNECT_STARTED):
            if (attempt_id := rows.text("attempt_id", int(place))) is not None:
                self._returns[self._owner(place), attempt_id] = rows.whole("session", int(place))

    def take(self, place: int) -> None:
        """One row that ends something."""
        rows, owner = self._rows, self._owner(place)
        session, attempt_id = rows.whole("session", place), rows.text("attempt_id", place)
        match rows.cells("kind")[place]:
            case Kind.LINK_DISCONNECTED:
                self._link_ended(place, owner, session)
            case Kind.DISCONNECTED:
                link = None if session is None else self._by_link.get((owner, session))
                if (before := link or self._lasting(owner, place)) is not None:
                    before.rows.append(place)
                else:
                    self._new("disconnect", place, owner, session)
            case _:
                self._failed(place, owner, attempt_id)

    def _link_ended(self, place: int, owner: Owner, session: int | None) -> None:
        key = None if session is None else (owner, session)
        attempt_id = self._attempt_of.get(key) if key else None
        never_was = self._rows.whole("hci_code", place) == FAILED_TO_ESTABLISH
        if key and attempt_id and key not in self._settled and self._has_outcome(owner, attempt_id):
            self._unsettled(place, owner, attempt_id)
        elif never_was:
            self._failed(place, owner, attempt_id)
        else:
            incident = self._told_before(place, owner, session) or self._new("disconnect", place, owner, session)
            if key:
                self._by_link[key] = incident

    def _told_before(self, place: int, owner: Owner, session: int | None) -> Incident | None:
        """The same drop, where an app told the end of the relation a moment before the link's."""
        before, rows = self._last.get(owner), self._rows
        if before is None or before.kind != "disconnect" or before.session != session:
            return None
        if any(rows.cells("kind")[other] != Kind.DISCONNECTED for other in before.rows):
            return None
        if rows.t_us[place] - before.t_us > SAME_US:
            return None
        before.rows.insert(0, place)
        return before

    def _unsettled(self, place: int, owner: Owner, attempt_id: str) -> None:
        """A link that came up and was no use: a failed connection, in an automatic reconnection too."""
        if (same := self._by_attempt.get((owner, attempt_id))) is not None:
            same.rows.append(place)
            return
        self._by_attempt[owner, attempt_id] = self._new("connect_failed", place, owner, None)
        self._by_attempt[owner, attempt_id].attempt_id = attempt_id

    def _failed(self, place: int, owner: Owner, attempt_id: str | None) -> None:
        """A try that failed: of an automatic reconnection, of a connection with more tries, or of its own."""
        if self._rows.is_capture(place):
            # A capture does not tell what an attempt is for: those that follow a drop are for coming back.
            before = self._lasting(owner, place)
            t_us = self._rows.t_us
            is_drop = before is not None and before.kind == "disconnect"
            if before is not None and is_drop and t_us[place] - t_us[before.rows[-1]] <= RETURN_US:
                before.rows.append(place)
                return
        if attempt_id is not None:
            lost = self._returns.get((owner, attempt_id))
            drop = self._by_link.get((owner, lost)) if lost is not None else None
            drop = drop or (self._last.get(owner) if (owner, attempt_id) in self._returns else None)
            if (same := drop or self._by_attempt.get((owner, attempt_id))) is not None:
                same.rows.append(place)
                return
        elif (before := self._lasting(owner, place)) is not None and before.kind == "connect_failed":
            t_us = self._rows.t_us
            if t_us[place] - t_us[before.rows[-1]] <= SERIES_US:
                before.rows.append(place)
                return
        if attempt_id is not None and (before := self._lasting(owner, place)) is not None:
            t_us = self._rows.t_us
            is_open = before.kind == "connect_failed" and before.attempt_id is None
            if is_open and t_us[place] - t_us[before.rows[-1]] <= SERIES_US:
                # Tries without a number, and the connection whose tries they were.
                before.attempt_id = attempt_id
                self._by_attempt[owner, attempt_id] = before
                before.rows.append(place)
                return
        incident = self._new("connect_failed", place, owner, self._rows.whole("session", place))
        if attempt_id is not None:
            incident.attempt_id = attempt_id
            self._by_attempt[owner, attempt_id] = incident

    def _new(self, kind: IncidentKind, place: int, owner: Owner, session: int | None) -> Incident:
        run, terminal, reader = owner
        incident = Incident(kind, int(self._rows.t_us[place]), (reader,), run, terminal, session, None, [place])
        self.found.append(incident)
        self._last[owner] = incident
        return incident

    def _lasting(self, owner: Owner, place: int) -> Incident | None:
        """The reader's last incident, while nothing has connected since."""
        before = self._last.get(owner)
        if before is None:
            return None
        t_us = self._rows.t_us
        back = self._rows.all_of(BEGINNINGS, (owner[2],), int(t_us[before.rows[0]]), int(t_us[place]))
        runs = self._rows.cells("run")
        return None if any(runs[other] == owner[0] for other in back if other > before.rows[0]) else before

    def _has_outcome(self, owner: Owner, attempt_id: str) -> bool:
        """Whether the rows of that attempt are an app's, which tells how a whole connection ends."""
        if (owner, attempt_id) in self._returns:
            return True
        ids = self._rows.cells("attempt_id")
        return any(ids[place] == attempt_id for place in self._rows.of(Kind.CONNECT_FAILED, (owner[2],)))

    def _owner(self, place: int) -> Owner:
        rows = self._rows
        return rows.text("run", place), rows.text("terminal", place), rows.text("reader", place) or ""


def _joined(found: list[Incident], rows: Rows) -> list[Incident]:
    """Joins what two runs (an app's log and a capture) tell of one drop."""
    if len({incident.run for incident in found}) < 2:
        return found
    names = known_as(_moments(rows))
    for incident in found:
        if incident.run in names:
            incident.readers = (*incident.readers, names[incident.run])
    kept: list[Incident] = []
    for incident in found:
        twin = next((other for other in _near(kept, incident) if _is_same(other, incident, rows)), None)
        if twin is None:
            kept.append(incident)
            continue
        first, second = sorted((twin, incident), key=lambda one: not _knows_link(one, rows))
        twin.kind, twin.run, twin.terminal = first.kind, first.run, first.terminal
        twin.session, twin.attempt_id, twin.t_us = first.session, first.attempt_id, first.t_us
        twin.rows = [*first.rows, *second.rows]
        twin.readers = tuple(dict.fromkeys((*first.readers, *second.readers)))
    return kept


def _near(kept: list[Incident], incident: Incident) -> Iterable[Incident]:
    for other in reversed(kept):
        if incident.t_us - other.t_us > 2 * SAME_US:
            return
        if abs(incident.t_us - other.t_us) <= SAME_US:
            yield other


def _moments(rows: Rows) -> Iterator[Moment]:
    """When links began and ended, of which reader and by which run."""
    for kinds, is_end in ((ENDINGS, True), (BEGINNINGS, False)):
        for place in rows.all_of(kinds, None):
            reader = rows.text("reader", int(place)) or ""
            yield Moment(rows.text("run", int(place)), reader, int(rows.t_us[place]), is_end)


def _is_same(one: Incident, other: Incident, rows: Rows) -> bool:
    """Whether two runs tell of one thing. A run tells of each once."""
    told_by = {rows.text("run", place) for place in one.rows}
    return other.run not in told_by and one.kind == other.kind and bool({*one.readers} & {*other.readers})


def _knows_link(incident: Incident, rows: Rows) -> bool:
    """Whether it has a link-layer code, so that its time is the link's own."""
    return bool(np.any(~np.isnan(rows.numbers("hci_code")[incident.rows])))
