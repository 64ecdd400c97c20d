"""A camera that does what a test tells it: a scripted Source, and a scripted video device."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from camera.frame import Frame, Image
from camera.source import CameraError, Source


def picture(level: int = 100) -> Image:
    """A small picture of one grey level."""
    return np.full((48, 64, 3), level, np.uint8)


def frame(number: int, at_ns: int = 0) -> Frame:
    """A frame with a picture and bytes."""
    return Frame(
        picture(number % 256), at_ns, at_ns / 1e9, number, encoded=b"bytes", part_id=f"P{number}"
    )


class ScriptedSource(Source):
    """Plays a script: a Frame is given, an exception raised, a callable called and its answer
    treated the same, None ends. `openings` are played by `open`, in the same way. Behind the
    script a live source fails, another one ends.
    """

    def __init__(
        self, script: Iterable[Any] = (), openings: Iterable[Any] = (), live: bool = True
    ) -> None:
        self.live = live
        self.opened = 0
        self.closed = 0
        self.threads: set[int] = set()
        self._script = iter(script)
        self._openings = iter(openings)

    def open(self) -> None:
        self.threads.add(threading.get_ident())
        self.opened += 1
        self._play(next(self._openings, None))

    def read(self) -> Frame | None:
        self.threads.add(threading.get_ident())
        behind = CameraError("the script is over") if self.live else None
        played = self._play(next(self._script, behind))
        assert played is None or isinstance(played, Frame)
        return played

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1

    def view(self) -> dict[str, object]:
        return {"source": "scripted"}

    def _play(self, action: Any) -> Any:
        if callable(action):
            action = action()
        if isinstance(action, BaseException):
            raise action
        return action


class ScriptedCapture:
    """Plays the part of `cv2.VideoCapture`: pictures from a list, properties as a driver would.

    `fixed` are properties that the driver does not let itself be talked out of.
    """

    def __init__(
        self,
        pictures: Iterable[Any] = (),
        opened: bool = True,
        fixed: dict[int, float] | None = None,
    ) -> None:
        self.properties: dict[int, float] = dict(fixed or {})
        self.asked: list[int] = []
        self.released = False
        self._fixed = dict(fixed or {})
        self._pictures = iter(pictures)
        self._opened = opened

    def isOpened(self) -> bool:
        return self._opened and not self.released

    def read(self) -> tuple[bool, Any]:
        picture = next(self._pictures, None)
        return picture is not None, picture

    def grab(self) -> bool:
        return self.read()[0]

    def set(self, property_id: int, value: float) -> bool:
        self.asked.append(property_id)
        if property_id in self._fixed:
            return False
        self.properties[property_id] = value
        return True

    def get(self, property_id: int) -> float:
        return self.properties.get(property_id, 0.0)

    def release(self) -> None:
        self.released = True


class HandClock:
    """Monotonic and wall time that stand still until a test moves them."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self.now_ns = int(seconds * 1e9)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall(self) -> float:
        return 1.7e9 + self.now_ns / 1e9

    def move(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
