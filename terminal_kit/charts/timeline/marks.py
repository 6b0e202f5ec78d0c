"""The marks and bars of a timeline: each leads to its source, and many of them become few."""

# pandas has no complete annotations.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from terminal_kit.charts.timeline.lanes import FINDINGS, MARKS, SPANS, Span, Tone
from terminal_kit.events import Cause, Kind, is_capture
from terminal_kit.words import component_words, hci_words, kind_words, reason_words, stage_words, visible, words

TEXT_CHARACTERS = 160
"""How much of a text a mark says; the row has all of it."""

_TONES: tuple[Tone, ...] = ("bad", "warn", "good", "plain")
_COLUMNS = (
    "seq", "t_us", "run", "reader", "kind", "session", "attempt_id", "attempt", "reason", "hci_code", "att_code",
    "error_code", "rssi_dbm", "battery", "firmware", "firmware_from", "firmware_to", "components", "stage", "progress",
    "duration_s", "interval_ms", "supervision_timeout_s", "source", "record", "file", "text", "extra",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark, or one bar where it has an end. Times: UTC microseconds. `words` are plain text, ready to be shown.

    `where` says where it comes from (file and frame, or line); `seq` is its row, 0 for none. `is_open` tells a bar
    whose end nobody saw. `more`: how many marks beside it are not drawn.
    """

    lane: str
    t_us: int
    words: str
    tone: Tone
    seq: int = 0
    where: str = ""
    end_us: int | None = None
    end_seq: int = 0
    is_open: bool = False
    more: int = 0


def marks(rows: pd.DataFrame, *, captures: frozenset[int] = frozenset()) -> list[Mark]:
    """All marks and bars of some rows, in the order of time; `captures` are the sources that count records."""
    kept: Any = rows[rows["kind"].isin([*MARKS, *(kind for span in SPANS for kind in (*span.starts, *span.good))])]
    wanted = kept.reindex(columns=list(_COLUMNS)).astype("object")
    records = [
        {name: value for name, value in zip(_COLUMNS, row, strict=True) if value is not None and not pd.isna(value)}
        for row in wanted.itertuples(index=False)
    ]
    found = [mark for row in records if (mark := _mark(row, captures)) is not None]
    ends: Any = rows.groupby("run")["t_us"].max()
    last = {str(run): int(end) for run, end in ends.items()}
    for span in SPANS:
        found.extend(_bars(records, span, captures, last))
    return sorted(found, key=lambda mark: mark.t_us)


def captured(frame: pd.DataFrame) -> frozenset[int]:
    """The sources that count records and not lines."""
    if not {"source", "container"} <= {*frame}:
        return frozenset()
    known: Any = frame[["source", "container"]].dropna()
    known = known.drop_duplicates("source").itertuples(index=False)
    return frozenset(int(source) for source, container in known if is_capture(container))


def where(row: dict[str, Any], captures: frozenset[int]) -> str:
    """Where a row comes from: `bug.zip!btsnoop_hci.log, frame 8124` (as Wireshark counts), or `…, line 17`."""
    if row.get("source") is None:
        return f"recorded live, row {row.get('seq', 0)}"
    name = visible(str(row.get("file") or f"file {row['source']}"))
    if (record := row.get("record")) is None:
        return name
    return f"{name}, frame {int(record) + 1}" if int(row["source"]) in captures else f"{name}, line {int(record)}"


def thinned(marks: Sequence[Mark], since_us: int, until_us: int, most: int) -> list[Mark]:
    """Of marks that would fall together, the most telling one, which counts the others; long bars stay."""
    if len(marks) <= most:
        return list(marks)
    stretch_us = max(1, (until_us - since_us) // most)
    kept: dict[int, Mark] = {}
    long: list[Mark] = []
    for mark in marks:
        if mark.end_us is not None and mark.end_us - mark.t_us > stretch_us:
            long.append(mark)
            continue
        place = (mark.t_us - since_us) // stretch_us
        there = kept.get(place)
        better = there is None or _TONES.index(mark.tone) < _TONES.index(there.tone)
        chosen = mark if better else there
        kept[place] = replace(chosen or mark, more=0 if there is None else there.more + 1)
    if len(long) > most:
        chosen_ones = np.linspace(0, len(long) - 1, most).astype(int)
        long = [long[place] for place in chosen_ones]
    return sorted([*kept.values(), *long], key=lambda mark: mark.t_us)


def sentence(row: dict[str, Any]) -> str:
    """What a row says, in words; plain text, made visible."""
    parts = [kind_words(str(row["kind"]))]
    for name, say in _FACTS:
        if (value := row.get(name)) is not None:
            parts.append(say(value))
    return ", ".join(part for part in parts if part)


_FACTS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("attempt", lambda value: f"try {int(value)}"),
    ("reason", lambda value: reason_words(str(value))),
    ("hci_code", lambda value: hci_words(int(value))),
    ("att_code", lambda value: f"ATT error 0x{int(value) & 0xFF:02X}"),
    ("error_code", lambda value: visible(str(value))),
    ("rssi_dbm", lambda value: f"{value:.0f} dBm".replace("-", "\u2212")),
    ("battery", lambda value: f"battery {value:.0%}"),
    ("firmware", lambda value: f"software {visible(str(value))}"),
    ("firmware_to", lambda value: f"to {visible(str(value))}"),
    ("components", lambda value: component_words(int(value))),
    ("stage", lambda value: stage_words(str(value)).replace("_", " ")),
    ("progress", lambda value: f"{value:.0%}"),
    ("duration_s", lambda value: f"after {value:.1f} s"),
    ("text", lambda value: _short(str(value))),
)


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= TEXT_CHARACTERS else shown[: TEXT_CHARACTERS - 1] + "…"


def _mark(row: dict[str, Any], captures: frozenset[int]) -> Mark | None:
    if (place := MARKS.get(str(row["kind"]))) is None:
        return None
    lane, tone = place
    if row["kind"] in (Kind.LINK_DISCONNECTED, Kind.DISCONNECTED) and row.get("reason") == "disconnect_requested":
        tone = "plain"
    return Mark(
        lane=lane,
        t_us=int(row["t_us"]),
        words=sentence(row),
        tone=tone,
        seq=int(row.get("seq", 0)),
        where=where(row, captures),
    )


def _bars(
    rows: Sequence[dict[str, Any]], span: Span, captures: frozenset[int], last: Mapping[str, int]
) -> Iterator[Mark]:
    """A bar for each start; one without an end reaches to the last row of its run, and is open."""
    begun: dict[Any, dict[str, Any]] = {}
    for row in rows:
        key = (row.get("run"), row.get("reader"), row.get(span.key))
        if row["kind"] in span.starts:
            if (before := begun.pop(key, None)) is not None:
                yield _bar(span, before, None, int(row["t_us"]), captures)
            begun[key] = row
        elif row["kind"] in span.good or row["kind"] in span.bad:
            if (start := begun.pop(key, None)) is not None:
                yield _bar(span, start, row, int(row["t_us"]), captures)
            elif row.get("duration_s") is not None and row["kind"] in span.bad:
                begin = row | {"t_us": int(row["t_us"]) - round(float(row["duration_s"]) * 1e6)}
                yield _bar(span, begin, row, int(row["t_us"]), captures)
    for key, row in begun.items():
        yield _bar(span, row, None, max(last.get(str(key[0]), 0), int(row["t_us"])), captures)


def _bar(span: Span, start: dict[str, Any], end: dict[str, Any] | None, end_us: int, captures: frozenset[int]) -> Mark:
    length = f"{(end_us - int(start['t_us'])) / 1e6:,.1f} s"
    failed = end is not None and (end["kind"] in span.bad or end.get("error_code") is not None)
    told = sentence(start) if end is None else sentence(end | {"duration_s": None, "text": None})
    return Mark(
        lane=span.lane,
        t_us=int(start["t_us"]),
        words=f"{told}, {length}" if end is not None else f"{told}, {length} and no end seen",
        tone=("bad" if failed and span.lane != "sessions" else "good" if end is not None else "warn"),
        seq=int(start.get("seq", 0)),
        where=_from_to(start, end, captures),
        end_us=end_us,
        end_seq=int(end.get("seq", 0)) if end is not None else 0,
        is_open=end is None,
    )


def _from_to(start: dict[str, Any], end: dict[str, Any] | None, captures: frozenset[int]) -> str:
    begins = where(start, captures)
    if end is None or end.get("seq") == start.get("seq"):
        return begins
    ends = where(end, captures)
    place, _, number = ends.rpartition(", ")
    return f"{begins} to {number if begins.startswith(place) else ends}"


def verdict(finding: Any) -> Mark:
    """The first cause of a finding of `diagnose()`, as a mark."""
    first = finding.causes[0]
    cause = words(Cause(first.cause)) if first.cause in set(Cause) else visible(str(first.cause))
    proof = next((each for each in first.for_ if each.record is not None), None)
    return Mark(
        lane=FINDINGS.name,
        t_us=int(finding.t_us),
        words=f"{cause}, {first.confidence:.0%}" + (f": {_short(first.for_[0].text)}" if first.for_ else ""),
        tone="bad" if first.confidence >= 0.5 and first.cause != Cause.CANNOT_TELL else "warn",
        seq=int(getattr(finding, "seq", 0) or 0),
        where="" if proof is None else visible(proof.place),
    )
