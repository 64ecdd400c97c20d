"""The parts nearest to being wrong, with their pictures small enough to embed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from camera.decode import decode
from edge.decision.evidence import Samples

WIDTH, HEIGHT, QUALITY = 260, 195, 80
MOST = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """One part: its score, its type if it is a defect, its file, and a `data:` address of a small
    JPEG, drawn anew so that nothing of the file but its pixels gets into the report. Without one,
    `missing` says why."""

    score: float
    type: str
    name: str
    data: str | None
    missing: str = ""


def hardest(samples: Samples, most: int = MOST) -> tuple[list[Shown], list[Shown]]:
    """The good parts with the highest scores and the defects with the lowest, worst first.

    Empty where the samples came without pictures.
    """
    if not len(samples.pictures):
        return [], []
    good, defect = np.flatnonzero(~samples.defect), np.flatnonzero(samples.defect)
    highest = good[np.argsort(-samples.scores[good], kind="stable")][:most]
    lowest = defect[np.argsort(samples.scores[defect], kind="stable")][:most]
    return [_shown(samples, row) for row in highest.tolist()], [
        _shown(samples, row) for row in lowest.tolist()
    ]


def _shown(samples: Samples, row: int) -> Shown:
    path = samples.pictures[row]
    kind = int(samples.type_of[row]) if len(samples.type_of) else -1
    name = "" if path is None else path.name
    data, missing = (None, "its picture was not kept") if path is None else thumbnail(path)
    return Shown(
        float(samples.scores[row]),
        samples.types[kind] if kind >= 0 else "",
        name.encode(errors="replace").decode(),
        data,
        missing,
    )


def thumbnail(path: Path) -> tuple[str | None, str]:
    """A small JPEG as a `data:` address, or None and why not."""
    try:
        image, _ = decode(path.read_bytes())
    except OSError as error:
        return None, f"the picture cannot be read: {error.strerror or error}"
    if image is None:
        return None, "the picture cannot be decoded"
    scale = min(1.0, WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode('ascii')}", ""
