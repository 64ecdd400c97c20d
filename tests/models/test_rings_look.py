"""Where the shipped model looks: near the defect, as often as docs/looks.md says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import models
from camera.simulated.options import SyntheticOptions
from camera.simulated.parts import render, spot
from camera.simulated.plan import plan
from inference.bundle import load
from inference.interpreter import Interpreter, runtime_name
from inference.postprocess import Postprocessor
from inference.preprocess import Preprocessor
from inference.saliency import Occlusion, seen_by

OPTIONS = SyntheticOptions(defect_rate=1.0)
SEED = 301
PARTS = 60
NEAR = 48
"""Pixels of 480: a tenth of what the model sees, about a hole's width."""


@pytest.mark.slow
@pytest.mark.skipif(not runtime_name().startswith("litert"), reason="the figures are LiteRT's")
def test_the_peak_lies_at_the_defect() -> None:
    cv2.setNumThreads(1)
    bundle = load(models.path("rings"))
    interpreter = Interpreter(bundle.model)
    preprocess, postprocess = Preprocessor(bundle.spec.input), Postprocessor(bundle.spec.output)

    def score(image: np.ndarray) -> float:
        return postprocess(interpreter.run(preprocess(image))).score

    near: dict[str, list[bool]] = {}
    for number in range(1, PARTS + 1):
        part = plan(SEED, number, OPTIONS)
        image = render(part, OPTIONS.width, OPTIONS.height)
        work = Occlusion(image, score(image), seen_by(image.shape, bundle.spec.input))
        while (covered := work.next()) is not None:
            work.tell(score(covered))
        values = work.map().values
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        away = min(
            np.hypot(column - x, row - y)
            for x, y in (spot(part, flaw, OPTIONS.width, OPTIONS.height) for flaw in part.flaws)
        )
        near.setdefault(str(part.defect), []).append(bool(values.any() and away <= NEAR))
    # A hole that is missing cannot be covered: docs/looks.md says so.
    seen = [hit for kind, hits in near.items() if kind != "missing" for hit in hits]
    assert len(seen) > PARTS / 2
    assert np.mean(seen) > 0.75
