"""Screenshots as PNG files with few colours: a third of the bytes, and nobody sees it."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURS = (256, 160, 96, 64)
SAMPLE = 60_000
ROUNDS = 12
Picture = NDArray[np.uint8]


def reduced(png: bytes, largest: int) -> bytes:
    """The same picture in a file of at most `largest` bytes, with as many colours as that allows;
    a larger one where even the fewest are too many."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    colours, inverse, counts = _counted(picture)
    made = b""
    for most in COLOURS:
        palette = colours if len(colours) <= most else _chosen(colours, counts, most)
        made = _file(_nearest(colours, palette)[inverse].reshape(picture.shape[:2]), palette)
        if len(made) <= largest:
            break
    return made


def _counted(picture: Any) -> tuple[Any, Any, Any]:
    """Every colour, which one each pixel has, how many pixels have it."""
    wide = picture.reshape(-1, 3).astype(np.uint32)
    packed = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([found & 255, found >> 8 & 255, found >> 16 & 255], axis=1)
    return colours.astype(np.float32), inverse.reshape(-1), counts


def _chosen(colours: Any, counts: Any, most: int) -> Any:
    """The colours of most pixels as they are, the rest by k-means over the others."""
    flat = most // 4
    often = np.argsort(-counts, kind="stable")
    rest = colours[often[flat:]]
    step = max(1, len(rest) // SAMPLE)
    cv2.setRNGSeed(1)
    ends = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, ROUNDS, 0.5)
    _, _, centres = cv2.kmeans(  # type: ignore[call-overload]
        rest[::step], most - flat, None, ends, 1, cv2.KMEANS_PP_CENTERS
    )
    return np.concatenate([colours[often[:flat]], np.rint(centres)])


def _nearest(colours: Any, palette: Any) -> Any:
    """The number of the nearest colour of the palette for each."""
    found = np.empty(len(colours), np.uint8)
    for start in range(0, len(colours), 4096):
        piece = colours[start : start + 4096]
        away = ((piece[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
        found[start : start + 4096] = away.argmin(axis=1)
    return found


def _file(numbers: Any, palette: Any) -> bytes:
    """PNG, colour type 3. https://www.w3.org/TR/png-3/"""
    height, width = numbers.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), numbers], axis=1)
    entries = palette[:, ::-1].astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", entries), (b"IDAT", zlib.compress(rows.tobytes(), 9)))
    text = b"".join(_chunk(kind, content) for kind, content in (*chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + text


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
