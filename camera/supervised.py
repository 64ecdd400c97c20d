"""One supervisor around every source: opens it, reads it, notices when it fails, tries again."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from camera.feeds import Feed, NewestFeed, WaitingFeed
from camera.frame import Frame
from camera.source import CameraError, Clock, Source

__all__ = ["Backoff", "Feed", "NewestFeed", "Supervisor", "WaitingFeed"]

STALL_S = 1.5
SLOW_S = 30.0
"""A folder or file may take this long over one picture: discs spin up, networks are slow."""
FIRST_OPEN_S = 5.0
"""Some cameras take seconds to start; an alarm at every start would teach people to ignore it."""
JOIN_S = 2.0


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next attempt: doubled each time, up to `longest_s`."""

    first_s: float = 0.2
    longest_s: float = 5.0
    failures: int = 0

    def next_s(self) -> float:
        """The wait after one more failure."""
        self.failures += 1
        return min(self.longest_s, self.first_s * 2.0 ** min(self.failures - 1, 30))


class Supervisor:
    """Takes pictures from a source in a thread of its own and leaves them in a feed.

    A source that fails is closed and opened again, with growing waits, for ever: a camera that is
    not there is never an error of the program. `check` says what is wrong now and is meant for
    another thread: it sees a reading that hangs inside a driver. `losses` counts how often the
    source was lost after it had given pictures.
    """

    def __init__(
        self,
        source: Source,
        feed: Feed,
        clock: Clock | None = None,
        stall_s: float = STALL_S,
        backoff: Backoff | None = None,
    ) -> None:
        self.losses = 0
        self._source = source
        self._feed = feed
        self._clock = clock or Clock()
        self._stall_s = stall_s if source.live else max(stall_s, SLOW_S)
        self._backoff = backoff or Backoff()
        self._open = False
        self._seen = False
        self._down: str | None = None
        self._busy_since_ns: int | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to take pictures. Never raises for a camera that is not there."""
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def step(self) -> float | None:
        """Open the source or read one picture into the feed; how long to wait before the next
        step in seconds, or None at the end of a finite source."""
        try:
            self._busy_since_ns = self._clock.monotonic_ns()
            if not self._open:
                self._source.open()
                self._open = True
                return 0.0
            frame = self._source.read()
        except Exception as failure:  # a driver may raise anything, and the line must go on
            return self._lost(failure)
        finally:
            self._busy_since_ns = None
        return self._given(frame)

    def check(self, now_ns: int) -> str | None:
        """Why there are no pictures now, in words; None when all is well. Never waits."""
        since_ns = self._busy_since_ns
        if self._down is not None:
            return self._down
        if self._thread is not None and not self._thread.is_alive() and not self._feed.ended:
            return "the camera's thread has ended; restart the line"
        if since_ns is None:
            return None
        patience_s = self._stall_s if self._seen else max(self._stall_s, FIRST_OPEN_S)
        stuck_s = (now_ns - since_ns) / 1e9
        if stuck_s <= patience_s:
            return None
        return f"the camera has given no picture for {stuck_s:.0f} s"

    def close(self) -> None:
        """Let the camera go; does not wait for a driver that hangs."""
        self._stop.set()
        self._feed.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                wait_s = self.step()
                if wait_s is None:
                    return
                if wait_s > 0:
                    self._stop.wait(wait_s)
        finally:
            # Only this thread uses the source: a camera that another thread closes may crash.
            self._source.close()

    def _given(self, frame: Frame | None) -> float | None:
        if frame is None:
            self._feed.end()
            return None
        self._seen = True
        self._down = None
        self._backoff.failures = 0
        self._feed.put(frame)
        return 0.0

    def _lost(self, failure: Exception) -> float:
        if self._seen and self._down is None:
            self.losses += 1
        self._down = _words(failure)
        self._open = False
        self._source.close()
        return self._backoff.next_s()


def _words(failure: Exception) -> str:
    if not isinstance(failure, CameraError):
        return f"the camera failed: {type(failure).__name__}: {failure}"
    return f"{failure} ({failure.hint})" if failure.hint else str(failure)
