"""The bench in a real browser, in Lab and in Voila."""

import contextlib
import json
import subprocess
import sys

import pytest
from pages import ROOT, Pages, click, part, run_cell
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

M2 = "STRM26138003393"
DOORS = pytest.mark.parametrize("door", ["lab", "voila"])
BENCH = "from terminal_kit.panels import bench\nb = bench(log={log!r}, seed=1)\nb"
SOON = 30_000


def has_status(page: Page, words: str) -> None:
    expect(part(page, "Connection").get_by_role("status")).to_have_text(words, timeout=SOON)


def reader(page: Page, serial: str) -> Locator:
    return part(page, "Readers").get_by_role("listbox").get_by_role("option").filter(has_text=serial)


def start_fault(page: Page, name: str, **parameters: float) -> None:
    trainer = part(page, "Trainer")
    trainer.get_by_label("What happens").select_option(name)
    who = trainer.get_by_label("Reader to act on")
    if who.is_enabled():
        who.select_option(M2)
    for parameter, value in parameters.items():
        trainer.locator(f"[data-name={parameter}]").fill(str(value))
    click(trainer, "Start")


def connect(page: Page) -> None:
    """Connects the M2: the nearest reader, unless a busy machine has not heard it within two seconds."""
    click(part(page, "Readers"), "Scan")
    expect(reader(page, M2)).to_contain_text("dBm", timeout=SOON)
    reader(page, M2).click()
    click(part(page, "Readers"), "Connect")
    has_status(page, "Connected")


@DOORS
def test_a_readers_life(pages: Pages, tmp_path, door) -> None:
    log = tmp_path / "bench.db"
    page = pages.open(door, BENCH.format(log=str(log)))
    readers, connection, trainer = part(page, "Readers"), part(page, "Connection"), part(page, "Trainer")

    # Each button three times: Lab moves the callbacks of a widget to other threads from the second click on.
    for _ in range(3):
        click(readers, "Scan")
        has_status(page, "Discovering")
        expect(reader(page, M2)).to_contain_text("dBm", timeout=SOON)
        click(readers, "Stop")
        has_status(page, "Not connected")
    for _ in range(3):
        reader(page, M2).click()
        click(readers, "Connect")
        has_status(page, "Connected")
        expect(connection).to_contain_text(M2)
        click(connection, "Disconnect")
        has_status(page, "Not connected")
    click(readers, "Connect nearest")
    has_status(page, "Connected")
    for on in ("false", "true", "false", "true"):
        connection.get_by_role("switch").click()
        expect(connection.get_by_role("switch")).to_have_attribute("aria-checked", on)

    # Walk away until it fades out, and come back.
    start_fault(page, "walk_away", to_m=2000, speed_m_s=200)
    has_status(page, "Reconnecting")
    expect(connection).to_contain_text("Connection lost")
    expect(part(page, "Disconnect log")).to_contain_text("so far")
    click(trainer, "Undo: walk away with the reader: " + M2)
    has_status(page, "Connected")
    expect(connection).to_contain_text("Reconnected, working normally.")
    expect(part(page, "Back after a drop")).to_contain_text("1 drop: back after")

    click(connection, "Reboot")
    has_status(page, "Reconnecting")
    has_status(page, "Connected")
    click(connection, "Disconnect")
    has_status(page, "Not connected")

    rows = part(page, "Disconnect log").get_by_role("row")
    expect(rows).to_have_count(1 + 3 + 3)
    expect(rows.nth(1)).to_contain_text("asked to disconnect")
    expect(rows.nth(2)).to_contain_text("asked to restart")
    expect(rows.nth(3)).to_contain_text("signal lost")
    expect(rows.nth(3)).to_contain_text("0x08 connection timeout")
    expect(rows.nth(3)).to_contain_text("✓")
    assert not pages.errors
    command = [
        sys.executable,
        "-c",
        "from terminal_kit.cli import main; main()",
        "events",
        str(log),
        "--kind",
        "link_disconnected",
        "--json",
    ]
    stored = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()
    assert [json.loads(row)["reason"] for row in stored] == ["disconnect_requested"] * 3 + [
        "bluetooth_signal_lost",
        "reboot_requested",
        "disconnect_requested",
    ]


