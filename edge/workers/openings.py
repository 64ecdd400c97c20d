"""The parts that wait for a person, in memory: what is due, without asking the database."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable


class Openings:
    """Open escalations by deadline. The record thread opens and closes, the tend thread reads."""

    def __init__(self) -> None:
        self._deadlines: dict[str, int] = {}
        self._parts: dict[str, str | None] = {}
        self._order: list[tuple[int, str]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._deadlines)

    def open(self, parts: Iterable[tuple[str, str | None, int]]) -> None:
        """Add inspections as (id, part id, deadline on the monotonic clock in ns)."""
        with self._lock:
            for inspection, part_id, deadline_ns in parts:
                self._deadlines[inspection] = deadline_ns
                self._parts[inspection] = part_id
                heapq.heappush(self._order, (deadline_ns, inspection))

    def close(self, inspection: str) -> None:
        """The part has its disposition."""
        with self._lock:
            self._deadlines.pop(inspection, None)
            self._parts.pop(inspection, None)

    def take_due(self, now_ns: int, most: int = 1000) -> list[tuple[str, str | None]]:
        """Up to `most` (id, part id) whose deadline is over, each given once, oldest first."""
        with self._lock:
            due: list[tuple[str, str | None]] = []
            while self._order and self._order[0][0] <= now_ns and len(due) < most:
                _, inspection = heapq.heappop(self._order)
                if inspection in self._deadlines:
                    due.append((inspection, self._parts[inspection]))
            return due
