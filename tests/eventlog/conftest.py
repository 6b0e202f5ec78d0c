"""Logs to test on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal_kit.eventlog import EventLog, Run


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "bench.db") as opened:
        yield opened


@pytest.fixture
def run(log: EventLog) -> Run:
    return log.start_run(radio="simulated")
