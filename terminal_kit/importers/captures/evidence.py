"""The evidence for why a link ended, as the capture has it up to that moment.

The keys are those of `terminal_kit/events.py`.
"""

from typing import Any

from terminal_kit.events import REASON_OF_CODE, DisconnectReason, ReasonSource
from terminal_kit.importers.captures.links import Adapter, Link
from terminal_kit.importers.captures.rows import Moment

LOCAL_HOST_TERMINATED = 0x16
"""The host itself hung up (Core Vol 1 Part F, 1.3)."""


FAREWELL_COUNTS_US = 5_000_000
"""A reader that is still heard so long after its farewell did not mean it; the terminal allows as much."""


def evidence(link: Link, adapter: Adapter, now: Moment) -> dict[str, Any]:
    """What `extra` tells on a `link_disconnected` row. Only what is known stands in it."""
    facts = link.extra
    heard_here = link.heard.source == now.source
    if not link.undirected:  # else nobody knows when it was last heard
        facts["silence_s"] = max(0, now.t_us - link.heard.t_us) / 1e6
        facts["last_heard_record"] = link.heard.record if heard_here else None
        facts["queued_packets"] = link.queued
    facts["advertised"] = link.advertised
    facts["advertised_record"] = link.advertised_record
    facts["other_links"] = len(adapter.links) - (adapter.links.get(link.handle) is link)
    facts["scanning"] = adapter.scanning
    if link.asked:
        facts["asked_record"], facts["asked_reason"] = link.asked.record, link.asked_reason
    if link.pending:
        what, since = min(link.pending.items(), key=lambda item: item[1].t_us)
        facts["pending"], facts["pending_record"] = what, since.record
        facts["pending_s"] = max(0, now.t_us - since.t_us) / 1e6
        if not link.undirected:
            facts["heard_since_s"] = max(0, link.heard.t_us - since.t_us) / 1e6
    return {name: fact for name, fact in facts.items() if fact is not None}


def reason(link: Link, code: int | None) -> dict[str, Any]:
    """The columns that tell why a link ended, and who says so (X1)."""
    if link.farewell is not None and link.heard.t_us - link.farewell[0].t_us <= FAREWELL_COUNTS_US:
        told = link.farewell[1], ReasonSource.FAREWELL
    elif code == LOCAL_HOST_TERMINATED:
        told = DisconnectReason.DISCONNECT_REQUESTED, ReasonSource.HOST
    elif code in REASON_OF_CODE:
        told = REASON_OF_CODE[code], ReasonSource.BACKEND
    else:
        told = DisconnectReason.UNKNOWN, ReasonSource.NONE
    return {"reason": told[0], "reason_source": told[1], "hci_code": code}
