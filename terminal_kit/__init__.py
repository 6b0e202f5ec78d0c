"""A workbench for Bluetooth card readers: discover, connect, keep connected, and explain the drops.

Independent of Stripe, whose words it uses. The public names load on first use, so that `import terminal_kit` is quick
and needs neither pandas nor plotly nor ipywidgets.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terminal_kit.errors import TerminalError as TerminalError
    from terminal_kit.events import ConnectionStatus as ConnectionStatus
    from terminal_kit.events import DisconnectReason as DisconnectReason
    from terminal_kit.events import Event as Event
    from terminal_kit.events import Kind as Kind
    from terminal_kit.reader import Location as Location
    from terminal_kit.reader import Reader as Reader

__version__ = "0.1.0"

_HOMES = {
    "ConnectionStatus": "events",
    "DisconnectReason": "events",
    "Event": "events",
    "Kind": "events",
    "Location": "reader",
    "Reader": "reader",
    "TerminalError": "errors",
}

__all__ = ["ConnectionStatus", "DisconnectReason", "Event", "Kind", "Location", "Reader", "TerminalError"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'terminal_kit' has no attribute {name!r}")
    return getattr(import_module(f"terminal_kit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
