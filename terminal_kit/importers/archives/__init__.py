"""Archives: bug reports, sysdiagnoses and whatever people send files in.

`members()` gives the files in an archive that could be captures or logs. Zip, tar, gz, bz2 and xz are read, and
archives in archives. Of a damaged archive it gives what can be read; of one that would fill the machine, what is within
bounds.
"""

from terminal_kit.importers.archives.members import members

__all__ = ["members"]
