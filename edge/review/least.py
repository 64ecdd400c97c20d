"""The least of what waits, without going through all of it. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

N = TypeVar("N", int, float)


class Least(Generic[N]):
    """A value for each name. What is no longer so is thrown away when it comes to the top."""

    def __init__(self) -> None:
        self._heap: list[tuple[N, str]] = []

    def add(self, value: N, name: str) -> None:
        """The name has this value from now on."""
        heapq.heappush(self._heap, (value, name))

    def least(self, now: Callable[[str], N | None]) -> N | None:
        """The least value; `now` says which one a name has, None where it does not count."""
        while self._heap:
            value, name = self._heap[0]
            if now(name) == value:
                return value
            heapq.heappop(self._heap)
        return None
