"""Chunks of HCI packets into a phone's timeline: the many by columns, the few that tell of links one by one."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terminal_kit.events import Kind
from terminal_kit.importers.captures import hci
from terminal_kit.importers.captures.advertisements import Advertisements, Part
from terminal_kit.importers.captures.advertising import FORMS, Reports, hashes, read_reports
from terminal_kit.importers.captures.attributes import TOLD, Attributes
from terminal_kit.importers.captures.coding import coded
from terminal_kit.importers.captures.control import Control
from terminal_kit.importers.captures.hci import HANDLE
from terminal_kit.importers.captures.payloads import read_payload
from terminal_kit.importers.captures.records import ACL, COMMAND, EVENT, SCO, SENT, Note, Records
from terminal_kit.importers.captures.rows import Moment
from terminal_kit.importers.captures.timeline import Timeline
from terminal_kit.importers.captures.traffic import Traffic
from terminal_kit.importers.captures.windows import gather
from terminal_kit.importers.report import Report

PAYLOADS = 100
"""So many different payloads of a device are read; one that changes all the time (a counter in it) says nothing new."""

_START, _CONTINUATION = (0, 2), 1
"""The packet boundary flags of data: bits 12 and 13 of the handle (Core Vol 4 Part E, 5.4.2)."""

FILTERED, FILTERED_SOUGHT = b"PROHIBITED", 50
"""What Android's filtered log has in the place of payloads, and of how many packets of a chunk it is looked for."""

_NOTE_ROWS = {
    "note": Kind.NOTE,
    "gap": Kind.GAP,
    "host_changed": Kind.HOST_CHANGED,
    "clock_jumped": Kind.CLOCK_JUMPED,
}

_GONE = {"adapter_removed": "adapter removed", "adapter_off": "adapter switched off"}


def _marked(numbers: frozenset[int] | tuple[int, ...]) -> NDArray[np.bool_]:
    table = np.zeros(256, bool)
    table[list(numbers)] = True
    return table


_EVENTS, _META, _REPORTS = _marked(hci.EVENTS), _marked(hci.META_EVENTS), _marked(tuple(FORMS))
_FRAMES = {channel: _marked(opcodes) for channel, opcodes in TOLD.items()}
_COMMANDS = np.zeros(1 << 16, bool)
_COMMANDS[list(hci.COMMANDS)] = True


class _Step(NamedTuple):
    """Something of a chunk that is read by itself, at its place among the others."""

    at: int
    order: int  # of two at one place: notes come first
    what: str
    number: int


