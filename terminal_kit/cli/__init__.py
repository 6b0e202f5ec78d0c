"""The command `terminal-kit`: the same verbs as the notebook's, for people without one.

Exit codes: 0 done, 1 failed (`CODE: text. hint` on standard error), 2 wrong usage, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from terminal_kit.cli import (
    case,
    comparison,
    connection,
    diagnosis,
    discovery,
    doctor,
    feed,
    importing,
    lab,
    locations,
    log,
    redaction,
    serve,
    update,
    watch,
    what_if,
)
from terminal_kit.cli.options import UsageError
from terminal_kit.cli.output import prepare, printable, say, silence
from terminal_kit.errors import TerminalError

VERBS = (
    lab,
    doctor,
    discovery,
    connection,
    update,
    watch,
    log,
    importing,
    diagnosis,
    comparison,
    what_if,
    case,
    redaction,
    locations,
    feed,
    serve,
)
"""Each adds its commands to the parser."""


class Parser(argparse.ArgumentParser):
    """argparse with one clear line for wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where to read more; exits with 2."""
        self.exit(2, f"{_usage(self.prog, message)}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    prepare()
    parser = Parser(prog="terminal-kit", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for verb in VERBS:
        verb.add_to(commands)
    chosen = parser.parse_args(arguments)
    try:
        code = chosen.run(chosen)
        print(end="", flush=True)  # here, where it can still be told that it failed
    except UsageError as error:
        say(_usage(f"{parser.prog} {chosen.command}", str(error)), error=True)
        return 2
    except TerminalError as error:
        say(printable(error.line()), error=True)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        silence(sys.stdout)
        return 0
    except OSError as error:
        hint = "Check that the disk has room and that you may write there."
        say(printable(TerminalError(f"the system refused: {error}", hint=hint).line()), error=True)
        silence(sys.stdout)
        return 1
    return code


def _usage(program: str, message: str) -> str:
    return f"{program}: {printable(message)} (see {program} --help)"
