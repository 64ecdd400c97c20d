"""Pictures that look alike are counted, and nothing more."""

from __future__ import annotations

import numpy as np

from edge.calibrating.resemblance import resembling


def test_pictures_within_a_grey_level_of_another_one_are_counted() -> None:
    generator = np.random.default_rng(1)
    different = [generator.integers(0, 256, (32, 32), np.uint8) for _ in range(20)]
    assert resembling(different) == 0
    near = different[3].copy()
    near[5, 5] ^= 1
    assert resembling([*different, near]) == 2


def test_few_or_many() -> None:
    one = np.zeros((32, 32), np.uint8)
    assert resembling([]) == 0
    assert resembling([one]) == 0
    assert resembling([one] * 1200) == 1200
