"""What makes a part: every picture, or a tick of the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from camera.frame import Doubt, Frame

PATIENCE_NS = 500_000_000
"""How long an interval trigger waits for a picture taken after its tick."""


class Feed(Protocol):
    """Where the camera's thread leaves its pictures."""

    def get(self, timeout: float) -> Frame | None:
        """The next picture, or None when there was none in time or the feed has ended."""
        ...

    @property
    def ended(self) -> bool:
        """Whether a finite source has given all its pictures."""
        ...


class Trigger(Protocol):
    """Gives one frame for each part."""

    def next(self, timeout: float) -> Frame | None:
        """The next part's frame; None when there was none in time."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no part will come any more."""
        ...


class Continuous:
    """Every picture is a part."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @property
    def ended(self) -> bool:
        """Whether no part will come any more."""
        return self._feed.ended

    def next(self, timeout: float) -> Frame | None:
        """The next picture."""
        return self._feed.get(timeout)


class Interval:
    """A part every `every_ms`, on a fixed grid of the monotonic clock.

    With a live camera a part gets the first picture taken at or after its tick. When none comes,
    the part has no picture and the doubt `no_picture`. Ticks that pass while the line is busy are
    parts too: they are handed to `on_missed`. A replayable source is only paced.
    """

    def __init__(
        self,
        feed: Feed,
        every_ms: float,
        live: bool,
        on_missed: Callable[[Frame], None],
        now_ns: Callable[[], int],
        wall: Callable[[], float],
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._feed = feed
        self._every_ns = int(every_ms * 1e6)
        self._live = live
        self._on_missed = on_missed
        self._now_ns = now_ns
        self._wall = wall
        self._wait = wait or threading.Event().wait
        self._tick_ns = now_ns() + self._every_ns
        self._number = 0

    @property
    def ended(self) -> bool:
        """Whether no part will come any more."""
        return self._feed.ended

    def next(self, timeout: float) -> Frame | None:
        """The next tick's picture; None when the tick is later than `timeout` from now."""
        now_ns = self._now_ns()
        if now_ns < self._tick_ns:
            self._wait(min(timeout, (self._tick_ns - now_ns) / 1e9))
            if self._now_ns() < self._tick_ns:
                return None
        if not self._live:
            return self._paced(timeout)
        tick_ns = self._tick_ns
        self._tick_ns += self._every_ns
        if self._now_ns() >= self._tick_ns:
            self._on_missed(self._without_picture(tick_ns, ()))
            return None
        return self._picture_after(tick_ns)

    def _paced(self, timeout: float) -> Frame | None:
        frame = self._feed.get(timeout)
        if frame is not None:
            self._tick_ns = max(self._tick_ns + self._every_ns, self._now_ns())
        return frame

    def _picture_after(self, tick_ns: int) -> Frame | None:
        end_ns = tick_ns + min(PATIENCE_NS, self._every_ns)
        while (left_ns := end_ns - self._now_ns()) > 0:
            frame = self._feed.get(left_ns / 1e9)
            if frame is not None and frame.monotonic_ns >= tick_ns:
                return frame
            if self._feed.ended:
                return None
        return self._without_picture(tick_ns, (Doubt("no_picture"),))

    def _without_picture(self, tick_ns: int, doubts: tuple[Doubt, ...]) -> Frame:
        self._number += 1
        wall = self._wall() - (self._now_ns() - tick_ns) / 1e9
        return Frame(None, tick_ns, wall, self._number, doubts=doubts)