class Decoder:
    """Reads the chunks of some files of one phone, in their order, into one timeline."""

    def __init__(self, files: int) -> None:
        self.timeline = Timeline()
        self.advertisements = Advertisements(files)
        self._control = Control(self.timeline)
        self._attributes = Attributes(self.timeline)
        self._seen: set[int] = set()
        self._payloads = Counter[int]()
        self._unfinished = set[int]()
        self.is_filtered = False
        """Whether the phone wrote something else in the place of what was said."""

    def finish(self) -> None:
        """All is read: a scan command of which no answer is there counts as done."""
        for adapter in self.timeline.adapters.values():
            self._control.settle(adapter)

    def close(self) -> None:
        """Lets go of what was laid aside."""
        self.advertisements.close()

    def read(self, chunk: Records, report: Report) -> None:
        """One chunk. Each of its records is counted in the report: understood, foreign or damaged."""
        if not len(chunk):
            for note in chunk.notes:
                self._note(chunk, note, 0)
            return
        sorted_out = _Sorted(chunk, {link.key for link in self.timeline.links() if link.partial})
        self.is_filtered |= sorted_out.is_filtered()
        reports, cut = read_reports(chunk, sorted_out.report_at, sorted_out.report_kind)
        device = self._heard(chunk, reports)
        self.timeline.traffic = Traffic(
            chunk, sorted_out.data_at, sorted_out.heads, sorted_out.completed_at, reports.at, device
        )
        for link in self.timeline.links():
            link.since = 0
        cut_control = self._in_turn(chunk, sorted_out, self._news(chunk, reports, device))
        for link in self.timeline.links():
            self.timeline.account(link, len(chunk))
            link.since = 0
        self.timeline.traffic = None
        self._count(report, chunk, sorted_out, [*cut.tolist(), *cut_control])

    def _heard(self, chunk: Records, reports: Reports) -> NDArray[np.int32]:
        """Keeps the advertisements; gives whose each is."""
        t_us, number = chunk.t_us[reports.at], chunk.number[reports.at]
        device = self.timeline.devices.ids(reports.key, t_us, chunk.source, number)
        whole = ~reports.fragment
        if len(device):
            part = Part(t_us, device, reports.rssi_dbm, number)
            self.advertisements.add(chunk.source, part if whole.all() else part.take(whole))
        return device

    def _news(self, chunk: Records, reports: Reports, device: NDArray[np.int32]) -> list[_Step]:
        """The reports whose payload their device had not sent before; `number` is their place among the reports."""
        if not len(reports.at):
            return []
        continues = self._continuations(reports)
        found = coded(hashes(chunk.data, reports))
        if self._seen.issuperset(found.values):
            return []
        steps: list[_Step] = []
        for value, place in zip(found.values, found.first().tolist(), strict=True):
            if value in self._seen or place in continues:
                continue
            number = int(device[place])
            if self._payloads[number] < PAYLOADS or self.timeline.devices.of(number).is_reader:
                self._payloads[number] += 1
                self._seen.add(value)
                steps.append(_Step(int(reports.at[place]), 1, "payload", place))
        self._reports, self._device = reports, device
        return steps

    def _continuations(self, reports: Reports) -> set[int]:
        """The reports that go on with a fragment: their bytes begin anywhere within a structure."""
        if not self._unfinished and not reports.fragment.any():
            return set()
        found: set[int] = set()
        fragmented = self._unfinished | set(reports.key[reports.fragment].tolist())
        for place in np.flatnonzero(np.isin(reports.key, list(fragmented))).tolist():
            key = int(reports.key[place])
            if key in self._unfinished:
                found.add(place)
                self._unfinished.discard(key)
            if reports.fragment[place]:
                self._unfinished.add(key)
        return found

    def _in_turn(self, chunk: Records, found: "_Sorted", news: list[_Step]) -> list[int]:
        """Reads one by one what tells of links, in the order of the records; gives the places of damaged ones."""
        steps = [*news, *found.steps()]
        steps += [
            _Step(int(np.searchsorted(chunk.number, note.record)), 0, "note", place)
            for place, note in enumerate(chunk.notes)
        ]
        steps.sort()
        damaged: list[int] = []
        times, numbers, adapters = chunk.t_us, chunk.number, chunk.adapter
        for step in steps:
            if step.what == "note":
                self._note(chunk, chunk.notes[step.number], min(step.at, len(chunk) - 1))
                continue
            at = step.at
            now = Moment(chunk.source, int(times[at]), int(numbers[at]), int(adapters[at]), at)
            if step.what == "payload":
                self._payload(chunk, now, step.number)
            elif not self._packet(chunk, now, step.what):
                damaged.append(at)
        return damaged

    def _packet(self, chunk: Records, now: Moment, what: str) -> bool:
        begin = int(chunk.offset[now.at])
        packet = chunk.data[begin : begin + int(chunk.included[now.at])].tobytes()
        if what == "command":
            return self._control.command(now, hci.u16(packet, 0), packet[3:])
        if what == "event":
            return self._control.event(now, packet[0], packet[2:])
        head = hci.u16(packet, 0)
        handle = head & HANDLE
        adapter, link = self.timeline.adapter(now.adapter), self.timeline.link(now.adapter, handle)
        if handle in adapter.classic:
            return True
        direction, is_start = int(chunk.direction[now.at]), head >> 12 & 3 != _CONTINUATION
        if link is None and is_start:
            if hci.u16(packet, 6) not in TOLD:
                adapter.unsure.add(handle)
            elif direction != SENT:  # a host may still send what it had queued when the link is over
                link = self.timeline.open(handle, now)
        if link is not None:
            self._attributes.data(now, link, direction, packet[4:], is_start=is_start)
        return True

    def _payload(self, chunk: Records, now: Moment, place: int) -> None:
        begin, length = int(self._reports.begin[place]), int(self._reports.length[place])
        payload = read_payload(chunk.data[begin : begin + length].tobytes())
        self.timeline.advertised(self.timeline.devices.of(int(self._device[place])), payload, now)

    def _note(self, chunk: Records, note: Note, at: int) -> None:
        now = Moment(chunk.source, note.t_us, note.record, note.adapter, at)
        if (change := (note.extra or {}).get("change")) in _GONE:
            self.timeline.close_all(self.timeline.adapter(note.adapter), now, _GONE[change])
        self.timeline.rows.add(_NOTE_ROWS[note.kind], now, text=note.text, count=note.count, extra=note.extra)

    def _count(self, report: Report, chunk: Records, found: "_Sorted", damaged: list[int]) -> None:
        bad = np.unique(np.concatenate((found.cut, np.array(damaged, np.int64))))
        foreign = 0
        for reason, places in found.foreign.items():
            count = len(places) if not len(bad) else int((~np.isin(places, bad)).sum())
            if count:
                report.foreign_reasons[reason] += count
                foreign += count
        for at in bad.tolist():
            report.damage(
                "the packet ends before what it announces",
                offset=int(chunk.offset[at]),
                record=int(chunk.number[at]),
            )
        report.understood += len(chunk) - foreign - len(bad)


