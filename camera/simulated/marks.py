"""Draws dust, scratches, dents, filled holes and stains. Pure, apart from the picture given."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from camera.frame import Image
from camera.simulated.plan import Mark
from camera.simulated.textures import HOLE

Field = NDArray[np.float32]
SHIFT = 3
"""Binary places of the sub-pixel coordinates given to OpenCV."""

STAIN_BY_CHANNEL = np.array([1.0, 0.8, 0.6], np.float32)
"""Share of a stain's strength that blue, green and red lose: old cutting oil is brown."""


def draw_on_metal(metal: Image, blank: Image, mark: Mark, unit: float, light: float) -> None:
    """Draw one mark, in place, on the square grey picture of a ring in its own frame.

    `blank` is the same ring without holes, `light` the lamp's direction in that frame in degrees.
    Stains have a colour and are drawn later, on the finished picture.
    """
    if mark.kind == "missing":
        _fill_hole(metal, blank, mark, unit)
    elif mark.kind == "scratch":
        _scratch(metal, mark, unit)
    elif mark.kind == "dust":
        _dust(metal, mark, unit)
    elif mark.kind == "dent":
        _dent(metal, mark, unit, light)


def draw_stain(picture: Image, mark: Mark, at: tuple[float, float], unit: float) -> None:
    """Darken, in place, a blot of a colour picture around `at` (x, y in pixels)."""
    reach = math.ceil(mark.size * unit * 1.5)
    window, x, y = _window(picture, at, reach)
    if window.size == 0:
        return
    turn = math.radians(mark.direction)
    along = (x * math.cos(turn) + y * math.sin(turn)) / (mark.size * unit)
    across = (y * math.cos(turn) - x * math.sin(turn)) / (mark.size * unit * mark.width)
    turned = np.arctan2(across, along)
    ripple = 0.09 * np.sin(2 * turned + 6.28 * mark.bend) + 0.07 * np.sin(5 * turned)
    away = np.hypot(along, across) * (1 + ripple)
    # a dried drop is darkest near its rim
    blot = np.clip((1.15 - away) * 2.5, 0, 1) * (0.75 + 0.25 * np.clip(away, 0, 1))
    factor = 1 - mark.strength * blot[..., None].astype(np.float32) * STAIN_BY_CHANNEL
    window[...] = np.rint(window * factor).astype(np.uint8)


def _centre(metal: Image, mark: Mark, unit: float) -> tuple[float, float]:
    middle, turn = (len(metal) - 1) / 2, math.radians(mark.angle)
    reach = mark.radius * unit
    return middle + reach * math.cos(turn), middle + reach * math.sin(turn)


def _window(picture: Image, at: tuple[float, float], reach: int) -> tuple[Image, Field, Field]:
    """The part of the picture within `reach` pixels of `at`, and its coordinates around `at`."""
    height, width = picture.shape[:2]
    left, top = max(0, int(at[0]) - reach), max(0, int(at[1]) - reach)
    right, bottom = min(width, int(at[0]) + reach + 1), min(height, int(at[1]) + reach + 1)
    x = np.arange(left, max(left, right), dtype=np.float32)[None, :] - np.float32(at[0])
    y = np.arange(top, max(top, bottom), dtype=np.float32)[:, None] - np.float32(at[1])
    return picture[top : max(top, bottom), left : max(left, right)], x, y


def _add(window: Image, mask: Image, strength: float) -> None:
    """window += strength × mask / 255, saturating."""
    cv2.addWeighted(window, 1.0, mask, strength / 255.0, 0.0, dst=window)


def _scratch(metal: Image, mark: Mark, unit: float) -> None:
    at = _centre(metal, mark, unit)
    half = mark.size * unit / 2
    window, x, y = _window(metal, at, math.ceil(half * 1.2 + 4 * unit))
    turn = math.radians(mark.direction)
    ends = np.linspace(-1, 1, 7)
    sideways = mark.bend * half * (1 - ends**2) * 2
    px = ends * half * math.cos(turn) - sideways * math.sin(turn) - x[0, 0]
    py = ends * half * math.sin(turn) + sideways * math.cos(turn) - y[0, 0]
    points = np.rint(np.stack([px, py], axis=1) * (1 << SHIFT)).astype(np.int32)
    # the burr beside a scratch throws the opposite shade
    offset = np.array([[0, round(mark.width * unit * (1 << SHIFT))]], np.int32)
    for line, strength in ((points + offset, -0.4 * mark.strength), (points, mark.strength)):
        mask = np.zeros(window.shape, np.uint8)
        wide = max(1, round(mark.width * unit))
        cv2.polylines(mask, [line], False, (255,), wide, cv2.LINE_AA, SHIFT)
        _add(window, mask, strength)


def _dust(metal: Image, mark: Mark, unit: float) -> None:
    window, x, y = _window(metal, _centre(metal, mark, unit), math.ceil(3 * mark.size * unit))
    spot = np.exp(-(x**2 + y**2) / (2 * (mark.size * unit) ** 2)) * 255
    _add(window, spot.astype(np.uint8), mark.strength)


def _dent(metal: Image, mark: Mark, unit: float, light: float) -> None:
    """A hollow under a slanting light: one wall brighter, the other darker, dull in the middle."""
    sigma = mark.size * unit
    window, x, y = _window(metal, _centre(metal, mark, unit), math.ceil(3 * sigma))
    turn = math.radians(light)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    bell = np.exp(-((along / sigma) ** 2 + (across / (sigma * mark.width)) ** 2))
    relief = bell * (along / sigma * 1.9 - 0.35)
    window[...] = np.clip(np.rint(window + mark.strength * relief), 0, 255).astype(np.uint8)


def _fill_hole(metal: Image, blank: Image, mark: Mark, unit: float) -> None:
    """Blend a hole towards solid metal: drilled too shallow, and at strength 1 not at all."""
    at, reach = _centre(metal, mark, unit), math.ceil((HOLE + 8) * unit)
    window, _, _ = _window(metal, at, reach)
    solid, _, _ = _window(blank, at, reach)
    cv2.addWeighted(window, 1 - mark.strength, solid, mark.strength, 0.0, dst=window)
