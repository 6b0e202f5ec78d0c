"""Packets to write and what is read back, for the tests of containers."""

from collections.abc import Sequence
from typing import NamedTuple

from capture_writers import ACL, COMMAND, EVENT, FORMS, RECEIVED, SENT, Form, Packet
from hypothesis import strategies as st

from terminal_kit.importers.captures import containers
from terminal_kit.importers.captures.records import Note
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

BEGIN_US = 1_700_000_000_000_000


class Result(NamedTuple):
    """What was read of a file; `numbers` are those of the packets."""

    packets: list[Packet]
    numbers: list[int]
    notes: list[Note]
    report: Report

    @property
    def counted(self) -> int:
        """Every record, by what became of it; the packets are for their decoder to count."""
        return len(self.packets) + self.report.understood + self.report.foreign + self.report.damaged


def read(data: bytes) -> Result:
    """Reads a file; checks what holds for every file."""
    report = Report("")
    result = Result([], [], [], report)
    for records in containers.read(Content("a capture", data), report, 3):
        assert records.source == 3
        offset, included = records.offset.tolist(), records.included.tolist()
        assert all(size >= 0 for size in included)
        assert all(0 <= place <= len(records.data) - size for place, size in zip(offset, included, strict=True) if size)
        payloads = [bytes(records.data[at : at + size]) for at, size in zip(offset, included, strict=True)]
        columns = (records.t_us, records.kind, records.direction)
        rest = (records.adapter, records.original)
        result.packets.extend(
            Packet(*row)
            for row in zip(*(c.tolist() for c in columns), payloads, *(c.tolist() for c in rest), strict=True)
        )
        result.numbers.extend(records.number.tolist())
        result.notes.extend(records.notes)
    assert result.numbers == sorted(set(result.numbers))
    assert all(0 <= number < report.records for number in result.numbers)
    assert result.counted == report.records, (result.counted, report)
    return result


def packets(form: Form, count: int = 40) -> list[Packet]:
    """A quiet list of packets, of every kind that the container can hold."""
    found = []
    for number in range(count):
        kind = form.kinds[number % len(form.kinds)]
        direction = {COMMAND: SENT, EVENT: RECEIVED}.get(kind, number % 2)
        body = bytes((number * 37 + place * 11) % 256 for place in range(3 + number % 23))
        original = len(body) + (100 if number % 5 == 4 else 0)
        found.append(Packet(BEGIN_US + number * 12_345, kind, direction, body, number % 3, original))
    return found


def kept(form: Form, sent: Sequence[Packet]) -> list[Packet]:
    return [form.kept(packet) for packet in sent]


@st.composite
def forms_and_packets(draw: st.DrawFn) -> tuple[Form, list[Packet]]:
    """A container and packets that it can hold; its clock may go back where the container allows it."""
    form = FORMS[draw(st.sampled_from(sorted(FORMS)))]
    t_us, found = BEGIN_US, []
    for _ in range(draw(st.integers(0, 30))):
        t_us += draw(st.integers(-900_000 if form.clock_may_go_back else 0, 10_000_000))
        kind = draw(st.sampled_from(form.kinds))
        direction = {COMMAND: SENT, EVENT: RECEIVED}.get(kind, draw(st.integers(0, 1)))
        body = draw(st.binary(min_size=1, max_size=70))
        cut = draw(st.integers(0, 200))
        found.append(Packet(t_us, kind, direction, body, draw(st.integers(0, 3)), len(body) + cut))
    return form, found


__all__ = ["ACL", "BEGIN_US", "Result", "forms_and_packets", "kept", "packets", "read"]
