"""Software updates in a real browser: what waits, what runs, what became of it, and a page that is not left unasked."""

import re

import pytest
from pages import Pages, click, part
from playwright.sync_api import Locator, Page, expect
from test_bench import BENCH, CONTRAST, M2, SOON, has_status, reader

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HURRIED = BENCH.replace("seed=1", "seed=1, rate=20")
"""A minute of the reader's in three seconds."""


def let_wait(page: Page, outcome: str) -> None:
    trainer = part(page, "Trainer")
    trainer.get_by_label("Reader to act on").select_option(M2)
    trainer.get_by_label("Update that waits for the reader").select_option(outcome)
    click(trainer, "Set")
    expect(trainer).to_contain_text("let an update wait", timeout=SOON)


def connect(page: Page) -> None:
    readers = part(page, "Readers")
    if reader(page, M2).count() == 0:
        click(readers, "Scan")
        expect(reader(page, M2)).to_contain_text("dBm", timeout=SOON)
    reader(page, M2).click()
    click(readers, "Connect")


def headline(page: Page) -> Locator:
    return part(page, "Software update").get_by_role("status")


def button(page: Page, name: str) -> Locator:
    return part(page, "Software update").get_by_role("button", name=name, exact=True)


def test_u7_an_update_is_put_off_survives_a_reload_and_is_installed(pages: Pages) -> None:
    page = pages.open("lab", HURRIED.format(log=None))
    panel = part(page, "Software update")
    let_wait(page, "available")
    connect(page)
    expect(headline(page)).to_have_text("An update waits", timeout=SOON)
    for words in ("firmware and regional configuration", "card networks", "1–2 minutes", "an update begins above 50 %"):
        expect(panel.locator("dl")).to_contain_text(words)
    expect(panel).to_contain_text("Until then it can wait.")
    expect(button(page, "Cancel")).to_have_accessible_description("No update is being installed.")

    click(panel, "Later")
    expect(panel).to_contain_text("Put away. Required from")
    expect(panel.locator("dl")).to_be_hidden()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    page.reload()
    expect(panel).to_contain_text("Put away. Required from", timeout=SOON)
    expect(button(page, "Later")).to_have_accessible_description("It is put away already.")

    click(panel, "Install now")
    expect(headline(page)).to_have_text("Installing an update")
    bar = panel.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+ %: Sending "), timeout=SOON)
    expect(headline(page)).to_have_text("Installed", timeout=60_000)
    expect(panel).to_contain_text("The reader runs 2.01.01.01-SZZZ_Prod_US_v13-481001 now.")
    expect(part(page, "Connection")).to_contain_text("2.01.01.01-SZZZ_Prod_US_v13-481001")
    expect(part(page, "Disconnect log")).to_contain_text("No reader has dropped so far.")  # U12
    assert not pages.errors


def test_u3_a_required_one_says_why_connecting_takes_longer_and_can_be_canceled(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    panel = part(page, "Software update")
    let_wait(page, "required")
    connect(page)
    expect(headline(page)).to_have_text("Installing a required update", timeout=SOON)
    has_status(page, "Connecting · updating")
    expect(panel).to_contain_text("Keep the reader close and powered, and this page open, until it has finished.")
    expect(panel).to_contain_text("Connecting takes longer because this update is required.")
    expect(panel.get_by_text(re.compile(r"^about .* left$"))).to_be_visible(timeout=SOON)
    expect(button(page, "Cancel")).to_have_accessible_description(
        "The reader keeps its present software; the connection fails with it, because the update is required."
    )
    click(panel, "Cancel")
    expect(headline(page)).to_have_text("Not installed", timeout=SOON)
    has_status(page, "Not connected")
    expect(panel).to_contain_text("The next connection goes on where it stopped.")
    assert not pages.errors


def test_u9_the_page_asks_before_it_is_left_while_an_update_runs_and_only_then(pages: Pages) -> None:
    page = pages.open("voila", BENCH.format(log=None))  # Lab asks for reasons of its own
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    click(part(page, "Readers"), "Scan")  # browsers do not ask where nobody has touched the page
    expect(reader(page, M2)).to_contain_text("dBm", timeout=SOON)
    with page.expect_event("load"):
        page.evaluate("setTimeout(() => location.reload())")
    let_wait(page, "required")
    connect(page)
    expect(headline(page)).to_have_text("Installing a required update", timeout=SOON)
    assert asked == []
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload())")
    assert asked == ["beforeunload"]
    assert not pages.errors


def test_u2_a_battery_that_is_too_low_is_told_before_and_after(pages: Pages) -> None:
    page = pages.open("lab", HURRIED.format(log=None))
    panel = part(page, "Software update")
    let_wait(page, "low_battery")
    connect(page)
    expect(headline(page)).to_have_text("Not installed", timeout=SOON)
    expect(panel).to_contain_text("READER_SOFTWARE_UPDATE_FAILED_BATTERY_LOW")
    expect(panel).to_contain_text("Nothing was sent: the reader works as before. The next connection tries again.")
    has_status(page, "Not connected")
    let_wait(page, "low_battery_succeed_connect")
    connect(page)
    has_status(page, "Connected")
    expect(panel).to_contain_text("The reader can be used for now; the next connection tries again.")
    expect(button(page, "Install now")).to_have_accessible_description(
        "The battery is at 30 %, and an update begins above 50 %. Charge the reader."
    )
    assert not pages.errors


def test_u9_an_update_is_broken_off_only_by_who_says_so_twice(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    panel = part(page, "Connection")
    let_wait(page, "available")
    connect(page)
    expect(headline(page)).to_have_text("An update waits", timeout=SOON)
    expect(panel.get_by_role("button", name="Break off and disconnect")).to_be_hidden()
    click(part(page, "Software update"), "Install now")
    has_status(page, "Connected · updating")
    for name in ("Disconnect", "Reboot"):
        expect(panel.get_by_role("button", name=name, exact=True)).to_have_accessible_description(
            "An update is being installed; breaking it off leaves the reader with working software, "
            "and the next connection goes on."
        )
    sure = panel.get_by_role("button", name="Break off: sure?")
    before = panel.get_by_role("button", name="Break off and disconnect").bounding_box()
    panel.get_by_role("button", name="Break off and disconnect").dblclick()  # one wish, and no answer
    expect(sure).to_be_visible()
    assert sure.bounding_box() == pytest.approx(before, abs=1)  # the second press finds it where the first did
    expect(panel.get_by_role("button", name="Break off and disconnect")).to_be_visible(timeout=10_000)
    has_status(page, "Connected · updating")
    panel.get_by_role("button", name="Break off and disconnect").click()
    expect(sure).to_be_visible()
    page.wait_for_timeout(600)  # what comes sooner is a double click
    sure.click()
    has_status(page, "Not connected")
    expect(headline(page)).to_have_text("Not installed", timeout=SOON)
    expect(sure).to_be_hidden()
    assert not pages.errors


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_both_themes_while_it_runs_and_after(pages: Pages, theme) -> None:
    page = pages.open("lab", BENCH.format(log=None), theme=theme)
    let_wait(page, "required")
    connect(page)
    expect(part(page, "Software update")).to_contain_text("kB/s", timeout=SOON)
    wide = "() => [...document.querySelectorAll('.tk-panel')].filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.ariaLabel)"
    assert (page.evaluate(CONTRAST), page.evaluate(wide)) == ([], [])
    click(part(page, "Software update"), "Cancel")
    expect(headline(page)).to_have_text("Not installed", timeout=SOON)
    assert (page.evaluate(CONTRAST), page.evaluate(wide)) == ([], [])
