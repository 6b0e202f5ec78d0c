"""Logs come through terminals, `grep`, mails, forums, spreadsheets and web pages; what they say stays the same."""

import csv
import html
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_rows import Row, of_kind, read_log
from sdk_log_writers import ENVELOPES, Envelope, android, phones_log, story

from terminal_kit.importers.sdk_logs.envelopes import is_enveloped, take_apart
from terminal_kit.importers.sdk_logs.wrappings import clean, peeled, row_of, worn

NOW = datetime(2024, 12, 1, tzinfo=UTC)
SERIAL = "STRM26100000001"


def cell(text: str) -> str:
    """As the only column of a spreadsheet, every cell in quotes."""
    row = io.StringIO()
    csv.writer(row, quoting=csv.QUOTE_ALL).writerow([text])
    return row.getvalue().rstrip("\r\n")


WRAPPINGS: dict[str, Callable[[int, str], str]] = {
    "a colour": lambda n, line: f"\x1b[{30 + n % 8}m{line}\x1b[0m",
    "256 colours and none": lambda n, line: f"\x1b[38;5;{n}m{line[:9]}\x1b[39m{line[9:]}",
    "grep -n": lambda n, line: f"{n}:{line}",
    "grep -n -C": lambda n, line: f"{n}{'-' if n % 3 else ':'}{line}",
    "grep -H": lambda n, line: f"logs/app-1.log:{line}",
    "grep -rn": lambda n, line: f"./logs/app.{n % 2}.log:{n}:{line}",
    "grep -rn on Windows": lambda n, line: f"logs\\app log.txt:{n}:{line}",
    "a quotation": lambda n, line: f"> {line}",
    "a quotation of what grep found": lambda n, line: f"> > {n}:{line}",
    "a code block": lambda n, line: f"    {line}",
    "a list": lambda n, line: f"- {line}",
    "a numbered list in a list": lambda n, line: f"  {n + 1}. {line}",
    "a NUL": lambda n, line: f"{line[:5]}\0{line[5:]}",
    "other control characters": lambda n, line: f"\x0b{line[:3]}\x7f{line[3:]}\x01",
    "HTML": lambda n, line: html.escape(line),
    "HTML of a quotation": lambda n, line: html.escape(f"> {line}"),
}
BY_LINE: dict[str, Callable[[int, str], str]] = {
    **WRAPPINGS,
    "a spreadsheet": lambda n, line: cell(line),
    "code in a table": lambda n, line: f"| `{line}` |",
    "a mark of the byte order": lambda n, line: f"\ufeff{line}",
    "plain": lambda n, line: line,
}
ONE_LINE = [name for name in ENVELOPES if name not in ("R2 Expo", "I1 folded")]


def same(rows: list[Row]) -> list[Row]:
    """Without the words, in which characters may have gone."""
    return [{name: cell for name, cell in row.items() if name != "text"} for row in rows]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", ENVELOPES)
def test_a_wrapped_file_says_what_the_file_says(name: str, wrapping: str) -> None:
    text = ENVELOPES[name].write(story(4))
    lines = [f"{WRAPPINGS[wrapping](number, line)}\n" for number, line in enumerate(text.splitlines(), 1)]
    rows, reading = read_log("".join(lines), now=NOW)
    assert same(rows) == same(read_log(text, now=NOW)[0])
    assert reading.reports[0].understood == reading.reports[0].records


@pytest.mark.parametrize("name", ONE_LINE)
def test_a_column_of_a_spreadsheet(name: str) -> None:
    text = ENVELOPES[name].write(story(4))
    rows, _ = read_log("".join(cell(line) + "\n" for line in text.splitlines()), now=NOW)
    assert same(rows) == same(read_log(text, now=NOW)[0])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([name for name in ONE_LINE if name != "A9 bare"]),
    st.lists(st.sampled_from(sorted(BY_LINE)), min_size=45, max_size=45),
)
def test_lines_that_came_in_different_ways(name: str, ways: list[str]) -> None:
    """Each is judged for itself; the plain ones among them as always. Bare errors have nothing to be known by."""
    text = ENVELOPES[name].write(story(2))
    lines = text.splitlines()[: len(ways)]
    wrapped = [BY_LINE[way](number, line) for number, (way, line) in enumerate(zip(ways, lines, strict=False), 1)]
    rows, reading = read_log("\n".join(wrapped) + "\n", now=NOW)
    plain, _ = read_log("\n".join(lines) + "\n", now=NOW)
    kinds = [(row["record"], row["kind"]) for row in rows]
    assert kinds == [(row["record"], row["kind"]) for row in plain]
    assert reading.reports[0].foreign == 0


