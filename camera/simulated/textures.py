"""The pictures that are drawn once and used for every part: fixture, metal, light, noise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.frame import Image

Field = NDArray[np.float32]

# All lengths are in 1/480 of the drawn square's side, so that every picture size shows one part.
OUTER = 190.0
INNER = 92.0
PATCH = 224.0
PITCH = 142.0
HOLE = 18.0
NEST = 212.0
HOLE_ANGLES = (90.0, 210.0, 330.0)
METALS = 6
LIGHT_ANGLES = tuple(20.0 + 5.0 * step for step in range(9))
NOISE_SIGMA = 5.0
NOISE_MARGIN = 64


@dataclass(frozen=True)
class Textures:
    """Everything pre-drawn for one picture size.

    `fixture` (height, width) grey. `blank` and `drilled`: rings without and with their holes, as
    squares of side `side`, grey; `alpha` 255 where there is metal. `lights`: one field per entry
    of LIGHT_ANGLES; 128 leaves a grey value as it is. `noise` is larger than the picture by
    NOISE_MARGIN on both axes, three channels, 128 is none.
    """

    unit: float
    side: int
    fixture: Image
    blank: tuple[Image, ...]
    drilled: tuple[Image, ...]
    alpha: Image
    lights: tuple[Image, ...]
    noise: Image


@lru_cache(maxsize=4)
def textures(width: int, height: int) -> Textures:
    """The textures for one picture size; the same for every seed, as a line has one fixture."""
    unit = min(width, height) / 480.0
    side = 2 * round(PATCH * unit)
    # RandomState: its streams are frozen for ever, unlike those of default_rng
    random = np.random.RandomState(20261120)
    blank = tuple(_metal(random, side, unit) for _ in range(METALS))
    return Textures(
        unit=unit,
        side=side,
        fixture=_fixture(random, width, height, unit),
        blank=blank,
        drilled=tuple(_drill(metal, unit) for metal in blank),
        alpha=_bytes(255.0 * _annulus(side, unit, INNER, OUTER)),
        lights=tuple(_light(side, angle) for angle in LIGHT_ANGLES),
        noise=_noise(random, width, height),
    )


def _bytes(field: Field) -> Image:
    return np.clip(np.rint(field), 0, 255).astype(np.uint8)


def _radius(side: int) -> tuple[Field, Field]:
    """Distance from the middle in pixels, and direction in degrees, of every pixel of a square."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y).astype(np.float32)
    return radius, np.degrees(np.arctan2(y, x)).astype(np.float32)


def _step(distance: Field) -> Field:
    """0 to 1 over one pixel: an edge without stairs."""
    step: Field = np.clip(distance + 0.5, 0, 1).astype(np.float32)
    return step


def _annulus(side: int, unit: float, inner: float, outer: float) -> Field:
    radius, _ = _radius(side)
    return _step(outer * unit - radius) * _step(radius - inner * unit)


def _metal(random: np.random.RandomState, side: int, unit: float) -> Image:
    """A turned face: grooves around the middle, brushed along them, with two chamfers."""
    half = side // 2
    brushed = random.randn(1024, half).astype(np.float32)
    brushed = cv2.blur(np.tile(brushed, (3, 1)), (1, 91))[1024:2048] * 9.5 * 5.0
    grooves = cv2.GaussianBlur(random.randn(1, half).astype(np.float32), (3, 1), 0.8) * 8.0
    wave = cv2.GaussianBlur(random.randn(1, half).astype(np.float32), (0, 0), 9 * unit) * 14.0
    polar = 152.0 + 0.35 * brushed + grooves + wave
    face = cv2.warpPolar(
        polar,
        (side, side),
        ((side - 1) / 2, (side - 1) / 2),
        half,
        cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS,
    )
    face = face + random.randn(side, side).astype(np.float32) * 3.0
    face = face + 46.0 * _annulus(side, unit, OUTER - 7, OUTER - 1)
    face = face - 55.0 * _annulus(side, unit, OUTER - 9.5, OUTER - 7)
    face = face + 40.0 * _annulus(side, unit, INNER, INNER + 6)
    return _bytes(face - 45.0 * _annulus(side, unit, INNER + 6, INNER + 8))


