"""What the pictures of one view usually look like, and the doubt when one does not. Pure.

It is learned from pictures of good and defective parts, and must catch what is neither: an empty
fixture, a hand, another product, a camera that was knocked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camera.frame import Doubt
from camera.quality import THUMBNAIL, Measures

FEWEST = 20
"""Fewer pictures than this say too little about how much pictures of a view differ."""
MARGIN = 0.5
"""A range is widened on each side by this share of its own width."""
FAR = 1.5
"""A picture may be this many times as far from the mean as the farthest one learned from."""
NOISE = 4.0
"""Grey levels by which a patch may differ even where all pictures learned from agreed."""
LEAST = 0.5
"""Pictures that hardly differ do not make every other one strange."""
PATCHES = 8
LEVELS = ("brightness", "contrast", "sharpness")

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Familiar:
    """The familiar range of one view.

    `ranges` are the lowest and highest value by measure. `mean` and `spread` are the mean thumbnail
    and how much each of its pixels varies, 32 × 32. `distance` and `patch` are the largest
    distances that are still familiar: of the whole picture, and of the strangest of 64 patches.
    """

    count: int
    ranges: Mapping[str, tuple[float, float]]
    mean: Picture
    spread: Picture
    distance: float
    patch: float

    def doubts(self, measures: Measures) -> tuple[Doubt, ...]:
        """`unfamiliar` with the measure that was out of its range, at most once.

        `measured` and `limit` are those of the measure that is farthest out.
        """
        far, strange = _distances(measures.thumbnail, self.mean, self.spread)
        found = [(far, self.distance), (strange, self.patch)]
        worst = max(found, key=lambda pair: pair[0] / pair[1])
        if worst[0] > worst[1]:
            return (Doubt("unfamiliar", round(worst[0], 4), round(worst[1], 4)),)
        for name, (low, high) in self.ranges.items():
            value = float(getattr(measures, name))
            if not low <= value <= high:
                return (
                    Doubt("unfamiliar", round(value, 4), round(low if value < low else high, 4)),
                )
        return ()

    def as_json(self) -> dict[str, object]:
        """For a calibration record; thumbnails as base64 of little-endian half floats."""
        return {
            "count": self.count,
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "mean": _packed(self.mean),
            "spread": _packed(self.spread),
            "distance": self.distance,
            "patch": self.patch,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Familiar:
        """What `as_json` gave. Raises ValueError when it is something else."""
        try:
            found = cls(
                count=int(content["count"]),
                ranges={
                    name: (float(content["ranges"][name][0]), float(content["ranges"][name][1]))
                    for name in LEVELS
                },
                mean=_unpacked(content["mean"]),
                spread=_unpacked(content["spread"]),
                distance=float(content["distance"]),
                patch=float(content["patch"]),
            )
        except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as wrong:
            raise ValueError(f"not a familiar range: {wrong!r} is missing or wrong") from wrong
        if not found._can_measure():
            raise ValueError("not a familiar range: numbers that nothing can be compared with")
        return found

    def _can_measure(self) -> bool:
        """Whether every picture has a distance: what cannot be compared would doubt nothing."""
        ends = [end for pair in self.ranges.values() for end in pair]
        limits = np.array([self.distance, self.patch])
        finite = all(np.isfinite(part).all() for part in (ends, limits, self.mean, self.spread))
        return finite and bool((limits > 0).all() and (self.spread > 0).all())


def learn(measured: Iterable[Measures]) -> Familiar:
    """The familiar range of these pictures (good and defective ones of one view).

    Distances are taken leave-one-out: each picture from the mean of the others, as a new one
    would be. On the simulated line, and on the PCB scans of DeepPCB, 0.25 % of new ordinary
    pictures are doubted after 20 learned, 0.06 % after 120. Raises ValueError for fewer than 20.
    """
    pictures = list(measured)
    if len(pictures) < FEWEST:
        raise ValueError(f"{len(pictures)} pictures are too few to learn what is familiar: take 20")
    thumbnails = np.stack([picture.thumbnail for picture in pictures]).astype(np.float64)
    pairs = list(_left_out(thumbnails))
    mean, spread = _summary(thumbnails.mean(axis=0), thumbnails.var(axis=0))
    return Familiar(
        count=len(pictures),
        ranges={name: _range([float(getattr(p, name)) for p in pictures]) for name in LEVELS},
        mean=mean,
        spread=spread,
        distance=round(FAR * max(LEAST, *(far for far, _ in pairs)), 6),
        patch=round(FAR * max(LEAST, *(strange for _, strange in pairs)), 6),
    )


def _summary(mean: NDArray[Any], variance: NDArray[Any]) -> tuple[Picture, Picture]:
    # Half floats are what the record keeps; the same numbers must come out of it.
    return _rounded(mean), _rounded(np.sqrt(variance + NOISE**2))


def _left_out(thumbnails: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """The distances of each picture from all the others, in time linear in their number."""
    others = len(thumbnails) - 1
    total = thumbnails.sum(axis=0)
    squares = np.square(thumbnails).sum(axis=0)
    for thumbnail in thumbnails:
        mean = (total - thumbnail) / others
        variance = (squares - np.square(thumbnail)) / others - np.square(mean)
        yield _distances(thumbnail, *_summary(mean, np.maximum(variance, 0.0)))


def _distances(thumbnail: NDArray[Any], mean: Picture, spread: Picture) -> tuple[float, float]:
    """Root mean square of the standardised difference: of the picture, of its strangest patch."""
    difference = (thumbnail - mean) / spread
    side = THUMBNAIL // PATCHES
    squares = np.square(difference).reshape(PATCHES, side, PATCHES, side).mean(axis=(1, 3))
    return float(np.sqrt(squares.mean())), float(np.sqrt(squares.max()))


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = MARGIN * (high - low) + 0.02 * abs(high)
    return round(low - room, 6), round(high + room, 6)


def _rounded(picture: NDArray[Any]) -> Picture:
    return picture.astype(np.float16).astype(np.float32)


def _packed(picture: Picture) -> str:
    return base64.b64encode(picture.astype("<f2").tobytes()).decode("ascii")


def _unpacked(text: str) -> Picture:
    flat = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    return flat.reshape(THUMBNAIL, THUMBNAIL)
