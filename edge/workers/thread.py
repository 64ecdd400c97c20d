"""One worker: a thread that calls `step` until it says that it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from edge.log import log


class Stepper(Protocol):
    """Something that does one unit of work at a time and never waits longer than about a second."""

    def step(self) -> bool:
        """Do one unit; False when there will be no more."""
        ...


class WorkerThread(threading.Thread):
    """Runs a stepper and remembers when it last moved. An exception ends it and is kept."""

    def __init__(self, name: str, stepper: Stepper, on_end: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.failure: BaseException | None = None
        self.moved_ns = time.monotonic_ns()
        self._stepper = stepper
        self._on_end = on_end

    def run(self) -> None:
        """Step until it is over; then say so, whatever the reason."""
        try:
            while self._stepper.step():
                self.moved_ns = time.monotonic_ns()
        except BaseException as failure:
            self.failure = failure
            log.exception(f"{self.name}.failed")  # an event of its own: none hides another's
        finally:
            self._on_end()

    def moved_within(self, now_ns: int, seconds: float) -> bool:
        """Whether it moved lately, or has ended as it should."""
        ended = not self.is_alive() and self.failure is None
        return ended or now_ns - self.moved_ns < seconds * 1e9
