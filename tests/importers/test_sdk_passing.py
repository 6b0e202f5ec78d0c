"""What a glance tells of a line is what reading it would tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_rows import read_log
from sdk_log_writers import ENVELOPES, TAGS, phones_log, story

from terminal_kit.importers.sdk_logs.entries import Entries
from terminal_kit.importers.sdk_logs.envelopes import take_apart
from terminal_kit.importers.sdk_logs.lines import Chunk
from terminal_kit.importers.sdk_logs.passing import WORDS, passed
from terminal_kit.importers.sdk_logs.stories import Entry, Story

BODIES = (
    "Performing resume of ActivityRecord{819f097}",
    "\tat java.lang.Object.wait(Native Method)",
    "java.lang.InterruptedException",
    "*snip*",
    "getStats error 5",
    "onConfigureMTU() - Device=CC:D3:1E:00:00:01 mtu=247 status=0",
    "$ ls",
    "l scope=SCPTerminal event=state_change reader_status=connecting",
    "class=Terminal message=discoverReaders",
    "[Stripe terminal]: didChangeConnectionStatus connecting",
    "onConnectionStatusChange：NOT_CONNECTED",
    "reader connection status: CONNECTED",
    "Install progress 0.25 <--",
    "discoverReaders error",
    "connectReader onFailure",
    "READER_ERROR.BLUETOOTH_ERROR: x",
    "onDisconnect: POWERED_OFF",
    "onReaderReconnectStarted",
    "Error Domain=com.stripe-terminal Code=151",
    "TO JS undefined",
    "",
)
words = st.sampled_from([*BODIES, *TAGS, *WORDS, " ", ": ", "[", '"', "x"])
lines = st.builds(
    lambda level, tag, body: f"05-07 08:24:02.064  1372  1983 {level} {tag}: {body}",
    st.sampled_from("VDIWEF"),
    st.sampled_from(TAGS) | st.text("abBtS_.[@ ", min_size=1, max_size=6),
    st.lists(words, max_size=3).map("".join),
)


@settings(max_examples=600)
@given(lines)
def test_a_glance_says_what_reading_says(text: str) -> None:
    if (why := passed(text)) is None:
        return
    line = take_apart(text)
    assert Story().take(Entry(line, 1, 1, line.body)) == ("foreign", why)


@pytest.mark.parametrize("name", [name for name, each in ENVELOPES.items() if each.rule != "order_only"])
def test_no_line_of_a_story_is_passed(name: str) -> None:
    text = ENVELOPES[name].write(story(2))
    entries = Entries()
    list(entries.of(Chunk(text.splitlines(), frozenset(), True)))
    assert entries.passed.total() == 0


def test_a_line_without_a_time_takes_that_of_the_line_before() -> None:
    text = (
        "05-07 08:24:02.000  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders\n"
        "05-07 08:24:07.000  1372  1983 D WifiHAL: nothing of ours\n"
        "class=Terminal message=connectReader serial_number=STRM26100000001\n"
        "05-07 08:24:09.000  1372  1983 D WifiHAL: nothing of ours\n"
    )
    rows, reading = read_log(text, year=2024)
    times = {row["kind"]: row["t_us"] - rows[0]["t_us"] for row in rows}
    assert (times["connect_started"], times["run_finished"]) == (5_000_000, 7_000_000)
    assert reading.reports[0].last_us == rows[0]["t_us"] + 7_000_000
    assert reading.reports[0].foreign == 2


def test_a_long_log_is_counted_line_by_line() -> None:
    text = phones_log(1)
    _, reading = read_log(text, year=2024)
    report = reading.reports[0]
    assert report.understood == text.count("handleCardStatus")
    assert report.foreign == report.records - report.understood == len(text.splitlines()) - report.understood
