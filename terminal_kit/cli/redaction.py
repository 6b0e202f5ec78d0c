"""`redact`: a copy of a log to give away."""

import argparse
from pathlib import Path

from terminal_kit.cli.options import Commands, command
from terminal_kit.cli.output import printable, say
from terminal_kit.cli.recorded import recorded
from terminal_kit.cli.share_bar import ShareBar


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = command(
        commands,
        "redact",
        "copies a log, with pseudonyms for addresses, names and serial numbers, and without payloads",
        "terminal-kit redact field.db --output to_send.db",
    )
    parser.add_argument("files", nargs="+", metavar="LOG|FILE", help="a log, or captures and logs of apps")
    parser.add_argument("--output", required=True, type=Path, metavar="COPY", help="the log to write")
    parser.add_argument("--key", help="makes the pseudonyms the same as in an earlier copy with this key")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Writes the copy, whole or not at all."""
    from terminal_kit.redaction import Redactor, redact_log  # noqa: PLC0415 - pyarrow only for who needs it

    redactor = Redactor(chosen.key)
    with recorded(chosen.files, redactor) as log, ShareBar() as bar:
        redact_log(log, chosen.output, redactor=redactor, on_progress=bar.show)
    say(f"{printable(str(chosen.output))}: made. Read what apps and people wrote before you send it.")
    return 0
