"""How good and how fast a model file is on the test share, with the installed runtime:

python -m models.training.measure WORK_FOLDER [MODEL.tflite]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camera.simulated.options import SyntheticOptions
from camera.simulated.parts import draw
from inference.interpreter import Interpreter, runtime_name
from inference.postprocess import Postprocessor
from inference.preprocess import Preprocessor
from inference.spec import InputSpec, Label, ModelSpec, OutputSpec
from models.training.evaluate import accepted_at_escape, auroc, auroc_interval
from models.training.pictures import INPUT, LABELS, TEST, Pictures, pictures


class Scorer:
    """A model file with the appliance's own transform before it and reading behind it."""

    def __init__(self, model: bytes) -> None:
        self.interpreter = Interpreter(model)
        self.spec = spec_of(self.interpreter)
        self._preprocess = Preprocessor(self.spec.input)
        self._postprocess = Postprocessor(self.spec.output)

    def picture(self, image: NDArray[np.uint8]) -> float:
        """The score of a whole picture as the camera gives it."""
        return self._postprocess(self.interpreter.run(self._preprocess(image))).score

    def small(self, rgb: NDArray[np.uint8]) -> float:
        """The score of a picture that is already shrunk and RGB; the rest is as on the line."""
        return self.picture(np.ascontiguousarray(rgb[..., ::-1]))


def spec_of(interpreter: Interpreter) -> ModelSpec:
    """Both ends of the model, with the quantisation that the file has."""
    (into,), (out,) = interpreter.inputs, interpreter.outputs
    taken: InputSpec = replace(INPUT, scale=into.scale, zero_point=into.zero_point)
    labels = tuple(Label(name, "good" if name == "good" else "defect") for name in LABELS)
    return ModelSpec(taken, OutputSpec("softmax", "uint8", labels, out.scale, out.zero_point))


def figures(scorer: Scorer, test: Pictures) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """AUROC with its interval, by type, what automation it allows, and all scores."""
    scores = np.array([scorer.small(picture) for picture in test.x])
    good, defect = scores[test.y == 0], scores[test.y > 0]
    types = {
        name: {
            "count": int((test.y == number).sum()),
            "auroc": round(auroc(good, scores[test.y == number]), 4),
        }
        for number, name in enumerate(LABELS)
        if number
    }
    return {
        "good": len(good),
        "defect": len(defect),
        "auroc": round(auroc(good, defect), 4),
        "auroc_95": [round(end, 4) for end in auroc_interval(good, defect)],
        "types": types,
        "good_accepted_at_escape": {
            str(escape): round(accepted_at_escape(good, defect, escape), 3)
            for escape in (0.01, 0.02, 0.05)
        },
        "levels": len(np.unique(scores)),
    }, scores


def milliseconds(scorer: Scorer, rounds: int = 500) -> float:
    """Median time of one inference alone, one thread."""
    tensor = np.full(scorer.spec.input.shape, 128, np.uint8)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        scorer.interpreter.run(tensor)
        times.append(time.perf_counter() - began)
    return float(np.median(times) * 1e3)


def odd_pictures(scorer: Scorer, count: int = 50) -> dict[str, list[float]]:
    """Lowest, middle and highest score of pictures that a doubt has to catch."""
    found = {}
    for name in ("empty", "black", "blown_out"):
        options = SyntheticOptions(**{f"{name}_every": 1})
        scores = [scorer.picture(draw(TEST.seed, n, options)[0]) for n in range(1, count + 1)]
        found[name] = [round(float(value), 3) for value in np.quantile(scores, [0, 0.5, 1])]
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for pictures and results")
    parser.add_argument("model", type=Path, nargs="?", help="default: WORK/rings.tflite")
    given = parser.parse_args()
    model = (given.model or given.work / "rings.tflite").read_bytes()
    scorer = Scorer(model)
    result, scores = figures(scorer, pictures(TEST, given.work))
    print(f"{runtime_name()}, {len(model)} bytes, {milliseconds(scorer):.3f} ms an inference")
    for name, value in result.items():
        print(f"{name}: {value}")
    print(f"scores of odd pictures: {odd_pictures(scorer)}")
    np.save(given.work / f"scores-{runtime_name().split()[0]}.npy", scores)


if __name__ == "__main__":
    main()
