"""A log that has grown: what is read of it in parts is what is read of it at once, and nothing is told twice."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sdk_log_writers import ENVELOPES, story

from terminal_kit.eventlog import EventLog
from terminal_kit.events import Event
from terminal_kit.importers import Content, import_files

HEAD = "class=Terminal message=connectReader serial_number=STRM26100000001\n"
STATUS = "class=ProxyTerminalListener message=onConnectionStatusChange"
PROGRESS = "class=TerminalStatusManager message=reportReaderSoftwareUpdateProgress. progress="


def grown(*parts: str | bytes) -> list[Event]:
    """What the log has when a file was imported each time that it had grown by a part."""
    data = b""
    with TemporaryDirectory() as folder, EventLog(Path(folder) / "field.db") as log:
        for part in parts:
            data += part.encode() if isinstance(part, str) else part
            (report,) = import_files([Content("app.log", data)], log, year=2024, time_zone="UTC")
            assert report.error is None
        assert len({event.run for event in log.events()}) == 1
        return [event for event in log.events() if event.kind not in ("run_started", "run_finished", "app_message")]


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events if event.kind != "status_changed"]


def test_half_a_number_is_replaced_by_the_whole_one() -> None:
    events = grown(HEAD + PROGRESS + "0.6", "63\n")
    assert [event.progress for event in events if event.kind == "update_progress"] == [0.663]


def test_half_a_serial_number_names_nobody() -> None:
    assert [event.reader for event in grown("D/Other: x\n" + HEAD[:-6], HEAD[-6:])] == ["STRM26100000001"]


def test_a_line_that_only_lacked_its_end_is_told_once() -> None:
    events = grown(HEAD + f"{STATUS}(CONNECTED)", "\n")
    assert kinds(events) == ["connect_started", "connect_succeeded"]


def test_readers_come_to_those_that_a_cut_list_had() -> None:
    record = '  Object {{\n    "serialNumber": "{}",\n  }},\n'
    first, second = record.format("STRM26100000001"), record.format("STRM26100000002")
    events = grown("[Stripe terminal]: didUpdateDiscoveredReaders Array [\n", first, second[:30], second[30:] + "]\n")
    assert [(event.kind, event.reader, event.record) for event in events] == [
        ("reader_found", "STRM26100000001", 1),
        ("reader_found", "STRM26100000002", 1),
    ]


def test_a_drop_that_is_told_better_after_the_cut_is_one_drop() -> None:
    text = HEAD + f"{STATUS}(CONNECTED)\n{STATUS}(NOT_CONNECTED)\n"
    why = "class=ProxyReaderListener message=onDisconnect(POWERED_OFF)\n"
    events = grown(text, why, "D/Other: x\n")
    assert kinds(events) == ["connect_started", "connect_succeeded", "disconnected", "reason_learned"]
    assert events[-1].reason == "powered_off"
    assert events[-1].session == events[-3].session


def test_a_failure_whose_code_comes_after_the_cut_is_one_failure() -> None:
    events = grown(HEAD + f"{STATUS}(NOT_CONNECTED)\n", "E/StripeTerminal: READER_ERROR.BLUETOOTH_ERROR: no.\n")
    assert kinds(events) == ["connect_started", "connect_failed", "error"]
    assert events[-1].error_code == "BLUETOOTH_ERROR"


def test_a_session_goes_on_over_several_parts() -> None:
    up, down = "class=L message=onBTConnected\n", "class=L message=onBTDisconnected\n"
    events = grown(up, "D/Other: x\n", down, up, "D/Other: y\n", down)
    assert [event.session for event in events] == [1, 1, 2, 2]


BT = "class=BBPOSControllerListener message="
SET = 'class=DisconnectReasonRepository message="Disconnect reason set to '
LISTENER = "class=ProxyReaderListener message="
UP = HEAD + f"{BT}onBTConnected\n{STATUS}(CONNECTED)\n"
COMES_BACK = (
    f'{UP}{SET}BLUETOOTH_SIGNAL_LOST at 9"\n',
    f"{BT}onBTDisconnected\n{LISTENER}onReaderReconnectStarted(BLUETOOTH_SIGNAL_LOST)\n",
    f"{BT}onBTConnected\n{LISTENER}onReaderReconnectSucceeded\n{BT}onBTDisconnected\n",
    f"{LISTENER}onDisconnect(POWERED_OFF)\n",
)


def test_a_reason_at_the_end_of_a_part_is_no_end_where_the_link_comes_back() -> None:
    for parts in (COMES_BACK, (COMES_BACK[0], "".join(COMES_BACK[1:])), ("".join(COMES_BACK),)):
        ends = [event for event in grown(*parts) if event.kind in ("disconnected", "reason_learned")]
        assert [(event.record, event.session, event.reason) for event in ends] == [(10, 2, "powered_off")]


def test_an_end_that_is_certain_only_after_the_cut_is_told_then() -> None:
    """The reason was noted; nothing else came for longer than a reconnection takes to begin."""
    first = f'{UP}{SET}POWERED_OFF at 9"\nD/Other: x\n'
    later = "class=Terminal message=collectPaymentMethod\n" * 70
    (end,) = [event for event in grown(first, later, later) if event.kind == "disconnected"]
    assert (end.record, end.session, end.reason) == (4, 1, "powered_off")


def test_an_end_that_the_app_asked_for_is_one_at_the_end_of_a_part_too() -> None:
    asked = f'{UP}{SET}DISCONNECT_REQUESTED at 9"\n'
    events = grown(asked, f"{BT}onBTDisconnected\n", f"{LISTENER}onDisconnect(DISCONNECT_REQUESTED)\n")
    assert [event.kind for event in events[-2:]] == ["disconnected", "link_disconnected"]


def test_a_status_makes_a_noted_reason_an_end() -> None:
    events = grown(f'{UP}{SET}POWERED_OFF at 9"\n{STATUS}(NOT_CONNECTED)\n')
    assert [event.reason for event in events if event.kind == "disconnected"] == ["powered_off"]


def test_a_reason_that_is_noted_after_the_cut_is_learned_once() -> None:
    parts = f"{UP}{STATUS}(NOT_CONNECTED)\n", f'{SET}POWERED_OFF at 9"\n', "D/Other: x\n", "D/Other: y\n"
    ends = [event for event in grown(*parts) if event.kind in ("disconnected", "reason_learned")]
    assert [(event.kind, event.session, event.reason) for event in ends] == [
        ("disconnected", 1, "unknown"),
        ("reason_learned", 1, "powered_off"),
    ]


def test_an_end_of_another_session_is_told_as_such() -> None:
    """The first part ends with a status; the second tells of a later session only."""
    again = f"{HEAD}{STATUS}(CONNECTING)\n{STATUS}(CONNECTED)\n{LISTENER}onDisconnect(POWERED_OFF)\n"
    events = grown(f"{UP}{STATUS}(NOT_CONNECTED)\n", again)
    assert [(event.session, event.reason) for event in events if event.kind == "disconnected"] == [
        (1, "unknown"),
        (2, "powered_off"),
    ]


TOLD_BETTER = {"disconnected": "reason_learned", "connect_failed": "error"}
"""An end that is certain where a part ends; what says why is in the next part, and a row of its own."""


def as_at_once(in_parts: list[Event], at_once: list[Event]) -> Counter[tuple[object, ...]]:
    """The rows of parts, an end and what says why in one where the whole log has them so."""
    whole = Counter(map(said, at_once))
    told = Counter(map(said, in_parts))
    for early in in_parts:
        if early.kind in TOLD_BETTER and not whole[said(early)]:
            (better,) = (
                event
                for event in at_once
                if (event.kind, event.session, event.attempt_id) == (early.kind, early.session, early.attempt_id)
            )
            assert (better.record or 0) >= (early.record or 0)
            told[said(early)] -= 1
            why = (better.record, TOLD_BETTER[early.kind], *said(better)[2:])
            assert told[why] == ((better.reason, better.error_code) != (early.reason, early.error_code))
            told[why] -= 1
            told[said(better)] += 1
    return +told


def said(event: Event) -> tuple[object, ...]:
    return event.record, event.kind, event.session, event.attempt_id, event.reason, event.error_code


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(ENVELOPES)), st.integers(0, 5), st.lists(st.floats(0.1, 1), min_size=1, max_size=2))
def test_parts_give_what_the_whole_gives(name: str, seed: int, shares: list[float]) -> None:
    data = ENVELOPES[name].write(story(seed)).encode()
    ends = sorted({0, *(int(len(data) * share) for share in shares), len(data)})
    at_once = grown(data)
    in_parts = grown(*(data[begin:end] for begin, end in pairwise(ends)))
    assert as_at_once(in_parts, at_once) == Counter(map(said, at_once))


@pytest.mark.parametrize("name", ["A4 threadtime", "R2 Expo", "I1 folded"])
def test_a_file_that_grows_line_by_line(name: str) -> None:
    lines = ENVELOPES[name].write(story(1)).splitlines(keepends=True)[:12]
    told = [Counter((event.record, event.kind) for event in grown(*parts)) for parts in (lines, ["".join(lines)])]
    assert told[0] == told[1]