@pytest.mark.parametrize("name", ["A1 brief with pid", "A4 threadtime", "R1 Metro", "I1 console"])
def test_colours_that_lost_their_escapes(name: str) -> None:
    text = ENVELOPES[name].write(story(4))
    rows, _ = read_log("".join(f"[3{n % 8}m{line}[0m\n" for n, line in enumerate(text.splitlines())), now=NOW)
    assert same(rows) == same(read_log(text, now=NOW)[0])


def test_a_row_of_a_spreadsheet_with_its_time_in_a_cell_of_its_own() -> None:
    text = (
        'time,level,tag,message\n2024-05-07 08:24:02.064,D,StripeTerminal,"class=X message=""onBTConnected(A, B)"""\n'
        '"2024-05-07 08:24:09.064","D","StripeTerminal","class=Y message=onBTDisconnected"\n'
        "2024-05-07 08:24:10.064,D/StripeTerminal: class=Terminal message=discoverReaders\n"
    )
    rows, _ = read_log(text)
    up, down, discovery = of_kind(rows, "link_connected", "link_disconnected", "discovery_started")
    assert down["t_us"] - up["t_us"] == 7_000_000
    assert discovery["t_us"] - down["t_us"] == 1_000_000


ROW_MESSAGES = (
    f"class=Terminal message=connectReader serial_number={SERIAL}",
    "class=ProxyTerminalListener message=onConnectionStatusChange(CONNECTED)",
    'class=DisconnectReasonRepository message="Disconnect reason set to POWERED_OFF at 9"',
    "READER_ERROR.BLUETOOTH_ERROR: no.",
    "class=BBPOSControllerListener message=onBTDisconnected",
    "class=TerminalStatusManager message=reportReaderSoftwareUpdateProgress. progress=0.0066",
)


@pytest.mark.parametrize(
    ("delimiter", "quoting"),
    [(",", csv.QUOTE_ALL), *((each, how) for each in ";\t|" for how in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL))],
)
@pytest.mark.parametrize("parted", [False, True])
@pytest.mark.parametrize("before", [[], ["7", "x"]])
def test_rows_of_a_spreadsheet_have_their_own_times(delimiter, quoting, parted, before) -> None:
    table = io.StringIO()
    writer = csv.writer(table, delimiter=delimiter, quoting=quoting)
    writer.writerow([*before, "time", "level", "tag", "message"])
    for second, message in enumerate(ROW_MESSAGES):
        time = ["2024-05-07", f"09:00:0{second}.000"] if parted else [f"2024-05-07 09:00:0{second}.000"]
        writer.writerow([*before, *time, "D", "StripeTerminal", message])
    plain = [f"2024-05-07 09:00:0{second}.000 {message}\n" for second, message in enumerate(ROW_MESSAGES)]
    expected = [(row["kind"], row["t_us"], row["record"] + 1) for row in read_log("".join(plain))[0]]
    rows, _ = read_log(table.getvalue())
    assert [(row["kind"], row["t_us"], row["record"]) for row in rows] == expected


@pytest.mark.parametrize(
    "text",
    [
        '2024-05-07 09:00:01,123 D StripeTerminal: class=X message="a","b"',
        '05-07 08:24:02.064  1372  1983 D StripeTerminal: class=X message="a; b", c',
        'the reader was lost on 05-07, and found; see "x"',
        '2024-05-07 09:00:01.000;StripeTerminal;class=X message="onBTConnected; twice"',
        "level;time;message",
    ],
)
def test_a_line_that_is_no_row_stays_whole(text: str) -> None:
    assert row_of(text) is None


def test_an_envelope_behind_a_collectors_time() -> None:
    inner = "05-07 08:24:02.064  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders"
    line = take_apart(f"2024-05-07T06:24:03.1234567Z {inner}")
    assert (line.shape, line.pid, line.body) == ("android threadtime", 1372, "class=Terminal message=discoverReaders")
    line = take_apart("2024-05-07T06:24:03.1234567Z D/StripeTerminal( 12): class=Terminal message=discoverReaders")
    assert (line.pid, line.stamp and line.stamp.year) == (12, 2024)


@pytest.mark.parametrize(
    "text",
    [
        "12:34:56 the reader was lost",
        "- I think that D/Other is foreign",
        "Exception: message=no",
        "note: class=none of ours",
        '"quoted", "words"',
        "1. connect the reader 2. LOG out",
    ],
)
def test_words_of_people_stay_theirs(text: str) -> None:
    rows, reading = read_log(f"{text}\n")
    assert rows == []
    assert reading.reports[0].foreign == 1


