"""Real models whose score depends on one or two known places of the picture and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from inference.manifest import Manifest
from inference.spec import (
    NAMED_SCALINGS,
    Colour,
    Dtype,
    Fit,
    InputSpec,
    Label,
    ModelSpec,
    OutputSpec,
    untouched,
)
from tests.simulators.flatbuffer import Float
from tests.simulators.tflite import LOGISTIC, SOFTMAX, Graph, Tensor, _fully_connected

WIDTH, HEIGHT = 48, 36
LABELS = (Label("good", "good"), Label("defect", "defect"))
Place = tuple[int, int]
"""Column and row of the input; the three by three pixels around it matter."""
STEEP = 12.0
"""How much the logit changes from a place that is black to one that is white."""


def spec(
    kind: Literal["softmax", "sigmoid", "sigmoids"] = "softmax",
    dtype: Dtype = "float32",
    colour: Colour = "rgb",
    fit: Fit = "stretch",
) -> ModelSpec:
    """Input of 48×36 pixels, good and defect."""
    channels = 1 if colour == "grey" else 3
    zero = {"float32": 0, "uint8": 0, "int8": -128}[dtype]
    scale = 0.0 if dtype == "float32" else 1 / 255
    scaling = NAMED_SCALINGS["0..1"] if dtype == "float32" else untouched(dtype, scale, zero)
    given = InputSpec(
        HEIGHT, WIDTH, channels, dtype, colour, scaling, fit=fit, scale=scale, zero_point=zero
    )
    answer_scale = 0.0 if dtype == "float32" else 1 / 256
    return ModelSpec(given, OutputSpec(kind, dtype, LABELS, answer_scale, zero))


def manifest(made: ModelSpec) -> Manifest:
    """Of a bundle with this model."""
    return Manifest(name="regional", version="1.0.0", spec=made)


def model(made: ModelSpec, dark: Sequence[Place], bright: Sequence[Place] = ()) -> bytes:
    """The darker the places `dark`, the more a defect; the brighter the places `bright`, the less.

    A picture that is at half brightness everywhere has an even chance.
    """
    given, dtype = made.input, made.input.dtype
    toward = _weights(dark, given.channels) + _weights(bright, given.channels)
    rows = {"softmax": [toward, -toward], "sigmoid": [-toward], "sigmoids": [toward, -toward]}
    weights = np.array(rows[made.output.kind])
    graph = Graph()
    image = graph.add(Tensor(given.shape, dtype, None, given.scale, given.zero_point, "image"))
    bias = -weights.sum(axis=1) / 2
    logits = _fully_connected(graph, image, weights, bias, dtype, given.scale)
    shape, answer = (1, len(weights)), made.output
    output = graph.add(Tensor(shape, dtype, None, answer.scale, answer.zero_point, "scores"))
    code = SOFTMAX if answer.kind == "softmax" else LOGISTIC
    graph.operators.append((code, [logits], [output], {0: Float(1.0)} if code == SOFTMAX else {}))
    graph.inputs, graph.outputs = [image], [output]
    return graph.as_bytes()


def _weights(places: Sequence[Place], channels: int) -> np.ndarray:
    field = np.zeros((HEIGHT, WIDTH, channels))
    for column, row in places:
        field[row - 1 : row + 2, column - 1 : column + 2] = STEEP / 9 / channels / 2
    return field.reshape(-1)


def picture(
    dark: Sequence[Place] = (), bright: Sequence[Place] = (), times: int = 5, grey: bool = False
) -> np.ndarray:
    """A grey plain, `times` as large as the input, with small black and white marks at places."""
    shape = (HEIGHT * times, WIDTH * times) if grey else (HEIGHT * times, WIDTH * times, 3)
    image = np.full(shape, 128, np.uint8)
    for places, level in ((dark, 0), (bright, 255)):
        for column, row in places:
            x, y = round((column + 0.5) * times), round((row + 0.5) * times)
            reach = round(0.9 * times)
            image[y - reach : y + reach, x - reach : x + reach] = level
    return image