class _Sorted:
    """Which records of a chunk are what. `cut`: too short even for their own header.

    `unfinished`: the links of which a frame began before the chunk.
    """

    def __init__(self, chunk: Records, unfinished: set[int]) -> None:
        self.chunk = chunk
        self._unfinished = unfinished
        heads = gather(chunk.data, chunk.offset, "<u4")
        kind, included = chunk.kind, chunk.included
        low = (heads & 0xFF).astype(np.uint8)
        third = (heads >> 16 & 0xFF).astype(np.uint8)
        is_event = kind == EVENT
        meta = is_event & (low == hci.LE_META)
        needed = np.full(len(kind), 4, np.int32)
        needed[is_event] = 2
        needed[meta] = 3
        needed[(kind == COMMAND) | (kind == SCO)] = 3
        whole = included >= needed
        self.cut = np.flatnonzero(~whole)
        reports = meta & _REPORTS[third] & whole
        self.report_at = np.flatnonzero(reports)
        self.report_kind = third[self.report_at]
        self.completed_at = np.flatnonzero(is_event & (low == hci.COMPLETED_PACKETS) & (included >= 3))
        data = (kind == ACL) & whole
        self.data_at = np.flatnonzero(data)
        self.heads = heads[self.data_at]
        rest = np.flatnonzero(whole & ~reports & (kind != ACL))
        self.foreign: dict[str, NDArray[np.int64]] = {}
        self._events(rest, low, third, heads)
        self._commands(rest, heads)
        self._data()
        audio = np.flatnonzero(whole & (kind != ACL) & (kind != EVENT) & (kind != COMMAND))
        if len(audio):
            self.foreign["audio"] = audio

    def is_filtered(self) -> bool:
        """Whether the phone wrote `PROHIBITED` for what was said, as Android's filtered logs have it."""
        chunk = self.chunk
        places = self.data_at[:FILTERED_SOUGHT]
        return any(
            FILTERED in chunk.data[begin : begin + length].tobytes()
            for begin, length in zip(chunk.offset[places].tolist(), chunk.included[places].tolist(), strict=True)
        )

    def steps(self) -> Iterator[_Step]:
        """What is to be read one by one."""
        for what, places in (("event", self.told_events), ("command", self.told_commands), ("data", self.told_data)):
            for at in places.tolist():
                yield _Step(at, 2, what, 0)

    def _events(
        self, rest: NDArray[np.int64], low: NDArray[np.uint8], third: NDArray[np.uint8], heads: NDArray[np.uint32]
    ) -> None:
        at = rest[self.chunk.kind[rest] == EVENT]
        code, sub = low[at], third[at]
        is_meta = code == hci.LE_META
        told = np.where(is_meta, _META[sub], _EVENTS[code])
        told |= (code == hci.VENDOR) & (sub == hci.ANDROID_QUALITY_REPORT)
        answers = np.flatnonzero((code == hci.COMMAND_COMPLETE) | (code == hci.COMMAND_STATUS))
        if len(answers):
            # The opcode stands behind the number of packets, or behind the status too.
            skip = np.where(code[answers] == hci.COMMAND_COMPLETE, 3, 4)
            opcode = gather(self.chunk.data, self.chunk.offset[at[answers]] + skip, "<u2")
            told[answers] = _COMMANDS[opcode]
        self.told_events = at[told]
        others = ~told & (code != hci.COMPLETED_PACKETS)
        others[answers] = False
        for reason, which in (
            ("vendor events", others & (code == hci.VENDOR)),
            ("events that tell of no link", others & (code != hci.VENDOR)),
            ("answers to other commands", np.isin(np.arange(len(at)), answers) & ~told),
        ):
            if which.any():
                self.foreign[reason] = at[which]

    def _commands(self, rest: NDArray[np.int64], heads: NDArray[np.uint32]) -> None:
        at = rest[self.chunk.kind[rest] == COMMAND]
        told = _COMMANDS[(heads[at] & 0xFFFF).astype(np.int64)]
        self.told_commands = at[told]
        if not told.all():
            self.foreign["commands that tell of no link"] = at[~told]

    def _data(self) -> None:
        """Starts of frames on the fixed channels of LE that say something, and continuations of any that lack some."""
        chunk, at = self.chunk, self.data_at
        boundary = self.heads >> 12 & 3
        start = np.isin(boundary, _START) & (chunk.included[at] >= 9)
        frame = gather(chunk.data, chunk.offset[at] + 4, "<u8") if len(at) else np.zeros(0, np.uint64)
        channel = (frame >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
        opcode = (frame >> np.uint64(32) & np.uint64(0xFF)).astype(np.int64)
        length = (frame & np.uint64(0xFFFF)).astype(np.int64)
        told = np.zeros(len(at), bool)
        low_energy = np.zeros(len(at), bool)
        for number, table in _FRAMES.items():
            mine = start & (channel == number)
            low_energy |= mine
            told |= mine & table[opcode]
        others = start & ~low_energy
        keys = chunk.adapter[at].astype(np.int64) << 12 | (self.heads & HANDLE).astype(np.int64)
        first = np.zeros(len(at), bool)
        for mine in (low_energy, others):
            places = np.flatnonzero(mine)
            _, firsts = np.unique(keys[places], return_index=True)
            first[places[firsts]] = True  # so that a link in its middle is found, whatever it carries
        unfinished = self._unfinished.union(keys[told & (length + 8 > chunk.included[at])].tolist())
        if unfinished:
            told |= (boundary == _CONTINUATION) & np.isin(keys, list(unfinished))
        self.told_data = at[told | first]
        if others.any():
            self.foreign["data of other protocols"] = at[others]
