"""Panels for notebooks: each draws a session's `View`, or what was recorded; `bench()` lays the former all out."""

from terminal_kit.panels.bench import Bench, bench
from terminal_kit.panels.connection import ConnectionPanel
from terminal_kit.panels.diagnosis import DiagnosisPanel
from terminal_kit.panels.disconnects import DisconnectLogPanel
from terminal_kit.panels.discovery import DiscoveryPanel
from terminal_kit.panels.importing import ImportPanel
from terminal_kit.panels.overview import OverviewPanel
from terminal_kit.panels.reconnections import ReconnectionPanel
from terminal_kit.panels.signal import SignalPanel
from terminal_kit.panels.timeline import TimelinePanel
from terminal_kit.panels.trainer import TrainerPanel
from terminal_kit.panels.update import UpdatePanel

__all__ = [
    "Bench",
    "ConnectionPanel",
    "DiagnosisPanel",
    "DisconnectLogPanel",
    "DiscoveryPanel",
    "ImportPanel",
    "OverviewPanel",
    "ReconnectionPanel",
    "SignalPanel",
    "TimelinePanel",
    "TrainerPanel",
    "UpdatePanel",
    "bench",
]
