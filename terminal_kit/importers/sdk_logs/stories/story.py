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
from terminal_kit.importers.sdk_logs.stories.telemetry import MARK, tell_trace, traces_in
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
    ("fence of a code block", re.compile(r"^\s*(?:```|~~~)")),
    ("shell prompt", re.compile(r"^\s*(?:[$#>]|\w+@[\w.-]+[:~].*[$#])\s")),
    (
        "left out by whoever pasted it",
        re.compile(r"^\s*(?i:\*snip\*|\[?\.\.\.\]?|<HIDDEN>|<redacted>)\s*$"),
    ),
    (
        "stack frame",
        re.compile(r"^\s*(?:at [\w.$<>]+|Caused by:|Suppressed:|\.\.\. \d+ more|(?:[a-z]\w*\.){2,}\w+Exception\b)"),
    ),
    ("debugger", re.compile(r"^(?:Resolved pending breakpoint|Thread (?:started|finished)|Loaded assembly)")),
    ("beginning of a buffer", re.compile(r"^-+ beginning of \w+")),
)
_ANY_FOREIGN = re.compile("|".join(pattern.pattern for _, pattern in _FOREIGN))
OF_INTEREST = re.compile(r"Bluetooth(?:Gatt|LeScanner|Adapter)$|^BB|Stripe|\.\.\.|^ConnectionManager$|Cancel")
"""Tags whose lines may tell a story by themselves."""

_TAGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("the phone's runtime", re.compile(r"^(?:art|dalvikvm.*|zygote\d*|Choreographer|chatty|GC|libc|StrictMode)$")),
    ("leak detector", re.compile(r"^LeakCanary$")),
    ("stack frame", re.compile(r"^System\.err$")),
)
_SDK_TAGS = re.compile(r"^(?:StripeTerminal|BBPOS\w*|ConnectionManager|BBBT\w*|BBDevice\w*|DiscoveryCancelCallback)$")
_VERSIONS = re.compile(r"\b(?:sdk_version|sdkVersion|sdk-version)[=:\"' ]+v?(\d[\w.-]*)")
_PACKAGE = re.compile(r"stripe-terminal-react-native[@/ ]+[\^~v]?(\d+\.\d+\.\d+[\w.-]*)")
"""The package of React Native with its version, as package managers and traces name it."""

EARLY_ENTRIES = 1000
"""How many lines are kept for the case that an SDK speaks after them."""

_PHONES_TAGS = re.compile(r"Bluetooth(?:Gatt|LeScanner|Adapter)$")
_CUT_HEAD = re.compile(r"^(?:\d+[-\s]+\d+\S*\s+)?(?:[VDIWEF][ /]\s*)?Stripe\w*(?:\s+\S*)?$")
"""A line of the SDK's that ends within its envelope."""


_TRACE_ID = re.compile(r"^Stripe trace identifier\b")


def foreign_body(body: str) -> str | None:
    """Why words are nobody's story, whoever wrote them."""
    if _ANY_FOREIGN.match(body) is None:
        return None
    return next((why for why, pattern in _FOREIGN if pattern.match(body)), None)


def foreign_tag(tag: str) -> str | None:
    """Why whatever is logged under a tag is nobody's story."""
    return next((why for why, pattern in _TAGS if pattern.match(tag)), None)


def others_tag(tag: str) -> str:
    """Whose a line is whose tag is none of the SDKs'."""
    return "the phone's Bluetooth stack" if tag.startswith("bt_") else "another part of the phone or the app"


