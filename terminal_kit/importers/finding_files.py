"""What of some paths can be imported: files, folders' files and archives' members, sniffed, and known by their hash."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from terminal_kit.errors import CaptureFormatError, TerminalError
from terminal_kit.eventlog import Source
from terminal_kit.importers import sdk_logs
from terminal_kit.importers.archives import members
from terminal_kit.importers.captures import containers
from terminal_kit.importers.content import Buffer, Content, let_go, opened
from terminal_kit.importers.import_report import ImportReport
from terminal_kit.importers.report import Damage

Opener = Callable[[], AbstractContextManager[Content]]
Role = Literal["capture", "log"]

HASHED_BYTES = 1 << 20
"""How much is hashed at a time: a mapped file needs no copy, and a piece of it stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be imported. `archive` is the one that it lies in, empty for none.

    `known` is what the log has of exactly this content, `beginnings` all that it has of it: of its beginnings, the
    longest last, and of the whole.
    """

    name: str
    archive: str
    role: Role
    size_bytes: int
    sha256: str
    open: Opener
    known: Source | None = None
    beginnings: Sequence[Source] = ()

    @property
    def grown_from(self) -> Source | None:
        """The longest of its beginnings that the log has, where it has not the whole."""
        return self.beginnings[-1] if self.beginnings and self.known is None else None

    @property
    def offset_us(self) -> int:
        """The correction of the clock, µs, that its beginning has in the log; it is one file with it."""
        return self.grown_from.clock_offset_us if self.grown_from else 0


class Hashes(NamedTuple):
    """A content's SHA-256, and those of its beginnings by their sizes."""

    whole: str
    beginnings: dict[int, str]


def look(paths: Iterable[Path | Content], sources: Sequence[Source]) -> Iterator[Found | ImportReport]:
    """What there is to import, in the order of the paths; a report with an error for what cannot be.

    In folders and archives, files that are nothing of ours are passed over. What lies in an archive is unpacked once,
    and held until it was read.
    """
    for path in paths:
        if isinstance(path, Content) or not path.is_dir():
            yield from _look_at(path, sources)
            continue
        found = [each for inner in _files_of(path) for each in _look_at(inner, sources, must=False)]
        yield from found or [_refused(str(path), _nothing(f"{path} holds no file that can be imported", str(path)))]


def hashed(data: Buffer, sizes: Iterable[int] = ()) -> Hashes:
    """The SHA-256 of some content and of its beginnings of these sizes, in one pass."""
    hasher, beginnings, at = sha256(), dict[int, str](), 0
    with memoryview(data) as view:
        marks = sorted({size for size in sizes if 0 < size < len(view)})
        for mark in (*marks, len(view)):
            while at < mark:
                end = min(at + HASHED_BYTES, mark)
                hasher.update(view[at:end])
                let_go(data, at, end)
                at = end
            beginnings[mark] = hasher.hexdigest()
    return Hashes(hasher.hexdigest(), beginnings)


def _look_at(path: Path | Content, sources: Sequence[Source], *, must: bool = True) -> list[Found | ImportReport]:
    """What one file holds. `must`: it was named by somebody, who is told where it is nothing of ours."""
    opener, name = (_held(path), path.name) if isinstance(path, Content) else (partial(opened, path), str(path))
    try:
        with opener() as content:
            if role := role_of(content):
                return [_found(content, "", role, opener, sources)]
            damages = list[Damage]()
            found = [each for member in members(content, damages.append) if (each := _member(member, sources))]
            if found:
                return [*_told(name, damages), *found]
            if must:
                return [_refused(name, _empty(name, damages))]
            return []
    except TerminalError as error:
        return [_refused(name, error)]


def role_of(content: Content) -> Role | None:
    """What a content is, by what is in it. Raises `CaptureFormatError` for a capture that cannot be read, by name."""
    if containers.sniff(content) is not None:
        return "capture"
    return "log" if holds_log(content) else None


def holds_log(content: Content) -> bool:
    """Whether there are lines of an SDK in a content."""
    return sdk_logs.sniff(content)


def _member(content: Content, sources: Sequence[Source]) -> Found | ImportReport | None:
    try:
        role = role_of(content)
    except TerminalError as error:
        return _refused(content.name, error)
    archive = content.name.rpartition("!")[0]
    return role and _found(content, archive, role, _held(content), sources)


def _found(
    content: Content,
    archive: str,
    role: Role,
    opener: Opener,
    sources: Sequence[Source],
) -> Found:
    hashes = hashed(content.data, (source.size_bytes for source in sources))
    known = next((source for source in sources if source.sha256 == hashes.whole), None)
    grown = [source for source in sources if hashes.beginnings.get(source.size_bytes) == source.sha256]
    return Found(
        content.name,
        archive,
        role,
        len(content.data),
        hashes.whole,
        opener,
        known,
        sorted(grown, key=lambda source: source.size_bytes),
    )


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _held(content: Content) -> Opener:
    return lambda: nullcontext(content)


def _told(archive: str, damages: list[Damage]) -> list[ImportReport]:
    """A report of an archive of which something could not be read; none of one that is whole."""
    if not damages:
        return []
    return [ImportReport(file=archive, container="archive", damaged=len(damages), damages=damages)]


def _refused(name: str, error: TerminalError) -> ImportReport:
    return ImportReport(file=name, error=error)


def _empty(name: str, damages: list[Damage]) -> CaptureFormatError:
    """Why a file gives nothing; of an archive that is damaged, where."""
    if not damages:
        return _nothing(f"{name} gives nothing to import: it is no capture, no log of the SDK, and holds none", name)
    what, offset = damages[0].text, damages[0].offset
    at = "" if offset is None else f"at byte {offset:,}, "
    return CaptureFormatError(f"{name} gives nothing to import: {at}{what}", path=name, offset=offset)


def _nothing(text: str, path: str) -> CaptureFormatError:
    return CaptureFormatError(text, path=path)
