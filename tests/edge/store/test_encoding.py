from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.decode import decode
from camera.frame import Image
from edge.store.encoding import encode, lossy


def noise(height: int, width: int, colour: bool = True, seed: int = 3) -> Image:
    shape = (height, width, 3) if colour else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@given(st.integers(1, 70), st.integers(1, 70), st.booleans(), st.integers(0, 1000))
def test_a_jpeg_of_ours_says_that_it_lost_something_and_a_png_lost_nothing(
    height: int, width: int, colour: bool, seed: int
) -> None:
    image = noise(height, width, colour, seed)
    jpeg, png = encode(image), encode(image, "png")
    assert lossy(jpeg)
    assert not lossy(png)
    pixels, doubts = decode(jpeg)
    assert pixels is not None
    assert pixels.shape[:2] == (height, width)
    assert not doubts  # the note is no damage
    again, _ = decode(png)
    assert again is not None
    assert np.array_equal(again, image if colour else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))


def test_the_jpeg_of_a_camera_is_what_the_line_decided_upon() -> None:
    data = cv2.imencode(".jpg", noise(40, 60))[1].tobytes()
    assert not lossy(data)
    assert not lossy(b"")


def test_the_note_costs_the_picture_nothing() -> None:
    image = noise(48, 64)
    plain = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 90))[1].tobytes()
    ours, _ = decode(encode(image))
    theirs, _ = decode(plain)
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours, theirs)


def test_what_no_file_can_hold_is_said() -> None:
    with pytest.raises((ValueError, cv2.error)):
        encode(np.zeros((0, 0, 3), np.uint8))
