"""Whatever is pasted, nothing is raised, and every line is counted once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_rows import read_log
from sdk_log_writers import ENVELOPES, story

from terminal_kit.importers.sdk_logs.lines import LINE_CHARACTERS

LINES = [line for seed, name in enumerate(ENVELOPES) for line in ENVELOPES[name].write(story(seed)).splitlines()]


def records(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=60), max_size=25), st.integers(0, 60))
def test_any_mixture_cut_anywhere(lines: list[str], cut: int) -> None:
    # One form of line end: what stands alone as a carriage return is a matter of its own.
    data = "\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines).encode("utf-8", "replace")
    data = data[: len(data) - cut]
    rows, reading = read_log(data)
    if not data.count(0):
        assert reading.reports[0].records == records(data)
    for row in rows:
        assert 1 <= row["record"] <= row["record_end"] <= reading.reports[0].records
        assert len(row.get("text", "")) <= 500


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    read_log(data)
    read_log(b"D/StripeTerminal: class=Terminal message=" + data)


@pytest.mark.parametrize("name", ["A4 threadtime", "I1 folded", "R2 Expo", "A5 Studio's columns"])
def test_cut_at_every_byte(name: str) -> None:
    data = ENVELOPES[name].write(story(1)).encode()
    for end in range(min(len(data), 2500)):
        _, reading = read_log(data[:end])
        assert reading.reports[0].records == records(data[:end])


def test_halves_of_stories_shuffled() -> None:
    """Attempts may never end, or end twice: their names stay apart."""
    dice = random.Random(7)
    for _ in range(20):
        rows, _ = read_log("\n".join(dice.sample(LINES, 150)))
        started = [row["attempt_id"] for row in rows if row["kind"].endswith("_started") and "attempt_id" in row]
        assert len(started) == len(set(started))
        ends = [
            row["attempt_id"]
            for row in rows
            if "attempt_id" in row and row["kind"].endswith(("_succeeded", "_failed", "_finished"))
        ]
        assert len(ends) == len(set(ends))


def test_a_line_of_megabytes_is_one_line() -> None:
    text = "D/StripeTerminal: class=Terminal message=discoverReaders\nD/StripeTerminal: class=X message=" + "y" * (
        3 * LINE_CHARACTERS
    )
    rows, reading = read_log(text + "\n" + text)
    assert reading.reports[0].records == 4
    assert all(len(row.get("text", "")) <= 500 for row in rows)
    assert any(row.get("extra", {}).get("cut") for row in rows)


def test_brackets_that_never_close_end_somewhere() -> None:
    text = "[Stripe terminal]: didUpdateDiscoveredReaders Array [\n" + "  Object {\n" * 2000
    _, reading = read_log(text)
    assert reading.reports[0].records == 2001
