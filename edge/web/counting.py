"""Counts what was recorded today before the service began, backwards, a slice at a time."""

from __future__ import annotations

import json
from typing import Any

from edge.records import utc
from edge.store import search
from edge.store.archive import Archive
from edge.store.rows import DISPOSITION, INSPECTION
from edge.web.today import Today

SLICE = 1000
"""Records in one step: about 10 ms."""
QUIET = 5 * SLICE
"""After so many older records in a row nothing of today is expected further back."""


class Counting:
    """Gives `today` the records up to `through`, the newest first, until today's beginning.

    Used by the thread that follows the line: `step` between two looks at what is new. Another file
    in the place of the old one ends it: its records are all new.
    """

    def __init__(self, today: Today, through: int, epoch: str | None, now: float) -> None:
        self._today = today
        self._seq = through + 1
        self._epoch = epoch
        self._since = utc(today.longest_back(now))
        self._older = 0
        self.done = through < 1
        today.counted_since(0.0 if self.done else now)

    def step(self, line: Archive) -> bool:
        """Count one slice; whether there is more to do. Raises sqlite3.Error, StoreError."""
        if self.done or line.epoch != self._epoch:
            self._end()
            return False
        rows = search.before(line, self._seq, SLICE)
        for row in rows:
            self._seq = row.seq
            self._count(row.body)
        if len(rows) < SLICE or self._older >= QUIET:
            self._end()
        return not self.done

    def _end(self) -> None:
        self.done = True
        self._today.counted_since(0.0)

    def _count(self, body: bytes) -> None:
        record = _record(body)
        kind = record.get("schema")
        at = record.get("captured_at" if kind == INSPECTION else "at")
        if not isinstance(at, str) or at < self._since:
            self._older += 1
            return
        self._older = 0
        if kind == INSPECTION:
            self._today.inspection(record, earlier=True)
        elif kind == DISPOSITION:
            self._today.disposition(record, earlier=True)


def _record(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
