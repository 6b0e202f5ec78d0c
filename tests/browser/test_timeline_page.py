"""The timeline in a real browser: from the whole day to a second, from a mark to its frame, and by the keyboard."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pages import Pages, click, part
from playwright.sync_api import Locator, Page, expect
from story import READER, S, story_log
from test_bench import CONTRAST, SOON

from terminal_kit.eventlog import EventLog

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CELL = """from terminal_kit import EventLog
from terminal_kit.panels.timeline import TimelinePanel
log = EventLog({log!r})
t = TimelinePanel(log)
t"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    story_log(tmp_path / "story.db").close()
    return tmp_path / "story.db"


def opened(pages: Pages, log: Path, *, theme="light", door="lab") -> tuple[Page, Locator]:
    page = pages.open(door, CELL.format(log=str(log)), theme=theme)
    panel = part(page, "Timeline")
    expect(panel.get_by_label("Reader", exact=True)).to_contain_text(READER, timeout=SOON)
    expect(panel.locator(".tk-lane", has_text="Verdicts")).to_be_visible(timeout=SOON)
    return page, panel


def read(log: Path, what: Callable[[EventLog], Any]) -> Any:
    """What a log holds now; on a thread of its own, since the browser's own loop runs in this one."""

    def reading() -> Any:
        with EventLog(log, read_only=True) as written:
            return what(written)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(reading).result()


def field(panel: Locator) -> Locator:
    return panel.locator(".tk-field")


def length(panel: Locator) -> str:
    return (panel.get_by_role("status").filter(has_text="–").text_content() or "").rsplit(", ", 1)[-1]


def test_it_is_zoomed_by_dragging_and_by_keys_down_to_a_second(log: Path, pages: Pages) -> None:
    page, panel = opened(pages, log)
    whole, cells = length(panel), page.locator(".jp-Notebook .jp-Cell").count()
    assert whole.startswith(("30 min", "31 min", "32 min"))
    chart = panel.locator(".tk-timeline")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 400, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(panel.get_by_role("status").filter(has_text="–")).not_to_contain_text(whole)
    closer = length(panel)
    assert re.fullmatch(r"\d min \d+ s", closer), closer
    field(panel).focus()
    for _ in range(12):
        page.keyboard.press("+")
    expect(panel.get_by_role("status").filter(has_text="–")).to_have_text(re.compile(r", 1\.0 s$"), timeout=SOON)
    page.keyboard.press("0")
    expect(panel.get_by_role("status").filter(has_text="–")).to_have_text(re.compile(rf", {whole}$"), timeout=SOON)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells  # no key was Lab's command
    assert not pages.errors


def test_a_mark_opens_to_its_frame_and_takes_a_note(log: Path, pages: Pages) -> None:
    _, panel = opened(pages, log)
    expect(panel.get_by_role("button", name="Add note")).to_have_accessible_description(
        "Choose a mark, or a point of the signal, first."
    )
    drop = panel.locator(".tk-sign", has_text="✕")
    assert drop.count() > 2
    records = panel.get_by_role("region", name="Chosen record")
    for _ in range(3):  # the third click is heard as the first is
        click(panel, "Next mark")
    expect(records).to_contain_text(re.compile(r"btsnoop_hci\.log, frame \d+|app\.txt, line \d+"), timeout=SOON)
    before = records.text_content()
    click(panel, "Next mark")
    expect(records).not_to_have_text(before or "", timeout=SOON)
    dots = panel.locator(".tk-sign", has_text="•").count()
    panel.get_by_label("Note", exact=True).fill("Kate walked away <b>here</b>")
    click(panel, "Add note")
    expect(panel.locator(".tk-sign", has_text="•")).to_have_count(dots + 1, timeout=SOON)
    click(panel, "Next mark")
    expect(records).to_contain_text("Kate walked away <b>here</b>", timeout=SOON)
    assert [event.text for event in read(log, lambda written: list(written.events(kind="note")))] == [
        "Kate walked away <b>here</b>"
    ]
    assert not pages.errors


def test_a_click_on_the_signal_shows_the_reading(log: Path, pages: Pages) -> None:
    _, panel = opened(pages, log)
    chart = panel.locator(".tk-timeline")
    chart.click(position={"x": 300, "y": 60})
    records = panel.get_by_role("region", name="Chosen record")
    expect(records).to_contain_text("signal strength", timeout=SOON)
    expect(records).to_contain_text("rssi_dbm")
    assert not pages.errors


def test_lanes_are_hidden_and_a_clock_is_corrected_at_once(log: Path, pages: Pages) -> None:
    _, panel = opened(pages, log)
    lane = panel.locator(".tk-lane", has_text="Updates")
    expect(lane).to_be_visible()
    panel.get_by_role("group", name="Lanes that are shown").get_by_label("Updates").uncheck()
    expect(lane).to_have_count(0, timeout=SOON)
    whole = length(panel)
    offset = panel.get_by_label(re.compile(r"^Seconds that are added to the times of .*app\.txt$"))
    offset.press("Control+a")
    offset.press_sequentially("3600")
    offset.press("Enter")
    expect(panel.get_by_role("status").filter(has_text="–")).not_to_have_text(re.compile(rf", {whole}$"), timeout=SOON)
    assert [source.clock_offset_us for source in read(log, EventLog.sources)] == [0, 3600 * S]
    assert not pages.errors


def test_what_a_log_says_is_shown_as_text(log: Path, pages: Pages) -> None:
    page, panel = opened(pages, log)
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    for _ in range(8):
        click(panel, "Next mark")
    assert page.locator(".tk-panel img").count() == 0
    assert not alerts
    assert not pages.errors


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_both_themes(log: Path, pages: Pages, theme) -> None:
    page, panel = opened(pages, log, theme=theme)
    click(panel, "Next mark")
    expect(panel.get_by_role("region", name="Chosen record").locator("dt").first).to_be_visible(timeout=SOON)
    wide = "() => [...document.querySelectorAll('.tk-panel')].filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.ariaLabel)"
    assert (page.evaluate(CONTRAST), page.evaluate(wide)) == ([], [])
