"""The pictures that are drawn once."""

from __future__ import annotations

import numpy as np
import pytest

from camera.simulated.textures import Textures, textures


@pytest.mark.parametrize(("width", "height"), [(640, 480), (97, 64), (64, 300)])
def test_drawn_again_they_are_the_same(width: int, height: int) -> None:
    """OpenCV can leave pixels as the memory was; such a texture differs from time to time."""
    first = textures(width, height)
    textures.cache_clear()
    dirt = [np.full((height * 2, width * 2), np.nan, np.float32) for _ in range(8)]
    del dirt
    again = textures(width, height)
    assert first is not again
    for name in Textures.__dataclass_fields__:
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_a_small_picture_shows_the_same_fixture_as_a_large_one() -> None:
    large, small = textures(640, 480), textures(320, 240)
    assert small.fixture.mean() == pytest.approx(large.fixture.mean(), rel=0.05)
    assert small.side * 2 == pytest.approx(large.side, abs=4)


def test_what_is_shared_is_kept() -> None:
    assert textures(320, 240) is textures(320, 240)
