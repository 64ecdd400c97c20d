"""A bounded one-way queue between two threads."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """First in, first out, bounded in items and in weight (bytes of pictures).

    One thread puts, another takes several at once. After `close` nothing more goes in; what is in
    it can still be taken. An item heavier than the whole bound is let in when nothing else weighs.
    """

    def __init__(self, items: int, weight: int = 0) -> None:
        self._items = items
        self._heaviest = weight
        self._waiting: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether the putting side has ended."""
        return self._closed

    @property
    def ended(self) -> bool:
        """Whether it is closed and empty: nothing will come any more."""
        with self._changed:
            return self._closed and not self._waiting

    def has_room(self, weight: int = 0) -> bool:
        """Whether `put` would succeed at once."""
        with self._changed:
            return self._fits(weight)

    def wait_for_room(self, timeout: float, weight: int = 0) -> bool:
        """Wait until `put` would succeed; whether it would now. A closed one ends the wait."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fits(weight), timeout)
            return self._fits(weight)

    def put(self, item: T, weight: int = 0) -> bool:
        """Add an item where there is room. Never waits; False when it was not taken."""
        with self._changed:
            if not self._fits(weight):
                return False
            self._waiting.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            return True

    def take(self, most: int, timeout: float) -> list[T]:
        """Up to `most` items in order; empty when none came within `timeout` or it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            taken: list[T] = []
            while self._waiting and len(taken) < most:
                item, weight = self._waiting.popleft()
                self._weight -= weight
                taken.append(item)
            if taken:
                self._changed.notify_all()
            return taken

    def close(self) -> None:
        """The putting side has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fits(self, weight: int) -> bool:
        if self._closed or len(self._waiting) >= self._items:
            return False
        return weight == 0 or self._weight == 0 or self._weight + weight <= self._heaviest
