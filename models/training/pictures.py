"""Pictures of the simulated line as the network sees them, by the line's own transform."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.simulated.options import DEFECT_TYPES, SyntheticOptions
from camera.simulated.parts import draw, spot
from camera.simulated.plan import Part, plan
from inference.preprocess import Preprocessor
from inference.spec import InputSpec, Scaling

LABELS = ("good", *DEFECT_TYPES)
SIDE = 96
CELLS = 12
CHUNK = 500
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
    """Parts 1 to `count` of one line; they take turns under `lights`. No two share a seed."""

    name: str
    seed: int
    count: int
    options: SyntheticOptions
    lights: tuple[float, ...] = (1.0,)


HALF_DEFECTS = SyntheticOptions(defect_rate=0.5)
LIGHTS = (1.0, 1.0, 1.0, 0.8, 1.2)
"""Of training and validation, so that some drift does no harm."""
TRAIN = Share("train", 101, 24_000, HALF_DEFECTS, LIGHTS)
MORE = Share("more", 107, 24_000, HALF_DEFECTS, LIGHTS)
"""What version 1.1.0 learnt from besides."""
VALIDATION = Share("validation", 102, 4_000, HALF_DEFECTS, LIGHTS)
TEST = Share("test", 103, 20_000, SyntheticOptions())
CALIBRATION_SEED = 104
"""Reserved: no picture of this seed is used for anything here."""
GOLDEN_SEED = 105


@dataclass(frozen=True)
class Pictures:
    """`x` (n, 96, 96, 3) RGB, `y` (n,) label numbers, `where` (n, 12, 12, 4) 1 where a cell of the
    picture is touched by a flaw of a type."""

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    where: NDArray[np.uint8]


def pictures(share: Share, folder: Path) -> Pictures:
    """A share's pictures, drawn once and then read from `folder`."""
    kept = folder / f"{share.name}-{share.seed}-{share.count}.npz"
    if not kept.exists():
        starts = range(1, share.count + 1, CHUNK)
        chunks = [range(start, min(start + CHUNK, share.count + 1)) for start in starts]
        with ProcessPoolExecutor(2, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
            done = list(pool.map(_drawn, [share] * len(chunks), chunks))
        x, y, where = (np.concatenate(pieces) for pieces in zip(*done, strict=True))
        np.savez(kept, x=x, y=y, where=where)
    with np.load(kept) as stored:
        return Pictures(stored["x"], stored["y"], stored["where"])


def _drawn(share: Share, numbers: range) -> tuple[NDArray[np.uint8], ...]:
    preprocess = Preprocessor(INPUT)
    x = np.zeros((len(numbers), SIDE, SIDE, 3), np.uint8)
    y = np.zeros(len(numbers), np.uint8)
    where = np.zeros((len(numbers), CELLS, CELLS, len(DEFECT_TYPES)), np.uint8)
    for row, number in enumerate(numbers):
        light = share.lights[number % len(share.lights)]
        options = replace(share.options, brightness=light)
        image, truth = draw(share.seed, number, options)
        preprocess(image, x[row : row + 1])
        y[row] = LABELS.index(str(truth).removeprefix("defect/"))
        where[row] = _where(plan(share.seed, number, options), options)
    return x, y, where


def _where(part: Part, options: SyntheticOptions) -> NDArray[np.uint8]:
    """1 in the cells of the middle square that a flaw touches."""
    cells = np.zeros((CELLS, CELLS, len(DEFECT_TYPES)), np.uint8)
    side = min(options.width, options.height)
    centre = (np.arange(CELLS) + 0.5) * side / CELLS
    for flaw in part.flaws:
        x, y = spot(part, flaw, options.width, options.height)
        x, y = x - (options.width - side) / 2, y - (options.height - side) / 2
        reach, ends = 0.7 * flaw.size, np.zeros(1)
        if flaw.kind == "scratch":
            reach, ends = 3.0, np.linspace(-0.5, 0.5, 9) * flaw.size
        turn = np.radians(flaw.direction + part.rotation)
        for end in ends:
            away = np.hypot(
                centre[None, :] - x - end * np.cos(turn), centre[:, None] - y - end * np.sin(turn)
            )
            cells[..., DEFECT_TYPES.index(flaw.kind)] |= away < reach + side / CELLS / 2
    return cells
