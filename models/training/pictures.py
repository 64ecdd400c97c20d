"""Pictures of the simulated line as the network sees them, by the line's own transform."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.simulated.options import DEFECT_TYPES, SyntheticOptions
from camera.simulated.parts import draw
from inference.preprocess import Preprocessor
from inference.spec import InputSpec, Scaling

LABELS = ("good", *DEFECT_TYPES)
SIDE = 96
INPUT = InputSpec(
    height=SIDE,
    width=SIDE,
    channels=3,
    dtype="uint8",
    colour="rgb",
    scaling=Scaling((0.0,), (1.0,)),
    resize="area",
    fit="crop",
    scale=1.0,
    zero_point=0,
)
"""Pixels as they are; the network divides by 255 itself."""


@dataclass(frozen=True)
class Share:
    """A run of parts of one line. No two shares have a seed in common."""

    name: str
    seed: int
    count: int
    options: SyntheticOptions


HALF_DEFECTS = SyntheticOptions(defect_rate=0.5)
TRAIN = Share("train", 101, 24_000, HALF_DEFECTS)
VALIDATION = Share("validation", 102, 4_000, HALF_DEFECTS)
TEST = Share("test", 103, 20_000, SyntheticOptions())
CALIBRATION_SEED = 104
"""Reserved: no picture of this seed is used for anything here."""
LIGHTS = (1.0, 1.0, 1.0, 0.8, 1.2)
"""Training and validation parts take turns under these lamps, so that some drift does no harm."""


def pictures(share: Share, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Tensors (n, 96, 96, 3) RGB and label numbers (n,), drawn once and then read from `folder`."""
    kept = folder / f"{share.name}-{share.seed}-{share.count}.npz"
    if not kept.exists():
        chunks = [
            range(first, min(first + 500, share.count + 1))
            for first in range(1, share.count + 1, 500)
        ]
        with ProcessPoolExecutor(2, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
            done = list(pool.map(_drawn, [share] * len(chunks), chunks))
        np.savez(
            kept, x=np.concatenate([x for x, _ in done]), y=np.concatenate([y for _, y in done])
        )
    with np.load(kept) as stored:
        return stored["x"], stored["y"]


def _drawn(share: Share, numbers: range) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    preprocess = Preprocessor(INPUT)
    x = np.zeros((len(numbers), SIDE, SIDE, 3), np.uint8)
    y = np.zeros(len(numbers), np.uint8)
    for row, (image, label) in enumerate(_parts(share, numbers)):
        preprocess(image, x[row : row + 1])
        y[row] = label
    return x, y


def _parts(share: Share, numbers: range) -> Iterator[tuple[NDArray[np.uint8], int]]:
    for number in numbers:
        options = share.options
        if share.name != "test":
            options = replace(options, brightness=LIGHTS[number % len(LIGHTS)])
        image, truth = draw(share.seed, number, options)
        yield image, LABELS.index(str(truth).removeprefix("defect/"))
