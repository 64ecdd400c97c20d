"""The least of what waits, without going through all of it. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

N = TypeVar("N", int, float)


FEWEST = 1000


class Least(Generic[N]):
    """A value for each name. What is no longer so is thrown away when it comes to the top, and
    where it is more than half: one name may stay at the top for months."""

    def __init__(self) -> None:
        self._heap: list[tuple[N, str]] = []
        self._most = FEWEST

    def add(self, value: N, name: str) -> None:
        """The name has this value from now on."""
        heapq.heappush(self._heap, (value, name))

    def least(self, now: Callable[[str], N | None]) -> N | None:
        """The least value; `now` says which one a name has, None where it does not count."""
        if len(self._heap) > self._most:
            self._heap = [(value, name) for value, name in self._heap if now(name) == value]
            heapq.heapify(self._heap)
            self._most = max(FEWEST, 2 * len(self._heap))
        while self._heap:
            value, name = self._heap[0]
            if now(name) == value:
                return value
            heapq.heappop(self._heap)
        return None
