"""Where the camera's thread leaves its pictures for the thread that inspects them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from camera.frame import Frame


class Feed(ABC):
    """Filled by one thread, emptied by another; any thread may look at the newest picture."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Frame] = deque()
        self._newest: Frame | None = None
        self._finished = False
        self._closed = False

    @abstractmethod
    def put(self, frame: Frame) -> None:
        """Leave a picture. After `close` it is dropped."""

    def get(self, timeout: float) -> Frame | None:
        """The next picture; None when there was none within `timeout` seconds, or `ended`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished or self._closed, timeout)
            if not self._waiting or self._closed:
                return None
            frame = self._waiting.popleft()
            self._changed.notify_all()
            return frame

    @property
    def ended(self) -> bool:
        """Whether no picture will come any more."""
        with self._changed:
            return self._closed or (self._finished and not self._waiting)

    def newest(self) -> Frame | None:
        """The picture that came last, taken or not; nothing is taken by looking."""
        return self._newest

    def end(self) -> None:
        """The source is at its end: what waits can still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is taken any more; whoever waits here goes on."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()


class WaitingFeed(Feed):
    """For replayable sources: `put` waits for room, every picture is taken once and in order."""

    def __init__(self, room: int = 2) -> None:
        super().__init__()
        self._room = room

    def put(self, frame: Frame) -> None:
        """Leave a picture; waits until there is room or the feed is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < self._room)
            if self._closed:
                return
            self._waiting.append(frame)
            self._newest = frame
            self._changed.notify_all()


class NewestFeed(Feed):
    """For live sources: a slot of one, in which the newest picture replaces the one before.

    A replaced picture that nobody took is an overrun: `on_overrun` gets its frame, without pixels
    and bytes, in the camera's thread. So does a picture that still waits at `close`. None: pictures
    may pass unseen (with a trigger, which alone says what is a part).
    """

    def __init__(self, on_overrun: Callable[[Frame], None] | None = None) -> None:
        super().__init__()
        self._on_overrun = on_overrun

    def put(self, frame: Frame) -> None:
        """Leave a picture; never waits."""
        with self._changed:
            if self._closed:
                return
            passed = self._waiting.popleft() if self._waiting else None
            self._waiting.append(frame)
            self._newest = frame
            self._changed.notify_all()
        self._report(passed)

    def close(self) -> None:
        """Nothing is taken any more."""
        with self._changed:
            passed = self._waiting.popleft() if self._waiting else None
        super().close()
        self._report(passed)

    def _report(self, passed: Frame | None) -> None:
        if passed is not None and self._on_overrun is not None:
            self._on_overrun(replace(passed, image=None, encoded=None))
