"""`python -m terminal_kit`: the command line where no script is on the path."""

import sys

from terminal_kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
