"""A network camera that speaks RTSP, over TCP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import cv2
import numpy as np

from camera.capture import Capture
from camera.frame import Frame
from camera.source import CameraError, Clock, Source

VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
OPEN_MS = 5000
READ_MS = 1000
OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
"""TCP loses no packets; without the other two FFmpeg keeps pictures back to smooth them."""


def open_stream(url: str) -> Capture:
    """OpenCV's reader for a stream, with time-outs for opening and reading."""
    times = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
    with _ffmpeg_options():
        return cv2.VideoCapture(url, cv2.CAP_FFMPEG, times)


@contextmanager
def _ffmpeg_options() -> Iterator[None]:
    """The only way to FFmpeg's options is the environment, and they must not stay in it: with them
    a video file loses its last picture. What a person has set there counts."""
    if VARIABLE in os.environ:
        yield
        return
    os.environ[VARIABLE] = OPTIONS
    try:
        yield
    finally:
        del os.environ[VARIABLE]


class RtspSource(Source):
    """Pictures from a network camera, each as soon as it is decoded.

    `url` holds no secret; user and password are the two lines of `credentials_file`, read at every
    `open` (they may be changed while the line runs) and never part of a message or of `view`.
    """

    live = True

    def __init__(
        self,
        url: str,
        credentials_file: Path | None = None,
        clock: Clock | None = None,
        opener: Callable[[str], Capture] = open_stream,
    ) -> None:
        self._url = url
        self._credentials = credentials_file
        self._clock = clock or Clock()
        self._opener = opener
        self._capture: Capture | None = None
        self._number = 0

    def open(self) -> None:
        """Connect. Raises CameraError when the camera does not answer or refuses."""
        self.close()
        capture = self._opener(self._with_credentials())
        if not capture.isOpened():
            capture.release()
            raise CameraError(
                f"{self._url} cannot be opened",
                "is the camera on, the path right, and are user and password accepted?",
            )
        self._capture = capture

    def read(self) -> Frame | None:
        """The next picture. Raises CameraError when none came within a second."""
        if self._capture is None:
            raise CameraError(f"{self._url} is not open", "call open() first")
        good, image = self._capture.read()
        if not good or image is None:
            raise CameraError(f"{self._url} gives no pictures", "is the network there?")
        self._number += 1
        return Frame(
            image=np.asarray(image, np.uint8),
            monotonic_ns=self._clock.monotonic_ns(),
            captured_at=self._clock.wall(),
            number=self._number,
        )

    def close(self) -> None:
        """Hang up."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def view(self) -> dict[str, object]:
        """The address, without user and password."""
        return {"source": "rtsp", "url": self._url}

    def _with_credentials(self) -> str:
        if self._credentials is None:
            return self._url
        try:
            lines = self._credentials.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            # Not the error itself: it may quote the file.
            raise CameraError(
                f"{self._credentials} cannot be read ({type(error).__name__})",
                "it needs two lines: user and password",
            ) from None
        if len(lines) < 2:
            raise CameraError(f"{self._credentials} has not two lines: user and password")
        user, password = (quote(line.strip(), safe="") for line in lines[:2])
        parts = urlsplit(self._url)
        return parts._replace(netloc=f"{user}:{password}@{parts.netloc}").geturl()
