"""What lies in an archive."""

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import PurePath

from terminal_kit.importers.archives import zips
from terminal_kit.importers.archives.budget import DEPTH_AT_MOST, Budget, TooMuch
from terminal_kit.importers.archives.holding import held
from terminal_kit.importers.archives.unpacking import PIECE, Stream, unpacked
from terminal_kit.importers.captures import btsnoop, packetlogger, pcap, pcapng
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Damage

HEAD_BYTES = 4096
"""Of a member, so many bytes are looked at to tell whether it could be of interest."""

NAME_CHARACTERS, WHY_CHARACTERS = 300, 200
"""Of names in archives and of what their readers say of them, so much is kept: both may be anybody's invention."""

UNPACKED = " (counted in what it unpacks to)"
"""Where a stream is damaged is told by what came out of it: all before that byte is whole."""

TAR_MARK_AT = 257

PACKED: dict[str, tuple[bytes, int]] = {
    "zip": (zips.LOCAL, 0),
    "gz": (b"\x1f\x8b\x08", 0),
    "bz2": (b"BZh", 0),
    "xz": (b"\xfd7zXZ\0", 0),
    "tar": (b"ustar", TAR_MARK_AT),
}
"""By what an archive is known, and where in it that stands."""

CAPTURES = (btsnoop.MAGIC, pcapng.MAGIC, *pcap.MAGICS)

TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""UTF-16 has zeros in its text, and says so at its beginning."""

OnDamage = Callable[[Damage], None]


def members(content: Content, on_damage: OnDamage | None = None) -> Iterator[Content]:
    """The files in an archive that could be captures or logs, those in archives in it among them; nothing of others.

    They are named `archive!path/in/it`. What is damaged, encrypted or too large is told to `on_damage`, with the byte
    up to which it is whole, counted in the archive or in what is unpacked of it, as the text says; what could be read
    of it until then is given. Raises nothing.
    """
    yield from _Archive(Budget(len(content.data)), on_damage or (lambda _: None)).members(content, 0)


def form_of(head: bytes) -> str | None:
    """Which archive begins so."""
    return next((form for form, (mark, at) in PACKED.items() if head[at : at + len(mark)] == mark), None)


def could_be_of_interest(head: bytes) -> bool:
    """Whether a file that begins so could be a capture, a log, or an archive."""
    if head.startswith((*CAPTURES, *TEXT_MARKS)) or form_of(head) or packetlogger.byte_order(head):
        return True
    return bool(head) and b"\0" not in head


class _Archive:
    """One file with all that is in it."""

    def __init__(self, budget: Budget, on_damage: OnDamage) -> None:
        self._budget, self._on_damage = budget, on_damage

    def members(self, content: Content, depth: int) -> Iterator[Content]:
        form = form_of(content.head(HEAD_BYTES))
        if form is None:
            return
        if depth == DEPTH_AT_MOST:
            self._tell(content.name, f"archives are not opened beyond {depth} deep")
            return
        with memoryview(content.data) as data:
            try:
                for member in self._files(content.name, form, data):
                    if form_of(member.head(HEAD_BYTES)):
                        yield from self.members(member, depth + 1)
                    else:
                        yield member
            except TooMuch as error:
                self._tell(content.name, str(error))

    def _files(self, name: str, form: str, data: memoryview) -> Iterator[Content]:
        if form == "zip":
            yield from self._zip(name, data)
        elif form == "tar":
            pieces = (bytes(data[at : at + PIECE]) for at in range(0, len(data), PIECE))
            yield from self._tar(name, Stream(self._spending(pieces)))
        else:
            yield from self._compressed(name, form, data)

    def _zip(self, name: str, data: memoryview) -> Iterator[Content]:
        try:
            archive = zipfile.ZipFile(zips.as_file(data))
        except Exception as error:  # zipfile raises many kinds on damage
            why = f"its directory cannot be read ({error}); its files are sought without it"
            self._tell(name, why, zips.directory_end(data))
            files = zips.without_directory(data)
        else:
            files = zips.by_directory(archive)
        for file in files:
            yield from self._member(name, file.name, Stream(self._spending(file.source)))

    def _tar(self, name: str, stream: Stream, of_what: str = "") -> Iterator[Content]:
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for info in archive:
                    file = archive.extractfile(info) if info.isreg() else None
                    if file is not None:
                        yield from self._member(name, info.name, Stream(iter(lambda file=file: file.read(PIECE), b"")))
        except TooMuch:
            raise
        except Exception as error:  # tarfile, too
            self._tell(name, f"it cannot be read further: {stream.why or error}", stream.given_bytes, of_what)
        else:
            self._tell_why(name, stream)

    def _compressed(self, name: str, form: str, data: memoryview) -> Iterator[Content]:
        stream = Stream(self._spending(unpacked(form, data)))
        if form_of(stream.peek(HEAD_BYTES)) == "tar":
            yield from self._tar(name, stream, UNPACKED)
        else:
            yield from self._member(name, PurePath(name.rpartition("!")[2]).stem, stream)

    def _member(self, archive: str, name: str, stream: Stream) -> Iterator[Content]:
        self._budget.count()
        name = f"{archive}!{name[-NAME_CHARACTERS:]}"
        if could_be_of_interest(stream.peek(HEAD_BYTES)):
            try:
                data = held(stream.rest())
            except OSError as error:
                self._tell(name, f"there is no room to unpack it: {error}")
                return
            yield Content(name, data)
        self._tell_why(name, stream)

    def _spending(self, source: Iterator[bytes]) -> Iterator[bytes]:
        for piece in source:
            self._budget.spend(len(piece))
            yield piece

    def _tell_why(self, name: str, stream: Stream) -> None:
        if stream.why:
            self._tell(name, f"it is damaged: {stream.why}", stream.given_bytes, UNPACKED)

    def _tell(self, name: str, text: str, offset: int | None = None, of_what: str = "") -> None:
        self._on_damage(Damage(f"{name}: {text[:WHY_CHARACTERS]}{of_what}", offset))
