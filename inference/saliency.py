"""Where a classifier looked: what the score does when parts of the picture are covered. Pure.

Occlusion (Zeiler and Fergus 2014): it needs nothing of the model but its answers, so that it works
for every classifier. A part is covered with the picture's own median: that takes small marks away,
and leaves brightness, colour and edges as they are. Grey or black patches are things that no part
has, and a blur is what no sharp picture has; a model takes either for a defect of its own. The
patches have soft edges for the same reason. docs/looks.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.preprocess import Image
from inference.spec import InputSpec

LEVELS = (4, 8, 12, 16)
"""Patches along the shorter side of what is seen, coarse to fine."""
WEIGHTS = (1.0, 2.0, 4.0)
"""How much each of the finer levels counts. The coarsest says where they begin, and stands in for
them as long as there is nothing else."""
MEDIAN = 0.0875
"""Side of the square that the median is of, as a share of the shorter side."""
KERNEL = 21
"""That side in pixels of the smaller picture that it is worked out on."""
LONGEST = 8
"""So many times as long as wide a picture is taken to be at most."""
SAMPLES = 4
"""Samples of the map along the side of a finest patch."""
FLOOR = 0.02
"""Where no patch moves the score by as much, nothing stands out: the map stays empty."""

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle in pixels, left edge and top first."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Saliency:
    """What is known so far.

    `values` has the picture's height and width and lies in −1..1: positive where covering lowers
    the score, which is why the part looked defective; negative where it raises it. 1 is the
    strongest effect in this picture; everything is 0 where no patch moved the score by FLOOR.
    `lowered` and `raised` say by how much one patch moved the score at most. `covered` of `of`
    patches were tried.
    """

    values: Field
    lowered: float
    raised: float
    covered: int
    of: int


def seen_by(shape: tuple[int, ...], spec: InputSpec) -> Window:
    """What of a picture of this shape reaches the model: `crop` cuts its edges away."""
    height, width = int(shape[0]), int(shape[1])
    if spec.fit != "crop":
        return Window(0, 0, width, height)
    inner = min(width, max(1, round(height * spec.width / spec.height)))
    high = min(height, max(1, round(width * spec.height / spec.width)))
    return Window((width - inner) // 2, (height - high) // 2, inner, high)


class Occlusion:
    """Covers one picture again and again: `next`, the model's answer, `tell`, until it is enough.

    The coarsest patches come in rows; of each finer level those first where the coarser ones
    lowered the score most, so that a stop at any time after the coarsest level (`usable`) leaves
    the best map that so many answers can give. `score` is that of the picture as it is. Takes uint8
    pixels, (height, width, 3) or (height, width); they are not changed.
    """

    def __init__(self, image: Image, score: float, seen: Window) -> None:
        self.score = score
        self._seen = seen
        self._shape = image.shape[:2]
        # Of a strip, patches are as long as they are high only up to a point: there must be an end.
        self._side = max(min(seen.width, seen.height), max(seen.width, seen.height) / LONGEST)
        self._work: Image = image.copy()
        self._smooth = _smooth(image, MEDIAN * self._side)
        fine = SAMPLES * LEVELS[-1] / self._side
        rows, columns = max(1, round(seen.height * fine)), max(1, round(seen.width * fine))
        self._levels = [_Level((rows, columns), *self._grid(count)) for count in LEVELS]
        self._order = self._patches()
        self._given: _Patch | None = None
        self._covered = 0
        self._lowered = self._raised = 0.0

    @property
    def of(self) -> int:
        """How many patches there are."""
        return sum(level.rows * level.columns for level in self._levels)

    @property
    def usable(self) -> bool:
        """Whether the coarsest level is complete."""
        return self._covered >= self._levels[0].rows * self._levels[0].columns

    def next(self) -> Image | None:
        """The picture with the next patch covered, valid until `tell`; None when all were."""
        self._given = next(self._order, None)
        if self._given is None:
            return None
        self._cover(self._given)
        return self._work

    def tell(self, score: float) -> None:
        """The score of the picture that `next` gave."""
        patch = self._given
        assert patch is not None
        self._work[patch.where] = patch.under
        self._given = None
        self._covered += 1
        change = self.score - score
        self._lowered, self._raised = max(self._lowered, change), max(self._raised, -change)
        self._levels[patch.level].add(patch.row, patch.column, change)

    def map(self) -> Saliency:
        """What the answers so far say."""
        values: Field = np.zeros(self._shape, np.float32)
        strongest = max(self._lowered, self._raised)
        small = self._combined()
        peak = float(np.abs(small).max())
        if strongest >= FLOOR and peak > 0:
            seen = self._seen
            size = (seen.width, seen.height)
            large = cv2.resize(small / peak, size, interpolation=cv2.INTER_LINEAR)
            right, bottom = seen.left + seen.width, seen.top + seen.height
            values[seen.top : bottom, seen.left : right] = np.clip(large, -1.0, 1.0)
        return Saliency(values, self._lowered, self._raised, self._covered, self.of)

    def _grid(self, count: int) -> tuple[int, int]:
        """Rows and columns of nearly square patches."""
        cell = self._side / count
        return max(1, round(self._seen.height / cell)), max(1, round(self._seen.width / cell))

    def _patches(self) -> Iterator[_Patch]:
        """The patches in order. What was told meanwhile decides where the finer ones begin."""
        for number, level in enumerate(self._levels):
            cells = [(row, column) for row in range(level.rows) for column in range(level.columns)]
            if number:
                found = self._combined()
                strength = {cell: level.at(found, *cell) for cell in cells}
                cells.sort(key=lambda cell: (-strength[cell], cell))
            for row, column in cells:
                yield self._patch(number, row, column)

    def _patch(self, number: int, row: int, column: int) -> _Patch:
        level, seen = self._levels[number], self._seen
        high, wide = seen.height / level.rows, seen.width / level.columns
        down, alpha_y = _profile(row, high, seen.height)
        along, alpha_x = _profile(column, wide, seen.width)
        where = (
            slice(seen.top + down.start, seen.top + down.stop),
            slice(seen.left + along.start, seen.left + along.stop),
        )
        alpha = np.minimum(1.0, 2.0 * alpha_y[:, None] * alpha_x[None, :]).astype(np.float32)
        return _Patch(number, row, column, where, alpha, self._work[where].copy())

    def _cover(self, patch: _Patch) -> None:
        alpha = patch.alpha if patch.under.ndim == 2 else patch.alpha[..., None]
        smooth = self._smooth[patch.where].astype(np.float32)
        mixed = patch.under + (smooth - patch.under) * alpha
        self._work[patch.where] = np.rint(mixed).astype(np.uint8)

    def _combined(self) -> Field:
        """The levels together; where one has no answer yet, what the coarser one says counts."""
        found = self._levels[0].found(np.zeros_like(self._levels[0].weight))
        total, weights = np.zeros_like(found), 0.0
        for level, weight in zip(self._levels[1:], WEIGHTS, strict=True):
            if not level.tried:
                break
            found = level.found(found)
            total += np.float32(weight) * found
            weights += weight
        mean: Field = total / np.float32(weights) if weights else found
        return mean


@dataclass(frozen=True, slots=True)
class _Patch:
    """One patch: its place in its level and in the picture, its cover, and what lies under it."""

    level: int
    row: int
    column: int
    where: tuple[slice, slice]
    alpha: Field
    under: Image


class _Level:
    """The changes of one level, spread over the samples of the map."""

    def __init__(self, size: tuple[int, int], rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.tried = 0
        self.weight: Field = np.zeros(size, np.float32)
        self._sum: Field = np.zeros(size, np.float32)

    def add(self, row: int, column: int, change: float) -> None:
        """One answer."""
        height, width = self.weight.shape
        down, alpha_y = _profile(row, height / self.rows, height)
        along, alpha_x = _profile(column, width / self.columns, width)
        alpha = (alpha_y[:, None] * alpha_x[None, :]).astype(np.float32)
        self.weight[down, along] += alpha
        self._sum[down, along] += alpha * np.float32(change)
        self.tried += 1

    def found(self, coarser: Field) -> Field:
        """The mean change at each sample; as far as nothing is known there, the coarser level's."""
        own = self._sum / np.maximum(self.weight, 1e-6)
        sure = np.minimum(self.weight, 1.0)
        mixed: Field = own * sure + coarser * (1 - sure)
        return mixed

    def at(self, field: Field, row: int, column: int) -> float:
        """A field's value in the middle of one patch."""
        height, width = field.shape
        y = min(height - 1, int((row + 0.5) * height / self.rows))
        x = min(width - 1, int((column + 0.5) * width / self.columns))
        return float(field[y, x])


def _profile(index: int, cell: float, length: int) -> tuple[slice, NDArray[Any]]:
    """Along one axis: where a patch reaches, one cell to each side of its middle, and how much of
    it is covered there, falling from 1 in the middle to 0."""
    middle = (index + 0.5) * cell
    first = max(0, min(length - 1, int(np.floor(middle - cell))))
    last = max(first + 1, min(length, int(np.ceil(middle + cell))))
    away = np.abs(np.arange(first, last) + 0.5 - middle) / cell
    return slice(first, last), np.clip(1.0 - away, 0.0, 1.0)


def _smooth(image: Image, side: float) -> Image:
    """The median over squares of this side; wide ones on a smaller picture, where they cost little
    and look the same."""
    height, width = image.shape[:2]
    factor = max(1.0, side / KERNEL)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    kernel = max(3, round(side / factor) | 1)
    smooth = cv2.medianBlur(small, kernel)
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
