"""Five hundred readers at ten advertisements a second, list and charts together: what it costs page, kernel and wire."""

import re
import time

import pytest
from pages import Pages, click, part, run_cell
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

READERS = 500
WATCHED_S = 10

CROWD = f"""
from terminal_kit.panels import bench

def crowd(air):
    air.advertising_interval_s = 0.1
    for number in range({READERS}):
        air.add_reader(f"STRM2{{number:09d}}", distance_m=1.0 + number % 40 / 10)

b = bench(log=None, air=crowd)
b
"""

LAG = f"""
import asyncio, time
late = []
until = time.monotonic() + {WATCHED_S}
while time.monotonic() < until:
    before = time.monotonic()
    await asyncio.sleep(0.005)
    late.append(time.monotonic() - before - 0.005)
print(f"lag p50 {{sorted(late)[len(late) // 2] * 1000:.1f}} p99 {{sorted(late)[len(late) * 99 // 100] * 1000:.1f}} ms")
"""

FRAMES = f"""() => new Promise((done) => {{
  let frames = 0; const start = performance.now();
  const count = () => {{ frames += 1; performance.now() - start < {WATCHED_S * 1000} ? requestAnimationFrame(count) : done(frames / {WATCHED_S}); }};
  requestAnimationFrame(count); }})"""


def test_five_hundred_readers(pages: Pages, capsys) -> None:
    page = pages.open("lab", CROWD, LAG, "b.close()")
    readers = part(page, "Readers")
    readers.get_by_label("Scan limit").fill("0")
    click(readers, "Scan")
    expect(readers).to_contain_text(f"{READERS}, scanning", timeout=30_000)
    page.wait_for_timeout(3000)

    run_cell(page, 1)
    pages.received_bytes.clear()
    started_s = time.monotonic()
    frames = page.evaluate(FRAMES)
    watched_s = time.monotonic() - started_s
    sent = list(pages.received_bytes)

    lag = page.locator(".jp-Cell").nth(1).locator(".jp-OutputArea-output")
    expect(lag).to_contain_text("p99", timeout=60_000)
    words = lag.text_content() or ""
    run_cell(page, 2)  # or the crowd would slow down every test after this one
    kilobytes = sum(sent) / watched_s / 1000
    with capsys.disabled():
        print(
            f"\n{READERS} readers: {frames:.0f} frames/s, {kilobytes:.1f} kB/s, {len(sent) / watched_s:.1f} messages/s, {words.strip()}"
        )
    # Bytes and messages do not depend on the machine; frames and lag do, and are reported.
    assert kilobytes < 50
    assert len(sent) / watched_s < 60
    assert re.search(r"p99 [\d.]+ ms", words)
    assert page.locator(".tk-reader").count() < 15
    assert not pages.errors
