"""The real Linux Bluetooth stack, in a machine of its own."""

import os
import sys
from pathlib import Path

import machine
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

pytestmark = [pytest.mark.bluez, pytest.mark.slow]


@pytest.fixture(autouse=True)
def parts() -> None:
    """Without the machine's parts a laptop skips this; CI never does."""
    if missing := machine.missing():
        advice = f"the BlueZ machine needs: apt-get install {' '.join(missing)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(advice)


@pytest.mark.timeout(1200)
def test_the_terminal_lives_on_bluez() -> None:
    pytest_inside = [sys.executable, "-m", "pytest", HERE / "inside", ROOT / "tests" / "contract"]
    native = ["--radio", "native", "--bench", "native_bench:open_bench"]
    done = machine.run(
        [
            *pytest_inside,
            *native,
            "--timeout",
            "300",
            "-W",
            "default",
            "-rA",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
        ],
        cwd=ROOT,
        env={"TERMINAL_KIT_IN_MACHINE": "1", "PYTHONPATH": f"{ROOT}:{HERE / 'inside'}", "PYTHONDONTWRITEBYTECODE": "1"},
        echo=True,
    )
    assert done.exit_code == 0
