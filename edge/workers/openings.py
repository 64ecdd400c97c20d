"""The parts that wait for a person, in memory: what is due, without asking the database."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable
from typing import NamedTuple


class Opening(NamedTuple):
    """One part that waits, until `deadline_ns` on the monotonic clock."""

    part_id: str | None
    deadline_ns: int


class Openings:
    """Open escalations by deadline. The record thread opens and closes, the tend thread reads.

    One is here from when it is on the disk until its disposition is.
    """

    def __init__(self) -> None:
        self._open: dict[str, Opening] = {}
        self._order: list[tuple[int, str]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, parts: Iterable[tuple[str, str | None, int]]) -> None:
        """Add inspections as (id, part id, deadline on the monotonic clock in ns)."""
        with self._lock:
            for inspection, part_id, deadline_ns in parts:
                self._open[inspection] = Opening(part_id, deadline_ns)
                heapq.heappush(self._order, (deadline_ns, inspection))

    def close(self, inspection: str) -> None:
        """The part has its disposition."""
        with self._lock:
            self._open.pop(inspection, None)

    def find(self, inspection: str) -> Opening | None:
        """The one that is open; None where the part has its disposition, or nobody was asked."""
        return self._open.get(inspection)

    def take_due(self, now_ns: int, most: int = 1000) -> list[tuple[str, str | None]]:
        """Up to `most` (id, part id) whose deadline is over, each given once, oldest first."""
        with self._lock:
            due: list[tuple[str, str | None]] = []
            while self._order and self._order[0][0] <= now_ns and len(due) < most:
                _, inspection = heapq.heappop(self._order)
                if inspection in self._open:
                    due.append((inspection, self._open[inspection].part_id))
            return due