HOSTILE_CELL = """
from terminal_kit.panels import bench
from terminal_kit.reader import Location

NAMES = ['STRM2<img src=x onerror="window.ran=1">', "constructor", "__proto__", "toString", "hasOwnProperty",
         "STRM2<script>window.ran=1</script>", "STRM2\\u202egnp.exe", "STRM2\\0\\n<b>b"]

def furnish(air):
    for number, name in enumerate(NAMES):
        air.add_reader(name, distance_m=1.0 + 3 * number)

b = bench(log=None, air=furnish)
b
"""


@DOORS
def test_a_reader_named_with_markup_runs_nothing(pages: Pages, door) -> None:
    page = pages.open(door, HOSTILE_CELL)
    click(part(page, "Readers"), "Scan")
    expect(reader(page, "STRM2")).to_have_count(4, timeout=SOON)
    expect(reader(page, 'STRM2<img src=x onerror="window.ran=1">')).to_be_visible()
    expect(reader(page, "STRM2⟨U+202E⟩gnp.exe")).to_be_visible()
    expect(reader(page, "STRM2␀␊<b>b")).to_have_count(1)
    part(page, "Readers").get_by_label("Order of the list").select_option("serial")
    for name in ("constructor", "__proto__", "toString", "hasOwnProperty"):
        expect(reader(page, name)).to_contain_text("dBm")
    for name in ("constructor", "__proto__", "toString"):
        expect(part(page, "Signal").locator(".tk-legend > span").filter(has_text=name)).to_contain_text("dBm")
    drawn = part(page, "Signal").locator("svg[role=img] > g:nth-child(2) path")
    expect(drawn).to_have_count(6)
    assert all(path.get_attribute("d") for path in drawn.all())
    click(part(page, "Readers"), "Connect nearest")
    has_status(page, "Connected")
    trainer = part(page, "Trainer")
    trainer.get_by_label("What happens").select_option("switch_off")
    click(trainer, "Start")
    has_status(page, "Reconnecting")
    expect(part(page, "Disconnect log")).to_contain_text("<img src=x")
    expect(part(page, "Signal")).to_contain_text("<img src=x")
    expect(part(page, "Trainer")).to_contain_text("<img src=x")
    assert page.evaluate("window.ran") is None
    assert page.locator(".tk-panel :is(img, script, b b, iframe)").count() == 0
    assert not pages.errors


