"""Readers of line.db and queue.db for the threads that answer browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from edge.store.archive import Archive

A = TypeVar("A", bound=Archive)


class Readers(Generic[A]):
    """Lends a reader to one thread at a time, and keeps it open for the next.

    As many are open as were ever used at the same moment: the threads of the pool, no more.
    """

    def __init__(self, make: Callable[[], A]) -> None:
        self._make = make
        self._idle: list[A] = []

    @contextmanager
    def __call__(self) -> Iterator[A]:
        """A reader for this thread, for the time of the block."""
        try:
            reader = self._idle.pop()  # a list's pop and append are atomic
        except IndexError:
            reader = self._make()
        try:
            yield reader
        except BaseException:
            reader.close()
            raise
        self._idle.append(reader)

    def close(self) -> None:
        """Let the files go. Those that are in use are closed by their users' end."""
        while self._idle:
            self._idle.pop().close()
