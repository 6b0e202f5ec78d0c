"""Where a member's bytes stay: in memory, or, if they are many, in a file without a name."""

import mmap
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from terminal_kit.importers.content import Buffer

IN_MEMORY = 8 << 20
"""Bytes of a member that are kept in memory."""


def held(source: Iterator[bytes]) -> Buffer:
    """All that comes. The file is gone when nobody uses the bytes any more."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for piece in source:
            file.write(piece)
        size = file.tell()
        file.seek(0)
        if size <= IN_MEMORY:
            return file.read()
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
