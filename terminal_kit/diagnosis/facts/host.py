"""What the host did: its radio and internet, the app, its other links."""

from dataclasses import dataclass, field

from terminal_kit.diagnosis.facts.scope import Scope
from terminal_kit.events import Kind

TOGETHER_US = 3_000_000
"""Links that end within so long of each other end for one reason."""

_BACKGROUND = ("enterbackground", "entered background", "to background", "in background", "onpause", "onstop")
_DISCONNECTS = ("disconnectreader", "disconnect_reader")


@dataclass(slots=True)
class HostFacts:
    """`fault` and `fault_at`: what kept the radio from being used at that time; `offline_at`: the internet went.

    `offline_s` is how long before. `together` are ends of other readers' links at that moment, `open_links` other
    links that were up. `asked_at` and `background_at` are messages of an app; `run_end_at` the recorder's end.
    """

    fault: str | None = None
    fault_at: int | None = None
    offline_at: int | None = None
    offline_s: float | None = None
    online_at: int | None = None
    together: list[int] = field(default_factory=list[int])
    open_links: int = 0
    asked_at: int | None = None
    background_at: int | None = None
    run_end_at: int | None = None
    gap_at: int | None = None
    others_heard: int = 0


def host_facts(scope: Scope) -> HostFacts:
    """The facts about the host at one incident."""
    rows, t_us = scope.rows, scope.t_us
    facts = HostFacts()
    for place in rows.of(Kind.HOST_CHANGED, None, t_us - 3_600_000_000, t_us + 5_000_000):
        _take_change(scope, facts, int(place))
    for place in rows.of(Kind.LINK_DISCONNECTED, None, t_us - TOGETHER_US, t_us + TOGETHER_US):
        if rows.cells("reader")[place] not in scope.readers:
            facts.together.append(int(place))
    facts.open_links = _open_links(scope)
    for place in rows.of(Kind.APP_MESSAGE, None, t_us - 60_000_000, t_us + 2_000_000):
        said = f"{rows.text('text', int(place))} {rows.text('extra', int(place)) or ''}".lower()
        if any(word in said for word in _BACKGROUND):
            facts.background_at = int(place)
        # An adapter repeats the word for every end, with the reason that it was given.
        asked = "disconnectreason" not in said or "disconnect_requested" in said
        # After a connection that failed it only cleans up.
        asked = asked and (scope.incident.kind == "disconnect" or place < scope.incident.rows[0])
        if asked and any(word in said for word in _DISCONNECTS) and rows.t_us[place] >= t_us - 10_000_000:
            facts.asked_at = int(place)
    ended = rows.first(Kind.RUN_FINISHED, None, t_us - 2_000_000, t_us + 5_000_000)
    # The end of an imported file says nothing: the phone went on.
    facts.run_end_at = ended if ended is not None and rows.number("source", ended) is None else None
    facts.gap_at = rows.last(Kind.GAP, None, t_us + 5_000_000, t_us - 30_000_000)
    return facts


def _take_change(scope: Scope, facts: HostFacts, place: int) -> None:
    rows, extra = scope.rows, scope.rows.extra(place)
    fault, internet = extra.get("fault"), extra.get("internet")
    at_us = int(rows.t_us[place])
    if isinstance(fault, str):
        facts.fault, facts.fault_at = fault, place
    elif (
        facts.fault is not None
        and ("fault" in extra or extra.get("bluetooth") is True)
        and at_us < scope.t_us - TOGETHER_US
    ):
        facts.fault = facts.fault_at = None
    if extra.get("app") == "background" and -60_000_000 <= at_us - scope.t_us <= 2_000_000:
        facts.background_at = place
    if internet is False and at_us <= scope.t_us:
        if facts.offline_at is None:
            facts.offline_at, facts.offline_s = place, (scope.t_us - at_us) / 1e6
    elif internet is True and at_us < scope.t_us:
        facts.offline_at = facts.offline_s = None


def _open_links(scope: Scope) -> int:
    """Other readers' links that were up at that moment, as the rows tell."""
    rows, t_us = scope.rows, scope.t_us
    up: dict[str, bool] = {}
    for place in rows.all_of((Kind.LINK_CONNECTED, Kind.LINK_DISCONNECTED), None, t_us - 86_400_000_000, t_us - 1):
        up[str(rows.cells("reader")[place])] = rows.cells("kind")[place] == Kind.LINK_CONNECTED
    return sum(is_up for reader, is_up in up.items() if reader not in scope.readers)
