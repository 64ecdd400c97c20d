"""Labelled pictures for training and calibration: the whole picture, and what it was taken with."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge import cameras
from edge.files import write_atomically
from edge.records import utc

if TYPE_CHECKING:
    from camera.frame import Frame, Image
    from edge.config import Config

LABEL = re.compile(r"^(good|defect/[a-z0-9_-]+)$")
_KINDS = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


@dataclass(frozen=True, slots=True)
class Captured:
    """One picture on disk and the file beside it that says what it was taken with."""

    picture: Path
    sidecar: Path


def capture(frame: Frame, label: str, folder: Path, config: Config, view: str) -> Captured:
    """Write the picture below `folder/label/`, and its sidecar `NAME.json`. Raises OSError.

    The camera's own bytes are kept where it gave any; other pictures become PNG, so that nothing
    is lost. `view` is the digest as in records. Raises ValueError for a frame without a picture.
    """
    data, suffix = _file(frame)
    target = folder / label
    target.mkdir(parents=True, exist_ok=True)
    moment = re.sub(r"[-:]", "", utc(frame.captured_at)).replace(".", "-")
    picture = target / f"{moment}-{frame.number:06d}{suffix}"
    sidecar = picture.with_suffix(".json")
    write_atomically(sidecar, json.dumps(_about(frame, label, config, view), indent=1).encode())
    write_atomically(picture, data)
    return Captured(picture, sidecar)


def png(image: Image) -> bytes:
    """A picture as PNG, without loss."""
    import cv2

    done, data = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded")
    return data.tobytes()


def _file(frame: Frame) -> tuple[bytes, str]:
    if frame.encoded is not None and frame.image is not None:
        for start, suffix in _KINDS:
            if frame.encoded.startswith(start):
                return frame.encoded, suffix
    if frame.image is None:
        raise ValueError("the camera gave a damaged picture")
    return png(frame.image), ".png"


def _about(frame: Frame, label: str, config: Config, view: str) -> dict[str, object]:
    height, width = (0, 0) if frame.image is None else frame.image.shape[:2]
    return {
        "schema": "captured/1",
        "label": label,
        "captured_at": utc(frame.captured_at),
        "station": config.station.path,
        "width": int(width),
        "height": int(height),
        "roi": config.camera.roi,
        "rotate": config.camera.rotate,
        "view": view,
        "source": cameras.source(config.camera).view(),
        "part_id": frame.part_id,
        "doubts": [doubt.as_json() for doubt in frame.doubts],
    }
