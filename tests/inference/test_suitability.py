from __future__ import annotations

import numpy as np
import pytest

from inference.interpreter import TensorDetail
from inference.modelfile import ModelFile
from inference.suitability import of_answers, of_input, of_operators, of_output

IMAGE = (1, 8, 8, 3)


def detail(shape, dtype="float32"):
    return TensorDetail("t", tuple(shape), dtype, 0.0, 0)


def codes(reasons):
    return [reason.code for reason in reasons]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("TFLite_Detection_PostProcess", "detector", "object detector"),
        ("edgetpu-custom-op", "custom_operator", "Coral Edge TPU"),
        ("FlexErf", "custom_operator", "SELECT_TF_OPS"),
        ("fake-op", "custom_operator", "fake-op"),
    ],
)
def test_operators_that_no_cpu_has(name, code, words):
    (reason,) = of_operators(ModelFile(custom=(name,)))
    assert reason.code == code
    assert words in reason.text


@pytest.mark.parametrize(
    ("shape", "dtype", "code"),
    [
        ((1, 3, 224, 224), "float32", "channels_first"),
        ((1, 1, 28, 28), "float32", "channels_first"),
        ((1, 28, 28), "uint8", "not_an_image"),
        ((1, 3), "uint8", "not_an_image"),
        ((), "float32", "not_an_image"),
        ((8, 224, 224, 3), "float32", "batch"),
        ((1, 224, 224, 4), "float32", "channels"),
        ((1, 1, 1, 3), "float32", "input_size"),
        ((1, 224, 224, 3), "int16", "input_type"),
        ((1, 224, 224, 3), "float16", "input_type"),
    ],
)
def test_inputs_that_are_no_single_picture(shape, dtype, code):
    assert codes(of_input([detail(shape, dtype)])) == [code]


def test_pictures_are_fine_as_inputs():
    for shape in (IMAGE, (1, 28, 28, 1), (1, 1, 64, 3)):
        assert of_input([detail(shape)]) == []
    assert codes(of_input([detail(IMAGE)] * 2)) == ["inputs"]


@pytest.mark.parametrize(
    ("shape", "dtype", "code"),
    [
        ((1, 8, 8), "int64", "mask"),
        ((1, 8, 8, 21), "float32", "mask"),
        ((1, 8, 8, 3), "float32", "mask"),
        ((1, 12, 12, 30), "float32", "grid"),
        ((1, 2535, 85), "float32", "grid"),
        ((), "float32", "grid"),
        ((1, 1), "int64", "class_number"),
        ((1, 2), "float16", "output_type"),
        ((1, 30_000), "float32", "labels"),
    ],
)
def test_outputs_that_are_no_probabilities_of_classes(shape, dtype, code):
    assert codes(of_output([detail(shape, dtype)], IMAGE)) == [code]


def test_lists_of_probabilities_are_fine_as_outputs():
    for shape in ((1, 2), (2,), (1, 1, 1, 5), (1, 1)):
        assert of_output([detail(shape)], IMAGE) == []
    assert "boxes" in of_output([detail((1, 4))] * 4, IMAGE)[0].text
    assert codes(of_output([detail((1, 4))] * 2, IMAGE)) == ["outputs"]


def test_raw_numbers_are_told_from_probabilities():
    file = ModelFile(last="FULLY_CONNECTED")
    assert of_answers([np.array([[0.2, 0.8]])], file) == []
    (reason,) = of_answers([np.array([[0.2, 0.8]]), np.array([[-4.0, 4.0]])], file)
    assert reason.code == "logits"
    assert "FULLY_CONNECTED" in reason.text
    assert codes(of_answers([np.array([[np.nan, 0.0]])], file)) == ["nonsense"]
