"""The README tells the truth: its ten lines run, its table is the code's."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import terminal_kit
from terminal_kit.reader import SERIAL_PREFIXES

README = (Path(terminal_kit.__file__).parent.parent / "README.md").read_text("utf-8")


def test_the_first_python_runs_without_hardware() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "STRM26138003393" in done.stdout


@pytest.mark.slow
def test_the_feeds_commands_run_as_they_stand(tmp_path: Path) -> None:
    """From nothing to a reader that runs the new software."""
    (block,) = re.findall(r"```sh\n(terminal-kit feed init.*?)```", README, re.DOTALL)
    (tmp_path / "build.bin").write_bytes(bytes(20_000))
    own = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    program = f"{shlex.quote(sys.executable)} -c 'import sys; from terminal_kit.cli import main; sys.exit(main())'"
    script = re.sub(r"^terminal-kit", lambda _: program, block, flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "STRM26138003393 runs 2.02.00.00-SZZZ_Prod_US_v12-481001 now" in done.stdout


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
