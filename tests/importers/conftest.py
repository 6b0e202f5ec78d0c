"""Where imports go to, and where their files lie."""

from pathlib import Path

import pytest

from terminal_kit.eventlog import EventLog


@pytest.fixture
def log(tmp_path: Path):
    with EventLog(tmp_path / "log" / "field.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "field"
    made.mkdir()
    return made