class Story:
    """Takes the entries of a log and becomes rows. `versions` are those of the SDKs that speak in it."""

    def __init__(self) -> None:
        self.teller = Teller()
        self._begin_anew()
        self.versions: dict[str, str] = {}
        self.apps: dict[str, None] = {}
        self.pids: set[int] = set()
        """The processes in which an SDK was heard: Bluetooth of others is not about its readers."""
        self._early: list[Entry] | None = []
        """What was understood before the process of an SDK was known."""
        self._phone = ""

    def _begin_anew(self) -> None:
        """Another process speaks, or another phone: nothing is known of its readers."""
        self.teller.settle()
        self.teller.serial, self.teller.in_session = "", False
        self.link = Link(self.teller)
        self.discovery = Discovery(self.teller, self.link)
        self.relation = Relation(self.teller, self.discovery, self.link)
        self.updating = Updating(self.teller)
        self.facts = Facts(self.teller)

    def take(self, entry: Entry) -> Taken:
        """One entry: a line with what is folded beneath it."""
        taken = self._take(entry)
        if self.pids or self._early is None or len(self._early) >= EARLY_ENTRIES:
            self._early = None
        elif taken.how == "understood":
            self._early.append(entry)
        return taken

    def _take(self, entry: Entry) -> Taken:
        line, body = entry.line, entry.body
        if why := foreign_body(body):
            return Taken("foreign", why)
        if MARK in body and (traces := traces_in(body)):
            self.teller.begin(entry, {})
            for trace in traces:
                tell_trace(self, trace)
            return UNDERSTOOD
        saying = saying_of(body)
        if saying is not None:
            return self._sdk(entry, saying)
        if found := _PACKAGE.search(body):
            self.speaks("react_native", found[1])
            self.teller.begin(entry, {"sdk": "react_native", "sdk_version": found[1]})
            self.note()
            return UNDERSTOOD
        if self.pids and line.pid is not None and line.pid not in self.pids and _PHONES_TAGS.match(line.tag):
            return Taken("foreign", "another app's Bluetooth")
        if why := foreign_tag(line.tag):
            return Taken("foreign", why)
        self.teller.begin(entry, {"tag": line.tag, "level": line.level})
        for tag, pattern, tell in PHONE_TABLE:
            if tag.search(line.tag) and (found := pattern.search(body)):
                told = tell(self, found)
                return Taken("foreign", told) if isinstance(told, str) else UNDERSTOOD
        if _SDK_TAGS.match(line.tag):
            if line.tag == "StripeTerminal" and "class".startswith(body):
                return Taken("damaged", "the line is cut before it says anything")
            code = code_in(body)
            if line.level in ("E", "W") or code:
                self.failed("", code)
            else:
                self.note()
            return UNDERSTOOD
        if _TRACE_ID.match(body):
            self.note()
            return UNDERSTOOD
        if _CUT_HEAD.search(body):
            return Taken("damaged", "the line is cut before it says anything")
        return Taken("foreign", self._whose(line.shape, line.tag, body))

    def speaks(self, sdk: str, version: str = "") -> None:
        """An SDK speaks, of a version where it says so."""
        if version or sdk not in self.versions:
            self.versions[sdk] = version

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

    def skips(self) -> bool:
        """The SDK does not do what the app asked for."""
        self.relation.withdraw()
        return self.note()

    def queued(self, operation: str, serial: str | None) -> bool:
        """An operation of the SDK's queue."""
        if operation.startswith(("ConnectReader", "ConnectBluetooth")):
            return self.relation.start(serial, primary=False)
        if operation.startswith("DisconnectReader"):
            self.relation.ask(DisconnectReason.DISCONNECT_REQUESTED)
        return False

    def finish(self, end_us: int) -> None:
        """The log is through; `end_us` is the time of its last line."""
        self.updating.settle()
        self.teller.finish(end_us)

    def _sdk(self, entry: Entry, saying: Saying) -> Taken:
        teller = self.teller
        about: dict[str, Any] = {"class": saying.subject, "level": entry.line.level, "sdk": saying.sdk}
        # The reader tells the version of a library of its own maker, which is not the SDK's.
        version = None if "onReturnDeviceInfo" in saying.words else _VERSIONS.search(entry.body)
        if version:
            about["sdk_version"] = version[1]
        self.speaks(saying.sdk, version[1] if version else "")
        self._listen(saying.sdk, entry.line.pid)
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

    def _listen(self, sdk: str, pid: int | None) -> None:
        """Who speaks: a log may hold several lives of an app, and what was pasted those of several phones."""
        is_another = False
        if sdk in ("android", "ios"):
            is_another, self._phone = self._phone not in ("", sdk), sdk
        if pid is not None and sdk in ("android", "react_native"):
            is_another |= bool(self.pids) and pid not in self.pids
            is_first = not self.pids
            self.pids.add(pid)
            if is_first:
                self._tell_early_again(pid)
        if is_another:
            self.updating.settle()
            self._begin_anew()

    def _tell_early_again(self, pid: int) -> None:
        """It is known now whose Bluetooth is another app's: what was told of that is told anew without it."""
        early, self._early = self._early or [], None
        strangers = (entry.line for entry in early if entry.line.pid not in (None, pid))
        rows, phone = self.teller.rows, self._phone
        is_all_here = bool(rows) and rows[0]["kind"] == Kind.RUN_STARTED
        if not is_all_here or not any(_PHONES_TAGS.match(line.tag) for line in strangers):
            return
        self._begin_anew()
        self.teller.forget()
        self._phone = ""
        for entry in early:
            self._take(entry)
        self._phone = phone

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

    def _whose(self, shape: str, tag: str, body: str) -> str:
        if tag:
            return others_tag(tag)
        system = SYSTEMS.get(shape, "app")
        letters = [char for char in body[:80] if char.isalpha()]
        if system == "app" and letters and 2 * sum(char.isascii() for char in letters) < len(letters):
            return "another language"
        return "text of people or of another program" if system == "app" else f"another line of {system}"


def _pairs(pairs: Mapping[str, str]) -> dict[str, str]:
    return dict(list(pairs.items())[:12])
