"""Parts that came while the line was busy: small entries, bounded, then counted."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from camera.frame import Frame

BOUND = 100_000


class Overruns:
    """Filled by the camera's thread, emptied into records by the tend thread."""

    def __init__(self, bound: int = BOUND) -> None:
        self.total = 0
        self.unrecorded = 0
        self._bound = bound
        self._waiting: deque[Frame] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, frame: Frame) -> None:
        """Keep the part without its picture; beyond the bound it is only counted."""
        small = replace(frame, image=None, encoded=None)
        with self._lock:
            self.total += 1
            if len(self._waiting) < self._bound:
                self._waiting.append(small)
            else:
                self.unrecorded += 1

    def take(self) -> Frame | None:
        """The oldest one; None when there is none."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None
