"""Where the model looked, as a picture to lay over the part's picture. Pure.

Colour and shape both carry the meaning: where covering lowers the score there is a warm fill inside
a drawn outline; where it raises the score there is a cool fill without one.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.inspection import Setup

WARM = (40, 80, 255)
"""Blue, green, red of where the part looks defective."""
COOL = (255, 140, 30)
OPAQUE = 0.6
"""Of the strongest place."""
FAINT = 0.15
"""Below this share of the strongest nothing is drawn: it would only veil the part."""
OUTLINED = 0.5
LONGEST = 1600
"""As long as the longer side of the picture on the screen is at most."""
BACK = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}

Field = NDArray[np.float32]


def placed(values: Field, setup: Setup, size: tuple[int, int]) -> Field:
    """The values at their place in the whole picture of `size` (width, height); 0 elsewhere.

    The model is shown the ROI, rotated: this is the way back. Raises ValueError where it does not
    lead into the picture.
    """
    if setup.rotate:
        values = cast(Field, cv2.rotate(values, BACK[setup.rotate]))
    width, height = size
    left, top = (0, 0) if setup.roi is None else (setup.roi.x, setup.roi.y)
    high, wide = values.shape
    if top + high > height or left + wide > width:
        raise ValueError(f"a map of {wide}×{high} does not fit into {width}×{height}")
    whole: Field = np.zeros((height, width), np.float32)
    whole[top : top + high, left : left + wide] = values
    return whole


def drawn(values: Field) -> bytes:
    """A PNG with transparency, in the proportions of `values`, at most LONGEST pixels long."""
    height, width = values.shape
    factor = min(1.0, LONGEST / max(height, width))
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        values = cast(Field, cv2.resize(values, size, interpolation=cv2.INTER_AREA))
    strength = np.abs(values)
    picture = np.zeros((*values.shape, 4), np.uint8)
    picture[values > 0, :3] = WARM
    picture[values < 0, :3] = COOL
    alpha = np.where(strength < FAINT, 0.0, strength * (255 * OPAQUE))
    picture[..., 3] = np.rint(alpha).astype(np.uint8)
    _outline(picture, values)
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError("the overlay could not be encoded")
    return data.tobytes()


def _outline(picture: NDArray[np.uint8], values: Field) -> None:
    """A black line in a white one around what is warmest: to be seen on any ground."""
    inside = (values >= OUTLINED).astype(np.uint8)
    lines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    thin = max(1, round(max(values.shape) / 500))
    cv2.drawContours(picture, lines, -1, (255, 255, 255, 255), 3 * thin)
    cv2.drawContours(picture, lines, -1, (0, 0, 0, 255), thin)
