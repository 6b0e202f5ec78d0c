"""`compare`: two recordings, or the groups of one, side by side with intervals."""

import argparse
import json
from pathlib import Path
from typing import Any

from terminal_kit.cli.options import Commands, UsageError, command, usage_of
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recorded import recorded
from terminal_kit.errors import InvalidParameterError


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "compare",
        "holds two recordings against each other, with intervals",
        "terminal-kit compare last_week.db this_week.db",
    )
    parser.add_argument("files", nargs="+", metavar="LOG|FILE", help="two recordings, or one with --by")
    parser.add_argument("--by", help="the groups of one recording: file, phone, firmware, place, device_type, radio")
    parser.add_argument("--json", action="store_true", help="one object: figures, contrasts, sentences, notes")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Prints a sentence for each measure, and what to keep in mind."""
    from terminal_kit.analysis import compare  # noqa: PLC0415 - pandas only for who needs it
    from terminal_kit.analysis.facts import fact  # noqa: PLC0415

    if len(chosen.files) != (1 if chosen.by else 2):
        raise UsageError("two recordings are compared, or the groups of one (--by)")
    if chosen.by:
        try:
            fact(chosen.by)
        except InvalidParameterError as error:
            raise usage_of(error) from error
    frames: list[Any] = []
    for path in chosen.files:
        with recorded([path]) as log:
            frames.append(log.frame())
    names = [Path(path).stem for path in chosen.files]
    if chosen.by:
        comparison = compare(frames[0], by=chosen.by)
    else:
        comparison = compare(*frames, names=names if len(set(names)) == 2 else chosen.files)
    if chosen.json:
        print(json.dumps(comparison.as_json()))
        return 0
    for sentence in comparison.sentences():
        say(printable(sentence))
    for note in comparison.notes:
        say(f"note: {printable(note)}")
    return 0
