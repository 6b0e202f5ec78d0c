"""Logs of apps: megabytes a second of CPU time, beside the least that any reader of lines must do.

The log is generated: a phone's logcat in which one line of a hundred is an SDK's.
"""

import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.table import Table

MEGABYTES, QUICK_MEGABYTES = 20, 1
RUNS = 5
SEARCH = re.compile(r"StripeTerminal|BBPOS|class=|scope=|\[Stripe terminal\]|onReaderReconnect")
"""What somebody would look for without the kit."""


def table(*, quick: bool) -> Table:
    """Both read the same bytes, in turn."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "importers"))
    from sdk_log_writers import phones_log

    from terminal_kit.importers.content import Content
    from terminal_kit.importers.sdk_logs import LogReading

    data = phones_log(QUICK_MEGABYTES if quick else MEGABYTES).encode()

    def ours() -> int:
        reading = LogReading(Content("phone.log", data), year=2024)
        for _ in reading.batches():
            pass
        return reading.reports[0].understood

    def search() -> int:
        return sum(SEARCH.search(line) is not None for line in data.decode().splitlines())

    costs = {do: [cost_s(do) for _ in range(1 if quick else RUNS)] for do in (ours, search)}
    medians = {do: statistics.median(each) for do, each in costs.items()}
    rows = [
        (name, f"{len(data) / 1e6 / medians[do]:.0f} MB/s", f"{medians[do] / medians[ours]:.2f}")
        for name, do in (
            ("every line read or accounted for, with events", ours),
            ("one regular expression a line", search),
        )
    ]
    return Table("Logs of apps", ("what", "of CPU time", "time, ours = 1"), rows)


def cost_s(do: Callable[[], int]) -> float:
    """CPU seconds of a call."""
    begin_s = time.process_time()
    assert do() > 0
    return time.process_time() - begin_s
