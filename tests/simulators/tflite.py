"""Real TFLite files of about a kilobyte, made without TensorFlow.

The usual one takes the mean of each channel, a fully connected layer, and softmax or sigmoid.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tests.simulators.flatbuffer import Array, Float, Int, Table, write

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int8": 9, "resource": 13}
FULLY_CONNECTED, LOGISTIC, SOFTMAX, CUSTOM, MEAN = 9, 14, 25, 32, 40
OPTIONS = {0: 11, FULLY_CONNECTED: 8, 18: 21, SOFTMAX: 9, MEAN: 27, 118: 92, 119: 93,
           129: 103, 142: 111}  # fmt: skip
"""The kind of options that an operator has (BuiltinOptions in the schema)."""
Activation = Literal["softmax", "sigmoid", "none"]


@dataclass(frozen=True)
class Tensor:
    """One tensor of a graph; `content` None for what is computed."""

    shape: Sequence[int]
    dtype: str
    content: np.ndarray[Any, Any] | None = None
    scale: float = 0.0
    zero_point: int = 0
    name: str = "tensor"


@dataclass
class Graph:
    """A graph in the order in which it runs. `called` are those that its operators run, numbered
    from 1."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[tuple[int | str, list[int], list[int], Table]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    metadata: bytes | None = None
    called: list[Graph] = field(default_factory=list)

    def add(self, tensor: Tensor) -> int:
        """Put in one tensor, and say its index."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def as_bytes(self) -> bytes:
        """The file."""
        buffers: list[Table] = [{}]
        graphs = [self, *self.called]
        codes = [code for graph in graphs for code, *_ in graph.operators]
        firsts = [sum(len(graph.operators) for graph in graphs[:i]) for i in range(len(graphs))]
        root: Table = {
            0: Int(3),
            1: [_operator_code(code) for code in codes],
            2: [graph._whole(buffers, first) for graph, first in zip(graphs, firsts, strict=True)],
        }
        if self.metadata is not None:
            root[6] = [{0: "TFLITE_METADATA", 1: Int(len(buffers))}]
            buffers.append({0: self.metadata})
        root[4] = buffers
        return write(root, b"TFL3")

    def _whole(self, buffers: list[Table], first: int) -> Table:
        return {
            0: [self._tensor(tensor, buffers) for tensor in self.tensors],
            1: Array(self.inputs, "int32"),
            2: Array(self.outputs, "int32"),
            3: [self._operator(i, first) for i in range(len(self.operators))],
        }

    def _tensor(self, tensor: Tensor, buffers: list[Table]) -> Table:
        number = 0
        if tensor.content is not None:
            number = len(buffers)
            buffers.append({0: tensor.content.astype(tensor.dtype).tobytes()})
        table: Table = {
            0: Array(tensor.shape, "int32"),
            1: Int(TYPES[tensor.dtype], 8),
            2: Int(number),
            3: tensor.name,
        }
        if tensor.scale:
            table[4] = {
                2: Array([tensor.scale], "float32"),
                3: Array([tensor.zero_point], "int64"),
            }
        return table

    def _operator(self, index: int, first: int) -> Table:
        code, inputs, outputs, options = self.operators[index]
        table: Table = {
            0: Int(first + index),
            1: Array(inputs, "int32"),
            2: Array(outputs, "int32"),
        }
        if isinstance(code, int) and code in OPTIONS:
            table[3] = Int(OPTIONS[code], 8)
            table[4] = options
        return table


def _operator_code(code: int | str) -> Table:
    if isinstance(code, str):
        return {0: Int(CUSTOM, 8), 1: code, 2: Int(1), 3: Int(CUSTOM)}
    return {0: Int(min(code, 127), 8), 2: Int(1), 3: Int(code)}


def classifier(
    weights: Sequence[Sequence[float]],
    bias: Sequence[float],
    size: tuple[int, int] = (8, 8),
    dtype: str = "float32",
    activation: Activation = "softmax",
    real: tuple[float, float] = (0.0, 1.0),
    metadata: bytes | None = None,
) -> bytes:
    """activation(weights · mean of each channel + bias) for (1, height, width, channels).

    `real` is the range of numbers that a quantised input's codes stand for.
    """
    w = np.asarray(weights, np.float64)
    graph = Graph(metadata=metadata)
    labels, channels = w.shape
    in_scale = (real[1] - real[0]) / 255 if dtype != "float32" else 0.0
    zero = {"float32": 0, "uint8": 0, "int8": -128}[dtype]
    in_zero = zero - round(real[0] / in_scale) if in_scale else 0
    image = graph.add(Tensor((1, *size, channels), dtype, None, in_scale, in_zero, "image"))
    axes = graph.add(Tensor((2,), "int32", np.array([1, 2])))
    mean = graph.add(Tensor((1, channels), dtype, None, in_scale, in_zero, "mean"))
    graph.operators.append((MEAN, [image, axes], [mean], {0: Int(0, 8)}))
    logits = _fully_connected(graph, mean, w, np.asarray(bias, np.float64), dtype, in_scale)
    output = logits
    if activation != "none":
        out_scale = 1 / 256 if in_scale else 0.0
        output = graph.add(Tensor((1, labels), dtype, None, out_scale, zero, "scores"))
        code = SOFTMAX if activation == "softmax" else LOGISTIC
        graph.operators.append((code, [logits], [output], {0: Float(1.0)}))
    graph.inputs, graph.outputs = [image], [output]
    return graph.as_bytes()


def _fully_connected(
    graph: Graph,
    mean: int,
    weights: np.ndarray[Any, Any],
    bias: np.ndarray[Any, Any],
    dtype: str,
    in_scale: float,
) -> int:
    scale = max(1e-6, float(np.abs(np.nan_to_num(weights)).max())) / 127 if in_scale else 0.0
    middle = 128 if dtype == "uint8" else 0
    if in_scale:
        w = graph.add(
            Tensor(weights.shape, dtype, np.rint(weights / scale) + middle, scale, middle)
        )
        both = in_scale * scale
        b = graph.add(Tensor(bias.shape, "int32", np.rint(bias / both), both))
    else:
        w = graph.add(Tensor(weights.shape, dtype, weights))
        b = graph.add(Tensor(bias.shape, dtype, bias))
    out_scale = 0.1 if in_scale else 0.0
    logits = graph.add(Tensor((1, len(bias)), dtype, None, out_scale, middle, "logits"))
    graph.operators.append((FULLY_CONNECTED, [mean, w, b], [logits], {}))
    return logits


BRIGHT = ((8.0 / 3,) * 3, (-8.0 / 3,) * 3)
"""Weights for which a bright picture is the first of two labels and a dark one the second."""
HALF = (-4.0, 4.0)
"""The bias that puts the border at half brightness (0..1)."""


def bright_is_good(dtype: str = "float32", **more: Any) -> bytes:
    """Two labels by softmax: the first for bright pictures, the second for dark ones (0..1)."""
    return classifier(BRIGHT, HALF, dtype=dtype, **more)


def nonsense() -> bytes:
    """A float model of two labels that answers NaN."""
    return classifier(BRIGHT, (math.nan, 0.0))


def passing(
    input_shape: Sequence[int],
    output_shape: Sequence[int],
    dtype: str = "float32",
    out_dtype: str = "float32",
    operator: int | str = "fake-op",
    outputs: int = 1,
) -> bytes:
    """A model with one operator that may not exist, for looking at shapes and types."""
    graph = Graph()
    given = graph.add(Tensor(input_shape, dtype, name="image"))
    answers = [graph.add(Tensor(output_shape, out_dtype, name="out")) for _ in range(outputs)]
    graph.operators.append((operator, [given], answers, {}))
    graph.inputs, graph.outputs = [given], answers
    return graph.as_bytes()


def metadata(
    labels_file: str | None = None,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    colour: Literal["rgb", "grey"] | None = None,
) -> bytes:
    """The content of the buffer TFLITE_METADATA (tensorflow/lite-support, metadata_schema.fbs)."""
    given: Table = {0: "image"}
    if colour is not None:
        given[3] = {0: Int(2, 8), 1: {0: Int({"rgb": 1, "grey": 2}[colour], 8)}}
    if mean:
        options = {0: Array(mean, "float32"), 1: Array(std, "float32")}
        given[4] = [{0: Int(1, 8), 1: options}]
    answer: Table = {0: "probability"}
    if labels_file is not None:
        answer[6] = [{0: labels_file, 2: Int(2, 8)}]
    return write({0: "model", 3: [{2: [given], 3: [answer]}]}, b"M001")


def with_files(model: bytes, files: Mapping[str, str]) -> bytes:
    """The model with a zip of associated files behind it, as the metadata writer appends them."""
    packed = io.BytesIO(model)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
