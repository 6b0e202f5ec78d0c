"""What is under `inside/` runs inside the machine only."""

import os

collect_ignore = [] if os.environ.get("TERMINAL_KIT_IN_MACHINE") else ["inside"]
