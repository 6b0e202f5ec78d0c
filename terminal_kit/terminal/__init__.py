"""The lifecycle of one reader on the host's side.

`terminal.py` has the verbs, `status.py` what may happen when, `finder.py` and `keeper.py` do the work, `relation.py`
and `link.py` hold a reader and its link, `policy.py` every waiting time with its reason.
"""

from terminal_kit.terminal.operation import Discovery
from terminal_kit.terminal.policy import Limits, ReconnectPolicy
from terminal_kit.terminal.terminal import Terminal

__all__ = ["Discovery", "Limits", "ReconnectPolicy", "Terminal"]
