"""Figures 5 and 6: preparing a picture, and frame to decision, against textbook code.

5: our "area" ÷ `cv2.INTER_AREA` (shrink only, both in BGR), with the mean difference in grey
   levels, at 1080p and 5 MP.
6: our preprocessing and inference through the child ÷ colour-convert the whole frame, divide by
   255, INTER_AREA, quantise, invoke.

    python benchmarks/preprocess.py [--picture FILE] [--model FILE.tflite] [--rounds 40]

The picture is a photograph where one is at hand, else a simulated one; both sides run in turn.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.one_inference import ROOT, default, in_memory
from inference.interpreter import Interpreter, runtime_name
from inference.postprocess import Postprocessor
from inference.preprocess import Preprocessor
from inference.spec import InputSpec, untouched
from inference.worker import Worker

PHOTOGRAPH = ROOT.parent / "shared" / "data" / "pictures" / "cat_720p.jpg"
SIZES = {"1080p": (1920, 1080), "5 MP": (2592, 1944)}
TARGET = 224
Image = NDArray[Any]


def main() -> None:
    """Print every case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=PHOTOGRAPH)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for name, size in SIZES.items():
        image = photograph(options.picture, size)
        figure_5(name, image, options.rounds)
    image = photograph(options.picture, SIZES["1080p"])
    figure_6(image, options.model or default(), options.rounds)


def figure_5(name: str, image: Image, rounds: int) -> None:
    """Shrinking alone."""
    plain = InputSpec(
        TARGET, TARGET, 3, "uint8", "bgr", untouched("uint8", 1 / 255, 0), scale=1 / 255
    )
    ours = Preprocessor(replace(plain, resize="area"))
    size = (TARGET, TARGET)

    def textbook() -> Image:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    a, b = alternate(lambda: ours(image), textbook, rounds)
    difference = np.abs(ours(image)[0].astype(int) - textbook().astype(int)).mean()
    print(
        f"5  {name} → {TARGET}×{TARGET}: ours {a:.3f} ms, INTER_AREA {b:.3f} ms, "
        f"ratio {a / b:.3f} (aim ≤ 0.20), mean difference {difference:.2f} levels (aim ≤ 3)"
    )


def figure_6(image: Image, model: Path, rounds: int) -> None:
    """From the frame in memory to the score."""
    bundle = in_memory(model)
    spec = bundle.spec
    worker = Worker(bundle)
    worker.start()
    worker.wait_ready(30)
    bare = Interpreter(bundle.model)
    score = Postprocessor(spec.output)
    size = (spec.input.width, spec.input.height)

    def textbook() -> float:
        scaled = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        small = cv2.resize(scaled, size, interpolation=cv2.INTER_AREA)
        codes = np.rint(small / spec.input.scale) + spec.input.zero_point
        limits = np.iinfo(spec.input.dtype)
        tensor = np.clip(codes, limits.min, limits.max).astype(spec.input.dtype)[None]
        return score(bare.run(tensor)).score

    try:
        a, b = alternate(lambda: worker.predict(image), textbook, rounds)
    finally:
        worker.close()
    print(
        f"6  1080p frame → decision, {bundle.name} {size[0]}×{size[1]} {spec.input.dtype}, "
        f"{runtime_name()}: ours {a:.3f} ms, textbook {b:.3f} ms, ratio {a / b:.3f} (aim ≤ 0.20)"
    )


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Median milliseconds of both, called in turn."""
    times: tuple[list[float], list[float]] = [], []
    for number in range(rounds + 3):
        for kept, call in zip(times, (ours, theirs), strict=True):
            began = time.perf_counter()
            call()
            if number >= 3:  # the first ones warm up
                kept.append((time.perf_counter() - began) * 1000)
    return float(np.median(times[0])), float(np.median(times[1]))


def photograph(path: Path, size: tuple[int, int]) -> Image:
    """The picture in this size, else blobs with noise."""
    image = cv2.imread(str(path)) if path.exists() else None
    if image is None:
        rng = np.random.default_rng(3)
        image = rng.integers(0, 256, (27, 48, 3), np.uint8)
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


if __name__ == "__main__":
    main()
