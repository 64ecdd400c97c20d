"""One picture for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from camera.quality import Limits, doubts, measure
from edge import cameras

if TYPE_CHECKING:
    from camera.frame import Frame, Image
    from edge.config import Config
    from edge.config_cameras import CameraBase

GREEN = (0, 255, 0)


def drawn(image: Image, camera: CameraBase) -> Image:
    """A copy in colour with the region of interest as a green frame around it."""
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    roi = cameras.roi(camera)
    if roi is not None:
        line = max(1, colour.shape[1] // 400)
        # Outside the region, so that the line covers nothing that the model sees.
        corner = (roi.x - line, roi.y - line)
        opposite = (roi.x + roi.width + line - 1, roi.y + roi.height + line - 1)
        cv2.rectangle(colour, corner, opposite, GREEN, line)
    return np.asarray(colour, np.uint8)


def encoded(image: Image, suffix: str) -> bytes:
    """The picture as a file of this kind (.jpg, .png). Raises ValueError when it cannot be."""
    # a key that the format does not know makes OpenCV warn on standard error
    quality = (cv2.IMWRITE_JPEG_QUALITY, 92) if suffix.lower() in (".jpg", ".jpeg") else ()
    done, data = cv2.imencode(suffix, image, quality)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be written as {suffix}")
    return data.tobytes()


def limits(camera: CameraBase) -> Limits:
    """When a picture of this camera is doubtful."""
    levels = camera.doubts
    return Limits(levels.black_below, levels.blown_out_above, levels.blurred_below)


def doubts_of(frame: Frame, config: Config) -> list[str]:
    """What would be doubted about the picture on the line, as far as one picture shows it."""
    found = [doubt.name for doubt in frame.doubts]
    if frame.image is None:
        return found
    height, width = frame.image.shape[:2]
    roi = cameras.roi(config.camera)
    expected = cameras.expected_size(config.camera)
    fits = roi is None or roi.fits(frame.image)
    if not fits or (expected is not None and expected != (width, height)):
        return [*found, "wrong_size"]
    seen = frame.image if roi is None else roi.crop(frame.image)
    return found + [doubt.name for doubt in doubts(measure(seen), limits(config.camera))]