def test_the_keyboard_alone_connects_a_reader_and_lab_hears_none_of_it(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    readers = part(page, "Readers")
    readers.get_by_role("button", name="Scan").focus()
    page.keyboard.press("Enter")
    expect(reader(page, "dBm")).to_have_count(3, timeout=SOON)
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    readers.get_by_label("Order of the list").select_option("serial")
    readers.get_by_role("listbox").focus()
    for key in ("End", "Home", "ArrowDown", "ArrowDown", "ArrowUp", "a", "b", "d", "d", "x"):
        page.keyboard.press(key)
    expect(reader(page, M2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    has_status(page, "Connected")
    expect(part(page, "Connection")).to_contain_text(M2)
    assert cells.count() == before
    focused = page.evaluate(
        """() => { document.activeElement.blur(); const seen = [];
        for (const node of document.querySelectorAll('.tk-panel :is(button, input, select, [tabindex])')) {
          if (node.disabled || !node.offsetParent) continue;
          const named = node.ariaLabel || node.textContent.trim() || node.labels?.[0]?.textContent;
          if (!named) seen.push(node.outerHTML);
        } return seen; }"""
    )
    assert focused == []


def test_errors_appear_in_the_panel_that_caused_them(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    start_fault(page, "bluetooth_off")
    expect(part(page, "Bench")).to_contain_text("Bluetooth is off")
    click(part(page, "Readers"), "Scan")
    alert = part(page, "Readers").get_by_role("alert")
    expect(alert).to_contain_text("BLUETOOTH_DISABLED")
    expect(alert).to_contain_text("Turn Bluetooth on in the host's settings.")
    expect(part(page, "Connection").get_by_role("alert")).to_be_hidden()
    click(part(page, "Readers"), "Dismiss this error")
    expect(alert).to_be_hidden()


def test_why_a_button_is_off_can_be_read_with_the_keyboard(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    connect = part(page, "Readers").get_by_role("button", name="Connect", exact=True)
    for _ in range(10):
        # Lab takes the focus back once more when a cell that it ran has ended.
        part(page, "Readers").get_by_label("Location").focus()
        page.keyboard.press("Tab")
        with contextlib.suppress(AssertionError):
            expect(connect).to_be_focused(timeout=1000)
            break
    expect(connect).to_be_focused()
    expect(connect).to_have_accessible_description("Choose a reader in the list first.")
    expect(connect.get_by_text("Choose a reader in the list first.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(part(page, "Readers").get_by_role("alert")).to_be_hidden()
    has_status(page, "Not connected")
    page.keyboard.press("Tab")
    nearest = part(page, "Readers").get_by_role("button", name="Connect nearest", exact=True)
    expect(nearest).to_be_focused()
    expect(nearest).to_have_accessible_description(
        "Listen for two seconds and connect the reader with the strongest signal"
    )


def test_a_figure_that_cannot_be_is_not_started_and_says_why(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    trainer = part(page, "Trainer")
    trainer.get_by_label("What happens").select_option("walk_away")
    start = trainer.get_by_role("button", name="Start", exact=True)
    speed = trainer.locator("[data-name=speed_m_s]")
    for figure in ("", "0", "-3", "1e9"):
        speed.fill(figure)
        expect(start).to_be_disabled()
        expect(trainer).to_contain_text("Speed must be a number from 0.01 to 1000.")
        expect(start).to_have_accessible_description("Speed must be a number from 0.01 to 1000.")
    speed.fill("1.4")
    expect(start).to_be_enabled()
    limit = part(page, "Readers").get_by_label("Scan limit")
    limit.fill("")
    expect(part(page, "Readers").get_by_role("button", name="Scan", exact=True)).to_be_disabled()


def test_a_panel_that_cannot_be_drawn_says_so_and_leaves_the_others_alone(pages: Pages) -> None:
    broken = "from terminal_kit.panels import SignalPanel\ndef draw(self, view):\n    raise ValueError('no picture')\n"
    page = pages.open("lab", f"{broken}SignalPanel.draw = draw\n{BENCH.format(log=None)}")
    expect(part(page, "Signal").get_by_role("alert")).to_contain_text("ValueError: no picture", timeout=SOON)
    expect(part(page, "Signal").locator(".tk-waiting")).to_be_hidden()
    click(part(page, "Readers"), "Connect nearest")
    has_status(page, "Connected")
    assert not pages.errors


def test_ages_go_by_the_sessions_clock_and_what_runs_is_told(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    readers = part(page, "Readers")
    connect(page)
    click(part(page, "Connection"), "Disconnect")
    has_status(page, "Not connected")
    click(part(page, "Trainer"), "+1 h")
    expect(reader(page, M2)).to_contain_text("1 h")
    click(readers, "Forget")
    expect(readers).to_contain_text(f"forgot {M2}: connecting pairs it anew", timeout=SOON)

    reader(page, M2).click()
    click(readers, "Connect")
    has_status(page, "Connected")
    start_fault(page, "switch_off")
    has_status(page, "Reconnecting")
    click(part(page, "Connection"), "Cancel")
    has_status(page, "Not connected")
    click(readers, "Reconnect last")
    expect(readers).to_contain_text(f"looking for {M2}, connected last")
    click(readers, "Stop")
    has_status(page, "Not connected")
    click(part(page, "Trainer"), f"Undo: switch the reader off: {M2}")
    start_fault(page, "steal")
    click(part(page, "Connection"), "Discover again")
    has_status(page, "Discovering")
    expect(reader(page, M2)).to_contain_text("another host has it", timeout=SOON)
    expect(part(page, "Connection").get_by_role("button", name="Discover again")).to_be_hidden()
    assert not pages.errors


def test_an_hour_in_a_moment_does_not_flood_the_page(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None))
    part(page, "Readers").get_by_label("Scan limit").fill("0")
    click(part(page, "Readers"), "Scan")
    expect(part(page, "Readers")).to_contain_text("3, scanning", timeout=SOON)
    pages.received_bytes.clear()
    click(part(page, "Trainer"), "+1 h")
    expect(part(page, "Bench")).to_contain_text("01:00:", timeout=SOON)
    expect(part(page, "Readers")).to_contain_text("3, scanning")
    assert len(pages.received_bytes) < 500
    assert not pages.errors


def test_running_the_cell_again_leaves_one_bench_and_a_reload_finds_it_alive(pages: Pages) -> None:
    page = pages.open(
        "lab",
        BENCH.format(log=None),
        "import threading\n[t.name for t in threading.enumerate()].count('terminal_kit session')",
    )
    click(part(page, "Readers"), "Connect nearest")
    has_status(page, "Connected")
    run_cell(page, 0)
    has_status(page, "Not connected")
    expect(page.get_by_role("region", name="Connection", exact=True)).to_have_count(1)
    run_cell(page, 1)
    expect(page.locator(".jp-Cell").nth(1).locator(".jp-OutputArea-output")).to_have_text("1")
    click(part(page, "Readers"), "Connect nearest")
    has_status(page, "Connected")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    page.reload()
    has_status(page, "Connected")
    click(part(page, "Connection"), "Disconnect")
    has_status(page, "Not connected")
    assert not pages.errors


def test_a_blocked_kernel_starves_neither_the_link_nor_the_page(pages: Pages) -> None:
    page = pages.open("lab", BENCH.format(log=None), "import time\ntime.sleep(60)")
    connect(page)
    start_fault(page, "walk_away", to_m=2000, speed_m_s=200)
    run_cell(page, 1)
    # What the panel says while the cell blocks must not tie its buttons to the cell.
    has_status(page, "Reconnecting")
    click(part(page, "Connection"), "Cancel")
    has_status(page, "Not connected")
    click(part(page, "Trainer"), f"Undo: walk away with the reader: {M2}")
    expect(part(page, "Trainer")).to_contain_text("All is well")
    click(part(page, "Readers"), "Reconnect last")
    has_status(page, "Connected")
    expect(page.locator(".jp-Cell").nth(1).locator(".jp-InputPrompt")).to_have_text("[*]:")


CONTRAST = """() => {
  const parse = (colour) => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = colour; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] / 255 + under[i] * (1 - top[3] / 255));
  const lum = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => { const layers = []; for (let n = node; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); layers.push(c); if (c[3] === 255) break; } return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
  const poor = [];
  for (const node of document.querySelectorAll('.tk-panel *')) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(':disabled, svg, .tk-tip')) continue;
    const under = ground(node); const ink = over(parse(getComputedStyle(node).color), under);
    const [a, b] = [lum(ink), lum(under)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push([node.textContent.slice(0, 40), ((a + 0.05) / (b + 0.05)).toFixed(2)]);
  }
  return poor; }"""


@pytest.mark.parametrize(("door", "theme"), [("lab", "light"), ("lab", "dark"), ("voila", "light"), ("voila", "dark")])
def test_it_can_be_read_in_both_themes_at_1280_px(pages: Pages, door, theme, tmp_path) -> None:
    page = pages.open(door, BENCH.format(log=None), theme=theme)
    connect(page)
    start_fault(page, "switch_off")
    has_status(page, "Reconnecting")
    expect(part(page, "Bench")).to_contain_text("simulated")
    assert page.evaluate(CONTRAST) == []
    # Nothing is wider than its place, and the panels stand side by side.
    wide = page.evaluate(
        "() => [...document.querySelectorAll('.tk-panel')].filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.ariaLabel)"
    )
    assert wide == []
    boxes = {
        title: part(page, title).bounding_box() for title in ("Readers", "Signal", "Connection", "Software update")
    }
    assert boxes["Readers"]["y"] == pytest.approx(boxes["Signal"]["y"], abs=1)
    assert boxes["Connection"]["y"] == pytest.approx(boxes["Software update"]["y"], abs=1)
    ground = page.evaluate("() => getComputedStyle(document.querySelector('.tk-panel')).backgroundColor")
    dark = sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")) < 3 * 128
    assert dark == (theme == "dark")


def test_each_panel_also_stands_alone(pages: Pages) -> None:
    cell = (
        "from terminal_kit.session import Session\nfrom terminal_kit.panels import *\nfrom IPython.display import display\n"
        "s = Session(); s.start()\n"
        "display(DiscoveryPanel(s), ConnectionPanel(s), UpdatePanel(s), DisconnectLogPanel(s), SignalPanel(s), "
        "ReconnectionPanel(s), TrainerPanel(s), OverviewPanel(s))"
    )
    page = pages.open("lab", cell)
    click(part(page, "Readers"), "Connect nearest")
    has_status(page, "Connected")
    for badge in page.locator(".tk-badge").all():
        expect(badge).to_have_text("simulated")
    assert page.locator(".tk-badge").count() == 8
