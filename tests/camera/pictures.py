"""Pictures for tests, made here: textured enough to be like photographs, the same every time."""

from __future__ import annotations

import cv2
import numpy as np

from camera.frame import Image

SAMPLING = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


def photograph(seed: int = 1, width: int = 320, height: int = 240) -> Image:
    """Coloured blobs of all sizes with sensor noise."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (3, 8, 20, 60):
        coarse = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * 40
    picture += 110 + rng.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def flat(level: int = 128, width: int = 320, height: int = 240) -> Image:
    """One grey level everywhere: the picture whose sound JPEG looks most like a damaged one."""
    return np.full((height, width, 3), level, np.uint8)


def jpeg(
    image: Image,
    quality: int = 90,
    *,
    progressive: bool = False,
    optimised: bool = False,
    restart: int = 0,
    sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
) -> bytes:
    """A sound JPEG file."""
    options = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_PROGRESSIVE: int(progressive),
        cv2.IMWRITE_JPEG_OPTIMIZE: int(optimised),
        cv2.IMWRITE_JPEG_RST_INTERVAL: restart,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: sampling,
    }
    done, data = cv2.imencode(".jpg", image, [word for pair in options.items() for word in pair])
    assert done
    return data.tobytes()


def encoded(image: Image, suffix: str) -> bytes:
    """A sound file of another kind."""
    done, data = cv2.imencode(suffix, image)
    assert done
    return data.tobytes()


def zeroed(data: bytes, at: float, share: float) -> bytes:
    """The file with a run of zero bytes in it."""
    start, length = int(len(data) * at), max(1, int(len(data) * share))
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def with_thumbnail(data: bytes, thumbnail: bytes) -> bytes:
    """The JPEG with another whole JPEG in an APP1 segment, as cameras embed previews."""
    segment = b"Exif\0\0" + thumbnail
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
