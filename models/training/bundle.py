"""Makes the shipped bundle from a trained file, and writes its figures into baseline.json:

python -m models.training.bundle WORK_FOLDER models/rings
python -m models.training.bundle NEXT models/rings-1.1 --version 1.1.0 --parent models/rings
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.simulated.options import DEFECT_TYPES, SyntheticOptions
from camera.simulated.parts import draw
from camera.synthetic import LOOKS
from inference.bundle import load, write
from inference.interpreter import runtime_name
from inference.manifest import Manifest
from models.training.measure import Scorer, figures
from models.training.pictures import (
    CALIBRATION_SEED,
    GOLDEN_SEED,
    MORE,
    TEST,
    TRAIN,
    VALIDATION,
    Pictures,
    Share,
    pictures,
)

NAME, VERSION = "rings", "1.0.0"
GOLDEN_GOOD = 4
TOLERANCE = 0.08
"""Twice what tflite-runtime 2.14 with OpenCV 4.11 differs from LiteRT 2.3 with OpenCV 4.14."""
GIVEN = ("colour", "scaling", "resize", "fit", "labels", "roles", "output")


def golden(scorer: Scorer) -> dict[str, tuple[bytes, float]]:
    """The first four good parts and the first defect of each type, whatever they score."""
    options = SyntheticOptions(defect_rate=0.5)
    wanted = Counter({"good": GOLDEN_GOOD, **{f"defect/{kind}": 1 for kind in DEFECT_TYPES}})
    found: dict[str, tuple[bytes, float]] = {}
    number = 0
    while wanted.total():
        number += 1
        image, truth = draw(GOLDEN_SEED, number, options)
        if truth is None or not wanted[truth]:
            continue
        wanted[truth] -= 1
        _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
        name = f"{truth.replace('/', '-')}-{number:03d}.jpg"
        found[name] = (file.tobytes(), scorer.picture(np.asarray(decoded, np.uint8)))
    return found


def lineage(folder: Path, parent: Path | None, metrics: dict[str, Any]) -> dict[str, Any]:
    """Where the model comes from. The pictures are drawn, so their seeds stand for their hashes."""
    learnt = TRAIN if parent is None else MORE
    shares = {share.name: _share(share) for share in (learnt, VALIDATION, TEST)}
    return {
        "parent": None if parent is None else load(parent).digest,
        "data": {"generator": "camera.simulated", "looks": LOOKS, "shares": shares},
        "data_hash": hashlib.sha256(pictures(learnt, folder).x.tobytes()).hexdigest(),
        "reserved_seeds": {"calibration": CALIBRATION_SEED, "golden": GOLDEN_SEED},
        "training": json.loads((folder / "training.json").read_text()),
        "metrics": {"share": TEST.name, "auroc": metrics["auroc"]},
        "licence": "Apache-2.0",
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "seed": share.seed,
        "parts": [1, share.count],
        "defect_rate": share.options.defect_rate,
        "size": [share.options.width, share.options.height],
        "lights": list(share.lights),
    }


def baseline(scorer: Scorer, test: Pictures) -> dict[str, Any]:
    """What the pictures and scores of the default line look like."""
    measured, scores = figures(scorer, test)
    brightness = test.x.mean(axis=(1, 2, 3))
    return {
        "schema": "baseline/1",
        "share": TEST.name,
        "pictures": len(scores),
        "runtime": runtime_name(),
        "brightness": _quantiles(brightness),
        "contrast": _quantiles(test.x.std(axis=(1, 2, 3))),
        "score": {
            "good": _quantiles(scores[test.y == 0]),
            "defect": _quantiles(scores[test.y > 0]),
        },
        "figures": measured,
    }


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    points = {"p01": 0.01, "p05": 0.05, "p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: float(np.quantile(values, share)) for name, share in points.items()}
    return {
        name: round(value, 4) for name, value in {**found, "mean": float(values.mean())}.items()
    }


def main() -> None:
    """Write the bundle; the folder must not exist."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for pictures and results")
    parser.add_argument("out", type=Path, help="the new bundle, such as models/rings")
    parser.add_argument("--version", default=VERSION)
    parser.add_argument("--parent", type=Path, help="the bundle that it was trained on from")
    given = parser.parse_args()
    model = (given.work / "rings.tflite").read_bytes()
    scorer = Scorer(model)
    facts = baseline(scorer, pictures(TEST, given.work))
    manifest = Manifest(
        name=NAME,
        version=given.version,
        spec=scorer.spec,
        provenance=dict.fromkeys(GIVEN, "given"),
        lineage=lineage(given.work, given.parent, facts["figures"]),
    )
    bundle = write(given.out, manifest, model, golden(scorer), facts, TOLERANCE)
    print(f"{given.out}: {bundle.digest}")
    print(json.dumps(facts["figures"], indent=1))


if __name__ == "__main__":
    main()
