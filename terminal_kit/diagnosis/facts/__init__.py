"""The facts of an incident: numbers and places of rows, no judgement. The signs of causes are read off them."""

from dataclasses import dataclass

from terminal_kit.diagnosis.facts.after import AfterFacts, after_facts
from terminal_kit.diagnosis.facts.host import HostFacts, host_facts
from terminal_kit.diagnosis.facts.link import LinkFacts, link_facts
from terminal_kit.diagnosis.facts.reader import ReaderFacts, reader_facts
from terminal_kit.diagnosis.facts.scope import Scope
from terminal_kit.diagnosis.facts.signal import SignalFacts, signal_facts

__all__ = ["Facts", "Scope", "gather"]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one incident."""

    scope: Scope
    link: LinkFacts
    signal: SignalFacts
    after: AfterFacts
    reader: ReaderFacts
    host: HostFacts

    @property
    def is_drop(self) -> bool:
        """Whether a link ended (or else one could not be made)."""
        return self.scope.incident.kind == "disconnect"


def gather(scope: Scope) -> Facts:
    """Looks at the rows around one incident."""
    return Facts(
        scope, link_facts(scope), signal_facts(scope), after_facts(scope), reader_facts(scope), host_facts(scope)
    )
