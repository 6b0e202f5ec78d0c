"""Logs of apps that use the vendor's SDKs: Android, iOS, React Native, Capacitor; pasted, mixed and cut.

`lines.py` cuts a file into lines, `wrappings.py` takes off what they got on their way, `envelopes.py` what stands
before a line's own words, `bodies.py` and `payloads.py` read these, `clock.py` tells the time, and `stories/` makes
events of what is said. `ending.py` says whether the last line is whole.
"""

from terminal_kit.importers.sdk_logs.reading import Lacks, LogReading, look, sniff

__all__ = ["Lacks", "LogReading", "look", "sniff"]
