"""A station whose model looks at one known place of the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.config import Config
from edge.review.case import Case
from edge.store.images import ImageStore
from inference import bundle
from inference.bundle import Bundle
from tests.simulators.regional import manifest, model, picture, spec

PLACE = (36, 9)
"""Column and row of the model's input."""
TIMES = 5
AT = (round((PLACE[0] + 0.5) * TIMES), round((PLACE[1] + 0.5) * TIMES))
"""The same in the picture that the model is shown."""


def make(folder: Path, content: bytes | None = None, dtype: Any = "int8") -> Bundle:
    """The bundle `folder/regional`."""
    made = spec(dtype=dtype)
    return bundle.write(folder / "regional", manifest(made), content or model(made, [PLACE]))


def config(folder: Path, camera: dict[str, Any] | None = None, **web: Any) -> Config:
    """Of a station with that bundle."""
    return Config.model_validate(
        {
            "station": {"site": "a", "line": "b", "name": "c"},
            "state_dir": folder / "state",
            "camera": {"source": "folder", "path": folder, **(camera or {})},
            "model": {"bundle": str(folder / "regional")},
            "web": web,
        }
    )


def whole(rotate: int = 0) -> np.ndarray:
    """The camera's picture: what the model is shown, turned back, at (40, 20) of a larger one."""
    inner = np.rot90(picture([PLACE]), {0: 0, 90: 1, 180: 2, 270: 3}[rotate])
    height, width = inner.shape[:2]
    around = np.full((height + 50, width + 70, 3), 128, np.uint8)
    around[20 : 20 + height, 40 : 40 + width] = inner
    return around


def case(folder: Path, made: Bundle, name: str, image: np.ndarray, **more: Any) -> Case:
    """A part whose answer may be seen, with its stored picture."""
    done, data = cv2.imencode(".png", image)
    assert done
    kept = ImageStore(folder / "state").keep(name, 1_795_000_000.0, data.tobytes(), ".png")
    found = Case(
        inspection=name,
        kind="escalation",
        part_id=None,
        captured_at="2026-11-20T12:00:00.000Z",
        reason="uncertain",
        doubts=(),
        picture=kept.sha256,
        path=kept.path,
        shows=True,
        alone=False,
        basis="picture",
        answer={"score": 0.99},
        bundle=made.digest,
    )
    return replace(found, **more)