def _drill(metal: Image, unit: float) -> Image:
    """Three countersunk holes: a bright ring, a dark bore, a little light on its far wall."""
    field = metal.astype(np.float32)
    axis = np.arange(len(metal), dtype=np.float32) - (len(metal) - 1) / 2
    x, y = np.meshgrid(axis, axis)
    for angle in np.radians(HOLE_ANGLES):
        dx = x - np.float32(PITCH * unit * np.cos(angle))
        dy = y - np.float32(PITCH * unit * np.sin(angle))
        away = np.hypot(dx, dy)
        sink = _step((HOLE + 6) * unit - away)
        field = field + sink * (30.0 + 26.0 * (dx + dy) / (HOLE * unit) / 2)
        bore = _step(HOLE * unit - away)
        wall = 34.0 + 40.0 * np.clip(away / (HOLE * unit) - 0.72, 0, 1)
        field = field * (1 - bore) + bore * wall
    return _bytes(field)


def _light(side: int, angle: float) -> Image:
    """A turned face under a bar lamp: two bright lobes across the grooves, brighter at one side."""
    radius, direction = _radius(side)
    turned = np.radians(direction - angle)
    lobes = np.abs(np.cos(turned)) ** 6
    tilt = np.cos(turned - 0.5) * radius / (side / 2)
    return _bytes(128.0 * (0.82 + 0.36 * lobes + 0.08 * tilt))


def _fixture(random: np.random.RandomState, width: int, height: int, unit: float) -> Image:
    """A dark plate with a round nest, a centre boss, three locating pins and four screws."""
    grain = cv2.GaussianBlur(random.randn(height, width).astype(np.float32), (0, 0), 1.2) * 9.0
    cloud = cv2.GaussianBlur(random.randn(height, width).astype(np.float32), (0, 0), 25 * unit)
    plate = 66.0 + grain + cloud * (150.0 * unit)
    centre = ((width - 1) / 2, (height - 1) / 2)
    x = np.arange(width, dtype=np.float32)[None, :] - np.float32(centre[0])
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(centre[1])
    away = np.hypot(x, y).astype(np.float32)
    nest = _step(NEST * unit - away)
    plate = plate - 30.0 * nest + 34.0 * _step((NEST + 4) * unit - away) * (1 - nest)
    boss = _step(58 * unit - away)
    plate = plate + boss * 24.0 - 26.0 * _step(61 * unit - away) * (1 - boss)
    canvas = _bytes(plate * (1.05 - 0.25 * (away / (400 * unit)) ** 2))
    for angle in np.radians((30.0, 150.0, 270.0)):
        _disc(canvas, centre, (NEST * unit, angle), 11 * unit, (150, 205))
    for sx, sy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        reach = float(np.hypot(width / 2 - 34 * unit, height / 2 - 34 * unit))
        turn = float(np.arctan2(sy * (height / 2 - 34 * unit), sx * (width / 2 - 34 * unit)))
        _disc(canvas, centre, (reach, turn), 17 * unit, (92, 118))
        _slot(canvas, centre, (reach, turn), 11 * unit)
    return canvas


def _at(centre: tuple[float, float], polar: tuple[float, float]) -> tuple[int, int]:
    reach, turn = polar
    return round(centre[0] + reach * np.cos(turn)), round(centre[1] + reach * np.sin(turn))


def _disc(
    canvas: Image,
    centre: tuple[float, float],
    polar: tuple[float, float],
    radius: float,
    greys: tuple[int, int],
) -> None:
    """A round head with a lighter top, on its shadow."""
    x, y = _at(centre, polar)
    shade = max(1, round(radius * 0.15))
    cv2.circle(canvas, (x + shade, y + shade), round(radius * 1.1), (22,), -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), round(radius), (greys[0],), -1, cv2.LINE_AA)
    cv2.circle(canvas, (x - shade, y - shade), round(radius * 0.6), (greys[1],), -1, cv2.LINE_AA)


def _slot(
    canvas: Image, centre: tuple[float, float], polar: tuple[float, float], reach: float
) -> None:
    x, y = _at(centre, polar)
    dx, dy = round(reach * np.cos(polar[1] * 7)), round(reach * np.sin(polar[1] * 7))
    width = max(1, round(reach / 4))
    cv2.line(canvas, (x - dx, y - dy), (x + dx, y + dy), (30,), width, cv2.LINE_AA)


def _noise(random: np.random.RandomState, width: int, height: int) -> Image:
    shape = (height + NOISE_MARGIN, width + NOISE_MARGIN, 3)
    return _bytes(128.0 + random.randn(*shape).astype(np.float32) * NOISE_SIGMA)