def test_years_stay_where_a_few_lines_have_numbers() -> None:
    lines = ENVELOPES["A3 old Studio"].write(story(2)).splitlines()
    text = "\n".join([*lines[:-2], *(f"{n}:{line}" for n, line in enumerate(lines[-2:]))])
    _, reading = read_log(text + "\n")
    assert reading.reports[0].time_rule == "zone_assumed"


def test_a_fence_of_a_code_block_is_told_as_such() -> None:
    _, reading = read_log("```text\nD/StripeTerminal: class=Terminal message=discoverReaders\n```\n~~~\n")
    assert dict(reading.reports[0].foreign_reasons) == {"fence of a code block": 3}


def test_ordinary_lines_are_looked_at_once() -> None:
    lines = phones_log(1).splitlines()[:500]
    assert not worn("\n".join(lines), is_enveloped)
    assert all(map(is_enveloped, lines))
    assert clean("\n".join(lines)) == "\n".join(lines)
    assert not list(peeled("words of people: none of them an envelope's"))


# ---- logcat's other forms


LOGCAT: dict[str, Callable[[float, str, str, str], str]] = {
    "process": lambda t, level, tag, body: f"{level}( 1372) {body}  ({tag})",
    "thread": lambda t, level, tag, body: f"{level}( 1372: 1983) {body}",
    "epoch": lambda t, level, tag, body: f"{t:.3f}  1372  1983 {level} {tag:<8}: {body}",
    "epoch, usec": lambda t, level, tag, body: f"      {t:.6f}  1372  1983 {level} {tag:<8}: {body}",
    "epoch, uid": lambda t, level, tag, body: f"{t:.3f} u0_a12  1372  1983 {level} {tag:<8}: {body}",
    "time, epoch": lambda t, level, tag, body: f"{t:.3f} {level}/{tag:<8}( 1372): {body}",
    "monotonic": lambda t, level, tag, body: f"{t % 100_000:>9.3f}  1372  1983 {level} {tag:<8}: {body}",
    "brief, uid": lambda t, level, tag, body: f"{level}/{tag:<8}(10123: 1372): {body}",
    "long": lambda t, level, tag, body: f"[ {_clock(t)}  1372: 1983 {level}/{tag:<8} ]\n{body}\n",
    "long, uid, year": lambda t, level, tag, body: (
        f"[ 2024-{_clock(t)} u0_a12: 1372: 1983 {level}/{tag:<8} ]\n{body}\n"
    ),
}
TIMED = ("epoch", "long", "time")


def _clock(t_s: float) -> str:
    return f"{datetime.fromtimestamp(t_s, UTC):%m-%d %H:%M:%S.%f}"[:-3]


@pytest.mark.parametrize("form", LOGCAT)
@pytest.mark.parametrize("seed", range(3))
def test_logcat_in_its_other_forms(form: str, seed: int) -> None:
    tale, plain = story(seed), ENVELOPES["A4 threadtime"]
    write = LOGCAT[form]
    envelope = Envelope(android, plain.expected, lambda n, t, s: write(t.timestamp(), s.level, s.tag, s.body))
    rows, reading = read_log(envelope.write(tale), now=NOW)
    expected, _ = read_log(plain.write(tale), now=NOW)
    assert [row["kind"] for row in rows] == [row["kind"] for row in expected]
    if form.startswith(TIMED):
        assert [row["t_us"] // 1000 for row in rows[:-1]] == [row["t_us"] // 1000 for row in expected[:-1]]
    else:
        assert reading.reports[0].time_rule == "order_only"
    assert reading.reports[0].damaged == 0
    assert dict(reading.reports[0].foreign_reasons).keys() <= {"blank"}


def test_an_epoch_is_exact() -> None:
    _, reading = read_log("1715070242.064  1372  1983 D StripeTerminal: class=Terminal message=discoverReaders\n")
    report = reading.reports[0]
    assert (report.time_rule, report.first_us) == ("exact", 1_715_070_242_064_000)


def test_a_long_record_keeps_its_lines_together() -> None:
    text = (
        "[ 05-07 08:24:02.064  1372: 1983 E/StripeTerminal ]\n"
        "READER_ERROR.BLUETOOTH_ERROR: no.\n    at com.example.Thing.run(Thing.kt:3)\n\n"
        "[ 05-07 08:24:03.064  1372: 1983 D/StripeTerminal ]\nclass=Terminal message=discoverReaders\n\n"
    )
    rows, reading = read_log(text, now=NOW)
    assert [(row["kind"], row["record"], row["record_end"]) for row in rows[1:-1]] == [
        ("error", 1, 3),
        ("discovery_started", 5, 6),
    ]
    assert dict(reading.reports[0].foreign_reasons) == {"blank": 2}
