"""The contract of everything that gives pictures."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from camera.frame import Frame


class CameraError(Exception):
    """A camera cannot be opened or has stopped giving pictures; trying again later may help.

    `hint` says in words what a person can do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks a source reads; passed in, so that tests can make their own time."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    wall: Callable[[], float] = time.time


class Source(ABC):
    """Something that gives pictures, one at a time, from one thread.

    `live` sources go on whether or not anyone reads (a camera): the newest picture counts.
    The others are replayable (a folder, a video file): they wait, and nothing is skipped.
    """

    live: bool = False

    @abstractmethod
    def open(self) -> None:
        """Make ready. Raises CameraError when the device or file cannot be had now.

        May be called again after `close`: a replayable source goes on behind the last picture that
        it gave, a live one looks for its device anew (it may have come back under another number).
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """The next picture; None when a finite source is at its end.

        A damaged picture is a Frame with a doubt, not an error. Raises CameraError when the source
        is lost or gave nothing within its own time-out (at most about a second).
        """

    @abstractmethod
    def close(self) -> None:
        """Let the device go. Never raises; may be called twice."""

    @abstractmethod
    def view(self) -> dict[str, object]:
        """Everything configured that changes the picture (identity, size, exposure …), as JSON.

        Known before `open`, equal for equal configurations; its digest is the record's `view`.
        """
