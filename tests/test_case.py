"""The page to send on: everything is in it, nothing calls home, nobody is named."""

import json
import re
from pathlib import Path

import pytest
from story import ADDRESS, HOSTILE, READER, story_log

from terminal_kit.case import gather, render
from terminal_kit.cli import main
from terminal_kit.events import Event, Kind
from terminal_kit.words import escape


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with story_log(tmp_path_factory.mktemp("case") / "kate.db") as log:
        return render(gather(log, notes=["Kate saw it drop", HOSTILE]))


def without_scripts(page: str) -> str:
    return re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_tells_the_case(page: str) -> None:
    told = without_scripts(page)
    for heading in ("Timeline", "Why it dropped", "Notes", "Frames and lines", "Sources"):
        assert f"<h2>{heading}</h2>" in told
    assert "<li>1 drop and no failed connections.</li>" in told
    assert re.search(r"<h2>How often</h2>\s*<table>.*<td>2025-11-25</td><td>1</td><td>0</td>", told)
    assert "0x08 connection timeout" in told
    assert re.search(r"frame \d+", told)


def test_it_opens_without_a_network(page: str) -> None:
    """No address is fetched: the policy forbids it, and nothing on the page asks for one."""
    assert "default-src 'none'" in page
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\b(?:src|href)=", without_scripts(page))
    assert page.count("<script") <= 4


def test_nobody_is_named(page: str) -> None:
    for name in (READER, ADDRESS[5:], "kate", "192.168.17.44", "btsnoop_hci.log"):
        assert name.lower() not in page.lower().replace("kate saw it drop", ""), name


def test_what_a_log_says_is_text_and_no_page(tmp_path: Path) -> None:
    with story_log(tmp_path / "kate.db") as log:
        page = render(gather(log, redacted=False, notes=[HOSTILE]))
    assert "<img" not in without_scripts(page)
    assert "\u202e" not in page
    assert escape(HOSTILE) in page


def test_names_of_readers_that_are_left_out_do_not_stay_in_notes(tmp_path: Path) -> None:
    with story_log(tmp_path / "kate.db") as log:
        run = log.start_run(radio="native")
        run.append(Event(kind=Kind.READER_FOUND, t_us=1, reader="STRM29999999999", extra={"name": "Kaffee Nord"}))
        run.append(Event(kind=Kind.NOTE, t_us=2, text="Kaffee Nord and 29999999999 were near"))
        log.add_alias("Theke 3", READER)
        log.flush()
        case = gather(log, reader=READER, notes=["ask at Theke 3"], radio="all")
    told = " ".join((*case.notes, *case.frame["text"].dropna()))
    assert not re.search("Kaffee Nord|29999999999|Theke 3", told)
    assert len(case.readers) == 1


def test_the_same_verdicts_with_and_without_names(tmp_path: Path) -> None:
    with story_log(tmp_path / "kate.db") as log:
        named, hidden = gather(log, redacted=False), gather(log, key="a case")
        again = gather(log, key="a case")
    assert [finding.cause for finding in named.findings] == [finding.cause for finding in hidden.findings]
    assert hidden.readers == again.readers != named.readers


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story_log(tmp_path / "kate.db").close()
    (tmp_path / "notes.txt").write_text("It was raining.\n\n")
    command = ["case", str(tmp_path / "kate.db"), "--output", str(tmp_path / "case.html")]
    assert main([*command, "--notes", str(tmp_path / "notes.txt")]) == 0
    assert "It was raining." in (tmp_path / "case.html").read_text("utf-8")
    assert "1 drop and" in capsys.readouterr().out
    assert main([*command, "--notes", str(tmp_path / "none.txt")]) == 1


