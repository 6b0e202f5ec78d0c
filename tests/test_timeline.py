"""The timeline: every mark leads to its source, silences are gaps, a span is drawn with few points, text is text."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from story import ADDRESS, BEGIN_US, HOSTILE, READER, S, story_log

from terminal_kit.charts.timeline import Mark, Readings, Timeline, captured, timeline_chart
from terminal_kit.charts.timeline.marks import thinned
from terminal_kit.charts.timeline.samples import GAP_US, rates, sampled, steps
from terminal_kit.errors import InvalidParameterError


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    with story_log(tmp_path_factory.mktemp("story") / "case.db") as log:
        return log.frame()


@pytest.fixture(scope="module")
def timeline(frame):
    return Timeline(frame, reader=READER)


@dataclass
class Because:
    text: str
    file: str | None = None
    record: int | None = None
    place: str = "phone, frame 7"


@dataclass
class Found:
    t_us: int = BEGIN_US + 601 * S
    reader: str = READER
    run: str = ""
    seq: int = 9
    causes: list = field(
        default_factory=lambda: [
            SimpleNamespace(cause="range", confidence=0.82, for_=[Because(HOSTILE, "f", 6)], against=[])
        ]
    )


def marked(timeline, lane):
    return [mark for mark in timeline.marks if mark.lane == lane]


def test_every_mark_leads_to_its_file_and_frame_or_line(timeline) -> None:
    drop = next(mark for mark in marked(timeline, "sessions") if "connection timeout" in mark.words)
    assert drop.where.startswith("/home/kate/bug.zip!")
    assert drop.where.endswith(", frame 45 to frame 6021")  # as Wireshark counts: the record is 6020
    said = next(mark for mark in marked(timeline, "sessions") if "signal lost" in mark.words)
    assert said.where == "/home/kate/app.txt, line 9"
    assert all(mark.seq and mark.where for mark in timeline.marks)


def test_the_format_of_a_file_says_whether_it_has_frames_or_lines(frame) -> None:
    """Whatever it tells: captures tell of a reader's facts, too, and a log may hold nothing but links."""
    told = frame.assign(kind=frame["kind"].mask(frame["record"] == 9, "reader_info"))
    assert captured(told) == captured(frame) == {1}
    assert captured(frame.drop(columns="container")) == frozenset()


