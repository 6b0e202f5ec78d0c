"""`locations`: the places where readers are registered, and the labels of readers (L1)."""

import argparse
from pathlib import Path
from typing import Any, cast

import platformdirs
import tomlkit
from tomlkit.items import Table

from terminal_kit.cli import values
from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable
from terminal_kit.errors import InvalidParameterError
from terminal_kit.memory import APP, DEMO_LOCATIONS, Locations, write_atomically


def add_to(commands: Commands) -> None:
    """Adds the command and what it does."""
    parser = command(
        commands,
        "locations",
        "lists and edits your locations and the labels of your readers",
        "terminal-kit locations add tml_bar --name Bar --time-zone Europe/Berlin",
    )
    parser.set_defaults(run=run_list)
    actions = cast("Commands", parser.add_subparsers(metavar="ACTION"))
    add = command(actions, "add", "adds or replaces a location", "terminal-kit locations add tml_bar --name Bar")
    add.add_argument("id", type=values.location_id, metavar="tml_…")
    for name in ("name", "address", "region"):
        add.add_argument(f"--{name}", default="")
    add.add_argument(
        "--time-zone",
        type=values.time_zone,
        default="UTC",
        help="an IANA name such as Europe/Berlin (default: %(default)s)",
    )
    add.set_defaults(run=run_add)
    remove = command(actions, "remove", "removes a location", "terminal-kit locations remove tml_bar")
    remove.add_argument("id", metavar="tml_…")
    remove.set_defaults(run=run_remove)
    label = command(actions, "label", "names a reader", 'terminal-kit locations label STRM26138003393 "Till 2"')
    label.add_argument("serial")
    label.add_argument("label")
    label.set_defaults(run=run_label)


def run_list(_chosen: argparse.Namespace) -> int:
    """Prints a line a location, then a line a label."""
    kept = Locations.of_user()
    for place in kept.list_locations():
        facts = (place.name, place.address, place.region, place.time_zone)
        print(f"{place.id:<24} {printable(', '.join(fact for fact in facts if fact))}")
    for serial, label in kept.labels.items():
        print(f"{printable(serial):<24} {printable(label)}")
    return 0


def run_add(chosen: argparse.Namespace) -> int:
    """Adds a location, or replaces the one with its id. Says so where the demonstration's give way to it."""
    document = _read()
    place = tomlkit.table()
    for name in ("id", "name", "address", "region", "time_zone"):
        if value := getattr(chosen, name):
            place[name] = value
    if "name" not in place:
        place["name"] = chosen.id
    before = _places(document)
    _write(document, [*(old for old in before if old["id"] != chosen.id), place])
    if not before:
        gone = ", ".join(demo.id for demo in DEMO_LOCATIONS if demo.id != chosen.id)
        print(f"{chosen.id} is your first own location; the demonstration's are no longer shown: {gone}")
    return 0


def run_remove(chosen: argparse.Namespace) -> int:
    """Removes a location. Raises `InvalidParameterError` where there is none of this id."""
    document = _read()
    kept = [old for old in _places(document) if old["id"] != chosen.id]
    if len(kept) == len(_places(document)):
        raise InvalidParameterError(f"there is no location {chosen.id}", parameter="id", value=chosen.id)
    _write(document, kept)
    if not kept:
        demos = ", ".join(demo.id for demo in DEMO_LOCATIONS)
        print(f"{chosen.id} was your last own location; the demonstration's are shown again: {demos}")
    return 0


def run_label(chosen: argparse.Namespace) -> int:
    """Names a reader."""
    document = _read()
    labels = document.setdefault("labels", tomlkit.table())
    labels[chosen.serial] = chosen.label
    _write(document, _places(document))
    return 0


def _path() -> Path:
    return platformdirs.user_config_path(APP) / "locations.toml"


def _read() -> Any:
    path = _path()
    Locations(path)  # a file that is not ours is refused before it is touched
    return tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()


def _places(document: Any) -> list[Any]:
    return list(document.get("location", []))


def _write(document: Any, places: list[Any]) -> None:
    kept: Any = tomlkit.aot()
    for place in places:
        kept.append(place if isinstance(place, Table) else _table(place))
    document.pop("location", None)
    if kept:
        document["location"] = kept
    write_atomically(_path(), tomlkit.dumps(document))


def _table(inline: Any) -> Table:
    """A place that was written in one line, `{id = "…", name = "…"}`, in the form that all of them get."""
    table = tomlkit.table()
    for name, value in inline.items():
        table[name] = value
    return table
