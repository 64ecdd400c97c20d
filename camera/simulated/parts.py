"""Draws the picture of one part. Pure: the same numbers give the same pixels, in any order."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.frame import Image
from camera.simulated.marks import draw_on_metal, draw_stain
from camera.simulated.options import SyntheticOptions
from camera.simulated.plan import Mark, Part, plan
from camera.simulated.textures import LIGHT_ANGLES, NOISE_MARGIN, Textures, textures

Placement = NDArray[np.float64]
"""The 2×3 matrix from the ring's own frame to the picture."""


GAIN_WITHOUT_LIGHT = 0.0
GAIN_BLOWN_OUT = 9.0
TINT = (1.03, 1.0, 0.96)
"""Blue, green, red of the lamp on steel."""


def draw(seed: int, number: int, options: SyntheticOptions) -> tuple[Image, str | None]:
    """The picture of part `number` of the line `seed`, and its truth.

    The picture is (height, width, 3) uint8 BGR and belongs to the caller. `truth` is "good",
    "defect/TYPE", or None where the fixture is empty. `options.seed` is not looked at. The pixels
    are equal on one version of OpenCV; another may round differently by a grey level.
    """
    part = plan(seed, number, options)
    return render(part, options.width, options.height), part.truth


def render(part: Part, width: int, height: int) -> Image:
    """The picture of a planned part, (height, width, 3) uint8 BGR."""
    ready = textures(width, height)
    grey = ready.fixture.copy()
    place = _placement(part, ready, width, height)
    if part.condition != "empty":
        _lay(grey, _ring(part, ready), place, ready, part.light)
    # three tables and a merge: 2.5 times faster than one table of three channels
    picture = cast(Image, cv2.merge([cv2.LUT(grey, table) for table in _tone(part)]))
    if part.condition == "part":
        for mark in part.marks:
            if mark.kind == "stain":
                draw_stain(picture, mark, _spot(mark, place, ready), ready.unit)
    _add_noise(picture, part, ready)
    return picture


def spot(part: Part, mark: Mark, width: int, height: int) -> tuple[float, float]:
    """Where the middle of a mark is in the picture: x and y in pixels."""
    ready = textures(width, height)
    return _spot(mark, _placement(part, ready, width, height), ready)


def _ring(part: Part, ready: Textures) -> Image:
    """The part's face in its own frame, with everything that is not a colour."""
    metal, blank = ready.drilled[part.metal].copy(), ready.blank[part.metal]
    light = LIGHT_ANGLES[part.light] - part.rotation
    for mark in part.marks:
        draw_on_metal(metal, blank, mark, ready.unit, light)
    return metal


def _placement(part: Part, ready: Textures, width: int, height: int) -> Placement:
    turn, middle = math.radians(part.rotation), (ready.side - 1) / 2
    c, s = part.scale * math.cos(turn), part.scale * math.sin(turn)
    x = (width - 1) / 2 + part.shift[0] * ready.unit
    y = (height - 1) / 2 + part.shift[1] * ready.unit
    return np.array([[c, -s, x - c * middle + s * middle], [s, c, y - s * middle - c * middle]])


def _spot(mark: Mark, place: Placement, ready: Textures) -> tuple[float, float]:
    turn, middle = math.radians(mark.angle), (ready.side - 1) / 2
    reach = mark.radius * ready.unit
    x, y = place @ (middle + reach * math.cos(turn), middle + reach * math.sin(turn), 1.0)
    return float(x), float(y)


def _lay(grey: Image, ring: Image, place: Placement, ready: Textures, light: int) -> None:
    """Turn the ring, light it and lay it on the fixture, in place."""
    height, width = grey.shape
    left, top, size = (width - ready.side) // 2, (height - ready.side) // 2, (ready.side,) * 2
    inside = place - np.array([[0, 0, left], [0, 0, top]])
    turned = cv2.warpAffine(ring, inside, size, flags=cv2.INTER_LINEAR)
    metal = cv2.warpAffine(ready.alpha, inside, size, flags=cv2.INTER_LINEAR)
    lit = cv2.multiply(turned, ready.lights[light], scale=1 / 128)
    window = grey[top : top + ready.side, left : left + ready.side]
    under = cv2.multiply(window, cv2.bitwise_not(metal), scale=1 / 255)
    cv2.add(under, cv2.multiply(lit, metal, scale=1 / 255), dst=window)


def _tone(part: Part) -> Image:
    """Look-up tables (3, 256) from grey to blue, green and red at this lamp and gain."""
    gain = part.gain
    if part.condition == "black":
        gain = GAIN_WITHOUT_LIGHT
    elif part.condition == "blown_out":
        gain = GAIN_BLOWN_OUT
    tint = np.array([TINT[0] - part.warmth, TINT[1], TINT[2] + part.warmth])
    tables = (gain * tint)[:, None] * np.arange(256)[None, :]
    return np.clip(np.rint(tables), 0, 255).astype(np.uint8)


def _add_noise(picture: Image, part: Part, ready: Textures) -> None:
    height, width = picture.shape[:2]
    top, left = (int(share * NOISE_MARGIN) for share in part.noise_at)
    noise = ready.noise[top : top + height, left : left + width]
    cv2.addWeighted(picture, 1.0, noise, part.noise, -128.0 * part.noise, dst=picture)
