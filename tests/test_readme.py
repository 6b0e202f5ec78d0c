"""The README tells the truth: its ten lines run, its table is the code's."""

import re
import subprocess
import sys
from pathlib import Path

import terminal_kit
from terminal_kit.reader import SERIAL_PREFIXES

README = (Path(terminal_kit.__file__).parent.parent / "README.md").read_text("utf-8")


def test_the_first_python_runs_without_hardware() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "STRM26138003393" in done.stdout


def test_the_readers_table_is_the_codes() -> None:
    for prefix, device_type in SERIAL_PREFIXES.items():
        assert f"`{prefix}…`" in README
        assert f"`{device_type}`" in README


def test_the_commands_table_has_every_verb() -> None:
    command = [sys.executable, "-c", "from terminal_kit.cli import main; main(['--help'])"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    verbs = re.findall(r"^    (\w+)(?: |$)", told, re.MULTILINE)
    assert len(verbs) >= 10
    table = re.search(r"## Commands\n(.*?)\n## ", README, re.DOTALL)[1]
    assert [verb for verb in verbs if f"`terminal-kit {verb}`" not in table and f"`{verb}`" not in table] == []


def test_no_hosts_and_no_paths_of_a_machine() -> None:
    assert not re.search(r"(^|[^A-Za-z0-9_.])/(work|root|home)/[A-Za-z.]", README)
