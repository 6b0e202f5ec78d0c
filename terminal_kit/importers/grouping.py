"""Which captures are one phone's: their files are read as one timeline."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terminal_kit.importers.captures import containers
from terminal_kit.importers.captures.records import EVENT, Records
from terminal_kit.importers.content import Content
from terminal_kit.importers.report import Report

OVERLAP_US = 2_000_000
"""Captures of one phone may overlap so far, µs: a clock that was set, or a time that was reckoned backwards."""

ADJOINING_US = 60_000_000
"""Captures of the same format that follow each other within this, µs, are the parts of a rotation."""

ONE_PHONE_US = 86_400_000_000
"""Captures of the same controller within a day, µs, are one timeline; further apart, nothing joins them."""

_READ_BD_ADDR = (0x09, 0x10)
"""The opcode 0x1009, as it lies in a Command Complete event: Core Vol 4 Part E, 7.4.6."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a capture before its events are read. `addresses`: of the controllers, where they are told."""

    container: str
    first_us: int
    last_us: int
    records: int
    addresses: frozenset[str] = frozenset()
    archive: str = ""


def span_of(content: Content, archive: str = "") -> Span | None:
    """When a capture begins and ends, and whose it is; None where it has no record. Walks its records, reads few."""
    report = Report("")
    first: list[int] = []
    last: list[int] = []
    addresses: set[str] = set()
    for records in containers.read(content, report, 0):
        if len(records):
            first.append(int(records.t_us.min()))
            last.append(int(records.t_us.max()))
            addresses |= _addresses(records)
    if not first:
        return None
    return Span(report.container, min(first), max(last), report.records, frozenset(addresses), archive)


def grouped(spans: Sequence[Span]) -> tuple[list[list[int]], dict[int, int]]:
    """The captures by phone: the places of each group's spans, in the order of time; and those that are left out.

    Left out are captures that another one of the same phone has in full: place → the other's place.
    """
    doubles = _doubles(spans)
    groups: list[list[int]] = []
    for place in sorted(range(len(spans)), key=lambda place: spans[place].first_us):
        if place in doubles:
            continue
        mine = next((group for group in groups if _continues(spans, group, place)), None)
        if mine is None:
            groups.append([place])
        else:
            mine.append(place)
    return groups, doubles


def _continues(spans: Sequence[Span], group: Sequence[int], place: int) -> bool:
    """Whether a capture goes on where a group of one phone's ends."""
    later = spans[place]
    ends = max((spans[each] for each in group), key=lambda span: span.last_us)
    gap_us = later.first_us - ends.last_us
    told = frozenset[str]().union(*(spans[each].addresses for each in group))
    if gap_us < -OVERLAP_US or (told and later.addresses and not told & later.addresses):
        return False
    if later.archive and later.archive == ends.archive:
        return True
    if told & later.addresses:
        return gap_us <= ONE_PHONE_US
    return later.container == ends.container and gap_us <= ADJOINING_US


def _doubles(spans: Sequence[Span]) -> dict[int, int]:
    """Captures that lie beside a fuller one of the same time and phone: place → the place of that one."""
    kept: list[int] = []
    found: dict[int, int] = {}
    for place in sorted(range(len(spans)), key=lambda place: (_is_digest(spans[place]), -spans[place].records)):
        fuller = next((other for other in kept if _has_in_full(spans[other], spans[place])), None)
        if fuller is None:
            kept.append(place)
        else:
            found[place] = fuller
    return found


def _has_in_full(fuller: Span, span: Span) -> bool:
    """Whether a capture is a digest of another one in its archive, or a filtered copy."""
    if not span.archive or span.archive != fuller.archive:
        return False
    overlap_us = min(span.last_us, fuller.last_us) - max(span.first_us, fuller.first_us)
    if _is_digest(span) and not _is_digest(fuller):
        return overlap_us > OVERLAP_US
    return bool(span.addresses & fuller.addresses) and overlap_us >= span.last_us - span.first_us


def _is_digest(span: Span) -> bool:
    """Android's summary in a bug report: its payloads are cut, and its times reckoned."""
    return "btsnooz" in span.container


def _addresses(records: Records) -> set[str]:
    """The controllers' own addresses, from the answers to Read BD_ADDR."""
    places = np.flatnonzero((records.kind == EVENT) & (records.included >= 12))
    if not len(places):
        return set()
    at, data = records.offset[places], records.data
    answers = at[(data[at] == 0x0E) & (data[at + 3] == _READ_BD_ADDR[0]) & (data[at + 4] == _READ_BD_ADDR[1])]
    return {
        ":".join(f"{byte:02X}" for byte in reversed(bytes(data[offset + 6 : offset + 12])))
        for offset in answers.tolist()
        if data[offset + 5] == 0
    }
