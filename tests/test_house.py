"""The house keeps its shape: imports run downwards, the door is light, the public names are known."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import terminal_kit

HOUSE = Path(terminal_kit.__file__).parent

NOUNS = ("errors", "events", "words", "reader", "profile", "image")
LIVE = ("memory", "radio", "simulator", "updates", "terminal", "session")
RECORDED = ("view", "importers", "redaction", "analysis", "diagnosis", "charts", "case")
TOP = ("cli", "panels", "scenarios")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "errors": (),
    "events": ("errors",),
    "reader": ("errors", "events"),
    "words": ("errors", "events", "reader"),
    "profile": ("errors", "events", "reader"),
    "image": ("errors", "events"),
    "eventlog": NOUNS,
    "memory": NOUNS,
    "simulator": (*NOUNS, "radio"),
    "radio": (*NOUNS, "memory", "simulator"),
    "updates": (*NOUNS, "memory", "radio"),
    "terminal": (*NOUNS, "memory", "radio", "updates"),
    "session": (*NOUNS, "eventlog", "memory", "radio", "simulator", "terminal", "updates", "view"),
    "view": NOUNS,
    "importers": (*NOUNS, "eventlog"),
    "redaction": (*NOUNS, "eventlog"),
    "analysis": (*NOUNS, "eventlog"),
    "diagnosis": (*NOUNS, "analysis", "eventlog"),
    "charts": (*NOUNS, "analysis", "diagnosis", "view"),
    "case": (*NOUNS, "analysis", "charts", "diagnosis", "eventlog", "redaction"),
    "cli": (*NOUNS, *LIVE, *RECORDED, "eventlog", "scenarios"),
    "__main__": ("cli",),
    "panels": (*NOUNS, *LIVE, *RECORDED, "eventlog", "scenarios"),
    "scenarios": (*NOUNS, *LIVE, *RECORDED, "eventlog"),
}
"""Room → the rooms below it. `__init__` names rooms as strings only."""

HEAVY = ("pandas", "plotly", "ipywidgets", "anywidget", "bumble")
FORBIDDEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(LIVE, HEAVY[:4]),
    **dict.fromkeys((*RECORDED, "eventlog"), ("bleak", "bumble")),
    **dict.fromkeys(NOUNS, (*HEAVY, "bleak")),
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports when it is loaded, or anywhere for the package's own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "terminal_kit":
                found.update(f"terminal_kit.{alias.name}" for alias in node.names)
    return found


FILES = sorted(path for path in HOUSE.rglob("*.py") if path != HOUSE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_run_downwards(path: Path) -> None:
    room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    assert room in MAY_IMPORT, f"{room} has no place in the house"
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "terminal_kit" and rest:
            target = rest.split(".")[0]
            assert target == room or target in MAY_IMPORT[room], f"{path.name} imports {name}"
        assert top not in FORBIDDEN.get(room, ()) or path.name in ("frames.py", "parquet.py"), f"{room} imports {name}"


def test_only_two_radios_know_the_simulator() -> None:
    knowing = {path.relative_to(HOUSE).as_posix() for path in FILES if any("simulator" in n for n in imports(path))}
    allowed = ("simulator/", "radio/", "session", "panels/", "cli/", "scenarios/")
    assert all(name.startswith(allowed) for name in knowing), knowing
    assert "terminal_kit.simulator" not in imports(HOUSE / "radio" / "__init__.py")


def test_the_door_is_light() -> None:
    code = "import sys, terminal_kit; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & {*HEAVY, "bleak", "nest_asyncio", "numpy", "pyarrow"}


def test_every_public_name_is_there_and_listed() -> None:
    for name in terminal_kit.__all__:
        assert getattr(terminal_kit, name) is not None
    assert terminal_kit.__all__ == sorted(terminal_kit.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Reeder'"):
        _ = terminal_kit.Reeder


def test_no_file_is_too_large() -> None:
    """The table of errors is one table, however long."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in FILES if path.name != "errors.py"}
    assert not [path.name for path, count in lines.items() if count > 400]
