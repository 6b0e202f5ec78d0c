"""bleak's own integration tests over our radios.

    pytest tests/conformance --bleak-checkout DIR

DIR is a checkout of https://github.com/hbldh/bleak: the tests are in its repository, in none of its packages, and are
not copied into ours. They run against the bleak that is installed here. Of the 91 cases of bleak 3.0 and 3.1 outside
CoreBluetooth, 88 concern every backend and must pass on both radios; the other three skip themselves, since they ask for
CoreBluetooth (two) or for a quirk of BlueZ's.

The suite is shallow: abrupt loss, concurrency and long writes are in `tests/contract`.
"""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import terminal_kit

HERE = Path(__file__).parent

EVERY_BACKEND = 88
"""Cases that concern every backend (bleak 3.0 and 3.1)."""

SETTINGS = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("radio", ["simulated", "virtual"])
def test_bleaks_own_tests_pass(radio, bleak_checkout, tmp_path):
    if bleak_checkout is None:
        pytest.skip("needs --bleak-checkout DIR")
    checkout = Path(bleak_checkout).resolve()
    settings, results = tmp_path / "pytest.ini", tmp_path / "results.xml"
    settings.write_text(SETTINGS)
    ours = [HERE, Path(terminal_kit.__file__).parent.parent]
    settings_of_child = ["-c", settings, "--rootdir", checkout, "-p", "no:cacheprovider", "-p", "no:randomly"]
    plugin = ["-p", "bleak_on_our_radio", "--our-radio", radio, "--timeout", "60", "--junitxml", results]
    child = subprocess.run(
        # -P: the bleak to test is the installed one, not the checkout's.
        [sys.executable, "-P", "-m", "pytest", checkout / "tests" / "integration", *settings_of_child, *plugin, "-q"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, ours)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert results.exists(), child.stdout + child.stderr
    outcomes = {"passed": [], "skipped": [], "failure": [], "error": []}
    for case in ET.parse(results).iter("testcase"):
        outcome = next((part.tag for part in case if part.tag in outcomes), "passed")
        outcomes[outcome].append(case.get("name"))
    print(f"{radio}:", ", ".join(f"{len(cases)} {outcome}" for outcome, cases in outcomes.items()))
    assert not outcomes["failure"] + outcomes["error"], child.stdout
    assert len(outcomes["passed"]) >= EVERY_BACKEND, outcomes["skipped"]
