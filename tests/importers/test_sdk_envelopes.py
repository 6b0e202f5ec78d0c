"""The same story, whatever the SDK and whatever stands before its lines."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from reading_rows import Row, read_log, rows_of
from sdk_log_writers import BEGIN, COLUMNS, ENVELOPES, Envelope, story

from terminal_kit.importers.content import Content, opened
from terminal_kit.importers.sdk_logs import LogReading, look, sniff

NOW = datetime(2024, 12, 1, tzinfo=UTC)
STARTS = {
    "discovery_started": ("discovery_finished",),
    "connect_started": ("connect_succeeded", "connect_failed"),
    "reconnect_started": ("reconnect_succeeded", "reconnect_failed"),
    "update_started": ("update_finished",),
}
shapes = pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)


def told(rows: list[Row], kind: str) -> list[tuple[object, ...]]:
    columns = COLUMNS.get(kind, ("reader",))
    return [tuple(row.get(name) for name in columns) for row in rows if row["kind"] == kind]


@shapes
@pytest.mark.parametrize("seed", range(6))
def test_the_story_is_told(envelope: Envelope, seed: int) -> None:
    tale = story(seed)
    rows, reading = read_log(envelope.write(tale), now=NOW)
    for kind, expected in envelope.expected(tale).items():
        assert told(rows, kind) == expected, kind
    (report,) = reading.reports
    assert report.time_rule == envelope.rule
    assert (report.understood, report.damaged) == (report.records, 0)


@shapes
def test_what_starts_ends_once_under_its_name(envelope: Envelope) -> None:
    rows, _ = read_log(envelope.write(story(3)), now=NOW)
    for start, ends in STARTS.items():
        begun = [row["attempt_id"] for row in rows if row["kind"] == start]
        ended = [row["attempt_id"] for row in rows if row["kind"] in ends]
        assert begun == ended or not ended, start
    names = [row["attempt_id"] for row in rows if row["kind"] in STARTS]
    assert len(names) == len(set(names))


@shapes
def test_its_times(envelope: Envelope) -> None:
    """What tells a time gives it, to its own unit; what tells none keeps the order."""
    text = envelope.write(story(1))
    rows, _ = read_log(text, now=NOW)
    times = [row["t_us"] for row in rows]
    if envelope.rule == "order_only":
        assert max(times) < 10_000_000
        assert not any("duration_s" in row for row in rows)
        return
    first = int(BEGIN.timestamp() * 1_000_000) + 600_000
    unit = 1_000_000 if "date's text" in next(name for name, each in ENVELOPES.items() if each is envelope) else 1_000
    assert first - unit < min(times) <= first
    (connected,) = (row for row in rows if row["kind"] == "connect_succeeded")
    assert 0 < connected["duration_s"] < 10


@shapes
def test_it_is_known_for_what_it_is(envelope: Envelope) -> None:
    content = Content("any.bin", envelope.write(story(2)).encode())
    assert sniff(content)
    lacks = look(content)
    assert (lacks.year, lacks.zone) == (
        envelope.rule == "year_assumed",
        envelope.rule in ("year_assumed", "zone_assumed"),
    )


@shapes
@pytest.mark.parametrize("form", ["crlf", "cr", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_it_may_be_pasted_in_another_form(envelope: Envelope, form: str) -> None:
    tale = story(4)
    text = envelope.write(tale)
    match form:
        case "crlf":
            data = text.replace("\n", "\r\n").encode()
        case "cr":
            data = text.replace("\n", "\r").encode()
        case _:
            data = text.encode(form)
    rows, reading = read_log(data, now=NOW)
    plain, _ = read_log(text, now=NOW)
    assert rows == plain
    assert reading.reports[0].records == text.count("\n")


def test_a_small_file_with_a_byte_order_mark_is_read_from_the_disk(tmp_path: Path) -> None:
    text = ENVELOPES["A4 threadtime"].write(story(4))
    path = tmp_path / "app.log"
    path.write_bytes(text.encode("utf-8-sig"))
    with opened(path) as content:
        reading = LogReading(content, now=NOW)
        assert rows_of(reading) == read_log(text, now=NOW)[0]


@pytest.mark.parametrize(
    ("zone", "hours"), [("+02:00", 2), ("Europe/Berlin", 2), ("-0530", -5.5), ("America/New_York", -4)]
)
def test_a_zone_that_is_told_counts(zone: str, hours: float) -> None:
    envelope = ENVELOPES["A4 threadtime"]
    rows, _ = read_log(envelope.write(story(5), utc_offset_h=hours), year=2024, time_zone=zone)
    expected, _ = read_log(envelope.write(story(5)), year=2024, time_zone="UTC")
    assert [row["t_us"] for row in rows] == [row["t_us"] for row in expected]


def test_stories_of_all_shapes_in_one_file() -> None:
    """Pasted one below the other: no line is lost, and each story's beginning and end are there."""
    tales = {name: story(seed) for seed, name in enumerate(ENVELOPES)}
    text = "".join(envelope.write(tales[name]) for name, envelope in ENVELOPES.items())
    rows, reading = read_log(text, now=NOW)
    (report,) = reading.reports
    assert (report.records, report.damaged) == (text.count("\n"), 0)
    serials = {tale.serial for name, tale in tales.items() if name[0] in "AI"}
    assert serials <= {row["reader"] for row in rows if row["kind"] == "connect_started"}


@shapes
@pytest.mark.parametrize("mark", ["> ", "> > "])
def test_a_quoted_log_is_the_log(envelope: Envelope, mark: str) -> None:
    text = envelope.write(story(4))
    quoted = "".join(f"{mark}{line}\n" for line in text.splitlines())
    assert read_log(quoted, now=NOW)[0] == read_log(text, now=NOW)[0]
