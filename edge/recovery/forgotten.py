"""Commits in the write-ahead log that SQLite does not see any more.

SQLite believes a log only up to its first bad byte: after a power cut that is right, since what was
not finished was not reported either. One damaged byte in the middle hides every later commit just
as silently. The line would give the same numbers again.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from edge.recovery.pages import Pages

SEEN_AT = 16
"""Where SQLite keeps the number of frames that it believes, in its index of the log."""


def forgotten(path: Path) -> str | None:
    """Words for a log with durable commits behind the end that SQLite sees; None without.

    The caller has just begun to read the database, and nobody writes to it.
    """
    seen = _seen(path.with_name(path.name + "-shm"))
    if seen is None:
        return None
    pages = Pages(path)
    durable = pages.durable_frames
    pages.close()
    if durable <= seen:
        return None
    return f"the write-ahead log is damaged: {seen} of {durable} pages in it can be read"


def _seen(index: Path) -> int | None:
    try:
        with index.open("rb") as file:
            header = file.read(SEEN_AT + 4)
        (seen,) = struct.unpack_from("<I" if sys.byteorder == "little" else ">I", header, SEEN_AT)
        return int(seen)
    except (OSError, struct.error):
        return None
