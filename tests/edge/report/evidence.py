"""Evidence as `calibrate` would give it, from made-up scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.decision.calibration import CannotCertify, Targets, limits, needed
from edge.decision.evidence import Evidence, LeftOut, Result, Samples
from edge.decision.result import judge

TYPES = ("dent", "stain")


def samples(good: int = 800, defect: int = 800, folder: Path | None = None) -> Samples:
    """Good parts around 0.15, defects around 0.85, some of each beyond the middle."""
    random = np.random.default_rng(11)
    low = np.clip(random.normal(0.15, 0.12, good), 0, 1)
    high = np.clip(random.normal(0.85, 0.12, defect), 0, 1)
    kinds = np.concatenate((np.full(good, -1), np.arange(defect) % 2)).astype(np.int32)
    paths: list[Path | None] = []
    if folder is not None:
        paths = [folder / f"{row}.png" for row in range(good + defect)]
    truth = np.arange(good + defect) >= good
    return Samples(np.concatenate((low, high)), truth, TYPES, kinds, (), (), paths)


def draw(found: Samples, rows: list[int]) -> None:
    """Put a picture where these rows say that there is one."""
    for row in rows:
        path = found.pictures[row]
        assert path is not None
        cv2.imwrite(str(path), np.full((300, 400, 3), 90, np.uint8))


def evidence(found: Samples, targets: Targets | None = None, **more: Any) -> Evidence:
    """All fields filled; `more` replaces some of them."""
    targets = targets or Targets()
    result: Result | None
    try:
        result = judge(found, targets, more.get("prevalence"))
    except CannotCertify:
        result = None
    n = len(found.good_scores), len(found.defect_scores)
    fields: dict[str, Any] = {
        "id": "0198f2a4-7c11-7c3e-9a55-1f2e3d4c5b6a",
        "made_at": "2026-11-21T09:12:44.120Z",
        "station": "plant-a/line-3/caps",
        "source": "pictures",
        "source_name": "dataset",
        "samples": found,
        "targets": targets,
        "prevalence": None,
        "result": result,
        "tightest": limits(*n, targets.alpha),
        "needed": needed(*n, targets),
        "certified": result is not None,
        "model_name": "rings",
        "training": "said",
        "left_out": (LeftOut("another picture of a part that counts", 3, ("good/a.jpg",)),),
    }
    return Evidence(**fields | more)
