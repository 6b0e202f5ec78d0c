"""Diagnosis: from events to ranked causes with calibrated confidence, the facts for and against, and what to do next.

`diagnose(frame)` explains each disconnect and each failed connection; `habits(frame)` what lies behind many of them.
"""

from terminal_kit.diagnosis.diagnosing import diagnose
from terminal_kit.diagnosis.finding import Evidence, Finding, Habit, Verdict
from terminal_kit.diagnosis.habits import habits

__all__ = ["Evidence", "Finding", "Habit", "Verdict", "diagnose", "habits"]
