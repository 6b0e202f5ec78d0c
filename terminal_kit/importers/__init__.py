"""Importers: captures of phones and logs of apps become the same events as the live bench's.

`door.py` is where files come in: it looks into archives, sniffs what each file is by its content, puts together the
files of one phone, and hands their events to the log. `captures/` reads Bluetooth HCI captures, `sdk_logs/` the logs of
the vendor's SDKs. Both tell what they understood, what is foreign and what is damaged, and fail on no input.
"""

from terminal_kit.importers.alignment import Lack
from terminal_kit.importers.content import Content
from terminal_kit.importers.door import import_files, learn_names
from terminal_kit.importers.import_report import Clock, ImportReport, Progress
from terminal_kit.importers.report import Damage

__all__ = ["Clock", "Content", "Damage", "ImportReport", "Lack", "Progress", "import_files", "learn_names"]
