"""A video file as a source: every picture of it, each once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from camera.capture import Capture
from camera.frame import Frame
from camera.source import CameraError, Clock, Source


def open_file(path: Path) -> Capture:
    """OpenCV's reader for a video file."""
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


class VideoSource(Source):
    """The pictures of a video file in order. Replayable: after `close` and `open` it goes on.

    Frames have `number` from 1 and the tags `file` and `frame` (the number in the file, from 0).
    A file that is damaged in the middle ends there: the decoder does not say why it stopped.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock | None = None,
        opener: Callable[[Path], Capture] = open_file,
    ) -> None:
        self._path = path
        self._clock = clock or Clock()
        self._opener = opener
        self._capture: Capture | None = None
        self._given = 0

    def open(self) -> None:
        """Open the file behind the last picture given. Raises CameraError when it cannot be."""
        self.close()
        if not self._path.is_file():
            raise CameraError(f"{self._path} is not a file", "set camera.path to a video file")
        capture = self._opener(self._path)
        if not capture.isOpened():
            raise CameraError(
                f"{self._path} is not a video that can be read",
                "try it with another player; MP4, AVI and MKV usually work",
            )
        for _ in range(self._given):
            capture.grab()
        self._capture = capture

    def read(self) -> Frame | None:
        """The next picture; None at the end."""
        if self._capture is None:
            raise CameraError(f"{self._path} is not open", "call open() first")
        good, image = self._capture.read()
        if not good:
            return None
        self._given += 1
        return Frame(
            image=np.asarray(image, np.uint8),
            monotonic_ns=self._clock.monotonic_ns(),
            captured_at=self._clock.wall(),
            number=self._given,
            tags={"file": self._path.name, "frame": str(self._given - 1)},
        )

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def view(self) -> dict[str, object]:
        """The file."""
        return {"source": "video", "path": str(self._path)}
