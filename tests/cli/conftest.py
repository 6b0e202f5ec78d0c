"""What every test of the command line gets: a user of its own."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders of their own."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in [name for name in os.environ if name.startswith("TERMINAL_KIT_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def config(home: Path) -> Path:
    """The user's configuration folder."""
    folder = home / "xdg_config_home" / "terminal_kit"
    folder.mkdir(parents=True)
    return folder
