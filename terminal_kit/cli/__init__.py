"""The command `terminal-kit`: the same verbs as the notebook's, for people without one.

Exit codes: 0 done, 1 failed (`CODE: text. hint` on standard error), 2 wrong usage, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from terminal_kit.cli import doctor, lab, locations, log, readers, serve, watch
from terminal_kit.errors import InvalidParameterError, TerminalError

VERBS = (lab, doctor, readers, watch, log, locations, serve)
"""Each adds its commands to the parser."""


class Parser(argparse.ArgumentParser):
    """argparse with one clear line for wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where to read more; exits with 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    parser = Parser(prog="terminal-kit", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for verb in VERBS:
        verb.add_to(commands)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen)
    except TerminalError as error:
        print(error.line(), file=sys.stderr)
        # A parameter of the command's own is a matter of usage.
        return 2 if isinstance(error, InvalidParameterError) and error.parameter.startswith("--") else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stderr.close()
        return 0
