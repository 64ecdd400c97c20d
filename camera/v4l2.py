"""A camera at this machine, through Video4Linux2."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from camera.capture import Capture
from camera.decode import decode
from camera.frame import Doubt, Frame, Image
from camera.source import CameraError, Clock, Source
from camera.v4l2_driver import Ioctl, driver, set_controls

COMPRESSED = frozenset({"MJPG", "JPEG"})
OLDEST_NS = 1_000_000_000
END_OF_JPEG = b"\xff\xd9"


def open_device(device: Path) -> Capture:
    """OpenCV's reader for a device; a reading gives up after a second instead of ten."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
    return cv2.VideoCapture(str(device), cv2.CAP_V4L2)


class V4l2Source(Source):
    """Pictures from `device`, best given as `/dev/v4l/by-id/…`: that name is looked up at every
    `open`, so a camera that comes back under another number is found again.

    Format, size, rate and controls are asked for, then read back. A control that did not take is
    said by `unmet`, and every frame carries the doubt `wrong_setting` (`measured` is what it is,
    `limit` what was wanted): the picture is then not the one that was calibrated. With MJPG or JPEG
    the frame keeps the camera's own bytes, and damage to them is a doubt.
    """

    live = True

    def __init__(
        self,
        device: Path,
        width: int | None = None,
        height: int | None = None,
        pixel_format: str | None = None,
        fps: float | None = None,
        controls: Mapping[str, int] | None = None,
        clock: Clock | None = None,
        opener: Callable[[Path], Capture] = open_device,
        driver: Callable[[Path], AbstractContextManager[Ioctl]] = driver,
    ) -> None:
        self.unmet: dict[str, int | None] = {}
        self._device = device
        self._size = (width, height)
        self._format = pixel_format
        self._fps = fps
        self._controls = dict(controls or {})
        self._clock = clock or Clock()
        self._opener = opener
        self._driver = driver
        self._capture: Capture | None = None
        self._compressed = False
        self._doubts: tuple[Doubt, ...] = ()
        self._number = 0

    def open(self) -> None:
        """Find the device, set it up. Raises CameraError when it is away or taken."""
        self.close()
        node = self._device.resolve()
        if not node.exists():
            raise CameraError(
                f"{self._device} is not there", "plug it in; `edge-inspect camera list` shows all"
            )
        if not os.access(node, os.R_OK | os.W_OK):
            raise CameraError(
                f"{node} may not be opened by this user", "add the user to the group `video`"
            )
        capture = self._opener(node)
        if not capture.isOpened():
            capture.release()
            raise CameraError(
                f"{node} cannot be opened", f"another program may hold it: `fuser {node}`"
            )
        self._capture = capture
        self._set_up(capture)
        self._set_controls(node)

    def read(self) -> Frame | None:
        """The next picture. Raises CameraError when none came within about a second."""
        if self._capture is None:
            raise CameraError(f"{self._device} is not open", "call open() first")
        good, got = self._capture.read()
        if not good or got is None:
            raise CameraError(f"{self._device} gives no pictures", "look at its cable and power")
        now_ns = self._clock.monotonic_ns()
        taken_ns = self._taken_ns(now_ns)
        image, encoded, doubts = self._picture(got)
        self._number += 1
        return Frame(
            image=image,
            monotonic_ns=taken_ns,
            captured_at=self._clock.wall() - (now_ns - taken_ns) / 1e9,
            number=self._number,
            encoded=encoded,
            doubts=(*doubts, *self._doubts),
        )

    def close(self) -> None:
        """Let the device go."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def view(self) -> dict[str, object]:
        """Device, size, format and controls as configured."""
        return {
            "source": "v4l2",
            "device": str(self._device),
            "width": self._size[0],
            "height": self._size[1],
            "pixel_format": self._format,
            "controls": dict(self._controls),
        }

    def _set_up(self, capture: Capture) -> None:
        # The order matters: many drivers reset the size with the format and the rate with both.
        if self._format is not None:
            letters = [ord(letter) for letter in self._format]
            code = sum(letter << 8 * place for place, letter in enumerate(letters))
            capture.set(cv2.CAP_PROP_FOURCC, code)
        for property_id, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, self._size[0]),
            (cv2.CAP_PROP_FRAME_HEIGHT, self._size[1]),
            (cv2.CAP_PROP_FPS, self._fps),
        ):
            if value is not None:
                capture.set(property_id, value)
        self._compressed = self._format in COMPRESSED
        if self._compressed:
            # Else OpenCV decodes, and says nothing of damaged pictures.
            self._compressed = capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def _set_controls(self, node: Path) -> None:
        self.unmet, self._doubts = {}, ()
        if not self._controls:
            return
        try:
            with self._driver(node) as ioctl:
                self.unmet = set_controls(ioctl, self._controls)
        except OSError as error:
            self.close()
            raise CameraError(f"the controls of {node} cannot be set: {error}") from error
        self._doubts = tuple(
            Doubt("wrong_setting", None if got is None else float(got), float(self._controls[name]))
            for name, got in self.unmet.items()
        )

    def _taken_ns(self, now_ns: int) -> int:
        """When the driver took the picture, where it says so on our clock; else now."""
        taken_ns = 0
        if self._capture is not None:
            with contextlib.suppress(ValueError, OverflowError):
                taken_ns = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return taken_ns if 0 <= now_ns - taken_ns < OLDEST_NS else now_ns

    def _picture(self, got: Any) -> tuple[Image | None, bytes | None, tuple[Doubt, ...]]:
        pixels = np.asarray(got, np.uint8)
        if not self._compressed or (pixels.ndim == 3 and pixels.shape[2] == 3):
            return pixels, None, ()
        data = pixels.tobytes()
        # Drivers give the whole buffer; what lies behind the end of the picture is older.
        end = data.rfind(END_OF_JPEG)
        data = data[: end + 2] if end > 0 else data
        image, doubts = decode(data)
        return image, data, doubts
