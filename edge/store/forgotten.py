"""Records in the write-ahead log that SQLite does not see any more.

SQLite believes a log only up to its first bad byte: after a power cut that is right, since what was
not finished was not reported either. One damaged byte in the middle hides every later commit just
as silently. The line would give the same numbers again.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge.store.pages import Pages, Value, rows


def forgotten(path: Path, epoch: str | None, head: int) -> str | None:
    """Words for a log with durable records behind `head`, which is where SQLite sees the end.

    Durable is a transaction behind which another was begun: the last one may have been torn by a
    power cut before anybody was told of it.
    """
    pages = Pages(path)
    try:
        for page in pages.durable():
            found = [seq for row in rows(pages, page) if (seq := _number(row.values, epoch))]
            if found and max(found) > head:
                return f"the write-ahead log is damaged behind record {head}"
            if found:
                return None
    finally:
        pages.close()
    return None


def _number(values: list[Value], epoch: str | None) -> int | None:
    """The number of the record in this row, where it is one of this epoch (None: of any)."""
    for value in values:
        if isinstance(value, bytes) and value.startswith(b"{"):
            try:
                content = json.loads(value)
                return int(content["seq"]) if epoch in (None, content["epoch"]) else None
            except (ValueError, KeyError, TypeError):
                return None
    return None
