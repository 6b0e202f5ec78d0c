"""`diagnose(frame)`: from rows to ranked causes."""

from typing import TYPE_CHECKING, Any

from terminal_kit.diagnosis.confidence import PRIOR, likelihoods
from terminal_kit.diagnosis.facts import Facts, Scope, gather
from terminal_kit.diagnosis.facts.scope import AFTERMATH_US
from terminal_kit.diagnosis.finding import Evidence, Finding, Verdict
from terminal_kit.diagnosis.incidents import Incident, incidents
from terminal_kit.diagnosis.rows import Rows
from terminal_kit.diagnosis.signs import SIGNS, Seen, Sign
from terminal_kit.diagnosis.steps import next_steps
from terminal_kit.events import UNDATED_US, Cause

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

SHOWN = 0.02
"""A cause below this is not worth a line; the first one is always shown."""

COUNTS = 0.25
"""A weight below this is no evidence to show, only a nuance."""


def diagnose(frame: "pd.DataFrame") -> list[Finding]:
    """What lies behind each disconnect and each failed connection of a frame, oldest first.

    `frame` is what `EventLog.frame()` gives: live, captured and logged rows alike. Each finding has ranked causes with
    calibrated confidences, the facts for and against each, and what to do next. Where the evidence is absent, the
    first cause is `cannot_tell`, and the next steps say which evidence to collect.

    The rules were tuned on incidents that the kit's own simulator generated, by the same authors; no constant of the
    simulator (how long a reader takes to start, how fast somebody walks) is in them, ranges of real readers are.
    """
    found = [finding for rows in map(Rows, _apart(frame)) for finding in _findings(rows)]
    return sorted(found, key=lambda finding: finding.t_us)


def _apart(frame: Any) -> list[Any]:
    """Files that tell no time all seem to begin at once: nothing in one speaks of another, and each stands alone."""
    if not len(frame):
        return []
    if "source" not in frame:
        return [frame]
    alone = frame["source"].notna() & frame["t_us"].between(0, UNDATED_US - 1)
    return [part for part in (frame[~alone], *(rows for _, rows in frame[alone].groupby("source"))) if len(part)]


def _findings(rows: Rows) -> list[Finding]:
    found = incidents(rows)
    return [_finding(gather(Scope(rows, incident, next_us))) for incident, next_us in _with_next(found)]


def _with_next(found: list[Incident]) -> list[tuple[Incident, int]]:
    """Each incident with when its reader's next one begins."""
    next_us: dict[str, int] = {}
    pairs: list[tuple[Incident, int]] = []
    for incident in reversed(found):
        later = min((next_us[name] for name in incident.readers if name in next_us), default=None)
        limit_us = incident.t_us + AFTERMATH_US
        pairs.append((incident, limit_us if later is None else min(later, limit_us)))
        next_us.update(dict.fromkeys(incident.readers, incident.t_us))
    return pairs[::-1]


def _finding(facts: Facts) -> Finding:
    seen = [(sign, found) for sign in SIGNS if (found := sign.look(facts)) is not None]
    scores = {cause: prior + sum(sign.weights.get(cause, 0.0) for sign, _ in seen) for cause, prior in PRIOR.items()}
    shares = likelihoods(scores)
    ranked = sorted(shares, key=lambda cause: -shares[cause])
    shown = [cause for place, cause in enumerate(ranked) if not place or shares[cause] >= SHOWN]
    verdicts = tuple(_verdict(facts, cause, shares[cause], seen) for cause in shown)
    incident, rows = facts.scope.incident, facts.scope.rows
    first = incident.rows[0]
    return Finding(
        t_us=incident.t_us,
        reader=incident.reader,
        kind=incident.kind,
        reason=facts.link.said or facts.link.reason,
        hci_code=facts.link.hci_code,
        causes=verdicts,
        next_steps=next_steps(facts, verdicts),
        run=incident.run or "",
        session=incident.session,
        source=rows.whole("source", first),
        file=rows.text("file", first),
        record=rows.whole("record", first),
        seq=rows.whole("seq", first),
    )


def _verdict(facts: Facts, cause: Cause, confidence: float, seen: list[tuple[Sign, Seen]]) -> Verdict:
    weighed = sorted(
        ((sign.weights[cause], found) for sign, found in seen if abs(sign.weights.get(cause, 0.0)) >= COUNTS),
        key=lambda pair: -abs(pair[0]),
    )
    return Verdict(
        cause,
        confidence,
        tuple(_evidence(facts, found) for weight, found in weighed if weight > 0),
        tuple(_evidence(facts, found) for weight, found in weighed if weight < 0),
    )


def _evidence(facts: Facts, seen: Seen) -> Evidence:
    rows = facts.scope.rows
    place = facts.scope.incident.rows[0] if seen.place is None else seen.place
    record = rows.whole("record", place) if seen.record is None else seen.record
    return Evidence(seen.text, rows.text("file", place), record, int(rows.t_us[place]), rows.is_capture(place))