def test_bars_reach_from_start_to_end_and_say_how_it_ended(timeline) -> None:
    bars = {(mark.lane, (mark.t_us - BEGIN_US) // S): mark for mark in timeline.marks if mark.end_us is not None}
    session = bars["sessions", 6]
    assert (session.end_us - session.t_us) / 1e6 == 595
    assert "595.0 s" in session.words
    assert bars["sessions", 661].is_open
    assert bars["attempts", 4].tone == "good"
    assert bars["attempts", 640].tone == "bad"
    assert bars["updates", 40].words.startswith("update finished")
    assert bars["reconnections", 602].tone == "good"
    assert bars["reconnections", 1300].is_open
    assert "no end seen" in bars["reconnections", 1300].words
    assert bars["host", 0].is_open  # the scan


def test_a_session_that_began_before_the_file_reaches_back_by_its_length(frame) -> None:
    rows = frame[(frame["kind"] == "disconnected") | (frame["kind"] == "link_disconnected")].copy()
    rows["duration_s"] = 100.0
    bars = [mark for mark in Timeline(rows, reader=READER).marks if mark.end_us is not None]
    assert [(bar.end_us - bar.t_us) / 1e6 for bar in bars] == [100.0]


def test_a_silence_is_a_gap_and_never_held(timeline) -> None:
    samples = timeline.window(points=400).signals["advertisements, heard by the host"]
    seconds = (samples.line_us - BEGIN_US) / S
    heard = seconds[~np.isnan(samples.line)]
    assert not ((heard >= 600) & (heard < 660)).any()
    first_after = np.searchsorted(seconds, 600)
    assert np.isnan(samples.line[first_after])
    assert np.isnan(samples.low).any()


def test_a_reader_heard_now_and_then_is_no_line() -> None:
    t_us = np.array([0, 170, 290, 335, 343, 650, 1030, 1370], dtype=np.int64) * S
    values = np.full(len(t_us), -90.0)
    samples = sampled(Readings(t_us, values, values, values, np.ones(len(t_us)), t_us), 0, 1400 * S, 400)
    breaks = samples.line_us[np.isnan(samples.line)] // S + 1
    assert {650, 1030, 1370} <= set(breaks)
    once_a_minute = np.arange(0, 30, dtype=np.int64) * 60 * S
    values = np.full(30, -70.0)
    told = sampled(Readings(once_a_minute, values, values, values, np.ones(30), once_a_minute), 0, 1800 * S, 400)
    assert not np.isnan(told.line).any()


def test_a_dip_is_never_lost_however_many_points_lie_in_a_span() -> None:
    count = 200_000
    t_us = np.arange(count, dtype=np.int64) * S
    values = -60.0 + np.sin(np.arange(count) / 50)
    values[123_456], values[77_777] = -99.0, -31.0
    samples = sampled(Readings(t_us, values, values - 1, values + 1, np.ones(count), t_us), 0, count * S, 800)
    assert len(samples.line_us) <= 410
    assert len(samples.band_us) <= 410
    assert np.nanmin(samples.low) == -100.0
    assert np.nanmax(samples.high) == -30.0
    assert np.nanmin(samples.line) == -99.0
    assert not np.isnan(samples.line).any()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.floats(-120, 0)), max_size=300),
    st.integers(-10, 10**9), st.integers(1, 10**9), st.integers(4, 500),
)  # fmt: skip
def test_any_span_of_any_readings_is_sampled(points, since_us, length_us, wanted) -> None:
    points = sorted(points)
    t_us = np.array([at for at, _ in points], dtype=np.int64)
    values = np.array([value for _, value in points])
    readings = Readings(t_us, values, values, values, np.ones(len(values)), t_us)
    until_us = since_us + length_us
    samples = sampled(readings, since_us, until_us, wanted)
    inside = values[(t_us >= since_us) & (t_us <= until_us)]
    drawn = samples.line[~np.isnan(samples.line)]
    assert set(drawn) <= set(values)
    if len(inside):
        assert np.nanmin(samples.low) <= inside.min()
        assert np.nanmax(samples.high) >= inside.max()
    # No line is drawn across a silence: between two points that are joined, no readings lie further apart.
    usual = int(np.median(np.diff(t_us))) if len(t_us) > 2 else 0
    longest = max(GAP_US, 2 * usual)
    whole = np.isnan(samples.line)
    for first, second in zip(range(len(whole) - 1), range(1, len(whole)), strict=True):
        if not whole[first] and not whole[second]:
            between = t_us[(t_us >= samples.line_us[first]) & (t_us <= samples.line_us[second])]
            assert (np.diff(between) <= longest).all()
    times, rate = rates(readings, since_us, until_us, wanted)
    assert (rate >= 0).all()
    assert len(times) == len(rate)
    assert rate.sum() * (times[1] - times[0] if len(times) > 1 else 0) / 1e6 <= len(points) + 1e-6


def test_a_span_knows_the_value_that_was_in_force_when_it_began(timeline) -> None:
    window = timeline.window(BEGIN_US + 100 * S, BEGIN_US + 200 * S)
    times, values = window.steps["interval_ms"]
    assert values[0] == 45.0
    assert times[0] < window.since_us
    assert np.isnan(timeline.window(BEGIN_US + 610 * S, BEGIN_US + 620 * S).steps["interval_ms"][1][0])  # no link then
    many = np.arange(10_000, dtype=np.int64)
    assert len(steps(many, many.astype(float), 0, 10_000, 100)[0]) <= 100


