"""Every decoder is fuzzed for some seconds; the long runs are started by hand (see `fuzz.py`)."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FUZZ = HERE / "fuzz.py"
SECONDS = 4

TARGETS = re.findall(r'^    "(\w+)": ', FUZZ.read_text("utf-8"), re.MULTILINE)
"""As the table in the harness names them: it cannot be imported where there is no Atheris."""

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None and os.environ.get("CI") != "true",
    reason="Atheris is not built for this platform",
)


def fuzz(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(HERE), str(HERE.parents[1])))
    return subprocess.run(
        [sys.executable, str(FUZZ), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@needs_atheris
@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_a_decoder(target: str, tmp_path: Path) -> None:
    done = fuzz(target, "--seconds", str(SECONDS), folder=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs, done.stderr[-3000:]
    assert int(runs[1]) > 100


@needs_atheris
def test_every_target_is_known(tmp_path: Path) -> None:
    assert fuzz("--list", folder=tmp_path).stdout.split() == TARGETS
