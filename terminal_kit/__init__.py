"""A workbench for Bluetooth card readers: discover, connect, keep connected, and explain the drops.

Independent of Stripe, whose words it uses. The public names load on first use, so that `import terminal_kit` is quick
and needs neither pandas nor plotly nor ipywidgets.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terminal_kit.analysis import Comparison as Comparison
    from terminal_kit.analysis import compare as compare
    from terminal_kit.analysis import disconnects as disconnects
    from terminal_kit.analysis import reconnections as reconnections
    from terminal_kit.charts import comparison_chart as comparison_chart
    from terminal_kit.charts import drop_chart as drop_chart
    from terminal_kit.charts import reconnection_chart as reconnection_chart
    from terminal_kit.charts import signal_before_drop_chart as signal_before_drop_chart
    from terminal_kit.charts import signal_chart as signal_chart
    from terminal_kit.charts import update_chart as update_chart
    from terminal_kit.charts.timeline import timeline_chart as timeline_chart
    from terminal_kit.diagnosis import Evidence as Evidence
    from terminal_kit.diagnosis import Finding as Finding
    from terminal_kit.diagnosis import diagnose as diagnose
    from terminal_kit.diagnosis import habits as habits
    from terminal_kit.errors import TerminalError as TerminalError
    from terminal_kit.eventlog import EventLog as EventLog
    from terminal_kit.eventlog import default_log_path as default_log_path
    from terminal_kit.eventlog.parquet import frame_from_parquet as frame_from_parquet
    from terminal_kit.events import ConnectionStatus as ConnectionStatus
    from terminal_kit.events import DisconnectReason as DisconnectReason
    from terminal_kit.events import Event as Event
    from terminal_kit.events import Kind as Kind
    from terminal_kit.image import read_image as read_image
    from terminal_kit.importers import import_files as import_files
    from terminal_kit.importers.captures.tables import read_tables as read_tables
    from terminal_kit.panels import bench as bench
    from terminal_kit.radio import Radio as Radio
    from terminal_kit.radio.native import native_radio as native_radio
    from terminal_kit.radio.simulated import simulated_radio as simulated_radio
    from terminal_kit.radio.virtual import virtual_radio as virtual_radio
    from terminal_kit.reader import Location as Location
    from terminal_kit.reader import Reader as Reader
    from terminal_kit.reader import SoftwareUpdate as SoftwareUpdate
    from terminal_kit.redaction import redact as redact
    from terminal_kit.redaction import redact_log as redact_log
    from terminal_kit.scenarios.what_if import Policy as Policy
    from terminal_kit.scenarios.what_if import what_if as what_if
    from terminal_kit.session import Session as Session
    from terminal_kit.simulator import Air as Air
    from terminal_kit.simulator import ReaderModel as ReaderModel
    from terminal_kit.simulator import SimulatorLoop as SimulatorLoop
    from terminal_kit.simulator import run_virtual as run_virtual
    from terminal_kit.simulator import shop as shop
    from terminal_kit.simulator.capture import CaptureTap as CaptureTap
    from terminal_kit.terminal import Limits as Limits
    from terminal_kit.terminal import ReconnectPolicy as ReconnectPolicy
    from terminal_kit.terminal import Terminal as Terminal
    from terminal_kit.terminal.installation import Installation as Installation
    from terminal_kit.updates.feed import Feed as Feed
    from terminal_kit.updates.progress import UpdateProgress as UpdateProgress
    from terminal_kit.view import View as View

__version__ = "0.1.0"

_HOMES = {
    "Air": "simulator",
    "CaptureTap": "simulator.capture",
    "Comparison": "analysis",
    "ConnectionStatus": "events",
    "DisconnectReason": "events",
    "Event": "events",
    "EventLog": "eventlog",
    "Evidence": "diagnosis",
    "Feed": "updates.feed",
    "Finding": "diagnosis",
    "Installation": "terminal.installation",
    "Kind": "events",
    "Limits": "terminal",
    "Location": "reader",
    "Policy": "scenarios.what_if",
    "Radio": "radio",
    "Reader": "reader",
    "ReaderModel": "simulator",
    "ReconnectPolicy": "terminal",
    "Session": "session",
    "SimulatorLoop": "simulator",
    "SoftwareUpdate": "reader",
    "Terminal": "terminal",
    "TerminalError": "errors",
    "UpdateProgress": "updates.progress",
    "View": "view",
    "bench": "panels",
    "compare": "analysis",
    "comparison_chart": "charts",
    "default_log_path": "eventlog",
    "diagnose": "diagnosis",
    "disconnects": "analysis",
    "drop_chart": "charts",
    "frame_from_parquet": "eventlog.parquet",
    "habits": "diagnosis",
    "import_files": "importers",
    "native_radio": "radio.native",
    "read_image": "image",
    "read_tables": "importers.captures.tables",
    "reconnection_chart": "charts",
    "reconnections": "analysis",
    "redact": "redaction",
    "redact_log": "redaction",
    "run_virtual": "simulator",
    "shop": "simulator",
    "signal_before_drop_chart": "charts",
    "signal_chart": "charts",
    "simulated_radio": "radio.simulated",
    "timeline_chart": "charts.timeline",
    "update_chart": "charts",
    "virtual_radio": "radio.virtual",
    "what_if": "scenarios.what_if",
}

__all__ = [
    "Air",
    "CaptureTap",
    "Comparison",
    "ConnectionStatus",
    "DisconnectReason",
    "Event",
    "EventLog",
    "Evidence",
    "Feed",
    "Finding",
    "Installation",
    "Kind",
    "Limits",
    "Location",
    "Policy",
    "Radio",
    "Reader",
    "ReaderModel",
    "ReconnectPolicy",
    "Session",
    "SimulatorLoop",
    "SoftwareUpdate",
    "Terminal",
    "TerminalError",
    "UpdateProgress",
    "View",
    "bench",
    "compare",
    "comparison_chart",
    "default_log_path",
    "diagnose",
    "disconnects",
    "drop_chart",
    "frame_from_parquet",
    "habits",
    "import_files",
    "native_radio",
    "read_image",
    "read_tables",
    "reconnection_chart",
    "reconnections",
    "redact",
    "redact_log",
    "run_virtual",
    "shop",
    "signal_before_drop_chart",
    "signal_chart",
    "simulated_radio",
    "timeline_chart",
    "update_chart",
    "what_if",
]
"""What `import *` brings; `virtual_radio` needs an extra, and is had by its name."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'terminal_kit' has no attribute {name!r}")
    return getattr(import_module(f"terminal_kit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