def test_the_rate_says_where_a_filter_hides_the_number(timeline) -> None:
    assert "filter for duplicates" in timeline.remark
    times, rate = timeline.window().rate
    assert rate.max() == pytest.approx(4.0, rel=0.6)
    assert rate[(times > BEGIN_US + 610 * S) & (times < BEGIN_US + 650 * S)].max() == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(["bad", "good", "plain"]), st.integers(0, 50)), max_size=400
    )
)
def test_many_marks_become_few_and_none_is_uncounted(found) -> None:
    marks = [
        Mark(lane="errors", t_us=at, words="x", tone=tone, end_us=at + length if length else None)
        for at, tone, length in found
    ]  # fmt: skip
    kept = thinned(marks, 0, 10_000, 20)
    assert len(kept) <= 2 * 20 + 2
    points = [mark for mark in kept if mark.end_us is None or mark.end_us - mark.t_us <= 500]
    assert sum(1 + mark.more for mark in points) == len(marks)
    if any(mark.tone == "bad" for mark in marks):
        assert any(mark.tone == "bad" for mark in kept)


def texts(figure) -> str:
    return figure.to_json()


def test_verdicts_on_nobody_are_those_of_the_same_host(frame) -> None:
    run = str(frame.loc[frame["reader"] == READER, "run"].iloc[0])
    its_hosts = Found(reader="", run=run)
    others = [Found(reader="", run="another phone"), Found(reader="somebody else", run=run)]
    shown = Timeline(frame, reader=READER, findings=[*others, its_hosts])
    assert [mark.t_us for mark in shown.marks if mark.lane == "findings"] == [its_hosts.t_us]


def test_the_figure_shows_every_lane_and_each_mark_carries_its_source(frame) -> None:
    figure = timeline_chart(frame, reader=READER, time_zone="Europe/Berlin", findings=[Found()])
    assert max(len(trace.x) for trace in figure.data) <= 2000
    customs = [data for trace in figure.data if trace.customdata is not None for data in trace.customdata]
    drops = [
        data for data in customs if isinstance(data, list | tuple | np.ndarray) and "connection timeout" in str(data[3])
    ]
    assert drops
    assert all("frame 6021" in data[0] or "frame 45" in data[0] for data in drops)
    assert any("out of range, 82%" in str(data[3]) for data in customs if not isinstance(data, int | np.integer))
    categories = {lane for trace in figure.data if trace.y is not None for lane in trace.y if isinstance(lane, str)}
    assert {
        "Sessions",
        "Connection attempts",
        "Updates",
        "Errors",
        "Reconnections",
        "App and notes",
        "Host and radio",
        "Verdicts",
    } <= categories
    assert "imported" in texts(figure) or "import" in texts(figure)
    first = pd.Timestamp(figure.layout.xaxis.range[0])
    assert first.hour == 9  # a moment before ten o'clock in Berlin


def test_hostile_text_is_text(frame) -> None:
    shown = texts(timeline_chart(frame, reader=READER, findings=[Found()]))
    assert "<img" not in shown.replace("\\u003c", "<")
    assert "\u202e" not in shown
    assert "&lt;img" in shown.replace("\\u0026", "&")


def test_a_span_may_be_chosen_and_nothing_in_it_is_an_empty_figure(frame) -> None:
    figure = timeline_chart(frame, reader=READER, since=BEGIN_US + 10**12, until=BEGIN_US + 10**12 + S)
    assert figure.layout.title.text.startswith("Timeline")
    second = timeline_chart(
        frame, reader=READER, since=pd.Timestamp(BEGIN_US + 5 * S, unit="us", tz="UTC"), until=BEGIN_US + 9 * S
    )
    assert len(second.data[0].x) < 20


def test_a_reader_that_there_is_not_is_refused(frame) -> None:
    with pytest.raises(InvalidParameterError, match="no reader"):
        timeline_chart(frame, reader=ADDRESS)  # an alias: the frame has its serial


def test_a_zoom_of_a_million_readings_takes_a_moment(frame) -> None:
    count = 1_000_000
    t_us = BEGIN_US + np.arange(count, dtype=np.int64) * 86_400
    values = np.full(count, -60.0)
    many = Readings(t_us, values, values, values, np.ones(count), t_us)
    timeline = Timeline(frame, reader=READER, readings={"advertisement": many})
    began = time.process_time()
    timeline.window()
    assert time.process_time() - began < 0.5
