"""A small station with labelled pictures, for the slow steps of a rollout."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.config import Config
from tests.appliance.station import config_of, station

SIZE = (30, 20)


def config(folder: Path, **more: object) -> Config:
    """A folder camera: one view whatever the pictures; targets that 40 pictures can certify."""
    picture(folder / "line" / "a.png", 200)
    camera = {"source": "folder", "path": "line"}
    decision = {"automation": "partial", "max_escape": 0.2, "max_overkill": 0.2, "confidence": 0.9}
    return config_of(station(folder, camera, decision=decision, **more))


def picture(path: Path, level: int) -> Path:
    """One grey picture, a little different from every other level's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
    image[level % SIZE[1], :] = 255 - level
    assert cv2.imwrite(str(path), image)
    return path


def dataset(folder: Path, good: int = 30, defect: int = 30) -> Path:
    """Bright good parts and dark defects, as `bright_is_good` sees them."""
    for number in range(good):
        picture(folder / "good" / f"{number}.png", 180 + number)
    for number in range(defect):
        picture(folder / "defect" / "dark" / f"{number}.png", 20 + number)
    return folder
