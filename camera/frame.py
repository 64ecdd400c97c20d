"""One picture and what is known about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Pixels as OpenCV has them: (height, width, 3) in BGR order, or (height, width) grey; uint8."""

NO_TAGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to trust a frame or a prediction: its name, what was measured, the limit."""

    name: str
    measured: float | None = None
    limit: float | None = None

    def as_json(self) -> dict[str, object]:
        """The doubt as records carry it."""
        return {"name": self.name, "measured": self.measured, "limit": self.limit}


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    `image` is the whole picture, before ROI and rotation; None when the bytes could not be
    decoded. `encoded` is the picture file as it came, where it came as a file (then it is kept
    as those bytes and never encoded again). `monotonic_ns` is the moment of exposure or arrival on
    `CLOCK_MONOTONIC`; `captured_at` the same moment in seconds since 1970, for records only.
    `truth` is what a folder's name or a simulation says: "good", "defect" or "defect/TYPE".
    `doubts` are those that the source itself found (damaged bytes). The pixels are never written
    to after the frame was made.
    """

    image: Image | None
    monotonic_ns: int
    captured_at: float
    number: int
    encoded: bytes | None = None
    part_id: str | None = None
    truth: str | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Roi:
    """A region of interest in pixels of the whole picture, left edge and top first."""

    x: int
    y: int
    width: int
    height: int

    def fits(self, image: Image) -> bool:
        """Whether the region lies inside the picture."""
        height, width = image.shape[:2]
        return self.x + self.width <= int(width) and self.y + self.height <= int(height)

    def crop(self, image: Image) -> Image:
        """The region as a view of the same memory."""
        return image[self.y : self.y + self.height, self.x : self.x + self.width]
