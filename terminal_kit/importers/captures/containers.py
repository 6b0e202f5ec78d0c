"""Which container a capture is in, by its content alone, and the way to its records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from terminal_kit.errors import CaptureFormatError
from terminal_kit.importers.captures import btsnoop, btsnooz, packetlogger, pcap, pcapng
from terminal_kit.importers.captures.records import Records
from terminal_kit.importers.content import Content, let_go
from terminal_kit.importers.report import Report

Read = Callable[[Content, Report, int], Iterator[Records]]


@dataclass(frozen=True, slots=True)
class Container:
    """A form in which captures are stored. `name`: as reports and people call it, for instance `btsnoop 1002`."""

    name: str
    read: Read


def _btsnoop(content: Content) -> Container | None:
    head = content.head(btsnoop.HEADER_BYTES)
    if not head.startswith(btsnoop.MAGIC):
        return None
    return Container(f"btsnoop {btsnoop.data_link(head)}", btsnoop.read)


def _pcapng(content: Content) -> Container | None:
    head = content.head(pcapng.SNIFFED_BYTES)
    if not head.startswith(pcapng.MAGIC):
        return None
    pcapng.check(head)
    return Container("pcapng", pcapng.read)


def _pcap(content: Content) -> Container | None:
    head = content.head(pcap.HEADER_BYTES)
    return Container(f"pcap {pcap.link_type(head)}", pcap.read) if head[:4] in pcap.MAGICS else None


def _packetlogger(content: Content) -> Container | None:
    order = packetlogger.byte_order(content.head(packetlogger.HEAD_BYTES))
    return Container(packetlogger.NAMES[order], packetlogger.read) if order else None


def _btsnooz(content: Content) -> Container | None:
    version = btsnooz.version(content)
    return Container(f"btsnooz {version}", btsnooz.read) if version else None


FORMATS: tuple[Callable[[Content], Container | None], ...] = (_btsnoop, _pcapng, _pcap, _packetlogger, _btsnooz)
"""One for each format, in the order in which they are asked: the surest first."""


def sniff(content: Content) -> Container | None:
    """The container that a file is, or None where it is no capture.

    Raises `CaptureFormatError` for a capture that is refused: one of the air, or with another transport's framing.
    """
    return next((container for ask in FORMATS if (container := ask(content)) is not None), None)


def read(
    content: Content, report: Report, source: int = 0, *, on_progress: Callable[[int], None] | None = None
) -> Iterator[Records]:
    """The HCI packets of a capture, in the file's order and a chunk at a time; `source` is put into each chunk.

    `report` gets the container's name, the span of time, the number of all records, and those that are foreign or
    damaged. Records that became a `Note` (an adapter added, a remark) are counted as understood; those handed on are
    for whoever decodes them to count. `on_progress` is told how many more bytes were read. The chunks are views of
    `content.data`: they are to be gone before it is closed. Raises `CaptureFormatError` for what is no capture, or
    one that is refused.
    """
    container = sniff(content)
    if container is None:
        raise CaptureFormatError("This is no capture of a known format.", path=content.name)
    report.container = container.name
    done, size = 0, len(content.data)
    for records in container.read(content, report, source):
        yield records
        reached = max(done, min(int(records.offset[-1]), size)) if len(records) else done
        let_go(content.data, done, reached)
        if on_progress is not None:
            on_progress(reached - done)
        done = reached
    if on_progress is not None:
        on_progress(size - done)
