"""How often what was refused: for the status file, and for whoever wonders who is trying."""

from __future__ import annotations

import threading

MOST_CODES = 64
"""Codes that are counted each for itself; a guest cannot make the list long."""


class Refusals:
    """A counter for each code. Thread-safe."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, code: str) -> None:
        """One more was refused for this reason."""
        with self._lock:
            if code not in self._counts and len(self._counts) >= MOST_CODES:
                code = "other"
            self._counts[code] = self._counts.get(code, 0) + 1

    def all(self) -> dict[str, int]:
        """Since the start, by code."""
        with self._lock:
            return dict(sorted(self._counts.items()))