@pytest.mark.parametrize("output", ["kate.db", "notes.txt", "phone.btsnoop"])
def test_nothing_but_a_page_is_written_over(tmp_path: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    story_log(tmp_path / "kate.db").close()
    (tmp_path / "notes.txt").write_text("It was raining.\n")
    (tmp_path / "phone.btsnoop").write_bytes(b"btsnoop\0" + bytes(8))
    command = ["case", str(tmp_path / "kate.db"), "--notes", str(tmp_path / "notes.txt"), "--output"]
    before = (tmp_path / output).read_bytes()
    assert main([*command, str(tmp_path / output)]) == 1
    assert "is no page" in capsys.readouterr().err
    assert (tmp_path / output).read_bytes() == before
    assert main([*command, str(tmp_path / "case.html")]) == main([*command, str(tmp_path / "case.html")]) == 0


@pytest.mark.parametrize(
    ("time_zone", "begins", "dropped"),
    [
        ("UTC", "2025-11-25T09:00:00", "2025-11-25T09:10:01"),
        ("Europe/Berlin", "2025-11-25T10:00:00", "2025-11-25T10:10:01"),
        ("America/New_York", "2025-11-25T04:00:00", "2025-11-25T04:10:01"),
        ("Asia/Kolkata", "2025-11-25T14:30:00", "2025-11-25T14:40:01"),
    ],
)
def test_the_charts_have_the_clock_on_the_wall_and_the_rest_utc(
    tmp_path: Path, time_zone: str, begins: str, dropped: str
) -> None:
    story_log(tmp_path / "kate.db").close()
    output = tmp_path / "case.html"
    assert main(["case", str(tmp_path / "kate.db"), "--output", str(output), "--time-zone", time_zone]) == 0
    page = output.read_text("utf-8")
    (chart,) = re.findall(r"Plotly\.newPlot\((.*?)</script>", page, re.DOTALL)[-1:]
    times = [time[:19] for times in re.findall(r'"x":\[(".*?")\]', chart) for time in json.loads(f"[{times}]") if time]
    assert {begins, dropped} <= set(times)
    assert {time[11:13] for time in times} <= {f"{int(begins[11:13]) + more:02}" for more in (-1, 0, 1)}
    assert time_zone in chart.replace("\\u002f", "/")
    assert "2025-11-25 09:10:01 UTC" in without_scripts(page)


@pytest.mark.parametrize(
    ("output", "said"), [(".", "is a folder. Name a file in it"), ("none/case.html", "none. Make it first")]
)
def test_where_no_page_can_be_written_is_told_at_once(
    tmp_path: Path, output: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["case", str(tmp_path / "nowhere.db"), "--output", str(tmp_path / output)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("INVALID_REQUIRED_PARAMETER: ")
    assert said in told
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_files_is_titled_by_them(tmp_path: Path) -> None:
    line = (
        "2026-03-14 12:00:01.000  1234  1240 D StripeTerminal: class=BBPOSControllerListener message=onBTDisconnected\n"
    )
    for name in ("first.log", "second.log"):
        (tmp_path / name).write_text(line.replace("01.000", f"0{len(name) % 10}.000"))
    files = [str(tmp_path / "first.log"), str(tmp_path / "second.log")]
    page = tmp_path / "case.html"
    assert main(["case", *files, "--output", str(page), "--no-redact"]) == 0
    assert "<h1>Case first.log, second.log</h1>" in page.read_text("utf-8")
    assert main(["case", *files, "--output", str(page)]) == 0
    assert "<h1>Case</h1>" in page.read_text("utf-8")


def test_notes_that_are_no_text_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_bytes(b"\xff\xfe\0")
    command = ["case", str(tmp_path / "kate.db"), "--output", str(tmp_path / "case.html"), "--notes"]
    for name, said in (("notes.txt", "is no text in UTF-8"), ("none.txt", "No such file"), (".", "Is a directory")):
        assert main([*command, str(tmp_path / name)]) == 1
        told = capsys.readouterr().err
        assert said in told
        assert "Errno" not in told


def test_a_zone_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["case", "kate.db", "--output", str(tmp_path / "a.html"), "--time-zone", "Mars/X"])
    assert ended.value.code == 2
    assert "is no time zone" in capsys.readouterr().err
