"""Logs of apps that use the vendor's SDKs: Android, iOS, React Native, Capacitor; pasted, mixed and cut.

`lines.py` cuts a file into lines, `envelopes.py` takes off what stands before a line's own words, `bodies.py` and
`payloads.py` read these, `clock.py` tells the time, and `stories/` makes events of what is said.
"""

from terminal_kit.importers.sdk_logs.reading import Lacks, LogReading, look, sniff

__all__ = ["Lacks", "LogReading", "look", "sniff"]
