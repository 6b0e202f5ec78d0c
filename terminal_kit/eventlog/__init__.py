"""The event log: where live and recorded meet.

`log.py` is what one opens, `runs.py` what one records into. `schema.py` has the tables and their version, `rows.py` and
`cells.py` turn events into rows and back, `opening.py` and `place.py` say where a log can lie. `writer.py` gathers in
the background what `storing.py` commits; `importing.py` takes in files, which `sources.py` knows. `filters.py` and
`reading.py` say what is read and fetch it, `frames.py` and `parquet.py` hand it to pandas and to the archive.
"""

from terminal_kit.eventlog.importing import Columns, Outcome
from terminal_kit.eventlog.log import EventLog
from terminal_kit.eventlog.place import default_log_path
from terminal_kit.eventlog.runs import Run, RunFacts
from terminal_kit.eventlog.sources import Source

__all__ = ["Columns", "EventLog", "Outcome", "Run", "RunFacts", "Source", "default_log_path"]
