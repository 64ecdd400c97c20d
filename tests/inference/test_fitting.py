from __future__ import annotations

from dataclasses import replace

import pytest

from inference.exchange import hello_for
from inference.fitting import misfits
from inference.interpreter import TensorDetail
from tests.inference.bundles import spec

IMAGE = TensorDetail("image", (1, 8, 8, 3), "int8", 1 / 255, -128)
SCORES = TensorDetail("scores", (1, 2), "int8", 1 / 256, -128)


def test_the_model_that_the_bundle_describes_fits():
    assert misfits(hello_for([IMAGE], [SCORES]), spec("int8")) == []


@pytest.mark.parametrize(
    ("image", "scores", "words"),
    [
        (replace(IMAGE, shape=(1, 3, 8, 8)), SCORES, "the input is (1, 3, 8, 8)"),
        (replace(IMAGE, dtype="uint8"), SCORES, "the input is uint8"),
        (replace(IMAGE, scale=0.5), SCORES, "scale 0.5"),
        (IMAGE, replace(SCORES, zero_point=0), "zero point 0"),
        (IMAGE, replace(SCORES, shape=(1, 3)), "need 2 values"),
    ],
)
def test_each_difference_is_named(image, scores, words):
    (problem,) = misfits(hello_for([image], [scores]), spec("int8"))
    assert words in problem


def test_several_outputs_do_not_fit():
    (problem,) = misfits(hello_for([IMAGE], [SCORES, SCORES]), spec("int8"))
    assert "1 inputs and 2 outputs" in problem
