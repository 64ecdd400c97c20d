"""What one picture looks like in a few numbers, and when that makes it doubtful. Pure.

Only a sample of the pixels is read, so that looking costs a small part of the inference.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.frame import Doubt, Image

SAMPLE = 128
"""Brightness and the like are taken from this many rows and columns, evenly spaced."""
THUMBNAIL = 32
TILES = 8
"""Sharpness is taken at full resolution from this many tiles across and down."""
TILE = 16
CLIPPED = 250
ROWS = 8
"""A repeated picture is known by this many of its rows."""
DARK = 64
"""Below this level something is still dark."""

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Measures:
    """One picture in numbers.

    All levels are 0..255. `brightness` is the mean grey level, `contrast` its standard deviation.
    `highlight` is the level that 99 % of the thumbnail does not exceed (averaged, so that noise and
    hot pixels do not lift it), `shadow` the level that 99 % of the pixels reach. `clipped` is the
    share of pixels at 250 or more. `sharpness` is the standard deviation of the Laplacian at full
    resolution: it rises with focus, but also with contrast and noise, so it compares only with
    pictures of the same view. `thumbnail` is 32 × 32 grey.
    """

    width: int
    height: int
    brightness: float
    contrast: float
    highlight: float
    shadow: float
    clipped: float
    sharpness: float
    thumbnail: Grey


@dataclass(frozen=True, slots=True)
class Limits:
    """When a picture is doubtful.

    `black_below` is held against `highlight`, `blown_out_above` against `clipped` (a picture with
    something dark left in it is never blown out: white boards and backlights are not).
    `blurred_below` None: unknown, never doubted for it.
    """

    black_below: float = 12.0
    blown_out_above: float = 0.8
    blurred_below: float | None = None


def measure(image: Image) -> Measures:
    """The numbers of a picture, grey or BGR; 1 × 1 pixel is enough."""
    height, width = image.shape[:2]
    sample = _grey(cv2.resize(image, (SAMPLE, SAMPLE), interpolation=cv2.INTER_NEAREST))
    small = cv2.resize(sample, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    mean, deviation = cv2.meanStdDev(sample)
    below = cv2.calcHist([sample], [0], None, [256], [0, 256]).ravel().cumsum()
    pixels = SAMPLE * SAMPLE
    return Measures(
        width=width,
        height=height,
        brightness=float(mean[0, 0]),
        contrast=float(deviation[0, 0]),
        highlight=float(np.sort(small, axis=None)[-1 - THUMBNAIL * THUMBNAIL // 100]),
        shadow=float(below.searchsorted(0.01 * pixels)),
        clipped=float(1.0 - below[CLIPPED - 1] / pixels),
        sharpness=sharpness(image),
        thumbnail=np.asarray(small, np.uint8),
    )


def sharpness(image: Image) -> float:
    """The standard deviation of the Laplacian (4 neighbours) over tiles spread evenly.

    After Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    height, width = image.shape[:2]
    rows, columns = height // TILES, width // TILES
    if min(rows, columns) < 3:
        return 0.0
    tall, wide = min(rows, TILE), min(columns, TILE)
    top, left = (rows - tall) // 2, (columns - wide) // 2
    split = (TILES, rows, TILES, columns, *image.shape[2:])
    tiles = image[: rows * TILES, : columns * TILES].reshape(split)
    near = np.ascontiguousarray(tiles[:, top : top + tall, :, left : left + wide])
    joined = _grey(near.reshape(TILES * tall, TILES * wide, *image.shape[2:]))
    edges = cv2.Laplacian(joined, cv2.CV_16S)
    # Where two tiles meet there is an edge that the picture does not have.
    inside = edges.reshape(TILES, tall, TILES, wide)[:, 1:-1, :, 1:-1]
    _, deviation = cv2.meanStdDev(np.ascontiguousarray(inside).reshape(-1, 1))
    return float(deviation[0, 0])


def doubts(measures: Measures, limits: Limits) -> tuple[Doubt, ...]:
    """`black`, `blown_out` and `blurred`, each with what was measured and the limit."""
    found = []
    if measures.highlight < limits.black_below:
        found.append(Doubt("black", measures.highlight, limits.black_below))
    if measures.clipped > limits.blown_out_above and measures.shadow >= DARK:
        found.append(Doubt("blown_out", measures.clipped, limits.blown_out_above))
    if limits.blurred_below is not None and measures.sharpness < limits.blurred_below:
        found.append(Doubt("blurred", measures.sharpness, limits.blurred_below))
    return tuple(found)


def stale(taken_ns: int, now_ns: int, limit_ms: float) -> Doubt | None:
    """The doubt `stale` when a picture is older than `limit_ms`, in milliseconds; 0 is no limit."""
    age_ms = (now_ns - taken_ns) / 1e6
    return Doubt("stale", round(age_ms, 3), limit_ms) if 0 < limit_ms < age_ms else None


class FrozenWatch:
    """Notices a live camera that repeats one picture: no sensor gives the same noise twice."""

    def __init__(self, after: int = 5) -> None:
        """`after`: how many equal pictures in a row are too many, 2 or more."""
        self._after = after
        self._last: int | None = None
        self._equal = 0

    def look(self, image: Image) -> Doubt | None:
        """`frozen` (`measured` is how many were equal), from the `after`-th equal picture on."""
        fingerprint = _fingerprint(image)
        self._equal = self._equal + 1 if fingerprint == self._last else 1
        self._last = fingerprint
        if self._equal < self._after:
            return None
        return Doubt("frozen", float(self._equal), float(self._after))


def _fingerprint(image: Image) -> int:
    """A checksum of some whole rows: a sensor's noise is in every one of them."""
    step = max(1, image.shape[0] // ROWS)
    return zlib.crc32(image[step // 2 :: step].tobytes())


def _grey(image: NDArray[Any]) -> Grey:
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.ascontiguousarray(image, np.uint8)
