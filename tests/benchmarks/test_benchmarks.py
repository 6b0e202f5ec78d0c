"""Each benchmark runs, in its shortest form. Its figures are for people; nothing here is timed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_table_can_be_made() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    titles = [line for line in done.stdout.splitlines() if line.startswith("### ")]
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(titles) == 6
    peers = sum(shutil.which(name) is not None for name in ("tshark", "btmon")) + 1
    assert len(rows) == 6 * 2 + 1 + 1 + 2 + 4 + 3 + peers + 2
