"""What the link itself tells: codes, reasons, parameters, silence, procedures and requests."""

from dataclasses import dataclass, field

from terminal_kit.diagnosis.facts.scope import Scope
from terminal_kit.diagnosis.incidents import FAILED_TO_ESTABLISH
from terminal_kit.events import DisconnectReason, Kind, ReasonSource

_RECENT_S = 40.0
"""A request that got no answer is given up after 30 s (Core Vol 3 Part F, 3.3.3), a link-layer one after 40."""

BESIDE_US = 3_000_000
"""An app logs the error and the end that it belongs to within a moment of each other."""


@dataclass(slots=True)
class LinkFacts:
    """Facts of the link that ended, or of the tries that failed. A `…_at` is the place of the row that says it."""

    hci_code: int | None = None
    code_at: int | None = None
    reason: str | None = None
    reason_source: str | None = None
    reason_at: int | None = None
    learned: str | None = None
    learned_at: int | None = None
    error_codes: dict[str, int] = field(default_factory=dict[str, int])
    opened_at: int | None = None
    lifetime_s: float | None = None
    interval_ms: float | None = None
    timeout_s: float | None = None
    silence_s: float | None = None
    advertised: int = 0
    advertised_record: int | None = None
    queued: int = 0
    asked_record: int | None = None
    asked_reason: int | None = None
    other_links: int | None = None
    scanning: bool | None = None
    pending: str | None = None
    pending_record: int | None = None
    pending_s: float | None = None
    heard_since_s: float | None = None
    tries: int = 0
    never_established: int = 0
    never_at: int | None = None
    muted_at: int | None = None
    att_errors: int = 0
    texts: dict[int, str] = field(default_factory=dict[int, str])

    @property
    def said(self) -> str | None:
        """The reason that somebody knew, learned later or told at once; None where nobody did."""
        known = self.learned if self.learned not in (None, DisconnectReason.UNKNOWN) else self.reason
        return None if known in (None, DisconnectReason.UNKNOWN) else known


def link_facts(scope: Scope) -> LinkFacts:
    """The facts of one incident's link."""
    rows, incident = scope.rows, scope.incident
    facts = LinkFacts()
    for place in incident.rows:
        _take_row(scope, facts, place)
    _take_learned(scope, facts)
    opened = rows.last(Kind.LINK_CONNECTED, scope.readers, scope.t_us)
    if incident.kind == "disconnect" and opened is not None:
        facts.opened_at = opened
        lasted = rows.number("duration_s", incident.rows[0])
        facts.lifetime_s = lasted if lasted is not None else (scope.t_us - rows.t_us[opened]) / 1e6
        for place in (opened, *rows.of(Kind.LINK_UPDATED, scope.readers, int(rows.t_us[opened]), scope.t_us)):
            facts.timeout_s = rows.number("supervision_timeout_s", int(place)) or facts.timeout_s
            facts.interval_ms = rows.number("interval_ms", int(place)) or facts.interval_ms
    told_until_us = max(int(rows.t_us[place]) for place in incident.rows) + BESIDE_US
    for place in rows.of(Kind.ERROR, scope.readers, scope.t_us - BESIDE_US, told_until_us):
        if (code := rows.text("error_code", int(place))) is not None:
            facts.error_codes.setdefault(code.rpartition(".")[2], int(place))
    since_us = scope.t_us - int(_RECENT_S * 1e6)
    facts.att_errors = len(rows.of(Kind.ATT_ERROR, scope.readers, since_us, scope.t_us))
    for place in rows.of(Kind.ERROR, scope.readers, since_us, scope.t_us):
        code = rows.text("error_code", int(place))
        if code in _MUTE:
            facts.muted_at = int(place)
            facts.texts[int(place)] = rows.text("text", int(place)) or ""
    return facts


_MUTE = ("READER_COMMUNICATION_ERROR", "REQUEST_TIMED_OUT")
"""What a host says of a reader whose link lives and that does not answer."""


def _take_row(scope: Scope, facts: LinkFacts, place: int) -> None:
    rows = scope.rows
    code = rows.whole("hci_code", place)
    is_own = rows.t_us[place] <= scope.t_us + scope.same_us or scope.incident.kind == "connect_failed"
    if not is_own:
        return  # a try of the return that failed: what came after, not what happened
    if code is not None and facts.hci_code is None:
        facts.hci_code, facts.code_at = code, place
    reason = rows.text("reason", place)
    known = reason not in (None, DisconnectReason.UNKNOWN)
    if reason is not None and (facts.reason is None or (known and facts.reason == DisconnectReason.UNKNOWN)):
        facts.reason, facts.reason_at = reason, place
        facts.reason_source = rows.text("reason_source", place)
    if (error_code := rows.text("error_code", place)) is not None:
        facts.error_codes.setdefault(error_code.rpartition(".")[2], place)
    if (text := rows.text("text", place)) is not None:
        facts.texts[place] = text
    is_try = rows.cells("kind")[place] in (Kind.LINK_FAILED, Kind.LINK_DISCONNECTED)
    facts.tries += is_try and scope.incident.kind == "connect_failed"
    if code == FAILED_TO_ESTABLISH:
        facts.never_established += is_try
        facts.never_at = place if facts.never_at is None else facts.never_at
    _take_extra(scope, facts, place)


def _take_extra(scope: Scope, facts: LinkFacts, place: int) -> None:
    extra = scope.rows.extra(place)
    facts.silence_s = _number(extra.get("silence_s")) if facts.silence_s is None else facts.silence_s
    facts.advertised = facts.advertised or _whole(extra.get("advertised")) or 0
    facts.queued = facts.queued or _whole(extra.get("queued_packets")) or 0
    for name in ("pending_s", "heard_since_s"):
        if getattr(facts, name) is None:
            setattr(facts, name, _number(extra.get(name)))
    for name in ("advertised_record", "asked_record", "asked_reason", "other_links", "pending_record"):
        if getattr(facts, name) is None:
            setattr(facts, name, _whole(extra.get(name)))
    if isinstance(scanning := extra.get("scanning"), bool):
        facts.scanning = scanning
    if isinstance(pending := extra.get("pending"), str) and pending:
        facts.pending = pending


def _take_learned(scope: Scope, facts: LinkFacts) -> None:
    """What the reader said of its stop after it came back (X1), about this session or soon after it."""
    rows, session = scope.rows, scope.incident.session
    if scope.incident.kind != "disconnect":
        return
    for place in rows.of(Kind.REASON_LEARNED, scope.readers, scope.t_us, scope.next_us):
        about = rows.whole("session", int(place))
        if about in (session, None) and rows.cells("reason_source")[place] in (
            ReasonSource.BOOT,
            ReasonSource.HOST,
            None,
        ):
            facts.learned, facts.learned_at = rows.text("reason", int(place)), int(place)
    if facts.learned is None:
        _take_last_stop(scope, facts)


def _take_last_stop(scope: Scope, facts: LinkFacts) -> None:
    """A capture shows the reader's last stop when it is read: it tells of this end if its count of starts has risen."""
    rows, before = scope.rows, None
    for place in rows.of(Kind.READER_INFO, scope.readers, to_us=scope.next_us):
        extra = rows.extra(int(place))
        boots, stop = _whole(extra.get("boots")), extra.get("last_stop")
        if boots is None:
            continue
        if rows.t_us[place] <= scope.t_us:
            before = boots
        elif before is None or boots == before or not isinstance(stop, str):
            return
        else:
            facts.learned, facts.learned_at = stop, int(place)
            return


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
