"""What a reading gives goes into the log: whole or not at all, only what is new, names joined, clocks settled."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_kit.eventlog import EventLog
from terminal_kit.importers.aliases import joined
from terminal_kit.importers.alignment import Settled
from terminal_kit.importers.content import Content
from terminal_kit.importers.finding_files import Found, hashed
from terminal_kit.importers.report import Report
from terminal_kit.importers.storing import Work, take_in

T_US = 1_764_072_000_000_000
SERIAL, OTHER = "STRM26138000001", "STRM26138000002"
HERE, THERE = "addr:AA:BB:CC:DD:EE:01", "addr:AA:BB:CC:DD:EE:02"


class Told:
    """A reading whose rows are given: (record, kind, session)."""

    def __init__(
        self, *files: list[tuple[int, str, int | None]], records: int = 0, aliases: dict[str, str] | None = None
    ):
        self.files = files
        self.reports = [Report("btsnoop 1002", records=records or len(rows)) for rows in files]
        self.app = None
        self._aliases = aliases or {}
        self.failure: BaseException | None = None
        self.written: list[Path] = []

    def batches(self):
        for source, rows in enumerate(self.files):
            yield {
                "t_us": [T_US + record for record, _, _ in rows],
                "kind": [kind for _, kind, _ in rows],
                "reader": [HERE for _ in rows],
                "session": [session for _, _, session in rows],
                "source": [source for _ in rows],
                "record": [record for record, _, _ in rows],
            }
        if self.failure:
            raise self.failure

    def aliases(self) -> dict[str, str]:
        return self._aliases

    def write_advertisements(self, index: int, path: Path) -> None:
        self.written.append(path)
        path.write_bytes(b"advertisements")


def found(data: bytes, log: EventLog, name: str = "a.log") -> Found:
    """A file as the door finds it, known and grown as the log has it."""
    hashes = hashed(data, [source.size_bytes for source in log.sources()])
    known = [source for source in log.sources() if source.sha256 == hashes.whole]
    grown = [source for source in log.sources() if hashes.beginnings.get(source.size_bytes) == source.sha256]
    return Found(
        name,
        "",
        "capture",
        len(data),
        hashes.whole,
        lambda: nullcontext(Content(name, data)),
        known[0] if known else None,
        sorted(grown, key=lambda source: source.size_bytes),
    )


def take(log: EventLog, reading: Any, *files: bytes, redactor: Any = None, offset_us: int = 0):
    work = Work(log, None, redactor, 0)
    return take_in(work, [found(data, log) for data in files], reading, lambda reports, tally: Settled(offset_us))


LINK = "link_connected"
END = "link_disconnected"


def test_a_file_that_has_grown_adds_what_is_new_to_its_run_and_goes_on_with_its_sessions(log) -> None:
    before = [(0, LINK, 1), (1, END, 1), (2, LINK, 2)]
    (first,) = take(log, Told(before), b"begin")
    (second,) = take(log, Told([*before, (3, END, 2), (4, LINK, 3)]), b"begin and more")
    assert (first.events, second.events) == (3, 2)
    assert second.run == first.run
    assert any("first 3 records" in finding for finding in second.findings)
    told = [(event.record, event.kind, event.session) for event in log.events()]
    assert told == [*before, (3, END, 2), (4, LINK, 3)]
    assert not take(log, Told([]), b"begin and more")[0].events


def test_sessions_of_a_grown_file_that_is_read_alone_keep_apart_from_its_neighbours(log) -> None:
    """Read with its neighbour its sessions began at 3; read alone they begin at 1 again."""
    take(log, Told([(0, LINK, 1), (1, END, 1), (2, LINK, 2)], [(0, END, 2), (1, LINK, 3)]), b"last", b"current")
    take(log, Told([(0, END, None), (1, LINK, 1), (2, END, 1), (3, LINK, 2), (4, END, 2)]), b"current, grown")
    told = [(event.source, event.record, event.kind, event.session) for event in log.events()]
    assert told[5:] == [(3, 2, END, 3), (3, 3, LINK, 4), (3, 4, END, 4)]


def test_attempts_of_a_grown_file_keep_their_names_and_take_nobody_elses(log) -> None:
    class Trying(Told):
        """With attempts: their names are given in the place of sessions."""

        def batches(self):
            for batch in super().batches():
                yield {**batch, "attempt_id": batch["session"], "session": [None] * len(batch["session"])}

    take(log, Trying([(0, "link_connecting", "0:0")], [(0, "link_connecting", "1:0")]), b"last", b"current")
    take(
        log, Trying([(0, "link_connecting", "0:0"), (1, LINK, "0:0"), (2, "link_connecting", "1:0")]), b"current, grown"
    )
    assert [event.attempt_id for event in log.events()] == ["0:0", "1:0", "1:0", "1:0 (2)"]


def test_a_last_record_that_gave_no_row_is_looked_at_again(log) -> None:
    take(log, Told([(0, LINK, 1)], records=2), b"cut")
    (second,) = take(log, Told([(0, LINK, 1), (1, END, 1)]), b"cut no more")
    assert second.events == 1
    assert [event.record for event in log.events()] == [0, 1]


def test_a_last_record_that_gave_a_row_gives_no_second_one(log) -> None:
    take(log, Told([(0, LINK, 1), (1, END, 1)]), b"whole")
    assert take(log, Told([(0, LINK, 1), (1, END, 1), (2, LINK, 2)]), b"whole and more")[0].events == 1


def test_advertisements_are_written_with_the_rows_or_not_at_all(log) -> None:
    reading = Told([(0, LINK, 1)])
    (report,) = take(log, reading, b"a")
    (source,) = log.sources()
    assert reading.written == [log.advertisements_path(source)]
    assert reading.written[0].read_bytes() == b"advertisements"
    assert report.source == source.id

    class Full(Told):
        def aliases(self) -> Any:
            return {"x": 1 / 0}  # what comes after: nothing is left of it

        def write_advertisements(self, index: int, path: Path) -> None:
            super().write_advertisements(index, path)
            if index == 1:
                raise OSError("no room")

    with pytest.raises(ZeroDivisionError):
        take(log, Full([(0, LINK, 1)]), b"b")
    full = Full([(0, LINK, 1)], [(0, LINK, 2)])
    full.aliases = dict  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no room"):
        take(log, full, b"c", b"d")
    assert len(full.written) == 2
    assert not any(path.exists() for path in full.written)
    assert len(log.sources()) == len(list(log.events())) == 1


@pytest.mark.parametrize("failure", [RuntimeError("x"), KeyboardInterrupt()])
def test_a_reading_that_fails_leaves_the_log_as_it_was(log, failure) -> None:
    reading = Told([(0, LINK, 1)])
    reading.failure = failure
    with pytest.raises(type(failure)):
        take(log, reading, b"a")
    assert log.frame().empty
    assert not log.sources()
    assert not list(log.path.parent.rglob("*.parquet"))


def test_what_the_clock_differs_is_stored_with_the_file(log) -> None:
    (report,) = take(log, Told([(0, LINK, 1)]), b"a", offset_us=-2_000_000)
    assert report.clock_offset_us == log.sources()[0].clock_offset_us == -2_000_000
    assert [event.t_us for event in log.events()] == [T_US - 2_000_000]


def test_a_conflict_of_names_keeps_the_first_and_is_told(log) -> None:
    take(log, Told([(0, LINK, 1)], aliases={HERE: SERIAL}), b"a")
    (report,) = take(log, Told([(0, LINK, 1)], aliases={HERE: OTHER}), b"b")
    assert log.aliases() == {HERE: SERIAL}
    (finding,) = report.findings
    assert all(name in finding for name in (HERE, SERIAL, OTHER))


class Veil:
    """A redactor whose work is easily seen."""

    def learn_columns(self, batch: Any) -> None:
        pass

    def columns(self, batch: Any) -> Any:
        return {**batch, "reader": ["veiled" for _ in batch["reader"]]}

    def source(self, source: Any) -> Any:
        from dataclasses import replace

        return replace(source, name="veiled")

    def aliases(self, aliases: Any) -> Any:
        return {f"veiled {alias}": "veiled" for alias in aliases}


def test_a_redactor_stands_before_everything_that_is_stored(log) -> None:
    reading = Told([(0, LINK, 1)], aliases={HERE: SERIAL})
    take(log, reading, b"a", redactor=Veil())
    assert [event.reader for event in log.events()] == ["veiled"]
    assert [source.name for source in log.sources()] == ["veiled"]
    assert log.aliases() == {f"veiled {HERE}": "veiled"}
    assert not reading.written


# ---- names


def test_an_alias_of_an_alias_leads_to_the_reader() -> None:
    assert joined({}, {HERE: THERE, THERE: SERIAL}).aliases == {HERE: SERIAL, THERE: SERIAL}
    assert joined({HERE: THERE}, {THERE: SERIAL}).aliases == {HERE: SERIAL, THERE: SERIAL}
    assert joined({THERE: SERIAL}, {HERE: THERE}).aliases == {HERE: SERIAL}


def test_a_name_that_is_an_address_and_a_serial_says_that_they_are_one() -> None:
    told = joined({HERE: THERE}, {HERE: SERIAL})
    assert told == ({HERE: SERIAL, THERE: SERIAL}, [])
    assert joined({HERE: SERIAL}, {HERE: THERE}) == ({THERE: SERIAL}, [])


def test_two_serials_of_one_address_are_a_conflict() -> None:
    assert joined({HERE: SERIAL}, {HERE: OTHER}) == ({}, [(HERE, SERIAL, OTHER)])


NAMES = st.sampled_from([f"addr:{letter}" for letter in "ABCD"] + ["S1", "S2"])


@given(st.dictionaries(NAMES, NAMES, max_size=6), st.dictionaries(NAMES, NAMES, max_size=6))
def test_every_alias_leads_to_a_reader_in_one_step(first, second) -> None:
    known = joined({}, first).aliases
    both = known | joined(known, second).aliases
    for aliases in (known, both):
        assert not set(aliases.values()) & set(aliases)
    for alias, reader in known.items():
        assert both[alias] == both.get(reader, reader)
    assert joined(both, second).aliases == {}
