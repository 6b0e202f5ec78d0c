"""What one log tells, line after line."""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.importers.sdk_logs.bodies import Saying, saying_of
from terminal_kit.importers.sdk_logs.envelopes import SYSTEMS
from terminal_kit.importers.sdk_logs.stories.discovery import Discovery
from terminal_kit.importers.sdk_logs.stories.facts import Facts
from terminal_kit.importers.sdk_logs.stories.link import Link
from terminal_kit.importers.sdk_logs.stories.phone_table import PHONE_TABLE
from terminal_kit.importers.sdk_logs.stories.relation import Relation
from terminal_kit.importers.sdk_logs.stories.sdk_table import SDK_TABLE
from terminal_kit.importers.sdk_logs.stories.telling import Entry, Teller
from terminal_kit.importers.sdk_logs.stories.updating import Updating
from terminal_kit.importers.sdk_logs.vocabulary import address_in, code_in, serials_in


class Taken(NamedTuple):
    """What became of an entry. `why` says of which kind a foreign line is."""

    how: Literal["understood", "foreign", "damaged"]
    why: str = ""


UNDERSTOOD = Taken("understood")

_FOREIGN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("blank", re.compile(r"^\s*$")),
    ("shell prompt", re.compile(r"^\s*(?:[$#>]|\w+@[\w.-]+[:~].*[$#])\s")),
    (
        "left out by whoever pasted it",
        re.compile(r"^\s*(?:\*snip\*|\[?\.\.\.\]?|<HIDDEN>|<redacted>)\s*$", re.IGNORECASE),
    ),
    (
        "stack frame",
        re.compile(r"^\s*(?:at [\w.$<>]+|Caused by:|Suppressed:|\.\.\. \d+ more|(?:[a-z]\w*\.){2,}\w+Exception\b)"),
    ),
    ("debugger", re.compile(r"^(?:Resolved pending breakpoint|Thread (?:started|finished)|Loaded assembly)")),
    ("beginning of a buffer", re.compile(r"^-+ beginning of \w+")),
)
_TAGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("the phone's runtime", re.compile(r"^(?:art|dalvikvm.*|zygote\d*|Choreographer|chatty|GC|libc|StrictMode)$")),
    ("leak detector", re.compile(r"^LeakCanary$")),
    ("stack frame", re.compile(r"^System\.err$")),
)
_SDK_TAGS = re.compile(r"^(?:StripeTerminal|BBPOS\w*|ConnectionManager|BBBT\w*|BBDevice\w*|DiscoveryCancelCallback)$")
_VERSIONS = re.compile(r"\b(?:sdk_version|sdkVersion|sdk-version|version_info)[=:\" ]+v?([\w.-]+)")


class Story:
    """Takes the entries of a log and becomes rows. `versions` are those of the SDKs that speak in it."""

    def __init__(self) -> None:
        self.teller = Teller()
        self.discovery = Discovery(self.teller)
        self.link = Link(self.teller)
        self.relation = Relation(self.teller, self.discovery, self.link)
        self.updating = Updating(self.teller)
        self.facts = Facts(self.teller)
        self.versions: dict[str, str] = {}
        self.apps: dict[str, None] = {}

    def take(self, entry: Entry) -> Taken:
        """One entry: a line with what is folded beneath it."""
        line, body = entry.line, entry.body
        for why, pattern in _FOREIGN:
            if pattern.search(body):
                return Taken("foreign", why)
        saying = saying_of(body)
        if saying is not None:
            return self._sdk(entry, saying)
        for why, pattern in _TAGS:
            if pattern.match(line.tag):
                return Taken("foreign", why)
        self.teller.begin(entry, {"tag": line.tag, "level": line.level})
        for tag, pattern, tell in PHONE_TABLE:
            if tag.search(line.tag) and (found := pattern.search(body)):
                tell(self, found)
                return UNDERSTOOD
        if _SDK_TAGS.match(line.tag):
            code = code_in(body)
            if line.level in ("E", "W") or code:
                self.failed("", code)
            else:
                self.note()
            return UNDERSTOOD
        return Taken("foreign", self._whose(line.shape, line.tag))

    def note(self) -> bool:
        """A line that is none of the others, but the SDK's."""
        self.teller.tell(Kind.APP_MESSAGE)
        return True

    def failed(self, verb: str, code: str | None, extra: Mapping[str, str] | None = None) -> bool:
        """Something failed; the verb, or what is under way, says what."""
        what = verb.lower()
        extra = {**(extra or {}), **({"operation": verb} if verb else {})}
        connecting = self.relation.is_connecting or self.teller.waiting_for(Kind.CONNECT_FAILED)
        if ("connect" in what and "disconnect" not in what) or (connecting and code and not what):
            return self.relation.fail(code, surely=True, extra=extra)
        if "discover" in what and self.discovery.is_running:
            self.discovery.finish(code, extra)
        elif self.updating.is_running and ("update" in what or (code or "").startswith("READER_SOFTWARE_UPDATE")):
            self.updating.finish(code, extra)
        return self.facts.error(code, extra)

    def asks(self, reason: DisconnectReason) -> bool:
        """The app asks for the end, or for a restart."""
        self.relation.ask(reason)
        if reason is DisconnectReason.REBOOT_REQUESTED:
            self.teller.tell(Kind.REBOOT_REQUESTED)
            return True
        return self.note()

    def queued(self, operation: str, serial: str | None) -> bool:
        """An operation of the SDK's queue."""
        if operation.startswith(("ConnectReader", "ConnectBluetooth")):
            return self.relation.start(serial, primary=False)
        if operation.startswith("DisconnectReader"):
            self.relation.ask(DisconnectReason.DISCONNECT_REQUESTED)
        return False

    def finish(self) -> None:
        """The log is through."""
        self.updating.settle()
        self.teller.settle()

    def _sdk(self, entry: Entry, saying: Saying) -> Taken:
        teller = self.teller
        about: dict[str, Any] = {"class": saying.subject, "level": entry.line.level, "sdk": saying.sdk}
        if found := _VERSIONS.search(entry.body):
            about["sdk_version"] = found[1]
            self.versions[saying.sdk] = found[1]
        else:
            self.versions.setdefault(saying.sdk, "")
        if app := saying.pairs.get("app_id") or saying.pairs.get("appId"):
            self.apps[app] = None
        entry.cut |= saying.cut
        teller.begin(entry, about)
        if not saying.subject and not saying.words:
            return Taken("damaged", "the line is cut before it says anything")
        teller.know(saying.pairs.get("serial_number"))
        for pattern, tell in SDK_TABLE:
            if found := pattern.search(saying.headline):
                tell(self, saying, found)
                return UNDERSTOOD  # a line that only repeats what another has told needs no row
        self._message(saying)
        return UNDERSTOOD

    def _message(self, saying: Saying) -> None:
        """The line says nothing that is an event of its own."""
        address, serials = address_in(saying.words), serials_in(saying.words)
        if address and len(serials) == 1:
            self.teller.aliases.setdefault(f"addr:{address}", serials[0])
        code = code_in(saying.words)
        if code is not None and self.teller.entry.line.level in ("E", "F", ""):
            self.facts.error(code, _pairs(saying.pairs))
        else:
            self.teller.tell(Kind.APP_MESSAGE, _pairs(saying.pairs))

    def _whose(self, shape: str, tag: str) -> str:
        system = SYSTEMS.get(shape, "app")
        if tag:
            return "another part of the phone or the app"
        return "text of people or of another program" if system == "app" else f"another line of {system}"


def _pairs(pairs: Mapping[str, str]) -> dict[str, str]:
    return dict(list(pairs.items())[:12])
