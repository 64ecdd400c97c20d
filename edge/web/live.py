"""The newest picture of the running line, for whoever sets up camera, lens and light.

The line is asked for it through its requests, about once a second however many look; the camera
itself is never opened here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from camera.frame import Frame, Image
from edge import cameras
from edge.records import utc
from edge.snapshot import drawn, encoded, limits
from edge.tuning import Reading, Tuner
from edge.viewing import LineCamera, Viewer

if TYPE_CHECKING:
    from edge.config import Config

WITHIN_S = 1.6
AGAIN_NS = 700_000_000
"""A picture that is not older than this is shown to the next who asks."""
TREND = 120
FEW = 5
WIDEST = 1280
FORGET_NS = 60 * 10**9
"""Nobody has looked for so long: the sharpest picture of then says nothing about now."""
BRIGHT, DARK, FLAT, SOFT = 0.02, 45.0, 12.0, 0.75


@dataclass(frozen=True, slots=True)
class Look:
    """One picture with its numbers. `advice` are codes of what could be better, `good` for none."""

    number: int
    captured_at: str
    age_s: float
    picture: bytes
    reading: Reading
    advice: tuple[str, ...]


class LiveCamera:
    """Pictures for all who look. Thread-safe: one asks the line, the others are shown the last."""

    def __init__(
        self,
        config: Config,
        monotonic_ns: Callable[[], int],
        wall: Callable[[], float],
        line: Viewer | None = None,
    ) -> None:
        self._config = config
        self._monotonic_ns = monotonic_ns
        self._wall = wall
        self._line = line or LineCamera(config.state_dir)
        self._asking = threading.Lock()
        self._last: Look | None = None
        self._last_ns = 0
        self._tuner = self._new_tuner()
        self._trend: deque[tuple[float, float, float]] = deque(maxlen=TREND)

    @property
    def last(self) -> Look | None:
        """What was seen last."""
        return self._last

    @property
    def trend(self) -> list[tuple[float, float, float]]:
        """Sharpness, brightness and clipped share of the last pictures, oldest first."""
        return list(self._trend)

    def look(self) -> Look | None:
        """The newest picture, or the last one that there was. Waits for the line up to WITHIN_S."""
        if not self._asking.acquire(blocking=False):
            return self._last
        try:
            now_ns = self._monotonic_ns()
            if self._last is None or now_ns - self._last_ns >= AGAIN_NS:
                self._ask(now_ns)
            return self._last
        finally:
            self._asking.release()

    def _ask(self, now_ns: int) -> None:
        try:
            frame = self._line.next(WITHIN_S)
        except OSError:  # the line has never run here, or its file is gone already
            return
        if frame is None or frame.image is None:
            return
        if now_ns - self._last_ns > FORGET_NS:
            self._tuner = self._new_tuner()
            self._trend.clear()
        made = self._made(frame)
        if made is None:
            return
        self._last, self._last_ns = made, self._monotonic_ns()
        reading = made.reading
        self._trend.append((reading.sharpness, reading.brightness, reading.clipped))

    def _made(self, frame: Frame) -> Look | None:
        reading = self._tuner.read(frame, self._monotonic_ns())
        if reading is None or frame.image is None:
            return None
        picture = encoded(_smaller(drawn(frame.image, self._config.camera)), ".jpg")
        age_s = max(0.0, self._wall() - frame.captured_at)
        at = utc(frame.captured_at)
        recent = [*(one[0] for one in list(self._trend)[-FEW:]), reading.sharpness]
        return Look(frame.number, at, age_s, picture, reading, advice(reading, recent))

    def _new_tuner(self) -> Tuner:
        camera = self._config.camera
        return Tuner(cameras.roi(camera), limits(camera))


def advice(reading: Reading, recent: Sequence[float] = ()) -> tuple[str, ...]:
    """What could be better about a picture; `good` where nothing is.

    `recent`: the sharpness of the last pictures: parts differ, and one alone says little.
    """
    found = list(reading.doubts)
    if reading.clipped > BRIGHT and "blown_out" not in found:
        found.append("bright")
    if reading.brightness < DARK and "black" not in found:
        found.append("dark")
    if reading.contrast < FLAT and not {"black", "blown_out"} & set(found):
        found.append("flat")
    if max(recent, default=reading.sharpness) < SOFT * reading.sharpest and "blurred" not in found:
        found.append("soft")
    return tuple(found) or ("good",)


def _smaller(image: Image) -> Image:
    height, width = image.shape[:2]
    if width <= WIDEST:
        return image
    size = (WIDEST, max(1, round(height * WIDEST / width)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
