"""The event log: where live and recorded meet.

`schema.py` has the tables and their version, `writer.py` commits in the background, `log.py` is what one opens,
`place.py` and `filters.py` say where it lies and what is read, `frames.py` and `parquet.py` hand rows to pandas and
to the archive.
"""

from terminal_kit.eventlog.log import EventLog, Run, RunFacts
from terminal_kit.eventlog.place import default_log_path

__all__ = ["EventLog", "Run", "RunFacts", "default_log_path"]
